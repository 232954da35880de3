"""What a script that was refused something should have asked for.

A denied access ends as the script's own exception, whose text and traceback are all that is known
of it. From them, and from what was open to the script, follows the permission that was missing;
where nothing follows, there is no hint. It knows no processes.
"""

import ast
import json
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from sidecar.scripts.interface import Permissions, ScriptFailure
from sidecar.scripts.permissions import Agreement, Kind
from sidecar.scripts.system_paths import Rule, is_within

_QUOTED: Final = r"""(?:'(?:[^'\\\n]|\\.){1,4096}'|"(?:[^"\\\n]|\\.){1,4096}")"""
#: How Python shows an OSError about files: EACCES, and EXDEV for a link or a move to elsewhere.
_ABOUT_FILES: Final = re.compile(
    rf"\[Errno (?:13|18)\] [^:\n]{{1,100}}: b?(?P<first>{_QUOTED})(?: -> b?(?P<second>{_QUOTED}))?"
)
#: A socket that was refused, and what the name service makes of it.
_ABOUT_NETWORK: Final = re.compile(
    r"\[Errno 13\] Permission denied(?![^\n]*['\"])|\bgaierror\b|\[Errno -\d+\] [^\n]*name"
)
_KEPT_FROM_IT: Final = "isolation keeps scripts from it"
_TEXT_CHARACTERS: Final = 16 * 1024


def with_hint(
    failure: ScriptFailure,
    project: Path,
    agreement: Agreement,
    permissions: Permissions,
    rules: Sequence[Rule],
) -> ScriptFailure:
    """The failure, its message followed by the permission that was missing, if that can be told.

    `rules` are what was open to the script.
    """
    text = f"{failure.stack_trace or ''}\n{failure.error}"[-_TEXT_CHARACTERS:]
    hint = _about_files(text, project, agreement, rules)
    if hint is None and not agreement.network(permissions) and _ABOUT_NETWORK.search(text):
        hint = _about_network(agreement)
    if hint is None:
        return failure
    return ScriptFailure(
        f"{failure.error} ({hint})", failure.error_type, failure.error_bases, failure.stack_trace
    )


def hint_of(error: str) -> str:
    """The hint about a path that `with_hint` put behind an error; empty when there is none."""
    _, opening, hint = error.rpartition(f"({_KEPT_FROM_IT}")
    return f"{_KEPT_FROM_IT}{hint.removesuffix(')')}" if opening else ""


def _about_files(
    text: str, project: Path, agreement: Agreement, rules: Sequence[Rule]
) -> str | None:
    # The last one is nearest to the end of the script.
    for match in reversed(list(_ABOUT_FILES.finditer(text))):
        for path in _paths(match, project):
            if asked := _missing(path, rules):
                return _asking(asked, path, agreement)
    return None


def _paths(match: re.Match[str], project: Path) -> Iterator[str]:
    for quoted in (match["first"], match["second"]):
        try:
            named = ast.literal_eval(quoted) if quoted else None
        except (ValueError, SyntaxError):
            named = None
        if isinstance(named, str) and named and "\0" not in named:
            yield os.path.realpath(project / named)


def _missing(path: str, rules: Sequence[Rule]) -> tuple[Kind, ...]:
    """The permissions one of which was missing; none when it was open and something else barred."""
    letters = {letter for folder, letter in rules if is_within(path, folder)}
    if "w" in letters:
        return ()
    if letters:
        return ("write",)
    return ("read", "write") if os.path.lexists(path) else ("write",)


def _asking(asked: tuple[Kind, ...], path: str, agreement: Agreement) -> str:
    if asked == ("write",) and not os.path.lexists(path):
        path = str(Path(path).parent)  # what is to be made can be opened by its folder alone
    shown = json.dumps(path, ensure_ascii=False)
    wanted = " or ".join(f"{{{kind}: [{shown}]}}" for kind in asked)
    hint = f"{_KEPT_FROM_IT}; what opens it is permissions: {wanted} on the step"
    flags = [f"--allow-{kind} {shown}" for kind in asked if not agreement.covers(kind, path)]
    return f"{hint}, and {' or '.join(flags)} when the sidecar is started" if flags else hint


def _about_network(agreement: Agreement) -> str:
    if agreement.network_problem(asked=True):
        return "the network is closed to scripts: the sidecar was started with --no-network"
    return "the network is closed to this step; permissions: {network: true} opens it"
