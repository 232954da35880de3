"""Look at every file a second time, and keep those that nobody is writing just now.

Reads    listing: path of the list that the step "inventory" has stored.
Returns  listing: path of the list of settled files; files, bytes: their totals;
         changing: how many files changed or went away between the two looks.
Raises   NotSettledYet while the first look is less than 1.5 seconds ago.

A file that is still being copied, downloaded or compiled looks like any other. Only two looks some
time apart tell them apart, and right after the first look that time has not passed. So the first
attempt fails, honestly, and the workflow file says how to go on: retry_policy names NotSettledYet
and a delay after which the second look can be taken. Nothing waits in between: not this script,
and not the place among the running scripts that it would take up.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from _common import Progress, beside, finish, load, read_inputs, say, store

APART_SECONDS = 1.5


class NotSettledYet(Exception):
    """It is too early for the second look. Try again a little later."""


def is_settled(file: dict[str, Any]) -> bool:
    try:
        info = Path(file["path"]).lstat()
    except OSError:
        return False
    return bool(info.st_size == file["size"] and info.st_mtime_ns == file["changed"])


def main() -> None:
    path = read_inputs("listing")["listing"]
    listing = load(path)
    # A clock that was set back gives a negative age: then only the files themselves can tell.
    age = time.time() - listing["looked_at"]
    if 0 <= age < APART_SECONDS:
        say(f"settle: the first look was only {age:.2f} s ago")
        raise NotSettledYet(
            f"the files were first looked at {age:.2f} s ago: a file that is still being written"
            f" shows itself only when the second look comes {APART_SECONDS} s later or more"
        )
    progress = Progress("settle", len(listing["files"]))
    settled, changing = [], []
    for file in listing["files"]:
        if is_settled(file):
            settled.append(file)
        else:
            changing.append(file["path"])
        progress.tick()
    say(f"settle: {len(settled):,} files are settled, {len(changing):,} are not")
    finish(
        listing=store(
            beside(path, "settled.json"), dict(listing, files=settled, changing=changing)
        ),
        files=len(settled),
        bytes=sum(file["size"] for file in settled),
        changing=len(changing),
    )


if __name__ == "__main__":
    main()
