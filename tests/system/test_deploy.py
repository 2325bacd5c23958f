"""A deploy without downtime, shortly; `scripts/deploy-check` does it long."""

import pytest

from tests.deploy.__main__ import Options, run


async def test_while_workers_are_exchanged_and_nodes_replaced_nothing_is_lost_doubled_or_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = await run(Options(rolls=1, exchanges=1, people=3, groups=2))
    assert code == 0, capsys.readouterr().out
