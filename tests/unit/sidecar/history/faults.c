/* Makes the n-th call that changes a file fail, or kills the process there (LD_PRELOAD).
 *
 * FAULT_AT     which call, from 1, of those on paths that hold FAULT_ON
 * FAULT_DOES   "kill", or the number of the error to give
 * FAULT_COUNT  a file: one byte is appended for each call, so that a test knows how many there are
 *
 * After a failing call every later one fails too, as on a disk that is full or gone.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static long calls;

static int about_us(const char *path) {
    const char *on = getenv("FAULT_ON");
    return on && path && strstr(path, on) != NULL;
}

static int fd_about_us(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return about_us(path);
}

/* Whether this call is to fail; errno is set then. */
static int faulty(void) {
    const char *at = getenv("FAULT_AT"), *does = getenv("FAULT_DOES"), *count = getenv("FAULT_COUNT");
    calls++;
    if (count) {
        int fd = open(count, O_WRONLY | O_CREAT | O_APPEND, 0600);
        ssize_t (*real)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
        if (fd >= 0) { (void)!real(fd, ".", 1); close(fd); }
    }
    if (!at || !does || calls < atol(at)) return 0;
    if (strcmp(does, "kill") == 0) kill(getpid(), SIGKILL);
    errno = atoi(does);
    return 1;
}

#define ON_FD(type, name, declared, given)                                  \
    type name declared {                                                    \
        type (*real) declared = dlsym(RTLD_NEXT, #name);                    \
        if (fd_about_us(fd) && faulty()) return -1;                         \
        return real given;                                                  \
    }

ON_FD(ssize_t, write, (int fd, const void *data, size_t size), (fd, data, size))
ON_FD(ssize_t, pwrite, (int fd, const void *data, size_t size, off_t at), (fd, data, size, at))
ON_FD(ssize_t, pwrite64, (int fd, const void *data, size_t size, off64_t at), (fd, data, size, at))
ON_FD(int, fsync, (int fd), (fd))
ON_FD(int, fdatasync, (int fd), (fd))
ON_FD(int, ftruncate, (int fd, off_t size), (fd, size))
ON_FD(int, ftruncate64, (int fd, off64_t size), (fd, size))

#define ON_PATH(name, declared, given, path)                                \
    int name declared {                                                     \
        int (*real) declared = dlsym(RTLD_NEXT, #name);                     \
        if (about_us(path) && faulty()) return -1;                          \
        return real given;                                                  \
    }

ON_PATH(rename, (const char *from, const char *to), (from, to), from)
ON_PATH(unlink, (const char *path), (path), path)
