"""An argparse parser that complains in two lines and says what was probably meant.

It knows words, not which commands there are.
"""

import argparse
from collections.abc import Iterable
from typing import Any, NoReturn

from sidecar.cli import streams


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Lists commands without a line that says COMMAND above them."""

    def _format_action(self, action: argparse.Action) -> str:
        text = super()._format_action(action)
        is_commands = isinstance(action, argparse._SubParsersAction)
        return "".join(text.splitlines(keepends=True)[1:]) if is_commands else text


class Parser(argparse.ArgumentParser):
    """The parser of the whole program or of one command."""

    def __init__(self, prog: str, description: str, epilog: str, **more: Any) -> None:
        """`prog` is what the user types: the program, or the program and the command."""
        super().__init__(
            prog=prog,
            description=description,
            epilog=epilog,
            formatter_class=_Formatter,
            allow_abbrev=False,
            **more,
        )
        #: What may stand first on the command line beside options; none for a command's parser.
        self.commands: dict[str, Parser] = {}

    def error(self, message: str) -> NoReturn:
        """Print what is wrong and where the help is; exit with status 2."""
        from sidecar.redaction import Redactor, escape_control

        shown = Redactor().text(message)
        streams.tell(f"{self.prog}: error: {escape_control(shown)}")
        streams.tell(f"Try: {self.prog} --help")
        raise SystemExit(2)

    def parse_all(self, arguments: list[str]) -> argparse.Namespace:
        """The parsed arguments; exits with status 2 when something is not understood."""
        self._refuse_unknown_command(arguments)
        options, unknown = self.parse_known_args(arguments)
        if unknown:
            asked = self.commands[options.command_name]
            asked.error(asked.complaint_about(unknown[0]))
        return options

    def complaint_about(self, argument: str) -> str:
        """What is wrong with an argument that nobody takes."""
        if not argument.startswith("-"):
            return f"unexpected argument {streams.quoted(argument)}"
        name = argument.partition("=")[0]
        hint = meant(name, self._option_string_actions)
        return f"there is no option {name}{hint}"

    def _refuse_unknown_command(self, arguments: list[str]) -> None:
        first = arguments[0] if arguments else ""
        if first in self.commands or (first in self._option_string_actions):
            return
        if not arguments:
            streams.tell(self.format_help().rstrip())
            raise SystemExit(2)
        if first.startswith("-"):
            self.error(self.complaint_about(first))
        hint = meant(first, self.commands)
        if first.endswith((".yaml", ".yml")):
            hint = f"; did you mean run {first}?"
        self.error(f"there is no command {streams.quoted(first)}{hint}")


def meant(word: str, words: Iterable[str]) -> str:
    """A suggestion to append to a message; empty when nothing comes near."""
    import difflib

    near = difflib.get_close_matches(word, list(words), n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""
