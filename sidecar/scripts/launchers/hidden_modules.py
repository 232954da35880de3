"""Whether a file beside a script is named like a module that the zygote has loaded.

Plain Python would import the file; in a fork of the zygote it would be hidden by what is loaded.
"""

import os
import time
from collections import OrderedDict
from pathlib import Path
from typing import Final

#: A larger folder is not searched.
_MAX_ENTRIES: Final = 5000
#: What was changed later than so long before it was looked at may change again without a trace:
#: within the grain of its file system's clock, at worst two seconds (FAT).
_SETTLED_SECONDS: Final = 3.0
_MAX_FOLDERS: Final = 64


class HiddenModules:
    """The modules, by the names that a file would have."""

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names
        #: By folder: the state in which no file in it was hidden.
        self._clear: OrderedDict[str, tuple[int, int, int]] = OrderedDict()

    def by(self, folder: str) -> bool:
        """Whether a file of this folder may be hidden; one that cannot be searched may hold any."""
        try:
            status = Path(folder).stat()
            state = (status.st_dev, status.st_ino, status.st_mtime_ns)
            if self._clear.get(folder) == state:
                return False
            with os.scandir(folder) as entries:
                for count, entry in enumerate(entries):
                    if count >= _MAX_ENTRIES or entry.name.partition(".")[0] in self._names:
                        return True
        except OSError:
            return True
        if time.time() - status.st_mtime >= _SETTLED_SECONDS:
            self._clear[folder] = state
            if len(self._clear) > _MAX_FOLDERS:
                self._clear.popitem(last=False)
        return False
