"""The README does what it says: its first session is run as it stands."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import ServerProcess
from tests.servers import free_port

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def first_session() -> str:
    """The shell commands of the section, in order."""
    section = README.partition("## A first session")[2].partition("\n## ")[0]
    return "\n".join(re.findall(r"```sh\n(.*?)```", section, re.DOTALL))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    process = ServerProcess(tmp_path / "data", port=free_port())
    process.start()
    yield process
    if process.is_running:
        process.kill()


@pytest.mark.skipif(
    not (shutil.which("bash") and shutil.which("curl")), reason="the session needs bash and curl"
)
def test_the_first_session_works_as_it_is_pasted(server: ServerProcess, tmp_path: Path) -> None:
    (tmp_path / ".venv").symlink_to(sys.prefix)
    commands = first_session().replace("http://127.0.0.1:8000", server.url)
    done = subprocess.run(  # noqa: S603 - our own README
        ["bash", "-euo", "pipefail", "-c", commands],  # noqa: S607 - whichever bash the user has
        cwd=tmp_path,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "PERSPLIT_SERVER": server.url},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    printed = done.stdout
    assert done.returncode == 0, printed + done.stderr
    assert "Asha and Ben saw the same" in printed
    assert "COMPLETED" in printed
    assert "▄▄▄▄▄" in printed
    assert re.search(r"Goa trip #5 +expense:created", printed)
    assert re.findall(r"^(\d) \S+Z (\S+)$", printed, re.MULTILINE)[-1] == ("7", "settlement:completed")
    assert '"amount": -40000' in printed


def test_the_server_says_where_it_is_and_what_to_do_next(server: ServerProcess) -> None:
    assert server.stop() == 0
    assert f"PerSplit is at {server.url}" in server.printed
    assert "What to do next" in server.printed


def test_what_the_readme_links_to_is_there() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_the_table_of_figures_ends_where_it_says_and_something_follows() -> None:
    assert README.count("<!-- scripts/bench --table -->") == README.count("<!-- end of the table -->") == 1
    assert "## What is inside" in README.partition("<!-- end of the table -->")[2]
