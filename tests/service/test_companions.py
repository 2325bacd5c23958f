"""Commands that wait for one group are carried out together, and each as if it had been alone."""

import asyncio
from collections.abc import Sequence
from functools import partial
from itertools import pairwise

import pytest

from persplit.adapters.memory_store import MemoryEvents
from persplit.ledger.commands import Command, CreateExpense, DeleteExpense, UpdateExpense
from persplit.ledger.decide import Asked, decide
from persplit.ledger.errors import NotFound
from persplit.ledger.events import Event, ExpenseUpdated, RecordedEvent
from persplit.ledger.state import GroupState
from persplit.service import groups
from persplit.service.command_request import CommandRequest, Outcome
from persplit.service.companions import TOGETHER_MAX
from persplit.service.errors import StoreUnavailable
from persplit.service.groups import LiveGroup
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
    assert runs == [COUNT - 1], "the first waits for nobody"
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
        node.does("asha", DeleteExpense("nothing")),
        node.spends("rice"),
        node.spends("milk"),
        return_exceptions=True,
    )
    assert isinstance(outcomes[1], NotFound)
    assert [outcome.recorded.seq for outcome in outcomes if isinstance(outcome, Outcome)] == [3, 4, 5]
    assert runs == [2]


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


async def test_who_waits_too_long_for_a_turn_still_learns_what_others_did_for_them(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(groups, "LOCK_SECONDS_MAX", 0.05)
    acquire, append_run, asks, go = node.groups.acquire, node.wire.append_run, 0, asyncio.Event()

    async def asked(group_id: str, load_up_to: int | None = None) -> LiveGroup:
        nonlocal asks
        asks += 1
        if asks == 4:  # who is third asks again
            monkeypatch.setattr(groups, "LOCK_SECONDS_MAX", 30.0)
            go.set()
        return await acquire(group_id, load_up_to)

    async def slow(events: Sequence[NewEvent]) -> Sequence[RecordedEvent]:
        await go.wait()
        return await append_run(events)

    monkeypatch.setattr(node.groups, "acquire", asked)
    monkeypatch.setattr(node.wire, "append_run", slow)
    outcomes = await asyncio.gather(*(node.spends(name) for name in ("tea", "rice", "milk")))
    assert [outcome.recorded.seq for outcome in outcomes] == [3, 4, 5]


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
    assert node.handler._companions._waiting == {}
