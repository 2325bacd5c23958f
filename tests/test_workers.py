"""Workers behind one port: exchanged, replaced and ended without anybody being refused."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from persplit import workers
from tests.servers import free_port

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="several workers need SO_REUSEPORT")
PATIENCE_SECONDS = 60.0


class Parent:
    """A parent of two echoing workers, and what it has printed."""

    def __init__(self, home: Path, **variables: str) -> None:
        self.home = home
        self.port = free_port()
        self._log = home / "log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own command
                [sys.executable, "-m", "tests.echo_workers", str(home), str(self.port), "2"],
                stdout=log,
                stderr=log,
                env={**os.environ, **variables},
            )

    def says(self, words: str, times: int = 1) -> None:
        """Wait until it has printed the words so many times."""
        until(lambda: self._log.read_text().count(words) >= times, words)

    def asks(self) -> int:
        """The id of the worker that answers a new connection; ConnectionError if it is cut off."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_SECONDS) as connection:
            answer = connection.recv(100)
        if not answer:
            raise ConnectionAbortedError
        return int(answer)

    def serving(self) -> set[int]:
        """Who answers, of both places with near certainty."""
        return {self.asks() for _ in range(40)}

    def is_served_anew_by_two(self, before: set[int]) -> None:
        """Wait until both places have another worker."""
        until(lambda: len(now := self.serving()) == 2 and not now & before, "two others")

    def exchange(self, times: int) -> None:
        """Ask for an exchange, and wait until so many of them, all told, are over."""
        self.process.send_signal(signal.SIGHUP)
        self.says("worker_exchanged", 2 * times)


def until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"in vain: {what}"
        time.sleep(0.02)


@contextmanager
def running(home: Path, **variables: str) -> Iterator[Parent]:
    parent = Parent(home, **variables)
    try:
        parent.says("announced")
        yield parent
    finally:
        parent.process.terminate()
        assert parent.process.wait(PATIENCE_SECONDS) in (0, -signal.SIGKILL)


@contextmanager
def asked_all_the_time(parent: Parent, lost_max: int = 0) -> Iterator[list[int]]:
    """Connections, one after the other, while the block runs: who answered. All but `lost_max` must be."""
    answered: list[int] = []
    refused: list[OSError] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            try:
                answered.append(parent.asks())
            except OSError as error:
                refused.append(error)
            time.sleep(0.001)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield answered
    finally:
        stop.set()
        asking.join()
    assert len(refused) <= lost_max, refused


def test_workers_are_exchanged_one_by_one_and_a_request_that_comes_meanwhile_is_seen_to_afterwards(
    tmp_path: Path,
) -> None:
    with running(tmp_path) as parent, asked_all_the_time(parent) as answered:
        first = parent.serving()
        assert len(first) == 2
        parent.process.send_signal(signal.SIGHUP)
        parent.says("exchanging_workers")
        parent.process.send_signal(signal.SIGHUP)
        parent.says("worker_exchanged", 4)
        parent.is_served_anew_by_two(first)
        # Two rounds one after the other: at each place two have gone.
        assert len(set(answered) | parent.serving()) == 6


@pytest.mark.parametrize("fault", ["broken", "hanging"])
def test_a_new_worker_that_does_not_get_ready_leaves_the_old_one_in_place(tmp_path: Path, fault: str) -> None:
    with running(tmp_path, START_SECONDS_MAX="5") as parent, asked_all_the_time(parent):
        before = parent.serving()
        (tmp_path / fault).touch()
        parent.process.send_signal(signal.SIGHUP)
        parent.says("workers_not_exchanged")
        assert parent.serving() == before
        (tmp_path / fault).unlink()
        parent.exchange(1)
        parent.is_served_anew_by_two(before)


def test_connections_to_a_worker_that_died_wait_for_the_next_one(tmp_path: Path) -> None:
    # The one that the dead worker had taken on is lost with it.
    with running(tmp_path) as parent, asked_all_the_time(parent, lost_max=1):
        dead = parent.asks()
        os.kill(dead, signal.SIGKILL)
        parent.says("worker_died")
        until(lambda: len(now := parent.serving()) == 2 and dead not in now, "another one")


def test_a_worker_that_does_not_leave_is_killed(tmp_path: Path) -> None:
    (tmp_path / "stubborn").touch()
    with running(tmp_path) as parent:
        before = parent.serving()
        (tmp_path / "stubborn").unlink()
        parent.exchange(1)
        parent.says("worker_killed", 2)
        parent.is_served_anew_by_two(before)


def test_workers_dont_outlive_their_parent(tmp_path: Path) -> None:
    with running(tmp_path) as parent:
        left = parent.serving()
        parent.process.kill()
        until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in left), "their end")


def test_settings_that_dont_fit_end_it_all(tmp_path: Path) -> None:
    (tmp_path / "unfit").touch()
    parent = Parent(tmp_path)
    assert parent.process.wait(PATIENCE_SECONDS) == 2
    parent.says("it does not fit")


def test_workers_that_cant_start_yet_are_started_again(tmp_path: Path) -> None:
    (tmp_path / "broken").touch()
    parent = Parent(tmp_path)
    parent.says("worker_died", 3)
    (tmp_path / "broken").unlink()
    parent.says("announced")
    parent.process.terminate()
    assert parent.process.wait(PATIENCE_SECONDS) == 0


def test_a_port_that_somebody_serves_is_refused_even_if_they_would_share_it() -> None:
    (listeners,) = workers.open_listeners("127.0.0.1", free_port(), 1)
    host, port = listeners[0].getsockname()
    with pytest.raises(OSError, match="in use"):
        workers.open_listeners(host, port, 2)
    workers.close(listeners)
    again = workers.open_listeners(host, port, 2)
    assert [place[0].getsockname() for place in again] == [(host, port)] * 2
    for place in again:
        workers.close(place)


def test_a_name_with_several_addresses_is_listened_on_at_each() -> None:
    places = workers.open_listeners("localhost", free_port(), 2)
    families = {each.family for each in places[0]}
    assert len(places[0]) == len(places[1]) == len(families)
    for place in places:
        workers.close(place)
