"""Watching: as lines, as JSON, as a live screen in a terminal, and with a token."""

import asyncio
import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import aiohttp
import pytest

from tests.client_cli.conftest import PASSWORD, Person

PATIENCE_SECONDS = 60.0


def environment(person: Person) -> dict[str, str]:
    return {**os.environ, "PERSPLIT_CLIENT_DATA": str(person.data), "PERSPLIT_SERVER": person.url}


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "persplit", "client", *words]


class Typed:
    """A command in a process of its own, in a terminal or not, and what it has printed."""

    def __init__(self, person: Person, *words: str, terminal: bool) -> None:
        self.printed = ""
        mine, its = pty.openpty() if terminal else os.pipe()
        self._mine = mine
        self.process = subprocess.Popen(  # noqa: S603 - our own command
            command(*words),
            env={**environment(person), "COLUMNS": "120", "LINES": "40", "TERM": "xterm"},
            stdin=its if terminal else subprocess.DEVNULL,
            stdout=its,
            stderr=its,
            close_fds=True,
        )
        os.close(its)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        with contextlib.suppress(OSError):
            while chunk := os.read(self._mine, 65536):
                self.printed += chunk.decode(errors="replace")

    def types(self, line: str) -> None:
        os.write(self._mine, f"{line}\n".encode())

    def shows(self, *words: str) -> None:
        """Wait until it has printed all of these."""
        waits_until(lambda: all(it in self.printed for it in words), lambda: self.printed)

    def ends(self, exit_code: int = 0) -> None:
        assert self.process.wait(PATIENCE_SECONDS) == exit_code, self.printed


def waits_until(happens: Callable[[], bool], told: Callable[[], str]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not happens():
        assert time.monotonic() < deadline, told()
        time.sleep(0.02)


@pytest.fixture
def started() -> Iterator[list[Typed]]:
    running: list[Typed] = []
    yield running
    for typed in running:
        typed.process.kill()
        typed.process.wait()


def test_lines_where_nobody_looks(trip: tuple[Person, Person], started: list[Typed]) -> None:
    asha, ben = trip
    watching = Typed(ben, "watch", terminal=False)
    started.append(watching)
    watching.shows("Connected.")
    asha.says("expense", "add", "Dinner [bold]", "1000")
    watching.shows("Goa trip #3: Asha added Dinner [bold], ₹1,000.00; you owe ₹500.00.")
    assert "\x1b" not in watching.printed
    asha.says("group", "create", "Secret")
    asha.says("group", "add", "--email", ben.email)
    watching.shows("Secret")
    watching.process.send_signal(signal.SIGINT)
    watching.ends(130)


def test_a_live_screen_in_a_terminal(trip: tuple[Person, Person], started: list[Typed]) -> None:
    asha, ben = trip
    watching = Typed(ben, "watch", "--seconds", "60", terminal=True)
    started.append(watching)
    watching.shows("you are settled up", "Connected.")
    asha.says("expense", "add", "Dinner", "1000")
    watching.shows("Asha added Dinner", "you owe ₹500.00")
    watching.process.send_signal(signal.SIGINT)
    watching.ends(130)


def test_json_lines(trip: tuple[Person, Person]) -> None:
    asha, ben = trip
    running = subprocess.Popen(  # noqa: S603 - our own command
        command("watch", "--json", "--seconds", "30"), env=environment(ben), stdout=subprocess.PIPE, text=True
    )
    assert running.stdout is not None
    assert json.loads(running.stdout.readline()) == {
        "change": "connectionChanged",
        "live": True,
        "reason": "",
    }
    asha.says("expense", "add", "Dinner", "1000")
    told = json.loads(running.stdout.readline())
    running.kill()
    running.communicate()
    assert (told["change"], told["event"]["type"]) == ("happened", "expense:created")


def test_it_ends_by_itself(trip: tuple[Person, Person]) -> None:
    _, ben = trip
    assert "Connected." in ben.says("watch", "--seconds", "1")


def test_with_a_token_and_nothing_else(trip: tuple[Person, Person]) -> None:
    asha, _ = trip

    async def token() -> str:
        body = {"email": asha.email, "password": PASSWORD}
        async with (
            aiohttp.ClientSession() as http,
            http.post(f"{asha.url}/api/v1/auth/login", json=body) as answer,
        ):
            return str((await answer.json())["accessToken"])

    nobody = Person(asha.data / "elsewhere", asha.url)
    said = nobody.says(
        "watch", "--token", asyncio.run(token()), "--server", asha.url, "--no-qr", "--seconds", "1"
    )
    assert "Connected as Asha: Goa trip" in said
    lines = nobody.says("watch", "--token", asyncio.run(token()), "--json", "--seconds", "1").splitlines()
    assert json.loads(lines[0])["event"] == "session:ready"
    assert "token_invalid" in nobody.fails(1, "watch", "--token", "nonsense")["message"]
