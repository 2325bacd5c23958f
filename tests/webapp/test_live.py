"""The page's data layer, run by Node.js, gets on with a real server: two people, three devices, tabs, a server that dies."""

import subprocess
from pathlib import Path
from typing import Final

from scripts import build_webapp
from tests.processes import ServerProcess
from tests.servers import free_port_for_restarts

RUN_SECONDS: Final = 240


def test_devices_that_share_a_group_come_to_the_same(programs: Path, tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "data", port=free_port_for_restarts())
    server.start()
    command = [str(build_webapp.node()), "--enable-source-maps", str(programs / "data/live.mjs"), server.url]
    steps = {"kill": server.kill, "start": server.start}
    try:
        with subprocess.Popen(  # noqa: S603 - ours
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as story:
            assert story.stdin is not None
            assert story.stdout is not None
            said = ""
            for line in story.stdout:
                said = line.strip()
                if said in steps:
                    steps[said]()
                    story.stdin.write("done\n")
                    story.stdin.flush()
            assert story.wait(RUN_SECONDS) == 0
            assert said == "done"
    finally:
        if server.is_running:
            server.stop()
