"""Every server broken on purpose is caught by a short run, as what it is; one that isn't passes the same run."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import pytest

from persplit.config import Settings
from tests.servers import free_port_for_restarts
from tests.torture.checker import Anomaly, Finding, check
from tests.torture.concurrency import Nodes, nodes_over
from tests.torture.forked import ForkedServer
from tests.torture.mutant import MUTANTS, Run
from tests.torture.runs import party

SEED: Final = 4
RUNS_MAX: Final = 3
EVERY: Final = "PERSPLIT_TEST_EVERY_MUTANT" in os.environ
USUAL: Final = (
    "acknowledges_before_the_commit",
    "drops_an_announcement",
    "catches_up_from_one_too_far",
    "applies_a_retry_twice",
    "has_no_unique_key_of_commands",
    "reads_what_it_remembers",
    "loses_a_paisa_of_the_balances",
)
"""Those that each run of all tests has time for; by hand all of them, with the variable set to anything."""
COMMANDS: Final = {Run.ALONE: 120, Run.KILLED: 40, Run.NODES: 200}
"""Sent by all clients together: a mutant that goes wrong at every seventh event does so a dozen times, and one that
does when two nodes are asked in the wrong order about as often."""
PATIENCE_SECONDS: Final = 1.0
"""With a mutant; nothing that is only late makes a right server fail, for that one has longer."""
RIGHT_PATIENCE_SECONDS: Final = 60.0


@contextmanager
def alone(home: Path, changes: str) -> Iterator[tuple[Nodes, ForkedServer]]:
    server = ForkedServer(home / "data", port=free_port_for_restarts(), changes=changes)
    try:
        server.start()
        yield Nodes([server.url], Settings(data_dir=home / "data")), server
    finally:
        server.stop()


async def findings(
    home: Path,
    nodes: Nodes,
    patience_seconds: float,
    commands: int,
    killed: ForkedServer | None = None,
    seed: int = SEED,
) -> list[Finding]:
    """What the checker says of a short run, at the end of which `killed` is killed and started again, unbroken."""
    async with party(home / "history", nodes.urls, seed) as made:
        await made.gather(people=3, wanderers=1, groups=1)
        made.add_devices(6)
        await asyncio.gather(*(device.try_to_connect() for device in made.devices))
        async with made.at_work():
            await made.until_sent(commands)
            if killed is not None:
                killed.kill()
        if killed is not None:
            killed.changes = ""
            await asyncio.to_thread(killed.start)
            made.killed()
        await made.settle(nodes.settings, patience_seconds)
        history = made.history()
        return check(history, await made.ledgers(nodes.settings))


def run(
    tmp_path: Path,
    kind: Run,
    changes: str,
    patience_seconds: float,
    mongodb_uri: str | None,
    seed: int = SEED,
) -> list[Finding]:
    tmp_path.mkdir(exist_ok=True)
    with ExitStack() as stack:
        if mongodb_uri is not None:
            nodes = stack.enter_context(nodes_over(tmp_path, mongodb_uri, None, [changes, changes]))
            return asyncio.run(findings(tmp_path, nodes, patience_seconds, COMMANDS[kind], seed=seed))
        nodes, server = stack.enter_context(alone(tmp_path, changes))
        killed = server if kind is Run.KILLED else None
        return asyncio.run(findings(tmp_path, nodes, patience_seconds, COMMANDS[kind], killed, seed))


def store_for(kind: Run, request: pytest.FixtureRequest) -> str | None:
    return str(request.getfixturevalue("mongodb_uri")) if kind is Run.NODES else None


@pytest.mark.parametrize("name", MUTANTS if EVERY else USUAL)
def test_a_server_broken_on_purpose_is_caught(
    name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    mutant = MUTANTS[name]
    found: list[Finding] = []
    # What takes two at the same moment may not happen in so short a run: then there is another one.
    for seed in range(SEED, SEED + RUNS_MAX):
        store = store_for(mutant.run, request)
        found += run(tmp_path / str(seed), mutant.run, name, PATIENCE_SECONDS, store, seed)
        if mutant.caught_as & {finding.anomaly for finding in found}:
            return
    pytest.fail(f"not caught: {found[:3]}")


@pytest.mark.parametrize("kind", Run, ids=lambda kind: kind.name)
def test_a_server_that_is_not_broken_passes_the_same_run(
    kind: Run, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    found = run(tmp_path, kind, "", RIGHT_PATIENCE_SECONDS, store_for(kind, request))
    assert found == [], "\n".join(str(finding)[:2_000] for finding in found[:3])


def test_there_is_a_mutant_for_every_promise_that_a_mistake_of_ours_could_break() -> None:
    caught = {anomaly for mutant in MUTANTS.values() for anomaly in mutant.caught_as}
    others = {
        # Follow from others, or need more than one mistake at once; the checker is tested on them by themselves.
        Anomaly.WRONG_CONTENT,
        Anomaly.CONFLICTING_ANSWERS,
        Anomaly.HOLE,
        Anomaly.REAL_TIME_ORDER,
        Anomaly.WRONG_BROADCAST,
        Anomaly.DIVERGED,
    }
    assert caught | others == set(Anomaly)
    assert not caught & others
