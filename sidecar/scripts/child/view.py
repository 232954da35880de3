# A view of its own of the files, for a script's process: a mount namespace (mount_namespaces(7)) in
# which what is not the script's is covered. Run by confine.py before Landlock is put in force,
# which forbids undoing it. It knows what is to be covered, not what may be read.
import os

from calling import call, syscall, words, write

_NR_MOUNT_SETATTR = 442
_AT_FDCWD = -100
_CLONE_NEWNS, _CLONE_NEWUSER = 0x00020000, 0x10000000
_MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_BIND, _MS_REC, _MS_SLAVE = 2, 4, 8, 4096, 16384, 1 << 19
_MOUNT_ATTR_RDONLY = 1
_MNT_DETACH, _ENOENT, _EINVAL = 2, 2, 22
_SHARED_MEMORY = "/dev/shm"  # noqa: S108 - a device of the system
#: A folder of the sidecar's holds a handful; more need no stand-in to be covered.
_COVERED_NAMES = 200


class View:
    """What there is of it: nothing yet."""

    def __init__(self):
        #: Whether this process sees the files by itself, and whether what is the same for all
        #: attempts has been done there.
        self.separate = self.furnished = False
        #: What was covered, as confinement.py's `covered` tells it.
        self.covered = []

    def change(self, policy, keep_view):
        """Make of it what the policy says, as far as it is not so yet. Raises OSError.

        Landlock allows by hierarchy and cannot take a part out again. So: here the sidecar's own
        folder in the project holds nothing that can be opened but the cache, what the daemon itself
        executes cannot be written, and shared memory is the attempt's own. For `keep_view` see
        `confine.enter`.
        """
        if not self.separate:
            _separate()
            self.separate = True
            if keep_view is not None:
                _hand_over(keep_view)
        if not self.furnished:
            for path in map(os.fsencode, policy["fixed"]):
                call("mount", path, path, None, _MS_BIND | _MS_REC, None)
                _make_read_only(path)
            if os.path.isdir(_SHARED_MEMORY):
                flags = _MS_NOSUID | _MS_NODEV
                call("mount", b"tmpfs", os.fsencode(_SHARED_MEMORY), b"tmpfs", flags, b"mode=1777")
            self.furnished = True
        for folder, kept in policy["hidden"]:
            now = policy.get("covered")
            if not self.covered or (now is not None and now != self.covered):
                if self.covered:
                    _uncover(folder)
                self.covered = _cover(folder, kept)
                # What of the daemon's files in /proc is open to everybody goes too (`cmdline`,
                # `status`).
                process = b"/proc/%d" % policy["daemon"]
                call("mount", os.fsencode(folder), process, None, _MS_BIND, None)
        # Where this process is was seen before; from there one would get behind what covers it.
        os.chdir(policy["project"])


def _separate():
    user, group = os.geteuid(), os.getegid()
    if user == 0:
        call("unshare", _CLONE_NEWNS)
    else:
        call("unshare", _CLONE_NEWNS | _CLONE_NEWUSER)
        # user_namespaces(7): without this one may not map one's group
        write("/proc/self/setgroups", "deny")
        write("/proc/self/uid_map", "%d %d 1" % (user, user))
        write("/proc/self/gid_map", "%d %d 1" % (group, group))
    # What is mounted here must not appear anywhere else.
    call("mount", None, b"/", None, _MS_REC | _MS_SLAVE, None)


def _hand_over(keep_view):
    view = os.open("/proc/self/ns/mnt", os.O_RDONLY)
    try:
        keep_view(view)
    finally:
        os.close(view)


def _make_read_only(path):
    attributes = words(_MOUNT_ATTR_RDONLY, 0, 0, 0)
    syscall(_NR_MOUNT_SETATTR, _AT_FDCWD, path, 0, attributes, len(attributes))


def _cover(folder, kept):
    """A folder in front of `folder` with the same names; of these only `kept` can be opened.

    The others are character devices without a number, which nobody needs a privilege to make, in
    a file system that opens none: EACCES, for root too. Returns what has been covered, as
    confinement.py's `covered` tells it.
    """
    covered = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY)
    inner = os.open(kept, os.O_PATH | os.O_NOFOLLOW | os.O_DIRECTORY, dir_fd=covered)
    try:
        names = sorted(os.listdir(covered))
        seen = [(status.st_dev, status.st_ino) for status in map(os.fstat, (covered, inner))]
        flags = _MS_NOSUID | _MS_NODEV | _MS_NOEXEC
        at = b"/proc/self/fd/%d"
        call("mount", b"tmpfs", at % covered, b"tmpfs", flags, b"size=64k,nr_inodes=256,mode=700")
        for name in [name for name in names if name != kept][:_COVERED_NAMES]:
            os.mknod(os.path.join(folder, name), 0o020000, 0)
        path = os.path.join(folder, kept)
        os.mkdir(path, 0o700)
        call("mount", at % inner, os.fsencode(path), None, _MS_BIND, None)
        _make_read_only(os.fsencode(folder))
    finally:
        os.close(inner)
        os.close(covered)
    return [*seen, names]


def _uncover(folder):
    """Take away what `_cover` has put there, unless it went with the folder."""
    try:
        call("umount2", os.fsencode(folder), _MNT_DETACH)
    except OSError as error:
        if error.errno not in (_ENOENT, _EINVAL):
            raise
