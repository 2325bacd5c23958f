"""While the store is away: what is read from memory, for how long, and by whom."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from persplit.adapters.memory_store import MemoryDocuments, MemoryEvents
from persplit.ledger.commands import RemoveMember
from persplit.ledger.errors import NotFound
from persplit.ledger.events import Noun
from persplit.service import groups, handler
from persplit.service.errors import StoreUnavailable
from persplit.service.follower import Follower
from persplit.service.groups import Groups
from persplit.service.handler import Handler
from persplit.service.history import History
from persplit.service.people import DELETED_PERSON, OUTAGE_SECONDS_MAX, REMEMBERED_SECONDS, People, shown_name
from persplit.service.ports import Document
from persplit.service.sessions import LIVE_SECONDS, Sessions
from persplit.service.users import UNIQUE_KEYS, User, Users
from tests.service.nodes import BEFORE, Clock, Node, ledger, spending

ASHA = User("asha", "Asha", "asha@example.org", None, "asha@okbank", None, "2026-03-01T12:00:00.000Z")


class Ticks:
    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


class Failing(MemoryDocuments):
    """Documents that can't be read while `is_away`."""

    is_away = False

    async def get(self, ids: Sequence[str]) -> Mapping[str, Document]:
        if self.is_away:
            raise StoreUnavailable("the store did not answer")
        return await super().get(ids)


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
def store() -> MemoryEvents:
    return MemoryEvents()


def shared(store: MemoryEvents, ticks: Ticks) -> Node:
    """A node on a store that others write to."""
    node = Node(store, is_shared=True)
    node.groups = Groups(node.wire, node.standings, node.listeners, is_shared=True, monotonic=ticks)
    node.handler = Handler(node.wire, node.groups, node.hints, node.clock)
    return node


def goes_away(node: Node) -> None:
    node.wire.read_faults.extend([BEFORE] * 1_000)


async def test_members_read_on_for_minutes_and_not_longer(store: MemoryEvents, ticks: Ticks) -> None:
    await Node(store).makes("ben")
    node = shared(store, ticks)
    known = await node.groups.state_for("goa", "ben")
    goes_away(node)
    ticks.seconds += OUTAGE_SECONDS_MAX - 1
    assert await node.groups.state_for("goa", "ben") is known
    assert (await node.groups.standing_for("goa", "ben")).state is known
    assert (await node.groups.standing_then("goa", "ben", 2)).state is known
    ticks.seconds += 1
    with pytest.raises(StoreUnavailable):
        await node.groups.state_for("goa", "ben")
    with pytest.raises(StoreUnavailable):
        await node.groups.standing_for("goa", "ben")
    node.wire.read_faults.clear()
    assert (await node.groups.state_for("goa", "ben")).seq == 2


async def test_who_isnt_a_member_as_far_as_is_known_is_not_told_whether_there_is_such_a_group(
    store: MemoryEvents, ticks: Ticks
) -> None:
    await Node(store).makes("ben")
    node = shared(store, ticks)
    await node.groups.state_for("goa", "ben")
    goes_away(node)
    for group_id in ("goa", "none"):
        with pytest.raises(StoreUnavailable):
            await node.groups.state_for(group_id, "chitra")


async def test_who_left_is_out_as_soon_as_this_node_knows(store: MemoryEvents, ticks: Ticks) -> None:
    other = Node(store)
    await other.makes("ben")
    node = shared(store, ticks)
    await node.groups.state_for("goa", "ben")
    await other.does("asha", RemoveMember("ben"))
    with pytest.raises(NotFound):
        await node.groups.state_for("goa", "ben")
    goes_away(node)
    with pytest.raises(StoreUnavailable):
        await node.groups.state_for("goa", "ben")


async def test_a_group_in_which_nothing_happens_is_known_as_long_as_its_head_is_looked_at(
    store: MemoryEvents, ticks: Ticks
) -> None:
    await Node(store).makes("ben")
    node = shared(store, ticks)
    await node.connects("ben")
    follower = asyncio.create_task(Follower(node.wire, node.groups, node.listeners, node.hints).run())
    ticks.seconds += 10 * OUTAGE_SECONDS_MAX
    node.wire.reads.clear()
    node.hints.tell(None)
    async with asyncio.timeout(10):
        while "heads" not in node.wire.reads:  # noqa: ASYNC110 - nothing would wake it
            await asyncio.sleep(0)
    await asyncio.sleep(0)
    follower.cancel()
    await asyncio.gather(follower, return_exceptions=True)
    goes_away(node)
    assert (await node.groups.state_for("goa", "ben")).seq == 2


async def test_a_head_that_is_further_confirms_nothing(store: MemoryEvents, ticks: Ticks) -> None:
    await Node(store).makes("ben")
    node = shared(store, ticks)
    await node.groups.state_for("goa", "ben")
    ticks.seconds += OUTAGE_SECONDS_MAX
    node.groups.confirm({"goa": 3, "another": 1})
    goes_away(node)
    with pytest.raises(StoreUnavailable):
        await node.groups.state_for("goa", "ben")


async def test_whose_turn_does_not_come_in_time_has_done_nothing_and_reads_from_memory(
    store: MemoryEvents, ticks: Ticks, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (groups, handler):
        monkeypatch.setattr(module, "LOCK_SECONDS_MAX", 0.05)
    node = shared(store, ticks)
    await node.makes("ben")
    async with node.groups.locked("goa"):
        with pytest.raises(StoreUnavailable, match="nothing was done"):
            await node.spends("tea")
        assert (await node.groups.state_for("goa", "ben")).seq == 2
        assert (await node.groups.standing_for("goa", "ben")).state.seq == 2
    assert (await node.spends("tea")).replayed is False
    assert len(await ledger(store)) == 3


async def test_who_was_removed_elsewhere_reads_nothing_from_the_store_because_of_what_is_remembered_here(
    store: MemoryEvents, ticks: Ticks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(groups, "LOCK_SECONDS_MAX", 0.05)
    elsewhere = Node(store)
    await elsewhere.makes("ben")
    here = shared(store, ticks)
    await here.groups.state_for("goa", "ben")
    await elsewhere.does("asha", RemoveMember("ben"))
    await elsewhere.does("asha", spending("tea"))
    history = History(store, here.groups)
    async with here.groups.locked("goa"):
        assert (await here.groups.state_for("goa", "ben")).seq == 2
        for reading in (
            history.events("goa", "ben", 0, 10),
            history.page("goa", "ben", Noun.EXPENSE, None, 10),
            history.thing("goa", "ben", Noun.EXPENSE, "tea"),
            history.snapshot("goa", "ben"),
        ):
            with pytest.raises(StoreUnavailable):
                await reading


async def test_a_turn_is_waited_for_no_longer_than_that_though_it_is_just_being_handed_over(
    store: MemoryEvents, ticks: Ticks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(groups, "LOCK_SECONDS_MAX", 0.2)
    node = shared(store, ticks)
    await node.makes("ben")
    got_it = asyncio.Event()

    async def keep_it() -> None:
        async with node.groups.locked("goa"):
            got_it.set()
            await asyncio.sleep(3_600)

    async with node.groups.locked("goa"):
        keeping = asyncio.create_task(keep_it())
        await asyncio.sleep(0)
    # Released, and not yet taken by who has been waiting.
    async with asyncio.timeout(10):
        with pytest.raises(StoreUnavailable, match="nothing was done"):
            async with node.groups.locked("goa"):
                pass
    assert got_it.is_set()
    keeping.cancel()


async def test_an_event_is_announced_though_profiles_cant_be_read(store: MemoryEvents) -> None:
    documents = Failing(UNIQUE_KEYS)
    node = Node(store)
    node.people._users = Users(documents)
    await node.makes("ben")
    [heard] = await node.connects("ben")
    documents.is_away = True
    await node.does("asha", spending("tea"))
    assert heard.seqs() == [3]
    (_, standing) = heard.heard[0]
    assert [payment.upi_link for payment in standing.plan] == [None]


async def test_profiles_are_taken_as_remembered_for_minutes_unless_wanted_for_sure(ticks: Ticks) -> None:
    documents = Failing(UNIQUE_KEYS)
    users = Users(documents)
    await users.insert(ASHA, "hash")
    people = People(users, monotonic=ticks)
    assert await people.get(["asha", "nobody"]) == {"asha": ASHA}
    documents.is_away = True
    ticks.seconds += REMEMBERED_SECONDS
    assert await people.get(["asha", "nobody", "unknown"]) == {"asha": ASHA, "unknown": None}
    with pytest.raises(StoreUnavailable):
        await people.get(["asha"], for_sure=True)
    ticks.seconds += OUTAGE_SECONDS_MAX
    assert await people.get(["asha"]) == {"asha": None}


async def test_nobody_is_taken_for_deleted_because_their_profile_cant_be_read() -> None:
    documents = Failing(UNIQUE_KEYS)
    people = People(Users(documents))
    assert shown_name(await people.get(["asha"]), "asha", "Asha", placeholder=False) == DELETED_PERSON
    documents.is_away = True
    people = People(Users(documents))
    assert shown_name(await people.get(["asha"]), "asha", "Asha", placeholder=False) == "Asha"


async def test_a_session_goes_on_for_minutes_and_one_that_ended_here_doesnt(ticks: Ticks) -> None:
    documents = Failing()
    sessions = Sessions(documents, pepper=b"p" * 32, clock=Clock(), monotonic=ticks)
    going_on = (await sessions.start("asha")).session.id
    ended = (await sessions.start("asha")).session.id
    assert await sessions.is_live(going_on)
    assert await sessions.is_live(ended)
    await sessions.end(ended)
    documents.is_away = True
    ticks.seconds += LIVE_SECONDS
    assert await sessions.is_live(going_on)
    assert not await sessions.is_live(ended)
    with pytest.raises(StoreUnavailable):
        await sessions.is_live("never seen here")
    ticks.seconds += OUTAGE_SECONDS_MAX
    for session_id in (going_on, ended):
        with pytest.raises(StoreUnavailable):
            await sessions.is_live(session_id)
