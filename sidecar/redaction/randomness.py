"""Whether a text looks made up by chance, as tokens are, rather than written for people.

Knows how names of files, hosts and versions look; knows no vendors and nothing of what stands
around the text.
"""

import re
from typing import Final

# Names of files and hosts, paths, addresses, versions: what errors name beside a secret.
_NO_SECRET: Final = re.compile(
    r"[A-Za-z]\w{0,64}\.[A-Za-z]{1,4}|\w{1,20}(?:\.\w{1,20}){2,8}|[a-z+]{2,16}://.*|[.~]?/.*|v?[\d.]+"
    r"|[A-Za-z]{1,64}[-_:]?\d{1,3}|.*[=\[{].*",
    re.DOTALL,
)


def looks_random(value: str) -> bool:
    """Whether a text looks made up by chance rather than written for people."""
    if len(value) < 8 or _NO_SECRET.fullmatch(value):
        return False
    return any(map(str.isdigit, value)) and any(map(str.isalpha, value))
