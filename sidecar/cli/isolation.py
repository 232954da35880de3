"""What scripts may reach, from what was typed: the flags that `serve` and `run` share."""

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sidecar.cli import streams
from sidecar.cli.argument_types import one_of
from sidecar.cli.parser import Parser, meant

if TYPE_CHECKING:
    from sidecar.scripts.confinement import IsolationOptions

_LIMITS: Final = ("file_bytes", "open_files", "address_space_bytes")
_UNITS: Final = {"": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_NUMBER: Final = re.compile(r"([0-9]{1,15})(|[KMGT]iB)")


def add_isolation_arguments(parser: Parser) -> None:
    """The flags about what scripts may reach."""
    parser.add_argument(
        "--allow-read",
        action="append",
        default=[],
        metavar="DIR",
        help="folder outside the project that steps may ask to read; may be repeated",
    )
    parser.add_argument(
        "--allow-write",
        action="append",
        default=[],
        metavar="DIR",
        help="folder outside the project that steps may ask to write; may be repeated",
    )
    parser.add_argument(
        "--no-network", action="store_true", help="close the network to all scripts"
    )
    parser.add_argument(
        "--isolation",
        type=one_of("require", "best-effort", "off"),
        default="best-effort",
        metavar="LEVEL",
        help="require: run no script where protection is missing; best-effort (default): with what "
        "this machine offers; off: with none",
    )
    parser.add_argument(
        "--script-limit",
        action="append",
        default=[],
        type=_limit,
        metavar="NAME=N",
        help="file_bytes, open_files or address_space_bytes of a script; N may end in KiB, MiB, "
        "GiB, TiB; may be repeated",
    )


def isolation_options(options: argparse.Namespace) -> "IsolationOptions":
    """What was typed. Raises UsageError when a folder is none."""
    from sidecar.scripts.confinement import IsolationOptions

    return IsolationOptions(
        level=options.isolation,
        allow_read=_folders("--allow-read", options.allow_read),
        allow_write=_folders("--allow-write", options.allow_write),
        network=not options.no_network,
        script_limits=dict(options.script_limit),
    )


def _folders(flag: str, typed: list[str]) -> tuple[Path, ...]:
    from sidecar.errors import UsageError  # brings pydantic along

    for text in typed:
        try:
            is_folder = text != "" and "\0" not in text and Path(text).is_dir()
        except PermissionError as error:
            shown = streams.quoted(text)
            raise UsageError(f"{flag}: {shown} cannot be looked at: {error.strerror}") from None
        if not is_folder:
            raise UsageError(f"{flag}: there is no folder {streams.quoted(text)}")
    return tuple(Path(text).resolve() for text in typed)


def _limit(text: str) -> tuple[str, int]:
    name, equals, value = text.partition("=")
    number = _NUMBER.fullmatch(value)
    if not equals or name not in _LIMITS:
        raise argparse.ArgumentTypeError(
            f"expected NAME=N with a NAME of {', '.join(_LIMITS)}, got {streams.quoted(text[:60])}"
            f"{meant(name, _LIMITS)}"
        )
    if number is None or int(number[1]) == 0:
        raise argparse.ArgumentTypeError(
            f"expected a whole number from 1, with or without a unit such as GiB, as {name}, "
            f"got {streams.quoted(value[:60])}"
        )
    return name, int(number[1]) * _UNITS[number[2]]
