"""Reading a group's past: pages, tails, snapshots, standings, explanations."""

import asyncio

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from persplit.adapters.memory_store import MemoryEvents
from persplit.ledger import debts
from persplit.ledger.codec import event_to_json
from persplit.ledger.commands import (
    AddMember,
    DeleteExpense,
    JoinGroup,
    RemoveMember,
    UpdateExpense,
    UpdateGroup,
)
from persplit.ledger.errors import Invalid, NotFound
from persplit.ledger.events import Noun, RecordedEvent, subject_of
from persplit.ledger.expense import Expense
from persplit.ledger.settlement import Settlement
from persplit.ledger.state import plan_of
from persplit.service import history as history_module
from persplit.service.history import PAGE_MAX, History, Page, Tail
from persplit.service.subjects import thing_of
from tests.service.histories import written
from tests.service.nodes import Node, draft, ledger, spending, whole

Thing = Expense | Settlement


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
def history(node: Node) -> History:
    return history_of(node)


def history_of(node: Node) -> History:
    return History(node.wire, node.groups)


def things_in(events: list[RecordedEvent], noun: Noun) -> dict[str, Thing]:
    """Every thing in its present version, in order of creation: the naive way."""
    things: dict[str, Thing] = {}
    for recorded in events:
        thing = thing_of(recorded.event)
        if thing is not None and subject_of(recorded.event)[0] is noun:
            things[thing.id] = thing
    return things


def counts(thing: Thing) -> bool:
    return not (isinstance(thing, Expense) and thing.deleted_at)


async def all_pages(history: History, noun: Noun, limit: int, *, with_deleted: bool = False) -> list[Page]:
    pages: list[Page] = []
    before: int | None = None
    while not pages or before is not None:
        pages.append(await history.page("goa", "asha", noun, before, limit, with_deleted=with_deleted))
        before = pages[-1].next_before
    return pages


# --- pages


@settings(max_examples=60, deadline=None)
@given(st.data(), st.integers(1, 6), st.sampled_from([True, False]))
def test_pages_hold_everything_once_newest_first_and_only_the_last_may_be_short(
    data: st.DataObject,
    limit: int,
    with_deleted: bool,  # noqa: FBT001 - drawn
) -> None:
    async def check() -> None:
        node = Node(MemoryEvents())
        events = await written(node, data.draw)
        for noun in (Noun.EXPENSE, Noun.SETTLEMENT):
            pages = await all_pages(history_of(node), noun, limit, with_deleted=with_deleted)
            everything = reversed(things_in(events, noun).values())
            assert [t for page in pages for t in page.things] == [
                thing for thing in everything if with_deleted or counts(thing)
            ]
            assert all(len(page.things) == limit for page in pages[:-1])
            assert len(pages) == 1 or pages[-1].things

    asyncio.run(check())


async def test_what_changes_between_two_pages_neither_repeats_nor_hides_the_rest(
    node: Node, history: History
) -> None:
    for number in range(6):
        await node.spends(f"tea {number}")
    first = await history.page("goa", "asha", Noun.EXPENSE, None, 2)
    await node.spends("new")
    await node.does("asha", UpdateExpense("tea 5", draft(5)))
    await node.does("asha", UpdateExpense("tea 2", draft(5)))
    await node.does("asha", DeleteExpense("tea 4"))
    await node.does("asha", DeleteExpense("tea 3"))
    second = await history.page("goa", "asha", Noun.EXPENSE, first.next_before, 2)
    third = await history.page("goa", "asha", Noun.EXPENSE, second.next_before, 2)
    assert [t.id for page in (first, second, third) for t in page.things] == [
        "tea 5",
        "tea 4",
        "tea 2",
        "tea 1",
        "tea 0",
    ]
    assert third.next_before is None
    changed = second.things[0]
    assert isinstance(changed, Expense)
    assert changed.amount == 5


async def test_a_page_from_before_everything_is_empty(node: Node, history: History) -> None:
    await node.spends("tea")
    for before in (0, 1, 3):
        assert await history.page("goa", "asha", Noun.EXPENSE, before, 10) == Page((), None)


async def test_a_page_takes_one_read_of_what_was_created_and_one_of_what_became_of_it(
    node: Node, history: History
) -> None:
    for number in range(6):
        await node.spends(f"tea {number}")
    for before, limit in ((None, 2), (None, 5), (None, 6), (None, 7), (5, 2)):
        node.wire.reads.clear()
        await history.page("goa", "asha", Noun.EXPENSE, before, limit)
        assert node.wire.reads == ["read_creations", "latest"]


async def test_a_small_page_passes_over_many_deleted_in_few_reads(node: Node, history: History) -> None:
    await node.spends("first")
    for number in range(PAGE_MAX + 20):
        await node.spends(f"tea {number}")
        await node.does("asha", DeleteExpense(f"tea {number}"))
    node.wire.reads.clear()
    page = await history.page("goa", "asha", Noun.EXPENSE, None, 1)
    assert [thing.id for thing in page.things] == ["first"]
    assert node.wire.reads.count("read_creations") <= 3


async def test_one_thing_is_shown_in_its_present_version_deleted_or_not(node: Node, history: History) -> None:
    await node.spends("tea")
    await node.does("ben", UpdateExpense("tea", draft(500)))
    changed = await history.thing("goa", "ben", Noun.EXPENSE, "tea")
    assert isinstance(changed, Expense)
    assert changed.amount == 500
    await node.does("ben", DeleteExpense("tea"))
    deleted = await history.thing("goa", "ben", Noun.EXPENSE, "tea")
    assert isinstance(deleted, Expense)
    assert deleted.deleted_at
    for noun, id_ in ((Noun.EXPENSE, "rice"), (Noun.SETTLEMENT, "tea")):
        with pytest.raises(NotFound):
            await history.thing("goa", "ben", noun, id_)


async def test_nobody_else_reads_anything(node: Node, history: History) -> None:
    await node.spends("tea")
    for reading in (
        history.thing("goa", "eve", Noun.EXPENSE, "tea"),
        history.page("goa", "eve", Noun.EXPENSE, None, 10),
        history.events("goa", "eve", 0, 10),
        history.standing("goa", "eve"),
        history.standing("goa", "eve", at="2027"),
        history.standing("goa", "eve", seq=1),
        history.explain("goa", "eve", "asha", "ben"),
    ):
        with pytest.raises(NotFound, match="there is no such group"):
            await reading


# --- events


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
async def test_the_ledger_is_read_in_order_once_and_to_its_end(
    node: Node, history: History, limit: int
) -> None:
    for number in range(5):
        await node.spends(f"tea {number}")
    read: list[RecordedEvent] = []
    while True:
        tail = await history.events("goa", "ben", read[-1].seq if read else 0, limit)
        assert tail.seq == 7
        read += tail.events
        if not tail.more:
            break
        assert len(tail.events) == limit
    assert read == await ledger(node.wire.store)


@pytest.mark.parametrize("bytes_max", [1, 1_500, 4_000])
async def test_a_page_of_large_events_ends_early_and_has_at_least_one(
    node: Node, history: History, monkeypatch: pytest.MonkeyPatch, bytes_max: int
) -> None:
    monkeypatch.setattr(history_module, "PAGE_BYTES_MAX", bytes_max)
    monkeypatch.setattr(history_module, "EVENTS_READ_AT_ONCE", 2)
    for number in range(7):
        await node.spends(f"tea {number}")
    read: list[RecordedEvent] = []
    while True:
        tail = await history.events("goa", "ben", read[-1].seq if read else 0, 5)
        size = sum(len(orjson.dumps(event_to_json(event))) for event in tail.events)
        assert len(tail.events) == 1 or size <= bytes_max
        read += tail.events
        if not tail.more:
            break
    assert read == await ledger(node.wire.store)


async def test_after_the_end_there_are_no_events(node: Node, history: History) -> None:
    for after in (2, 9):
        assert await history.events("goa", "ben", after, 10) == Tail((), 2, more=False)


async def test_an_event_that_comes_while_the_tail_is_read_counts_as_its_head(
    node: Node, history: History, store: MemoryEvents
) -> None:
    await Node(store, is_shared=True).spends("tea")
    tail = await history.events("goa", "ben", 0, 10)
    assert ([recorded.seq for recorded in tail.events], tail.seq, tail.more) == ([1, 2, 3], 3, False)


# --- standings


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_standing_at_any_moment_is_the_fold_of_the_events_until_then(data: st.DataObject) -> None:
    async def check() -> None:
        node = Node(MemoryEvents())
        events = await written(node, data.draw)
        history = history_of(node)
        for seq in range(1, len(events) + 1):
            then = await whole(node.wire.store, up_to=seq)
            by_seq = await history.standing("goa", "asha", seq=seq)
            assert by_seq.state == then
            assert [row.transfer for row in by_seq.plan] == list(plan_of(then).transfers)
            assert sum(amount for _, amount in by_seq.balances()) == 0
            at = events[seq - 1].at
            last_then = max(r.seq for r in events if r.at <= at)
            assert (await history.standing("goa", "asha", at=at)).state.seq == last_then
        assert (await history.standing("goa", "asha")).state == await whole(node.wire.store)
        with pytest.raises(NotFound):
            await history.standing("goa", "asha", at="2026-11-21T07:59:59.999Z")
        assert (await history.standing("goa", "asha", at="2030-01-01T00:00:00.000Z")).state.seq == len(events)

    asyncio.run(check())


async def test_a_standing_is_asked_for_at_an_instant_or_a_seq_but_not_both(history: History) -> None:
    with pytest.raises(Invalid):
        await history.standing("goa", "asha", at="2026-11-21T08:00:00.000Z", seq=1)


# --- explanations


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_the_causes_of_every_debt_sum_to_it(data: st.DataObject) -> None:
    async def check() -> None:
        node = Node(MemoryEvents())
        await written(node, data.draw)
        history = history_of(node)
        standing = await history.standing("goa", "asha")
        for row in standing.plan:
            transfer = row.transfer
            explained = await history.explain("goa", "asha", transfer.from_id, transfer.to_id)
            assert explained.row == row
            assert explained.standing.state == standing.state
            people = {transfer.from_id, transfer.to_id}
            assert [(d.debtor_id, d.creditor_id, d.amount) for d in explained.debts] == [
                debt for debt in debts.rows(standing.state.debts) if people & {debt[0], debt[1]}
            ]
            for debt in explained.debts:
                assert sum(cause.amount for cause in debt.causes) == debt.amount

    asyncio.run(check())


async def test_an_explanation_may_have_no_row_of_the_plan(node: Node, history: History) -> None:
    await node.does("asha", spending("tea", 900))
    explained = await history.explain("goa", "asha", "asha", "ben")
    assert explained.row is None
    ((debt,),) = (explained.debts,)
    assert (debt.debtor_id, debt.amount, [c.source_id for c in debt.causes]) == ("ben", 450, ["tea"])


async def test_an_explanation_reads_a_long_ledger_in_pages(
    node: Node, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_module, "EXPLAIN_PAGE", 3)
    for number in range(8):
        await node.spends(f"tea {number}")
    node.wire.reads.clear()
    explained = await history.explain("goa", "asha", "ben", "asha")
    assert len(explained.debts[0].causes) == 8
    assert node.wire.reads == ["read"] * 4


async def test_an_explanation_is_about_people_of_the_group(node: Node, history: History) -> None:
    await node.does("asha", UpdateGroup(name="Goa 2"))
    await node.does("asha", RemoveMember("ben"))
    assert (await history.explain("goa", "asha", "ben", "asha")).debts == ()
    for people in (("eve", "asha"), ("asha", "eve")):
        with pytest.raises(Invalid):
            await history.explain("goa", "asha", *people)


async def test_an_explanation_over_a_ledger_that_ends_early_ends_too(
    node: Node, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    await node.spends("tea")
    monkeypatch.setattr(node.wire, "store", MemoryEvents())
    assert (await history.explain("goa", "asha", "ben", "asha")).debts == ()


async def test_a_row_is_explained_under_the_id_of_a_placeholder_that_was_claimed_too(
    node: Node, history: History
) -> None:
    await node.does("asha", AddMember("guest", "Guest", placeholder=True))
    await node.does("asha", spending("e1", 900, "asha", "guest"))
    await node.does("meera", JoinGroup("Meera", claim="guest"))
    by_new = await history.explain("goa", "asha", "meera", "asha")
    by_old = await history.explain("goa", "asha", "guest", "asha")
    assert by_old.row == by_new.row
    assert by_old.row is not None
    assert by_old.row.transfer.amount == 450
    assert by_old.debts == by_new.debts
