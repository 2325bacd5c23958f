"""How a command ends: its exit codes, and what it says when it can't do what was asked.

CliError                1  what was asked can't be done
├── UsageFault          2  the words on the command line don't say what to do
├── NeedsNetwork        3  only the server can do this, and it doesn't answer
└── NotSignedIn         4  nobody is signed in here, or no longer
"""

from collections.abc import Sequence
from typing import Any, ClassVar, Final

EXIT_CODES: Final = {
    0: "done; offline: noted down, and sent by the next command that finds the server",
    1: "refused by the group's rules or the server, or it failed; nothing changed",
    2: "the command line makes no sense: an unknown name, an amount that isn't one",
    3: "this needs the server, and it doesn't answer",
    4: "not signed in, or no longer",
    130: "interrupted with Ctrl-C",
}
"""Exit code → what it says; the help shows this table, and a test holds the two together."""


class CliError(Exception):
    """Says why a command can't do what was asked. `code` is stable, for scripts; `lines` go below the message."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, code: str = "refused", lines: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.lines = tuple(lines)

    @property
    def more(self) -> Sequence[str]:
        """The lines that say more than the message: of one wrong field the server's message says it all."""
        return [line for line in self.lines if line not in self.message]

    def to_json(self) -> dict[str, Any]:
        """As `--json` prints it, on standard error."""
        return {"error": {"code": self.code, "message": self.message, "details": list(self.lines)}}


class UsageFault(CliError):
    """A word on the command line can't be understood; the message says what would be."""

    exit_code = 2

    def __init__(self, message: str, *, code: str = "usage", lines: Sequence[str] = ()) -> None:
        super().__init__(message, code=code, lines=lines)


class NeedsNetwork(CliError):
    """Only the server can do it."""

    exit_code = 3

    def __init__(self, message: str) -> None:
        super().__init__(message, code="offline")


class NotSignedIn(CliError):
    """An account is needed."""

    exit_code = 4

    def __init__(self, message: str = "nobody is signed in here: use `persplit client log-in`") -> None:
        super().__init__(message, code="not_signed_in")
