"""What a client lacks: the tail, a snapshot where that is shorter, everything anew where its past is another one."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from persplit.adapters.memory_store import MemoryDocuments, MemoryEvents
from persplit.ledger.commands import Command, CreateSettlement, DeleteExpense, UpdateExpense
from persplit.ledger.errors import NotFound
from persplit.ledger.events import Noun, RecordedEvent
from persplit.ledger.state import GroupState
from persplit.service import sync as sync_module
from persplit.service.epochs import Epochs
from persplit.service.history import PAGE_MAX, SNAPSHOT_THINGS_MAX, GroupSnapshot, History, Tail
from persplit.service.subjects import thing_of
from persplit.service.sync import Known, Sync
from tests.service.histories import written
from tests.service.nodes import Node, draft, ledger, spending, whole
from tests.service.test_history import Thing, things_in


@pytest.fixture
def store() -> MemoryEvents:
    return MemoryEvents()


@pytest.fixture
async def node(store: MemoryEvents) -> Node:
    """A node with the group goa: asha, its admin, and ben."""
    node = Node(store)
    await node.makes("ben")
    return node


@pytest.fixture
def sync(node: Node) -> Sync:
    return sync_of(node)


def sync_of(node: Node) -> Sync:
    return Sync(node.groups, History(node.wire, node.groups), Epochs(MemoryDocuments()))


async def pull(sync: Sync, user_id: str, after: int, limit: int) -> Tail | GroupSnapshot:
    return (await sync.missing("goa", user_id, Known(after), limit)).lacks


async def test_nobody_else_gets_anything(node: Node, sync: Sync) -> None:
    with pytest.raises(NotFound, match="there is no such group"):
        await pull(sync, "eve", 0, 10)


async def test_an_epoch_lasts_until_it_is_renewed_and_differs_by_group() -> None:
    documents = MemoryDocuments()
    first, second = Epochs(documents), Epochs(documents)
    await first.open()
    await second.open()
    assert first.of("goa") == second.of("goa") != first.of("flat")
    before = first.of("goa")
    await second.renew()
    assert (first.of("goa"), second.of("goa") == before) == (before, False)
    await first.renew()
    third = Epochs(documents)
    await third.open()
    assert third.of("goa") == first.of("goa") != before


def replica(snapshot: GroupSnapshot) -> dict[str, Thing]:
    return {thing.id: thing for thing in snapshot.things}


@settings(max_examples=60, deadline=None)
@given(st.data(), st.integers(0, 60), st.integers(1, 5))
def test_whatever_a_client_has_it_ends_with_what_a_fresh_fetch_shows(
    data: st.DataObject, after: int, limit: int
) -> None:
    async def check() -> None:
        node = Node(MemoryEvents())
        events = await written(node, data.draw)
        sync = sync_of(node)
        has, at = things_of_all(events[:after]), after
        missing = await sync.missing("goa", "asha", Known(at), limit)
        pulled = missing.lacks
        assert missing.is_reset == (after > len(events) or isinstance(pulled, GroupSnapshot))
        if missing.is_reset:
            has, at = {}, 0
        while isinstance(pulled, Tail):
            assert [r.seq for r in pulled.events] == list(range(at + 1, at + 1 + len(pulled.events)))
            assert pulled.seq == len(events)
            for recorded in pulled.events:
                at = recorded.seq
                if thing := thing_of(recorded.event):
                    has[thing.id] = thing
            if not pulled.more:
                break
            pulled = await pull(sync, "asha", at, limit)
        if isinstance(pulled, GroupSnapshot):
            has, at = replica(pulled), pulled.standing.state.seq
            assert len(pulled.things) == len(has)
            assert pulled.standing.state == await whole(node.wire.store)
        assert at == len(events)
        assert has == things_of_all(events)

    asyncio.run(check())


def things_of_all(events: list[RecordedEvent]) -> dict[str, Thing]:
    return {**things_in(events, Noun.EXPENSE), **things_in(events, Noun.SETTLEMENT)}


@pytest.fixture
async def edited(node: Node) -> Node:
    """Two expenses and a settlement, changed so often that the group has 43 events."""
    await node.spends("tea")
    await node.spends("rice")
    await node.does("ben", CreateSettlement("pay", "asha", 100))
    for number in range(38):
        await node.does("asha", UpdateExpense("tea", draft(1 + number)))
    return node


@pytest.mark.parametrize(
    ("after", "limit", "kind"),
    [
        (43, 10, Tail),
        (33, 10, Tail),
        (32, 10, GroupSnapshot),
        (0, 42, GroupSnapshot),
        (0, 43, Tail),
        (40, 1, Tail),  # three things are not fewer than three events
        (39, 1, GroupSnapshot),
        (44, 10, GroupSnapshot),
        (10**9, 200, Tail),
    ],
)
async def test_a_client_gets_the_tail_unless_a_snapshot_is_shorter(
    edited: Node, sync: Sync, after: int, limit: int, kind: type
) -> None:
    pulled = await pull(sync, "ben", after, limit)
    assert type(pulled) is kind
    if isinstance(pulled, GroupSnapshot):
        assert replica(pulled) == things_of_all(await ledger(edited.wire.store))


async def test_a_group_with_many_things_goes_out_as_events_in_pages(
    node: Node, sync: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync_module, "SNAPSHOT_THINGS_MAX", 3)
    for number in range(4):
        await node.spends(f"tea {number}")
    for number in range(8):
        await node.does("asha", UpdateExpense("tea 0", draft(number + 1)))
    tail = await pull(sync, "ben", 0, 5)
    assert isinstance(tail, Tail)
    assert (len(tail.events), tail.seq, tail.more) == (5, 14, True)


async def test_a_group_whose_things_are_large_goes_out_as_events_in_pages_and_is_not_read_for_nothing_again(
    edited: Node, sync: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(await pull(sync, "ben", 0, 5), GroupSnapshot)
    monkeypatch.setattr(sync_module, "SNAPSHOT_BYTES_MAX", 500)
    for _ in range(2):
        edited.wire.reads.clear()
        tail = await pull(sync, "ben", 0, 5)
        assert isinstance(tail, Tail)
        assert (len(tail.events), tail.more) == (5, True)
    assert "read_creations" not in edited.wire.reads


async def test_a_client_ahead_of_a_group_too_large_for_a_snapshot_begins_anew_with_events(
    node: Node, sync: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync_module, "SNAPSHOT_THINGS_MAX", 3)
    for number in range(4):
        await node.spends(f"tea {number}")
    missing = await sync.missing("goa", "ben", Known(100), 5)
    assert isinstance(missing.lacks, Tail)
    assert [recorded.seq for recorded in missing.lacks.events] == [1, 2, 3, 4, 5]
    assert (missing.lacks.more, missing.is_reset) == (True, True)


async def test_a_snapshot_of_more_than_a_page_is_whole(node: Node, sync: Sync) -> None:
    for number in range(PAGE_MAX + 5):
        await node.spends(f"tea {number}")
    pulled = await pull(sync, "ben", 10**6, 5)
    assert isinstance(pulled, GroupSnapshot)
    assert replica(pulled) == things_of_all(await ledger(node.wire.store))
    assert PAGE_MAX < SNAPSHOT_THINGS_MAX


async def test_a_member_can_ask_for_a_snapshot_of_a_group_of_any_size(
    node: Node, sync: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync_module, "SNAPSHOT_THINGS_MAX", 3)
    for number in range(8):
        await node.spends(f"tea {number}")
    snapshot = await History(node.wire, node.groups).snapshot("goa", "ben")
    assert snapshot is not None
    assert replica(snapshot) == things_of_all(await ledger(node.wire.store))
    with pytest.raises(NotFound):
        await History(node.wire, node.groups).snapshot("goa", "eve")


@pytest.mark.parametrize(
    ("changes", "there"),
    [
        ([UpdateExpense("tea", draft(1))], {"rice": 4, "tea": 5}),
        ([UpdateExpense("tea", draft(1)), UpdateExpense("tea", draft(2))], {"rice": 4, "tea": 6}),
        ([spending("milk", 5), DeleteExpense("rice")], {"milk": 5, "rice": 6, "tea": 3}),
    ],
    ids=["changed", "changed twice", "made and deleted"],
)
async def test_a_snapshot_is_the_group_at_one_seq_whatever_changes_while_it_is_read(
    store: MemoryEvents, monkeypatch: pytest.MonkeyPatch, changes: list[Command], there: dict[str, int]
) -> None:
    node, other = Node(store, is_shared=True), Node(store, is_shared=True)
    await node.makes("ben")
    await node.spends("tea")
    await node.spends("rice")
    reading = History(node.wire, node.groups)
    state = await node.groups.state_for("goa", "ben")
    real = reading._things

    async def slow(before: GroupState, bytes_max: int | None) -> list[Thing] | None:
        things = await real(before, bytes_max)
        for change in changes:
            await other.does("asha", change)
        return things

    monkeypatch.setattr(reading, "_things", slow)
    snapshot = await reading.snapshot("goa", "ben")
    assert snapshot is not None
    assert snapshot.standing.state.seq == state.seq + len(changes)
    assert [(thing.id, thing.seq) for thing in snapshot.things] == list(there.items())
    assert replica(snapshot) == things_of_all(await ledger(node.wire.store))
