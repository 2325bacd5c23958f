"""The tallies follow the ledgers: whatever happens in a group, and wherever the following is killed."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from persplit.adapters.memory_store import MemoryDocuments, MemoryEvents
from persplit.adapters.memory_tallies import MemoryTallies
from persplit.ledger.commands import (
    AddMember,
    ConfirmSettlement,
    CreateExpense,
    CreateGroup,
    CreateSettlement,
    UpdateExpense,
)
from persplit.ledger.errors import LedgerError
from persplit.ledger.events import RecordedEvent
from persplit.ledger.expense import Expense, ExpenseKind
from persplit.ledger.settlement import Settlement, SettlementStatus
from persplit.service import projecting
from persplit.service.analytics import Analytics, Period
from persplit.service.errors import StoreUnavailable
from persplit.service.metrics import TALLIES_FAILING
from persplit.service.ports import EventStore, Hint
from persplit.service.projecting import NotedHints, Projector, rebuild
from persplit.service.snapshots import fold
from persplit.service.subjects import thing_of
from persplit.service.tallies import (
    FIRST_DAY,
    LAST_DAY,
    Advance,
    Asked,
    By,
    CellKind,
    Sums,
    Tallies,
    TallyMoved,
)
from persplit.service.tally_progress import Overtaken, TallyProgress
from persplit.service.tallying import tally_of
from persplit.service.users import User
from tests.service.histories import commands, people
from tests.service.nodes import Clock, Node, ToldHints, ledger, spending

BEFORE, AFTER = "before it is written", "after it is written"
DAYS = ("2026-01-31", "2026-02-01", "2026-11-21")

moments = st.lists(
    st.tuples(
        people,
        commands,
        st.none() | st.sampled_from(DAYS),
        st.integers(0, 30),
        st.none() | st.tuples(st.integers(0, 1), st.sampled_from([BEFORE, AFTER, ""])),
    ),
    max_size=30,
)
"""Who does what, with an expense of which day, how many hours later, and which of two nodes is killed where following."""


class Shaky(MemoryTallies):
    """Fails the next advance before or after it is written."""

    def __init__(self) -> None:
        super().__init__()
        self.fails = ""

    async def advance(self, generation: str, advance: Advance) -> None:
        fails, self.fails = self.fails, ""
        if fails == BEFORE:
            raise StoreUnavailable("killed")
        await super().advance(generation, advance)
        if fails == AFTER:
            raise StoreUnavailable("killed")


class House:
    """A store with its tallies, and two nodes that follow it."""

    def __init__(self, events: EventStore | None = None) -> None:
        self.node = Node(events or MemoryEvents())
        self.tallies = Shaky()
        self.progress = TallyProgress(MemoryDocuments())
        self.projectors = [self.projector() for _ in range(2)]

    @property
    def clock(self) -> Clock:
        return self.node.clock

    def projector(self, *, is_shared: bool = False) -> Projector:
        store = self.node.wire.store
        return Projector(store, self.tallies, self.progress, self.node.clock, is_shared=is_shared)

    async def generation(self) -> str:
        return (await self.progress.current()).generation

    async def told(self) -> dict[str, Any]:
        """All that the tallies say."""
        return await told_by(self.tallies, await self.generation())

    async def counted(self, *group_ids: str) -> dict[str, Any]:
        """The same, by counting what is in the ledgers."""
        return recount([await ledger(self.node.wire.store, group_id) for group_id in group_ids])


async def told_by(tallies: Tallies, generation: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for kind, by in (
        (CellKind.EXPENSES, By.CURRENCY),
        (CellKind.EXPENSES, By.GROUP),
        (CellKind.PAID, By.USER),
        (CellKind.SETTLED, By.CURRENCY),
        (CellKind.EVENTS, By.GROUP),
    ):
        for day in ("", *DAYS):
            asked = Asked(kind, by, day or FIRST_DAY, day or LAST_DAY)
            found[f"{kind} {by} {day}"] = dict(await tallies.sums(generation, asked))
    found["groups"] = await tallies.groups(generation, ["goa", "diu"])
    return found


def recount(ledgers: Sequence[Sequence[RecordedEvent]]) -> dict[str, Any]:
    """What the tallies ought to say: everything folded and summed up from the beginning."""
    facts: list[tuple[str, str, str, Sums]] = []
    groups = {}
    for events in ledgers:
        state = fold(None, events)
        assert state is not None
        groups[state.group_id] = tally_of(state)
        currency = state.settings.currency
        facts += [(f"{CellKind.EVENTS} {By.GROUP}", it.at[:10], it.group_id, Sums(1)) for it in events]
        things = {thing.id: thing for it in events if (thing := thing_of(it.event))}
        for thing in things.values():
            match thing:
                case Expense(deleted_at=None):
                    sign = 1 if thing.kind is ExpenseKind.EXPENSE else -1
                    of_all = Sums(1, sign * thing.amount)
                    facts.append((f"{CellKind.EXPENSES} {By.CURRENCY}", thing.date, currency, of_all))
                    facts.append((f"{CellKind.EXPENSES} {By.GROUP}", thing.date, state.group_id, of_all))
                    for paid in thing.payers:
                        own = Sums(1, sign * paid.amount)
                        facts.append((f"{CellKind.PAID} {By.USER}", thing.date, paid.user_id, own))
                case Settlement(status=SettlementStatus.COMPLETED):
                    at = thing.updated_at[:10]
                    facts.append((f"{CellKind.SETTLED} {By.CURRENCY}", at, currency, Sums(1, thing.amount)))
    found: dict[str, Any] = {"groups": groups}
    kinds = {"expenses currency", "expenses group", "paid user", "settled currency", "events group"}
    for kind in kinds:
        for day in ("", *DAYS):
            sums: dict[str, Sums] = {}
            for of, on, key, one in facts:
                if of == kind and day in ("", on):
                    sums[key] = sums.get(key, Sums(0)) + one
            found[f"{kind} {day}"] = sums
    return found


@settings(max_examples=60, deadline=None)
@given(moments)
async def test_the_tallies_are_what_a_recount_of_the_ledger_finds_wherever_nodes_are_killed(
    history: list[Any],
) -> None:
    house = House()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(projecting, "EVENTS_AT_ONCE", 3)
        await house.node.makes("ben", "chitra")
        for number, (actor, command, day, hours, killed) in enumerate(history):
            house.clock.move(3600 * hours)
            if isinstance(command, CreateExpense | UpdateExpense):
                kind = ExpenseKind.REFUND if hours % 3 == 1 else ExpenseKind.EXPENSE
                dated = replace(command.draft, date=day, kind=kind)
                command = replace(command, draft=dated)  # noqa: PLW2901 - the same, dated
            with suppress(LedgerError):
                await house.node.does(actor, command, f"step {number}")
            if killed is not None:
                which, house.tallies.fails = killed
                with suppress(StoreUnavailable):
                    await house.projectors[which].follow(await house.generation(), "goa")
                    assert await house.told() == await house.counted("goa")
                house.tallies.fails = ""
        await house.projectors[0].follow(await house.generation(), "goa")
        assert await house.told() == await house.counted("goa")


async def test_nodes_that_follow_a_group_at_once_count_each_event_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(projecting, "EVENTS_AT_ONCE", 2)
    house = House()
    await house.node.makes("ben")
    for number in range(9):
        await house.node.spends(f"tea {number}")
    reads = house.tallies.seqs

    async def slow(generation: str, group_ids: Sequence[str]) -> Mapping[str, int]:
        found = await reads(generation, group_ids)
        await asyncio.sleep(0)
        return found

    monkeypatch.setattr(house.tallies, "seqs", slow)
    generation = await house.generation()
    await asyncio.gather(*(projector.follow(generation, "goa") for projector in house.projectors))
    assert await house.told() == await house.counted("goa")


async def test_a_group_that_others_never_leave_alone_is_given_up_for_now(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    house = House()
    await house.node.makes()

    async def moved(*_: object) -> None:
        raise TallyMoved

    monkeypatch.setattr(house.tallies, "advance", moved)
    with pytest.raises(StoreUnavailable):
        await house.projectors[0].follow(await house.generation(), "goa")


@pytest.mark.parametrize(
    "fault", [KeyError("an event of the future"), StoreUnavailable("a torn page", is_damaged=True)]
)
async def test_a_group_that_cannot_be_followed_holds_up_no_other_and_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    house = House()
    projector, generation = house.projectors[0], await house.generation()
    for group_id in ("diu", "goa"):
        await house.node.makes("ben", group_id=group_id)
    tried = broken(monkeypatch, "diu", fault)
    monkeypatch.setattr(projecting, "retry_seconds", lambda _: 3_600.0)
    await projector.sweep(generation)
    projector.note("diu")
    projector.note("goa")
    await projector._follow_noted()
    assert list(await house.tallies.groups(generation, ["diu", "goa"])) == ["goa"]
    assert (await projector.as_of())[1] == "2026-11-21T08:00:00.000Z"
    assert tried == ["diu"], "not again at once"
    assert TALLIES_FAILING._value.get() == 1
    monkeypatch.undo()
    projector._failing["diu"] = 1, 0.0
    await projector.sweep(generation)
    assert await house.told() == await house.counted("diu", "goa")
    assert TALLIES_FAILING._value.get() == 0


async def test_a_group_at_which_the_store_gives_up_again_ends_no_more_sweeps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    house = House()
    projector, generation = house.projectors[0], await house.generation()
    for group_id in ("diu", "goa"):
        await house.node.makes("ben", group_id=group_id)
    broken(monkeypatch, "diu", StoreUnavailable("it takes too long"))
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            await projector.sweep(generation)
    await projector.sweep(generation)
    assert list(await house.tallies.groups(generation, ["diu", "goa"])) == ["goa"]


def test_a_group_that_fails_is_tried_again_less_and_less_often() -> None:
    waits = [projecting.retry_seconds(failures) for failures in range(1, 20)]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (0.0, projecting.RETRY_SECONDS_MAX)


def broken(monkeypatch: pytest.MonkeyPatch, group_id: str, fault: Exception) -> list[str]:
    """Following that group fails; returns each time that it was tried."""
    tried: list[str] = []
    follow = Projector.follow

    async def failing(self: Projector, generation: str, id_: str) -> None:
        if id_ == group_id:
            tried.append(id_)
            raise fault
        await follow(self, generation, id_)

    monkeypatch.setattr(Projector, "follow", failing)
    return tried


async def running(house: House, projector: Projector, *group_ids: str) -> None:
    """Let it run until its tallies are level with the ledgers."""
    following = asyncio.create_task(projector.run())
    try:
        async with asyncio.timeout(30):
            while await house.told() != await house.counted(*group_ids):  # noqa: ASYNC110 - nothing tells when it is
                await asyncio.sleep(0.01)
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def test_a_node_sweeps_what_others_left_and_follows_what_it_hears_of(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(projecting, "GATHER_SECONDS", 0.0)
    monkeypatch.setattr(projecting, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(projecting, "GROUPS_AT_ONCE", 1)
    house = House()
    projector = house.projectors[0]
    for group_id in ("goa", "diu"):
        await house.node.makes("ben", group_id=group_id)
        await house.node.spends("tea", group_id=group_id)
    house.tallies.fails = BEFORE
    await running(house, projector, "goa", "diu")
    assert (await projector.as_of())[1] == "2026-11-21T08:00:00.000Z"
    hints = ToldHints()
    noted = NotedHints(hints, projector.note)
    following = asyncio.create_task(running(house, projector, "goa", "diu"))
    await house.node.spends("rice", group_id="diu")
    await noted.publish(Hint("diu", 4))
    await following
    assert [hint.group_id for hint in hints.published] == ["diu"]
    assert noted.are_connected() is None
    noted.subscribe(lambda _: None)
    assert len(hints.listeners) == 1


async def test_who_has_much_to_follow_rests_nine_times_as_long_so_that_others_are_served(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(projecting, "GATHER_SECONDS", 0.0)
    clock = asyncio.get_running_loop().time
    spans: list[tuple[float, float]] = []
    enough = asyncio.Event()

    async def busy(self: Projector, generation: str, group_id: str) -> None:
        began = clock()
        await asyncio.sleep(0.01)
        spans.append((began, clock()))
        self.note(group_id)  # it is written to all the time
        if len(spans) == 3:
            enough.set()

    monkeypatch.setattr(Projector, "follow", busy)
    projector = House().projectors[0]
    projector.note("goa")
    following = asyncio.create_task(projector.run())
    async with asyncio.timeout(30):
        await enough.wait()
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    for (began, ended), (next_began, _) in pairwise(spans):
        assert next_began - ended >= (projecting.REST - 0.1) * (ended - began)


async def test_a_long_ledger_is_followed_with_rests_and_without_them_where_nobody_is_served(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(projecting, "EVENTS_AT_ONCE", 2)
    rests: list[float] = []
    sleep = asyncio.sleep

    async def resting(seconds: float) -> None:
        if seconds > 0:
            rests.append(seconds)
        await sleep(0)

    house = House()
    await house.node.makes()
    for number in range(6):
        await house.node.spends(f"tea {number}")
    monkeypatch.setattr(asyncio, "sleep", resting)
    await house.projectors[0].follow_all((await house.projectors[0].as_of())[0])
    assert rests == []
    house = House()
    await house.node.makes()
    for number in range(6):
        await house.node.spends(f"tea {number}")
    await running(house, house.projectors[0], "goa")
    assert len([seconds for seconds in rests if seconds != 0.01]) >= 3


async def test_between_two_rests_few_events_of_a_long_ledger_are_taken_in_though_many_are_written_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(projecting, "EVENTS_AT_ONCE", 6)
    monkeypatch.setattr(projecting, "READ_AT_ONCE", 2)
    house = House()
    await house.node.makes()
    for number in range(12):
        await house.node.spends(f"tea {number}")
    done: list[str] = []
    read, advance, sleep = house.node.wire.store.read, house.tallies.advance, asyncio.sleep

    async def reading(group_id: str, after: int, limit: int) -> Sequence[RecordedEvent]:
        events = await read(group_id, after, limit)
        done.append(f"read {len(events)}")
        return events

    async def moving(generation: str, moved: Advance) -> None:
        await advance(generation, moved)
        done.append(f"write {len(moved.steps)}")

    async def resting(seconds: float) -> None:
        done.append("rest")
        await sleep(0)

    monkeypatch.setattr(house.node.wire.store, "read", reading)
    monkeypatch.setattr(house.tallies, "advance", moving)
    monkeypatch.setattr(asyncio, "sleep", resting)
    await house.projectors[0].follow(await house.generation(), "goa")
    six = [*["read 2", "rest"] * 3, "write 6", "rest"]
    assert done == [*six, *six, "read 1", "write 1"]


async def test_more_news_than_are_noted_are_found_by_a_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projecting, "NOTED_MAX", 0)
    house = House()
    projector = house.projectors[0]
    await house.node.makes()
    await running(house, projector, "goa")
    await house.node.spends("tea")
    projector.note("goa")
    await running(house, projector, "goa")


async def test_nodes_that_share_a_store_sweep_in_turn_and_know_how_far_the_other_came() -> None:
    house = House()
    one, other = house.projector(is_shared=True), house.projector(is_shared=True)
    await house.node.makes()
    assert (await one.as_of())[1] == ""
    await running(house, one, "goa")
    assert (await other.as_of())[1] == "2026-11-21T08:00:00.000Z"
    await house.node.spends("tea")
    assert await other._swept() == 0.0
    assert await house.told() != await house.counted("goa")
    house.clock.move(projecting.SWEEP_SECONDS)
    await other._swept()
    assert await house.told() == await house.counted("goa")
    assert (await one.as_of())[1] == "2026-11-21T08:00:10.000Z"


async def test_an_erased_group_is_forgotten_also_if_it_was_being_followed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    house = House()
    generation = await house.generation()
    for group_id in ("goa", "diu"):
        await house.node.makes("ben", group_id=group_id)
    await house.projectors[0].follow(generation, "goa")
    await house.node.wire.store.erase("goa")
    await house.projectors[0].follow(generation, "goa")
    assert await house.tallies.count(generation) == 0
    advance = house.tallies.advance

    async def erased_meanwhile(generation: str, step: Advance) -> None:
        await house.node.wire.store.erase("diu")
        await house.tallies.forget("diu")
        await advance(generation, step)

    monkeypatch.setattr(house.tallies, "advance", erased_meanwhile)
    await house.projectors[0].follow(generation, "diu")
    assert await house.tallies.count(generation) == 0


# --- making it anew


async def test_making_it_anew_takes_the_place_of_what_was_wrong_and_leaves_nothing_behind() -> None:
    house = House()
    await house.node.makes("ben")
    await house.node.spends("tea")
    old = await house.generation()
    await house.projectors[0].sweep(old)
    house.tallies._cells = {key: sums + sums for key, sums in house.tallies._cells.items()}
    assert await house.told() != await house.counted("goa")
    told: list[int] = []
    house.clock.move(1)
    assert await rebuild(house.projectors[1], house.tallies, house.progress, told.append) == 1
    assert await house.told() == await house.counted("goa")
    assert (await house.tallies.count(old), told) == (0, [1])
    assert {generation for generation, _, _ in house.tallies._cells} == {await house.generation()}
    # The node that is running goes on with the new one.
    assert (await house.projectors[0].as_of())[1] == "2026-11-21T08:00:01.000Z"
    await house.node.spends("rice")
    await running(house, house.projectors[0], "goa")


async def test_making_it_anew_that_broke_off_changes_nothing_and_is_cleared_away_by_the_next() -> None:
    house = House()
    await house.node.makes("ben")
    await house.projectors[0].sweep(await house.generation())
    before = await house.told()
    begun = await house.progress.begin()
    await house.projectors[1].follow_all(begun)
    assert await house.told() == before
    await rebuild(house.projectors[1], house.tallies, house.progress, lambda _: None)
    assert await house.told() == before
    assert await house.tallies.count(begun) == 0
    with pytest.raises(Overtaken):
        await house.progress.finish(begun, "2026-11-21T08:00:00.000Z")


async def test_another_past_begins_with_nothing() -> None:
    house = House()
    await house.node.makes("ben")
    await house.projectors[0].sweep(await house.generation())
    await house.progress.restart()
    assert (await house.told())["groups"] == {}
    assert (await house.projectors[0].as_of())[1] == ""


# --- what is answered


async def test_answers_are_per_currency_and_name_only_people_with_accounts() -> None:
    house = House()
    node = house.node
    for name in ("asha", "ben"):
        user = User(name, name.title(), f"{name}@example.org", None, None, None, "2026-11-21T08:00:00.000Z")
        await node.users.insert(user, "hash")
    for group_id, currency in (("goa", "INR"), ("osaka", "JPY")):
        await node.does(
            "asha", CreateGroup("Asha", "Secret", currency=currency), f"make {group_id}", group_id
        )
        for other in ("ben", "chitra"):
            await node.does("asha", AddMember(other, other.title()), f"add {other} {group_id}", group_id)
    await node.spends("tea", 900, actor="asha")
    await node.does("chitra", spending("rice", 3_000))
    await node.does("ben", spending("sushi", 600), group_id="osaka")
    await node.does("ben", CreateSettlement("paid", "chitra", 100))
    await node.does("chitra", ConfirmSettlement("paid"))
    generation = await house.generation()
    await house.projectors[0].sweep(generation)
    analytics = Analytics(house.tallies, house.projectors[0], node.users, node.people, house.clock)
    house.clock.move(5)
    _, as_of = await analytics.as_of()
    assert (as_of.at, as_of.lag_seconds) == ("2026-11-21T08:00:00.000Z", 5.0)
    ever = Period()
    summary = await analytics.summary(generation, ever)
    assert (summary.users, summary.groups, summary.active_groups) == (2, 2, 2)
    assert [(it.currency, it.expenses, it.settled, it.outstanding) for it in summary.currencies] == [
        ("INR", Sums(2, 3_900), Sums(1, 100), Sums(1, 1_600)),
        ("JPY", Sums(1, 600), Sums(0), Sums(1, 400)),
    ]
    spenders = await analytics.top_spenders(generation, ever, 10)
    assert [(it.currency, it.name, it.paid.amount) for it in spenders] == [
        ("INR", "Asha", 900),
        ("JPY", "Ben", 600),
    ]
    active = await analytics.group_activity(generation, ever, 1)
    assert [(it.tally.group_id, it.events, it.expenses) for it in active] == [("goa", 7, Sums(2, 3_900))]
    assert [it.group_id for it in await analytics.unsettled_debts(generation, ever, 1)] == ["goa", "osaka"]
    later = Period("2026-11-22", "2026-12-31")
    assert [
        await analytics.top_spenders(generation, later, 10),
        await analytics.group_activity(generation, later, 10),
        await analytics.unsettled_debts(generation, later, 10),
        (await analytics.summary(generation, later)).active_groups,
    ] == [[], [], [], 0]
