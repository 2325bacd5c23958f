"""One person's feed over all groups and what is unread: the plainest merge of all ledgers, at a bounded cost."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from persplit.adapters.memory_store import MemoryDocuments, MemoryEvents
from persplit.ledger.commands import LeaveGroup
from persplit.ledger.errors import NotFound
from persplit.ledger.events import RecordedEvent
from persplit.service import activity as activity_module
from persplit.service.activity import READ_AT_ONCE, UNREAD_LOOKED_AT_MAX, Activity, Place
from persplit.service.errors import StoreUnavailable
from persplit.service.overview import Overview
from persplit.service.ports import Document, Hint, VersionChanged
from persplit.service.read_marks import ATTEMPTS_MAX, ReadMarks
from tests.service.nodes import Node, ledger, spending

T = TypeVar("T")


class Told:
    """Whom the node has told how far they have read."""

    def __init__(self, *connected: str) -> None:
        self.connected = set(connected)
        self.told: list[tuple[str, str, int]] = []
        self.news = asyncio.Event()

    def is_connected(self, user_id: str) -> bool:
        return user_id in self.connected

    async def tell_read(self, user_id: str, group_id: str, seq: int) -> None:
        self.told.append((user_id, group_id, seq))
        self.news.set()


def marks_of(node: Node, documents: MemoryDocuments | None = None, told: Told | None = None) -> ReadMarks:
    return ReadMarks(documents or MemoryDocuments(), node.wire, node.groups, told or Told(), node.hints)


def activity_of(node: Node, marks: ReadMarks | None = None) -> Activity:
    return Activity(node.wire, Overview(node.wire, node.groups), marks or marks_of(node))


async def whole_feed(activity: Activity, limit: int) -> list[RecordedEvent]:
    """All pages of Asha's feed."""
    found: list[RecordedEvent] = []
    before: Place | None = None
    while True:
        page = await activity.feed("asha", before, limit)
        assert len(page.entries) <= limit
        found += [entry.event for entry in page.entries]
        before = page.next_before
        if before is None:
            return found


async def merged(store: MemoryEvents, group_ids: Sequence[str]) -> list[RecordedEvent]:
    """Every event of these groups, newest first."""
    events = [event for group_id in group_ids for event in await ledger(store, group_id)]
    return sorted(events, key=lambda it: (it.at, it.group_id, it.seq), reverse=True)


@given(
    st.lists(st.tuples(st.sampled_from(["goa", "pune", "diu"]), st.integers(0, 1)), max_size=90),
    st.integers(1, 7) | st.just(200),
)
@settings(deadline=None, max_examples=25)
def test_the_feed_is_the_merge_of_all_ledgers_whatever_the_page(
    moves: list[tuple[str, int]], limit: int
) -> None:
    async def check() -> None:
        node = Node(MemoryEvents())
        for group_id in ("goa", "pune", "diu"):
            await node.makes(group_id=group_id)
        await node.makes(group_id="bens", maker="ben")
        for number, (group_id, seconds) in enumerate(moves):
            node.clock.move(seconds)  # some at the very same moment
            await node.does("asha", spending(f"e{number}"), group_id=group_id)
        found = await whole_feed(activity_of(node), limit)
        assert found == await merged(node.wire.store, ["goa", "pune", "diu"])  # type: ignore[arg-type]

    asyncio.run(check())


async def test_a_page_reads_the_ends_of_groups_whose_turn_it_is_and_no_others() -> None:
    node = Node(MemoryEvents())
    groups = [f"group-{number:02}" for number in range(40)]
    for group_id in groups:
        node.clock.move(60)
        await node.makes(group_id=group_id)
    for number in range(60):
        node.clock.move(1)
        await node.does("asha", spending(f"e{number}"), group_id="group-00")
    activity = activity_of(node)
    await activity.feed("asha", None, 50)
    node.wire.reads.clear()
    page = await activity.feed("asha", None, 50)
    assert {entry.event.group_id for entry in page.entries} == {"group-00"}
    assert node.wire.reads.count("read") <= 1 + 50 // READ_AT_ONCE + 1
    assert page.next_before is not None
    node.wire.reads.clear()
    await activity.feed("asha", page.next_before, 5)
    assert len(node.wire.reads) <= 2 * len(groups)


@pytest.mark.parametrize("nth", range(1, 7))
async def test_a_group_that_is_erased_while_it_is_read_is_left_out(nth: int) -> None:
    node = Node(MemoryEvents())
    for group_id in ("goa", "pune"):
        await node.makes("ben", group_id=group_id)
        for number in range(3):
            node.clock.move(1)
            await node.does("ben", spending(f"e{number}"), group_id=group_id)
    activity = activity_of(node)
    before = (await activity.feed("asha", None, 2)).next_before
    wire_read, reads = node.wire._read, 0

    async def erasing(name: str, reading: Callable[[], Awaitable[T]]) -> T:
        nonlocal reads
        reads += 1
        if reads == nth:
            await node.wire.store.erase("goa")
        return await wire_read(name, reading)

    node.wire._read = erasing  # type: ignore[method-assign]
    page = await activity.feed("asha", before, 50)
    assert [it.event.seq for it in page.entries if it.event.group_id == "pune"] == [3, 2, 1]
    counts = {it.state.group_id: it.count for it in await activity.unread("asha")}
    assert counts["pune"] == 3
    assert [it.event.group_id for it in (await activity.feed("asha", None, 50)).entries] == ["pune"] * 5


async def test_a_group_that_was_left_is_in_the_feed_no_more() -> None:
    node = Node(MemoryEvents())
    await node.makes("ben")
    activity = activity_of(node)
    assert (await activity.feed("ben", None, 10)).entries
    await node.does("ben", LeaveGroup())
    assert not (await activity.feed("ben", None, 10)).entries
    assert not await activity.unread("ben")


async def test_what_others_did_since_one_joined_is_unread_until_it_is_marked() -> None:
    node = Node(MemoryEvents())
    await node.makes()
    await node.does("asha", spending("before"))
    node.clock.move(1)
    await node.makes("ben", group_id="pune")
    node.clock.move(1)
    marks = marks_of(node)
    activity = activity_of(node, marks)
    await node.does("asha", spending("e1"), group_id="pune")
    await node.does("ben", spending("own"), group_id="pune")
    await node.does("asha", spending("e2"), group_id="pune")
    (unread,) = await activity.unread("ben")
    assert (unread.mark, unread.count, unread.is_more) == (0, 2, False)
    page = await activity.feed("ben", None, 10)
    assert [entry.is_unread for entry in page.entries] == [True, False, True, False, False]
    assert await marks.move("ben", "pune", 4) == 4
    (unread,) = await activity.unread("ben")
    assert (unread.mark, unread.count) == (3 + 1, 1)
    node.wire.reads.clear()
    await activity.unread("ben")
    assert "read" not in node.wire.reads, "nothing has happened since it was counted"
    assert await marks.move("ben", "pune", 99) == 5
    assert [it.count for it in await activity.unread("ben")] == [0]


async def test_a_long_absence_is_counted_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activity_module, "UNREAD_LOOKED_AT_MAX", 5)
    assert UNREAD_LOOKED_AT_MAX > 5
    node = Node(MemoryEvents())
    await node.makes("ben")
    for number in range(9):
        node.clock.move(1)
        await node.does("asha", spending(f"e{number}"))
    (unread,) = await activity_of(node).unread("ben")
    assert (unread.count, unread.is_more) == (5, True)


async def test_a_mark_only_moves_on_and_each_move_is_told_once() -> None:
    node, told = Node(MemoryEvents()), Told("asha")
    await node.makes()
    for number in range(3):
        await node.does("asha", spending(f"e{number}"))
    node.hints.published.clear()
    marks = marks_of(node, told=told)
    assert [await marks.move("asha", "goa", seq) for seq in (3, 2, 3, 4)] == [3, 3, 3, 4]
    assert told.told == [("asha", "goa", 3), ("asha", "goa", 4)]
    assert node.hints.published == [Hint("goa", 0, "asha")] * 2
    with pytest.raises(NotFound):
        await marks.move("ben", "goa", 1)


async def test_devices_at_other_nodes_are_told() -> None:
    store, documents = MemoryEvents(), MemoryDocuments()
    one, other = Node(store), Node(store)
    told = Told("asha")
    await one.makes()
    there = marks_of(other, documents, told)
    await marks_of(one, documents).move("asha", "goa", 1)
    other.hints.tell(Hint("goa", 0, "asha"))
    other.hints.tell(Hint("goa", 0, "ben"))
    other.hints.tell(Hint("goa", 7, "asha"))
    other.hints.tell(None)
    await asyncio.wait_for(told.news.wait(), 60)
    assert told.told == [("asha", "goa", 1)]
    await there.close()


async def test_groups_that_were_left_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("persplit.service.read_marks.GROUPS_PER_USER_MAX", 2)
    node, documents = Node(MemoryEvents()), MemoryDocuments()
    marks = marks_of(node, documents)
    for group_id in ("goa", "pune", "diu"):
        await node.makes("ben", group_id=group_id)
        await marks.move("ben", group_id, 2)
        await node.does("ben", LeaveGroup(), group_id=group_id)
    assert await marks.of("ben") == {"diu": 2} or await marks.of("ben") == {}


class Contended(MemoryDocuments):
    """Somebody else is always faster."""

    async def replace(self, document: Document) -> Document:
        raise VersionChanged


async def test_too_many_devices_at_once_are_told_to_come_back() -> None:
    node, documents = Node(MemoryEvents()), Contended()
    await node.makes("ben")
    marks = marks_of(node, documents)
    assert await marks.move("asha", "goa", 1) == 1
    with pytest.raises(StoreUnavailable):
        await marks.move("asha", "goa", 2)
    assert ATTEMPTS_MAX > 1
