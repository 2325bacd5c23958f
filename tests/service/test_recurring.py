"""Recurring expenses are made once, by whichever node wakes, and after downtime as well."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from dateutil import tz
from dateutil.relativedelta import relativedelta

from persplit.adapters.memory_store import MemoryDocuments, MemoryEvents
from persplit.exchange.rate_table import Rate
from persplit.ledger.commands import (
    BecomePlaceholder,
    Command,
    CreateExpense,
    LeaveGroup,
    PauseRecurrence,
    RemoveMember,
    SaveRecurrence,
    StopRecurrence,
    UpdateGroup,
)
from persplit.ledger.errors import Conflict
from persplit.ledger.events import ExpenseCreated, RecordedEvent
from persplit.ledger.expense import ExpenseDraft, SplitType
from persplit.ledger.recurrence import Frequency, Recurrence, Schedule
from persplit.ledger.state import GroupState
from persplit.service import recurring as recurring_module
from persplit.service.absentees import DISABLED, GONE, Absentees
from persplit.service.errors import StoreUnavailable
from persplit.service.ports import Document
from persplit.service.rates import Rates
from persplit.service.recurring import ATTENTIVE, MADE_PER_GROUP_MAX, Recurring, check_schedule
from persplit.service.suspensions import Suspensions
from persplit.service.users import UNIQUE_KEYS, User, Users
from tests.service.nodes import Clock, Node

PATIENCE_SECONDS = 30
MILK = ExpenseDraft("Milk", 60, SplitType.EQUAL)


class World:
    """Nodes on one store, each with a worker of its own."""

    def __init__(self, nodes: int = 1) -> None:
        self.events, self.schedules, self.rates = MemoryEvents(), MemoryDocuments(), Rates(MemoryDocuments())
        self.clock = Clock()
        self.users = Users(MemoryDocuments(UNIQUE_KEYS))
        self.suspensions = Suspensions(MemoryDocuments(), self.clock)
        self.nodes = [
            Node(self.events, is_shared=True, clock=self.clock, ticks=lambda wait=number: wait)  # type: ignore[misc]
            for number in range(nodes)
        ]
        self.workers = [
            Recurring(
                self.schedules,
                node.groups,
                node.handler,
                self.rates,
                Absentees(self.users, self.suspensions),
                self.clock,
            )
            for node in self.nodes
        ]

    async def signs_up(self, *names: str) -> None:
        for name in names:
            await self.users.insert(User(name, name, None, None, None, None, ""), None)

    async def saves(self, schedule: Schedule, draft: ExpenseDraft = MILK, actor: str = "asha") -> None:
        await self.workers[0].watch("goa")
        await self.does(actor, SaveRecurrence("milk", schedule, draft))

    async def does(self, actor: str, command: Command) -> None:
        await self.nodes[0].does(actor, command, key=f"{actor} {command!r} {self.clock.now}")

    async def wakes(self) -> None:
        """Everybody at once."""
        await asyncio.gather(*(worker.wake() for worker in self.workers))

    async def events_of(self, group_id: str = "goa") -> Sequence[RecordedEvent]:
        return await self.events.read(group_id, 0, 1_000)

    async def days(self) -> list[str]:
        return [
            one.event.expense.date for one in await self.events_of() if isinstance(one.event, ExpenseCreated)
        ]

    async def template(self) -> Recurrence:
        state = await self.nodes[0].groups.peek("goa")
        assert state is not None
        return state.recurrences["milk"]


async def trip(nodes: int = 1, now: datetime = Clock().now) -> World:  # noqa: B008 - a constant
    world = World(nodes)
    world.clock.now = now
    await world.signs_up("asha", "ben", "chitra")
    await world.nodes[0].makes("ben", "chitra")
    return world


def daily(start: str = "2026-11-21") -> Schedule:
    return Schedule(Frequency.DAILY, start)


@pytest.mark.parametrize("nodes", [1, 4])
async def test_nodes_that_wake_at_once_make_each_expense_once(nodes: int) -> None:
    world = await trip(nodes)
    await world.saves(daily())
    for _ in range(3):
        await world.wakes()
        world.clock.move(86_400 / 2)
        await world.wakes()
    assert await world.days() == ["2026-11-21", "2026-11-22"]
    made = [one for one in await world.events_of() if isinstance(one.event, ExpenseCreated)]
    assert {one.by for one in made} == {"asha"}
    assert {one.event.expense.recurrence_id for one in made if isinstance(one.event, ExpenseCreated)} == {
        "milk"
    }


async def test_after_downtime_all_that_is_missing_is_made_so_many_at_a_time() -> None:
    world = await trip()
    await world.saves(daily())
    world.clock.move(86_400 * (MADE_PER_GROUP_MAX + 20))
    await world.wakes()
    assert len(await world.days()) == MADE_PER_GROUP_MAX
    world.clock.move(60)
    await world.wakes()
    days = await world.days()
    assert len(set(days)) == len(days) == MADE_PER_GROUP_MAX + 21


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/Sao_Paulo"])
async def test_each_is_made_on_its_day_where_the_group_is_whatever_the_clocks_do(zone: str) -> None:
    world = await trip(now=datetime(2018, 10, 31, tzinfo=UTC))
    await world.does("asha", UpdateGroup(time_zone=zone))
    await world.saves(Schedule(Frequency.MONTHLY, "2018-10-31"))
    until = world.clock.now + relativedelta(months=5)
    while world.clock.now < until:
        await world.wakes()
        world.clock.move(3_600 * 7)
    await world.wakes()
    there = world.clock.now.astimezone(tz.gettz(zone)).date()
    oracle = [datetime(2018, 10, 31, tzinfo=UTC).date() + relativedelta(months=n) for n in range(7)]
    assert await world.days() == [day.isoformat() for day in oracle if day <= there]


async def test_nothing_is_made_before_the_day_begins_there() -> None:
    world = await trip()
    await world.does("asha", UpdateGroup(time_zone="Asia/Kolkata"))
    await world.saves(daily("2026-11-22"))
    world.clock.now = datetime(2026, 11, 21, 18, 29, 59, tzinfo=UTC)
    await world.wakes()
    assert not await world.days()
    world.clock.move(1)
    await world.wakes()
    assert await world.days() == ["2026-11-22"]


async def test_what_cannot_be_made_pauses_its_template_and_says_why() -> None:
    world = await trip(2)
    await world.saves(daily(), ExpenseDraft("Milk", 60, SplitType.EQUAL, participants=("ben", "chitra")))
    await world.does("asha", RemoveMember("ben"))
    await world.wakes()
    template = await world.template()
    assert template.paused
    assert template.problem == "2026-11-21: participants.0: not a member of the group"
    assert not await world.days()
    await world.does("asha", SaveRecurrence("milk", daily(), MILK))
    await world.does("asha", PauseRecurrence("milk", paused=False))
    await world.wakes()
    assert await world.days() == ["2026-11-21"]


async def test_what_was_stopped_does_not_come_back_by_a_late_edit_and_make_everything_twice() -> None:
    world = await trip()
    await world.saves(daily())
    await world.wakes()
    await world.does("ben", StopRecurrence("milk"))
    world.clock.move(1)
    with pytest.raises(Conflict):
        await world.saves(daily())
    await world.wakes()
    assert await world.days() == ["2026-11-21"]


async def test_a_rate_of_the_table_is_that_of_the_day() -> None:
    world = await trip()
    await world.rates.add([Rate("2026-11-20", "EUR", "INR", "90"), Rate("2026-11-22", "EUR", "INR", "92")])
    euros = ExpenseDraft("Milk", 60, SplitType.EQUAL, currency="EUR", table_rate="90")
    await world.saves(daily(), euros)
    world.clock.move(86_400)
    await world.wakes()
    made = [one.event.expense for one in await world.events_of() if isinstance(one.event, ExpenseCreated)]
    assert [expense.amount for expense in made] == [5_400, 5_520]


async def test_templates_rest_while_their_maker_is_away_or_the_group_archived() -> None:
    world = await trip()
    await world.saves(daily(), actor="ben")
    await world.does("ben", LeaveGroup())
    await world.wakes()
    await world.does("asha", SaveRecurrence("milk", daily(), MILK))
    await world.does("asha", UpdateGroup(archived=True))
    await world.wakes()
    assert not await world.days()
    await world.does("asha", UpdateGroup(archived=False))
    await world.wakes()
    assert await world.days() == ["2026-11-21"]


@pytest.mark.parametrize("why", [DISABLED, GONE])
async def test_nothing_is_made_in_the_name_of_who_is_disabled_or_erased_and_the_group_sees_why(
    why: str,
) -> None:
    world = await trip(2)
    await world.saves(daily(), actor="ben")
    await world.wakes()
    if why == DISABLED:
        await world.suspensions.disable("ben")
    else:
        await world.users.delete("ben")
    world.clock.move(86_400)
    await world.wakes()
    assert await world.days() == ["2026-11-21"]
    template = await world.template()
    assert (template.paused, template.problem) == (True, f"2026-11-22: {why}: who changes it takes it over")
    assert await world.workers[0].is_orphaned("goa", "milk")
    await world.workers[0].watch("goa")
    await world.does("asha", PauseRecurrence("milk", paused=False, takes_over=True))
    await world.wakes()
    assert await world.days() == ["2026-11-21", "2026-11-22"]
    assert (await world.template()).created_by == "asha"
    assert not await world.workers[0].is_orphaned("goa", "milk")
    assert not await world.workers[0].is_orphaned("goa", "unknown")
    assert not await world.workers[0].is_orphaned("unknown", "milk")


@pytest.mark.parametrize("rests", [UpdateGroup(archived=True), LeaveGroup()])
async def test_a_group_whose_templates_rest_is_looked_at_once_a_day(rests: Command) -> None:
    world = await trip()
    await world.saves(daily(), actor="ben")
    await world.does("asha" if isinstance(rests, UpdateGroup) else "ben", rests)
    world.clock.move(ATTENTIVE.total_seconds() + 1)
    await world.wakes()
    reads = len(world.nodes[0].wire.reads)
    for _ in range(3):
        world.clock.move(60)
        await world.wakes()
    assert len(world.nodes[0].wire.reads) == reads
    (document,) = await world.schedules.scan("", 9)
    assert document.body["next"] == "2026-11-22"
    await world.does("asha", UpdateGroup(archived=False)) if isinstance(rests, UpdateGroup) else None
    world.clock.move(86_400)
    await world.wakes()
    made = ["2026-11-21", "2026-11-22"] if isinstance(rests, UpdateGroup) else []
    assert await world.days() == made


@pytest.mark.parametrize("error", [StoreUnavailable("damaged"), ValueError("not what it should be")])
async def test_a_group_that_cannot_be_read_holds_no_other_up(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = await trip()
    await world.saves(daily())
    await world.workers[0].watch("damaged")
    peek = world.nodes[0].groups.peek

    async def peeked(group_id: str) -> GroupState | None:
        if group_id == "damaged":
            raise error
        return await peek(group_id)

    monkeypatch.setattr(world.nodes[0].groups, "peek", peeked)
    with suppress(StoreUnavailable):
        await world.wakes()
    assert await world.days() == ["2026-11-21"]


async def test_the_worker_goes_on_whatever_went_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recurring_module, "WAKE_SECONDS", 0.001)
    world = await trip()
    await world.saves(daily())
    scan, failures = world.schedules.scan, [ValueError("not what it should be")]

    async def scanned(after: str, limit: int) -> Sequence[Document]:
        if failures:
            raise failures.pop()
        return await scan(after, limit)

    monkeypatch.setattr(world.schedules, "scan", scanned)
    running = asyncio.create_task(world.workers[0].run())
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (running.done() or await world.days()):  # noqa: ASYNC110 - a store tells nobody
            await asyncio.sleep(0.001)
    assert not running.done()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_an_expense_that_has_the_id_already_is_not_made_a_second_time() -> None:
    world = await trip()
    await world.saves(daily())
    template = await world.template()
    known = recurring_module._expense_id("goa", f"recurrence milk {template.since} 2026-11-21")
    await world.does("ben", CreateExpense(known, MILK))
    await world.wakes()
    made = [one.event.expense.id for one in await world.events_of() if isinstance(one.event, ExpenseCreated)]
    assert made == [known]
    assert (await world.template()).paused


async def test_templates_of_who_gave_their_account_up_rest_until_somebody_takes_them_over() -> None:
    world = await trip()
    await world.saves(daily(), actor="ben")
    await world.does("ben", BecomePlaceholder("Ben"))
    await world.wakes()
    assert not await world.days()
    await world.does("asha", SaveRecurrence("milk", daily(), MILK))
    await world.wakes()
    assert await world.days() == ["2026-11-21"]
    assert (await world.template()).created_by == "asha"


async def test_a_group_is_passed_over_until_something_is_due() -> None:
    world = await trip()
    await world.saves(Schedule(Frequency.MONTHLY, "2026-11-21"))
    world.clock.move(ATTENTIVE.total_seconds() + 1)
    await world.wakes()
    await world.wakes()
    (document,) = await world.schedules.scan("", 9)
    assert document.body["next"] == "2026-12-21"
    check_schedule(document)
    reads = len(world.nodes[0].wire.reads)
    await world.wakes()
    assert len(world.nodes[0].wire.reads) == reads
    await world.workers[0].watch("goa")
    await world.does("asha", StopRecurrence("milk"))
    world.clock.move(ATTENTIVE.total_seconds() + 1)
    await world.wakes()
    (document,) = await world.schedules.scan("", 9)
    assert document.body["next"] > "9000"


async def test_a_group_that_is_gone_is_passed_over() -> None:
    world = World()
    await world.workers[0].watch("never made")
    world.clock.move(ATTENTIVE.total_seconds() + 1)
    await world.wakes()
    with pytest.raises(TypeError):
        check_schedule(Document("goa", {"watchedAt": "2026-11-21T08:00:00.000Z", "next": 1}))


async def test_the_worker_goes_on_when_the_store_was_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recurring_module, "WAKE_SECONDS", 0.001)
    world = await trip()
    await world.saves(daily())
    world.nodes[0].wire.faults.append("the store fails before it writes")
    running = asyncio.create_task(world.workers[0].run())
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await world.days():  # noqa: ASYNC110 - a store tells nobody
            await asyncio.sleep(0.001)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert world.clock.now - datetime(2026, 11, 21, 8, tzinfo=UTC) < timedelta(days=1)


async def test_a_group_that_can_t_be_looked_at_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    for group_id in ("agra", "goa"):
        await world.workers[0].watch(group_id)
    looked: list[str] = []

    async def peek(group_id: str) -> None:
        looked.append(group_id)
        raise KeyError("a time zone that isn't known here")

    monkeypatch.setattr(world.nodes[0].groups, "peek", peek)
    await world.wakes()
    assert looked == ["agra", "goa"]
