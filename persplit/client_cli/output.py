"""Where a command's words go: standard output for people or scripts, standard error for what is beside the point."""

import asyncio
import json
import os
import sys
import unicodedata
from collections.abc import Coroutine, Sequence
from typing import Any, Final, TypeVar

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from persplit.client_cli.errors import CliError

PROGRESS_AFTER_SECONDS: Final = 1.0
"""What takes longer says so; what doesn't would only flicker."""
_PIPE_WIDTH: Final = 200
"""Columns where nobody sees a window: tables in pipes and files aren't folded."""
_KEPT: Final = frozenset("\n\t")

T = TypeVar("T")


class Output:
    """What a command prints. With `as_json` standard output gets JSON and nothing else."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self.console = _console(sys.stdout)
        self._errors = _console(sys.stderr)

    @property
    def is_terminal(self) -> bool:
        """Whether somebody sees this as it is printed."""
        return self.console.is_terminal

    def show(self, value: Any, *shown: RenderableType | str) -> None:
        """Print the value as JSON, or what is shown to people instead."""
        if self.as_json:
            self.line(value)
            return
        for it in shown:
            self.console.print(text(it) if isinstance(it, str) else it, soft_wrap=isinstance(it, str))

    def print(self, words: str, style: str = "", *, end: str = "\n") -> None:
        """Print words to people."""
        self.console.print(text(words, style), soft_wrap=True, end=end)

    def line(self, value: Any) -> None:
        """Print a value as one line of JSON."""
        print(json.dumps(value, ensure_ascii=False), flush=True)  # noqa: T201 - its purpose

    def note(self, words: str, style: str = "yellow") -> None:
        """Say something beside the point, to people only."""
        if not self.as_json:
            self._errors.print(text(words, style), soft_wrap=True)

    def fail(self, error: CliError) -> None:
        """Say why nothing came of it."""
        if self.as_json:
            print(json.dumps(error.to_json(), ensure_ascii=False), file=sys.stderr)  # noqa: T201 - its purpose
            return
        self._errors.print(text(error.message, "bold red"), soft_wrap=True)
        for line in error.more:
            self._errors.print(text(f"  {line}"), soft_wrap=True)

    async def patiently(self, words: str, work: Coroutine[Any, Any, T]) -> T:
        """The work's result; if it takes longer than a second, people see that something goes on."""
        task = asyncio.ensure_future(work)
        try:
            await asyncio.wait({task}, timeout=PROGRESS_AFTER_SECONDS)
            if not task.done():
                await self._wait_visibly(words, task)
            return await task
        finally:
            task.cancel()

    async def _wait_visibly(self, words: str, task: asyncio.Task[T]) -> None:
        if self._errors.is_terminal:
            with self._errors.status(text(words)):
                await asyncio.wait({task})
        else:
            self.note(words, "")
            await asyncio.wait({task})


def _console(file: Any) -> Console:
    """A console without guesses: colours for terminals only (NO_COLOR is heeded), nothing taken for markup."""
    width = None if file.isatty() or os.environ.get("COLUMNS") else _PIPE_WIDTH
    return Console(file=file, highlight=False, markup=False, emoji=False, width=width)


def plain(words: str) -> str:
    """The words without what could move a terminal's cursor or turn its writing round."""
    return "".join(
        c if c in _KEPT or unicodedata.category(c) not in ("Cc", "Cf") or c in "\u200c\u200d" else "\ufffd"
        for c in words
    )


def text(words: str, style: str = "") -> Text:
    """The words as they are, never taken for markup."""
    return Text(plain(words), style=style)


def table(
    columns: Sequence[str], rows: Sequence[Sequence[str | Text]], *, right: Sequence[str] = ()
) -> Table:
    """Rows under headings; the columns in `right` are aligned to the right."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(column, justify="right" if column in right else "left")
    for row in rows:
        made.add_row(*(text(cell) if isinstance(cell, str) else cell for cell in row))
    return made
