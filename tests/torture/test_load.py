"""Short runs of the load scenarios: what must never be. The figures are for long runs, by hand."""

import signal
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.torture import load
from tests.torture.load import Cast, Stage
from tests.torture.watched import WatchedServer

pytestmark = pytest.mark.asyncio(loop_scope="module")

SEED = 4


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[WatchedServer, Cast]]:
    """One server for all scenarios of this file: each must leave it as it was."""
    async with load.serving(tmp_path_factory.mktemp("load"), 10) as house:
        yield house


@pytest_asyncio.fixture(loop_scope="module")
async def stage(house: tuple[WatchedServer, Cast]) -> AsyncIterator[Stage]:
    """That server, and a swarm of one's own."""
    async with load.staged(*house, SEED) as stage:
        yield stage


async def test_idle_sockets_stay_and_hear_what_comes_after(stage: Stage) -> None:
    outcome = await load.idle(stage, 60, 0.03)
    assert outcome.figures["sockets"] == 60


async def test_everybody_in_a_big_group_hears_every_event_once_in_order(stage: Stage) -> None:
    outcome = await load.big_group(stage, 10, 40, 20)
    assert outcome.figures["devices"] == 40


async def test_after_a_day_of_coming_and_going_nothing_is_left_and_nobody_missed_an_event(
    stage: Stage,
) -> None:
    outcome = await load.day(stage, 60, 0.04, days=1, forgotten_seconds=0)
    assert outcome.figures["heard"] > 0


async def test_a_mass_drop_leaves_nothing_behind(stage: Stage) -> None:
    outcome = await load.drop(stage, 100)
    assert outcome.figures["sockets"] == 100


async def test_waves_of_devices_come_and_go(stage: Stage) -> None:
    outcome = await load.waves(stage, 60, 2)
    assert outcome.figures["wave 2, MB"] > 0


async def test_after_a_restart_all_come_back_and_have_what_was_written_meanwhile(stage: Stage) -> None:
    outcome = await load.storm(stage, 60, [("at once", signal.SIGTERM), ("at once", signal.SIGKILL)])
    assert outcome.figures["killed, back at once: pulled events"] > 0


# The last: what the attackers have asked for, the server answers long after they have gone.
async def test_what_is_malformed_is_refused_while_others_are_served(stage: Stage) -> None:
    outcome = await load.flood(stage, SEED, 4, 10)
    assert outcome.figures["innocent: answers"] > 0
