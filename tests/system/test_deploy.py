"""A deploy without downtime, shortly; `scripts/deploy-check` does it long."""

import uuid
from pathlib import Path

import pytest

from tests.deploy.__main__ import Backing, Options, run
from tests.servers import with_database


async def test_while_workers_are_exchanged_and_nodes_replaced_nothing_is_lost_doubled_or_refused(
    tmp_path: Path, mongodb_uri: str, redis_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    there = Backing(tmp_path, with_database(mongodb_uri, f"deploy-{uuid.uuid4().hex}"), redis_url)
    code = await run(Options(rolls=1, exchanges=1, people=3, groups=2, are_forked=True), there)
    assert code == 0, capsys.readouterr().out
