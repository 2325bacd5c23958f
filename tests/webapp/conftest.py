"""Programs made of the page's sources, run by Node.js."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TypeAlias

import pytest

from scripts import build_webapp
from tests.page_there import need

Json: TypeAlias = dict[str, Any]

SOURCES: Final = build_webapp.WEBAPP / "tests"
PROGRAMS: Final = ("ledger/agree.ts", "data/live.ts")
BUNDLE_SECONDS: Final = 60
_REQUIRE: Final = (
    'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);'
)
"""A package that isn't a module asks for Node's own in this way."""


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that has the programs, bundled."""
    node = build_webapp.node()
    are_here = node is not None and build_webapp.has_packages(for_developing=True)
    need("the packages of the web page are not installed: run scripts/webapp check", is_there=are_here)
    assert node is not None, "else this was skipped"
    folder = tmp_path_factory.mktemp("programs")
    options = ["--bundle", "--platform=node", "--format=esm", "--target=node18", "--log-level=warning"]
    subprocess.run(  # noqa: S603 - found above
        [
            *(node, "node_modules/esbuild/bin/esbuild"),
            *(f"tests/{name}" for name in PROGRAMS),
            *options,
            *(f"--outdir={folder}", "--outbase=tests", "--out-extension:.js=.mjs", f"--banner:js={_REQUIRE}"),
        ],
        cwd=build_webapp.WEBAPP,
        check=True,
        timeout=BUNDLE_SECONDS,
    )
    return folder


class Page:
    """The page's ledger, in a process: one JSON object in, one out."""

    def __init__(self, program: Path) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - ours
            [str(build_webapp.node()), str(program)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def ask(self, **question: Any) -> Any:
        """What it answers."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        """Let it end."""
        self._process.communicate()


@pytest.fixture(scope="session")
def page(programs: Path) -> Iterator[Page]:
    """The page's ledger, for the whole session."""
    page = Page(programs / "ledger/agree.mjs")
    yield page
    page.close()
