"""Find files with the same content, whatever their names are.

Reads    listing: path of the list of files.
Returns  result: path of a JSON file with the groups of equal files; groups: how many there are;
         spare_bytes: what would be saved if one file of each group were kept.
Raises   FileNotFoundError when the list is not there.

Only files of one size can be equal, so only those are read. Empty files are all alike and are no
duplicates of each other.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from _common import Progress, beside, finish, load, read_inputs, say, store


def content_hash(path: str) -> str:
    digest = hashlib.sha256()
    with Path(path).open("rb") as file:
        for chunk in iter(lambda: file.read(1 << 20), b""):
            digest.update(chunk)
    return digest.hexdigest()


def main() -> None:
    path = read_inputs("listing")["listing"]
    by_size: dict[int, list[str]] = {}
    for file in load(path)["files"]:
        if file["size"]:
            by_size.setdefault(file["size"], []).append(file["path"])
    candidates = {size: paths for size, paths in by_size.items() if len(paths) > 1}
    to_read = sum(len(paths) for paths in candidates.values())
    say(f"duplicates: {to_read:,} files share their size with another")
    progress = Progress("duplicates", to_read)

    groups: list[dict[str, Any]] = []
    unreadable: list[str] = []
    for size, paths in candidates.items():
        by_hash: dict[str, list[str]] = {}
        for name in paths:
            progress.tick()
            try:
                by_hash.setdefault(content_hash(name), []).append(name)
            except OSError as error:
                say(f"duplicates: cannot read {name!r}: {error.strerror}")
                unreadable.append(name)
        groups += [
            {"sha256": sha256, "size": size, "paths": equal}
            for sha256, equal in by_hash.items()
            if len(equal) > 1
        ]
    # The group that wastes most comes first.
    groups.sort(key=lambda group: (-group["size"] * (len(group["paths"]) - 1), group["paths"]))
    say(f"duplicates: {len(groups):,} groups of equal files")
    finish(
        result=store(beside(path, "duplicates.json"), {"groups": groups, "unreadable": unreadable}),
        groups=len(groups),
        spare_bytes=sum(group["size"] * (len(group["paths"]) - 1) for group in groups),
    )


if __name__ == "__main__":
    main()
