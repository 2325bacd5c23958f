"""Several nodes on one store, many clients on the same groups: the history has no anomaly; shortly."""

import asyncio
import time
from pathlib import Path

from tests.torture import concurrency
from tests.torture.concurrency import Size, nodes_over
from tests.torture.history import Outcome
from tests.torture.runs import summary

SEED = 3


def test_what_clients_of_several_nodes_did_and_saw_is_explained_by_the_ledgers(
    tmp_path: Path, mongodb_uri: str, redis_url: str
) -> None:
    # Without hints between the nodes: see test_mutants, where the unbroken server is run like this, too.
    started = time.monotonic()
    with nodes_over(tmp_path, mongodb_uri, redis_url, ["", "", ""]) as nodes:
        size = Size(clients=12, seconds=2.0)
        history, findings = asyncio.run(concurrency.run(tmp_path, nodes, SEED, size))
    assert findings == [], summary(history, findings, started)
    assert any(attempt.outcome is Outcome.OK for attempt in history.attempts)
    assert history.heard
