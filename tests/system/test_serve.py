"""`persplit serve` as a process: its faults, its secret, its workers."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from persplit.cli import app
from tests.processes import PATIENCE_SECONDS, ServerProcess
from tests.servers import free_port
from tests.terminal import CliRunner, Result

SECRET = "a secret of more than thirty-two bytes, for tests"


def refuses(*arguments: str, **variables: str) -> Result:
    """What the command says, in this process, of settings that don't fit."""
    return CliRunner().invoke(app, ["serve", *arguments], env=variables)


def serve(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run it where it can't start."""
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "persplit", "serve", *arguments],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def post(url: str, body: dict[str, Any], token: str = "") -> dict[str, Any]:
    headers = {"Content-Type": "application/json", "Idempotency-Key": os.urandom(8).hex()}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)  # noqa: S310 - our own server
    with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as response:  # noqa: S310 - as above
        found = json.load(response)
    assert isinstance(found, dict)
    return found


def register(url: str) -> str:
    email = f"{os.urandom(4).hex()}@example.org"
    body = {"name": "Asha", "email": email, "password": "a long walk by the sea"}
    return str(post(f"{url}/api/v1/auth/register", body)["accessToken"])


def test_all_faults_of_the_settings_are_said_at_once_without_the_secret(tmp_path: Path) -> None:
    done = refuses(
        "--workers", "0", "--data-dir", str(tmp_path), PERSPLIT_JWT_SECRET="too-short", PERSPLIT_PORT="http"
    )
    assert done.exit_code == 2
    for name in ("PERSPLIT_WORKERS", "PERSPLIT_JWT_SECRET", "PERSPLIT_PORT"):
        assert name in done.stderr
    assert "too-short" not in done.stderr


def test_mongodb_needs_a_secret_and_workers_need_mongodb(tmp_path: Path) -> None:
    done = refuses("--mongodb-uri", "mongodb://127.0.0.1:1/x", "--data-dir", str(tmp_path))
    assert (done.exit_code, "PERSPLIT_JWT_SECRET is required" in done.stderr) == (2, True)
    done = refuses("--workers", "2", "--data-dir", str(tmp_path))
    assert (done.exit_code, "needs PERSPLIT_MONGODB_URI" in done.stderr) == (2, True)


def test_a_port_that_is_taken_is_said_plainly(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        done = serve("--port", str(other.getsockname()[1]), "--data-dir", str(tmp_path))
    assert done.returncode == 1
    assert "in use" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_store_that_does_not_answer_is_said_plainly(tmp_path: Path) -> None:
    uri = f"mongodb://127.0.0.1:{free_port()}/x"
    done = serve("--mongodb-uri", uri, "--data-dir", str(tmp_path), PERSPLIT_JWT_SECRET=SECRET)
    assert done.returncode == 1
    assert "can't start: the database did not answer" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_server_that_is_told_to_stop_serves_on_for_the_delay_or_until_it_is_told_again(
    tmp_path: Path,
) -> None:
    server = ServerProcess(
        tmp_path, port=free_port(), is_measured=True, PERSPLIT_SHUTDOWN_DELAY_SECONDS="300"
    )
    server.start()
    try:
        token = register(server.url)
        server.send(signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while readiness(server.url) == 200:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert readiness(server.url) == 503
        post(f"{server.url}/api/v1/groups", {"name": "Late"}, token)
        assert server.stop() == 0
    finally:
        if server.is_running:
            server.kill()


def readiness(url: str) -> int:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=PATIENCE_SECONDS) as response:  # noqa: S310 - our own server
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGHUP")
def test_it_ends_in_order_when_its_terminal_closes_and_its_secret_is_kept_for_its_owner_only(
    tmp_path: Path,
) -> None:
    server = ServerProcess(tmp_path, port=free_port())
    server.start()
    token = register(server.url)
    kept = tmp_path / "jwt-secret"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert len(kept.read_text()) >= 32
    assert server.signal(signal.SIGHUP) == 0
    server.start()
    try:
        post(f"{server.url}/api/v1/groups", {"name": "After a restart"}, token)
    finally:
        server.kill()
