"""The servers that other tests lean on."""

import sys
from pathlib import Path

import pytest
import redis

from tests import servers
from tests.servers import Server, free_port, running

STUBBORN = """
import signal, socket, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
listening = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    listening.accept()
"""


def test_redis_answers_and_keeps_nothing_on_disk(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.ping()


def test_a_server_that_ends_at_once_says_why(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="no such luck"):
        Server([sys.executable, "-c", "raise SystemExit('no such luck')"], free_port(), tmp_path / "log")


def test_a_server_that_will_not_stop_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "STOP_DEADLINE_S", 0.1)
    port = free_port()
    with running([sys.executable, "-c", STUBBORN, str(port)], port, tmp_path / "log") as server:
        pass
    assert not server._answers()


def test_given_servers_are_used_as_they_are(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.setenv("PERSPLIT_TEST_MONGODB_URI", "mongodb://elsewhere/?tls=true")
    monkeypatch.setenv("PERSPLIT_TEST_REDIS_URL", "redis://elsewhere/")
    assert list(servers._mongodb(tmp_path_factory)) == ["mongodb://elsewhere/?tls=true"]
    assert list(servers._redis(tmp_path_factory)) == ["redis://elsewhere/"]
    assert servers.with_database("mongodb://elsewhere/?tls=true", "x") == "mongodb://elsewhere/x?tls=true"
