"""The official JavaScript client, through Node, gets on with the server."""

import asyncio
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.system.conftest import MakePhone

SOURCES = Path(__file__).parent.parent / "javascript"
INSTALL_SECONDS = 120
RUN_SECONDS = 30


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The client's script with its package beside it."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("Node.js with npm is not on this machine")
    folder = tmp_path_factory.mktemp("javascript")
    shutil.copytree(SOURCES, folder, dirs_exist_ok=True)
    try:
        subprocess.run(  # noqa: S603 - found above
            [npm, "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"],
            cwd=folder,
            check=True,
            capture_output=True,
            timeout=INSTALL_SECONDS,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        pytest.skip(f"socket.io-client can't be installed on this machine: {error}")
    return folder / "two_clients.mjs"


async def run(script: Path, *arguments: str) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        "node", str(script), *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(RUN_SECONDS):
        printed, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    found = json.loads(printed)
    assert isinstance(found, dict)
    return found


async def test_two_javascript_clients_hear_the_same_and_get_coded_acks(
    script: Path, phones: MakePhone
) -> None:
    asha, ben = await phones("Asha", "asha@okaxis"), await phones("Ben")
    group_id = await asha.makes_group(ben)
    found = await run(script, asha.url, asha.token, ben.token, group_id, "nonsense")
    assert (found["ack"]["ok"], found["ack"]["seq"], found["ack"]["replayed"]) == (True, 3, False)
    assert found["again"] == {**found["ack"], "replayed": True}
    assert found["unknown"]["error"]["code"] == "not_found"
    assert found["empty"]["error"]["code"] == "malformed"
    assert found["refused"]["code"] == "token_invalid"
    assert found["byAsha"] == found["byBen"]
    assert found["byBen"]["expense"]["description"] == "चाय"
    assert found["due"]["settleUp"][0]["qr"].startswith("data:image/png;base64,")
    # Each message is exactly one object: clients of other languages spread lists into arguments.
    assert all(len(message["payload"]) == 1 for message in found["heard"])
    assert [message["event"] for message in found["heard"]][:2] == ["session:ready", "expense:created"]
