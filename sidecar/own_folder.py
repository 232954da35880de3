"""The sidecar's own folder in a project, `.workflow-sidecar`: made in one way, whoever is first.

It knows nothing of what is kept there.
"""

from pathlib import Path
from typing import Final

OWN_FOLDER: Final = ".workflow-sidecar"


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
