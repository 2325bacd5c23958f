"""Commands that wait for one group are carried out together, and each as if it had been alone."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import pytest

from persplit.adapters.memory_store import MemoryEvents
from persplit.ledger.commands import Command, CreateExpense, DeleteExpense, UpdateExpense
from persplit.ledger.decide import Asked, decide
from persplit.ledger.errors import NotFound
from persplit.ledger.events import Event, ExpenseUpdated, RecordedEvent
from persplit.ledger.state import GroupState
from persplit.service import handler, lines
from persplit.service.command_request import CommandRequest, Outcome
from persplit.service.errors import StoreUnavailable
from persplit.service.lines import TOGETHER_MAX
from persplit.service.ports import Hint, NewEvent
from tests.service.nodes import AFTER, FINE, Node, Span, check_seqs, check_span, draft, ledger, spending

COUNT = 10


@pytest.fixture
async def node() -> Node:
    """A node with the group goa: asha, its admin, and ben. Its store takes a moment, so commands wait for each other."""
    node = Node(MemoryEvents(), ticks=lambda: 1)
    await node.makes("ben")
    return node


@pytest.fixture
async def heard(node: Node) -> Span:
    """What ben hears."""
    return (await node.connects("ben"))[0]


@pytest.fixture
def runs(node: Node, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many events were appended at once, each time that it was more than one."""
    sizes: list[int] = []
    append_run = node.wire.append_run

    async def watched(events: Sequence[NewEvent]) -> Sequence[RecordedEvent]:
        sizes.append(len(events))
        return await append_run(events)

    monkeypatch.setattr(node.wire, "append_run", watched)
    return sizes


async def test_what_waits_is_committed_together_and_announced_one_by_one_in_order(
    node: Node, heard: Span, runs: list[int]
) -> None:
    outcomes = await asyncio.gather(*(node.spends(f"tea {n}", 100 + n) for n in range(COUNT)))
    assert runs == [COUNT]
    assert [outcome.state.seq for outcome in outcomes] == [outcome.recorded.seq for outcome in outcomes]
    events = await ledger(node.wire.store)
    check_seqs(events)
    check_span(heard, events)
    assert heard.seqs() == list(range(3, 3 + COUNT))


async def test_a_busy_group_is_served_in_lots(node: Node, runs: list[int]) -> None:
    await asyncio.gather(*(node.spends(f"tea {n}") for n in range(2 * TOGETHER_MAX + 1)))
    assert runs == [TOGETHER_MAX, TOGETHER_MAX]
    check_seqs(await ledger(node.wire.store))


async def test_who_is_refused_doesnt_take_others_along(node: Node, runs: list[int]) -> None:
    outcomes = await asyncio.gather(
        node.spends("tea"),
        node.does("ben", DeleteExpense("nothing")),
        node.spends("rice"),
        node.spends("milk"),
        return_exceptions=True,
    )
    assert isinstance(outcomes[1], NotFound)
    assert [outcome.recorded.seq for outcome in outcomes if isinstance(outcome, Outcome)] == [3, 4, 5]
    assert runs == [3]


async def test_a_retry_that_waits_beside_the_first_is_answered_with_the_same_event(node: Node) -> None:
    async def tea(id_: str) -> Outcome:
        asked = CommandRequest("asha", "goa", "key", "tea", spending(id_), is_new_id=True)
        return await node.handler.handle(asked)

    _, first, again, other = await asyncio.gather(
        node.spends("milk"), tea("one"), tea("two"), node.spends("rice")
    )
    assert first.recorded == again.recorded
    assert (first.replayed, again.replayed) == (False, True)
    assert (first.recorded.seq, other.recorded.seq) == (4, 5)


async def test_changes_of_one_expense_stand_on_each_other(node: Node, heard: Span) -> None:
    await node.spends("tea", 100)
    await asyncio.gather(
        *(node.does("asha", UpdateExpense("tea", draft(amount))) for amount in (200, 300, 400)),
        node.spends("rice"),
    )
    events = await ledger(node.wire.store)
    check_seqs(events)
    check_span(heard, events)
    assert len(events) == 7
    changes = [recorded.event for recorded in events if isinstance(recorded.event, ExpenseUpdated)]
    assert all(later.before == earlier.after for earlier, later in pairwise(changes))


async def test_what_one_person_sends_is_carried_out_in_their_order_whatever_becomes_of_it(node: Node) -> None:
    await node.spends("tea", 100)
    asked: list[Command] = [
        UpdateExpense("tea", draft(200)),
        DeleteExpense("nothing"),
        UpdateExpense("tea", draft(300)),
        spending("rice"),
        DeleteExpense("tea"),
        spending("milk"),
    ]
    outcomes = await asyncio.gather(*(node.does("asha", each) for each in asked), return_exceptions=True)
    assert [isinstance(outcome, Outcome) for outcome in outcomes] == [True, False, True, True, True, True]
    seqs = [outcome.recorded.seq for outcome in outcomes if isinstance(outcome, Outcome)]
    assert seqs == sorted(seqs)


@pytest.mark.parametrize("fails_at", range(3))
async def test_after_an_unknown_outcome_each_finds_out_for_itself(
    node: Node, heard: Span, fails_at: int
) -> None:
    node.wire.faults.extend([*[FINE] * fails_at, AFTER])
    asked = [partial(node.spends, f"tea {n}") for n in range(3)]
    outcomes = await asyncio.gather(*(ask() for ask in asked), return_exceptions=True)
    assert all(isinstance(outcome, Outcome | StoreUnavailable) for outcome in outcomes)
    again = [await ask() for ask in asked]
    assert [outcome.recorded.seq for outcome in again] == [3, 4, 5]
    events = await ledger(node.wire.store)
    check_seqs(events)
    check_span(heard, events)


class Slow:
    """A store that commits one event, or one lot, when told."""

    def __init__(self, node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
        self.go = asyncio.Event()
        self.begun = asyncio.Event()
        for name in ("append", "append_run"):
            monkeypatch.setattr(node.wire, name, partial(self._append, getattr(node.wire, name)))

    async def _append(self, append: Callable[[Any], Awaitable[Any]], events: object) -> object:
        self.begun.set()
        await self.go.wait()
        return await append(events)


async def test_whose_turn_does_not_come_because_of_those_before_has_done_nothing_and_never_will(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lines, "LOCK_SECONDS_MAX", 0.05)
    node = Node(MemoryEvents(), ticks=lambda: 1)
    await node.makes("ben")
    store = Slow(node, monkeypatch)
    first = asyncio.create_task(node.spends("tea"))
    await store.begun.wait()
    with pytest.raises(StoreUnavailable, match="nothing was done"):
        await node.spends("rice")
    store.go.set()
    assert (await first).recorded.seq == 3
    assert (await node.spends("milk")).recorded.seq == 4
    assert len(await ledger(node.wire.store)) == 4


@pytest.mark.parametrize("count", [1, 2])
async def test_who_waits_in_line_and_then_for_the_lock_waits_no_longer_than_for_one_of_them(
    node: Node, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr(handler, "LOCK_SECONDS_MAX", 0.05)
    async with asyncio.timeout(5), node.groups.locked("goa"):
        outcomes = await asyncio.gather(
            *(node.spends(f"tea {n}") for n in range(count)), return_exceptions=True
        )
    assert [str(outcome) for outcome in outcomes] == [
        "too many wait for this group: nothing was done"
    ] * count
    assert len(await ledger(node.wire.store)) == 2


async def test_who_was_tried_with_others_is_not_told_that_nothing_was_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(handler, "LOCK_SECONDS_MAX", 0.0)
    node = Node(MemoryEvents(), ticks=lambda: 1)
    await node.makes("ben")
    node.wire.faults.append(AFTER)
    outcomes = await asyncio.gather(node.spends("tea"), node.spends("rice"), return_exceptions=True)
    assert [str(outcome) for outcome in outcomes if "unknown" in str(outcome)] == [
        "too many wait for this group: whether this was done is unknown"
    ] * 2


async def test_who_goes_away_while_waiting_is_carried_out_all_the_same(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Slow(node, monkeypatch)
    asked = [asyncio.create_task(node.spends(name)) for name in ("tea", "rice", "milk")]
    await store.begun.wait()
    late = asyncio.create_task(node.spends("salt"))
    await asyncio.sleep(0)
    for task in (*asked, late):
        task.cancel()
    store.go.set()
    await node.handler.drain()
    assert len(await ledger(node.wire.store)) == 6


@pytest.mark.parametrize("broken", ["deciding", "telling the other nodes"])
async def test_a_fault_with_one_is_not_the_fault_of_those_it_is_carried_out_with(
    node: Node, heard: Span, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    publish = node.hints.publish

    async def fails_at_the_last(hint: Hint) -> None:
        if hint.seq == 5 and broken != "deciding":
            raise RuntimeError("a fault of ours")
        await publish(hint)

    def fails_for_milk(state: GroupState | None, command: Command, asked: Asked) -> Event:
        if isinstance(command, CreateExpense) and command.expense_id == "milk" and broken == "deciding":
            raise RuntimeError("a fault of ours")
        return decide(state, command, asked)

    monkeypatch.setattr(node.hints, "publish", fails_at_the_last)
    monkeypatch.setattr("persplit.service.handler.decide", fails_for_milk)
    tea, rice, milk = await asyncio.gather(
        *(node.spends(name) for name in ("tea", "rice", "milk")), return_exceptions=True
    )
    assert isinstance(tea, Outcome)
    assert isinstance(rice, Outcome)
    assert [tea.recorded.seq, rice.recorded.seq] == [3, 4]
    assert isinstance(milk, RuntimeError if broken == "deciding" else Outcome)
    check_span(heard, await ledger(node.wire.store))


async def test_nothing_of_who_waited_is_kept(node: Node) -> None:
    await asyncio.gather(*(node.spends(f"tea {n}") for n in range(COUNT)))
    assert len(node.handler._lines) == 0
