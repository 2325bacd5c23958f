"""Questions and answers for people who don't know commands; whatever else has to be said comes in between."""

from collections.abc import Sequence
from typing import TypeVar

from persplit.client_cli.output import Output
from persplit.client_cli.prompts import Lines

T = TypeVar("T")


class Left(Exception):
    """The input has ended, or the user has had enough."""


class Back(Exception):
    """The user gave an empty answer: back to the menu."""


class Dialogue:
    """Asks and tells. The question that is open is asked once more after anything that comes in between."""

    def __init__(self, lines: Lines, out: Output) -> None:
        self._lines = lines
        self.out = out
        self._open: str | None = None

    def say(self, words: str, style: str = "") -> None:
        """Say something, also while a question is open."""
        if self._open is not None:
            self.out.print("")
        self.out.print(words, style)
        if self._open is not None:
            self._prompt(self._open)

    def _prompt(self, question: str) -> None:
        self.out.print(f"{question}: ", "bold", end="")

    async def ask(self, question: str, *, default: str | None = None) -> str:
        """The answer; an empty one is the default.

        Raises:
            Back: it is empty, and there is no default.
            Left: the input has ended.

        """
        self._open = question if default is None else f"{question} [{default}]"
        self._prompt(self._open)
        answer = await self._lines.next()
        return self._answered(answer, default)

    async def ask_unseen(self, question: str) -> str:
        """The same for a password, which isn't shown as it is typed. Raises `Back`, `Left`."""
        return self._answered(await self._lines.password(f"{question}: "), None)

    def _answered(self, answer: str | None, default: str | None) -> str:
        self._open = None
        if answer is None:
            raise Left
        if not answer.strip() and default is None:
            raise Back
        return answer.strip() or default or ""

    async def choose(self, question: str, choices: Sequence[tuple[str, T]]) -> T:
        """What was chosen by its number, or by how its words begin. Raises `Back`, `Left`."""
        for number, (words, _) in enumerate(choices, 1):
            self.out.print(f"  {number}  {words}")
        while True:
            answer = (await self.ask(question)).casefold()
            found = [
                it
                for number, (words, it) in enumerate(choices, 1)
                if answer == str(number) or (not answer.isdigit() and words.casefold().startswith(answer))
            ]
            if len(found) == 1:
                return found[0]
            self.say(f"Type a number from 1 to {len(choices)}; nothing goes back.", "yellow")

    async def confirm(self, question: str) -> bool:
        """Yes or no; no unless told. Raises `Left`."""
        return (await self.ask(f"{question} (y/n)", default="n")).casefold().startswith("y")
