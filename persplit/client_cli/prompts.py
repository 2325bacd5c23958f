"""Asking people: passwords, and lines that are typed while other things go on."""

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import Callable
from getpass import getpass
from typing import Final, TextIO

from persplit.client_cli.errors import UsageFault

PASSWORD_VARIABLE: Final = "PERSPLIT_PASSWORD"  # noqa: S105 - the name of a variable
LINE_BYTES_MAX: Final = 4096
"""What a terminal hands over at once: a line."""
GROUP_PASSWORD_VARIABLE: Final = "PERSPLIT_GROUP_PASSWORD"  # noqa: S105 - likewise


def password(what: str = "Password", variable: str = PASSWORD_VARIABLE) -> str:
    """From the environment variable, else typed unseen, else the first line of standard input.

    There is no option for it on purpose: everybody on the machine can see the arguments of a process.

    Raises:
        UsageFault: there is none.

    """
    found = os.environ.get(variable) or _typed(f"{what}: ")
    if not found:
        raise UsageFault(f"no password: type it, send it to standard input, or set {variable}")
    return found


def group_password(*, wanted: bool) -> str | None:
    """A group's password, if it is wanted or set; asked for as others are."""
    if wanted or os.environ.get(GROUP_PASSWORD_VARIABLE):
        return password("The group's password", GROUP_PASSWORD_VARIABLE)
    return None


def _typed(prompt: str) -> str:
    if sys.stdin.isatty():
        return getpass(prompt)
    return sys.stdin.readline().rstrip("\r\n")


class Lines:
    """Lines as they are typed, each read by a thread of its own, so that news can be shown while nobody types."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    async def next(self) -> str | None:
        """The next line; None at the end."""
        return await self._by_thread(self._read)

    async def password(self, prompt: str) -> str | None:
        """The next line, typed unseen where that can be; None at the end."""
        if self._file.isatty():
            return await self._by_thread(lambda: getpass(prompt))
        return await self.next()

    async def _by_thread(self, read: Callable[[], str | None]) -> str | None:
        loop = asyncio.get_running_loop()
        told: asyncio.Future[str | None] = loop.create_future()

        def work() -> None:
            line = read()
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(_tell, told, line)

        # A daemon: reading can't be interrupted, and must not keep the process from ending.
        threading.Thread(target=work, daemon=True).start()
        return await told

    def _read(self) -> str | None:
        if self._file.isatty():
            # Past the buffer, whose lock a thread that still reads would hold when Python ends.
            line = os.read(self._file.fileno(), LINE_BYTES_MAX).decode(errors="replace")
        else:
            line = self._file.readline()
        return line.rstrip("\r\n") if line else None


def _tell(told: "asyncio.Future[str | None]", line: str | None) -> None:
    if not told.done():
        told.set_result(line)
