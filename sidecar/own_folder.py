"""The sidecar's own folder in a project, `.workflow-sidecar`: made in one way, whoever is first.

It knows nothing of what is kept there.
"""

import contextlib
from pathlib import Path
from typing import Final

OWN_FOLDER: Final = ".workflow-sidecar"
#: The folder in it that scripts may use, and that outlasts them.
CACHE: Final = "cache"


def make_folder(folder: Path) -> bool:
    """Make a folder, mode 0700, and its parents; the own one ignores itself in git.

    False when it is there already, or something else is. Raises OSError.
    """
    try:
        folder.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        return False
    if folder.name == OWN_FOLDER:
        (folder / ".gitignore").write_text("*\n", "ascii")
    return True


def remove_if_unused(folder: Path) -> None:
    """Remove the own folder again if nothing is kept in it; never mind if it cannot be."""
    with contextlib.suppress(OSError):
        if {path.name for path in folder.iterdir()} <= {".gitignore", CACHE}:
            (folder / CACHE).rmdir()
            (folder / ".gitignore").unlink()
            folder.rmdir()
