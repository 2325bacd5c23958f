"""One command, one event, one announcement: whatever the retries, races, faults and nodes."""

import asyncio
import random
from collections.abc import Coroutine, Iterator, Sequence
from itertools import starmap
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from persplit.adapters.memory_store import MemoryEvents
from persplit.ledger.commands import (
    AddMember,
    CancelSettlement,
    ChangeRole,
    Command,
    ConfirmSettlement,
    CreateGroup,
    CreateSettlement,
    DeclineSettlement,
    DeleteExpense,
    JoinGroup,
    LeaveGroup,
    RemoveMember,
    RestoreExpense,
    UpdateExpense,
    UpdateGroup,
)
from persplit.ledger.errors import (
    AlreadyMember,
    AlreadySettled,
    Conflict,
    Forbidden,
    GroupArchived,
    LedgerError,
    NotFound,
)
from persplit.ledger.events import ExpenseCreated, ExpenseUpdated, GroupUpdated, RecordedEvent
from persplit.ledger.expense import Expense
from persplit.ledger.group import Role
from persplit.service import groups
from persplit.service.command_request import CommandRequest, Outcome
from persplit.service.errors import IdempotencyKeyReused, StoreUnavailable
from persplit.service.follower import Follower
from persplit.service.handler import ATTEMPTS_MAX
from persplit.service.ports import Hint, NewEvent
from persplit.service.subjects import thing_of
from tests.service.nodes import (
    AFTER,
    BEFORE,
    FINE,
    LATE,
    Clock,
    Node,
    Span,
    check_seqs,
    check_span,
    draft,
    ledger,
    request,
    spending,
    whole,
)


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
async def heard(node: Node) -> Span:
    """What ben hears from now on."""
    return (await node.connects("ben"))[0]


# --- once


async def test_a_command_makes_one_event_one_announcement_and_one_hint(node: Node, heard: Span) -> None:
    outcome = await node.spends("tea")
    assert (outcome.recorded.seq, outcome.state.seq, outcome.replayed) == (3, 3, False)
    assert await ledger(node.wire.store) == [*(await ledger(node.wire.store))[:2], outcome.recorded]
    assert heard.heard[0][0] == outcome.recorded
    assert len(heard.heard) == 1
    assert node.hints.published[2:] == [Hint("goa", 3)]


async def test_a_hint_about_a_member_says_who_it_is(node: Node) -> None:
    assert node.hints.published == [Hint("goa", 1, "asha"), Hint("goa", 2, "ben")]


@pytest.mark.parametrize("times", [1, 5])
async def test_a_retry_gets_the_first_outcome_and_changes_nothing(
    node: Node, heard: Span, times: int
) -> None:
    first = await node.spends("tea")
    for _ in range(times):
        again = await node.spends("tea")
        assert (again.recorded, again.replayed) == (first.recorded, True)
    assert heard.seqs() == [3]
    assert len(await ledger(node.wire.store)) == 3


async def test_retries_at_the_same_moment_make_one_event(node: Node, heard: Span) -> None:
    outcomes = await asyncio.gather(*(node.spends("tea") for _ in range(10)))
    assert {outcome.recorded.seq for outcome in outcomes} == {3}
    assert [outcome.replayed for outcome in outcomes].count(False) == 1
    assert heard.seqs() == [3]


async def test_a_retry_later_shows_the_group_as_it_is_now(node: Node) -> None:
    await node.spends("tea")
    await node.spends("rice")
    again = await node.spends("tea")
    assert (again.recorded.seq, again.state.seq) == (3, 4)


async def test_a_retry_that_made_up_a_new_id_is_still_a_retry(node: Node) -> None:
    async def tea(id_: str) -> Outcome:
        return await node.handler.handle(
            CommandRequest("asha", "goa", "key", "tea", spending(id_), is_new_id=True)
        )

    first = await tea("an id")
    again = await tea("another id")
    assert again.recorded == first.recorded
    assert again.replayed


async def test_a_key_used_for_something_else_is_refused(node: Node, heard: Span) -> None:
    await node.does("asha", spending("tea"), "key")
    for other in (spending("rice"), UpdateGroup(name="Diu"), RemoveMember("nobody")):
        with pytest.raises(IdempotencyKeyReused):
            await node.does("asha", other, "key")
    assert heard.seqs() == [3]


async def test_a_key_used_by_somebody_else_is_refused_and_tells_nothing_of_what_they_did(node: Node) -> None:
    await node.does("asha", spending("tea"), "key")
    with pytest.raises(IdempotencyKeyReused):
        await node.does("ben", spending("tea 2"), "key")
    with pytest.raises(Conflict):  # refused for itself, as if the key were free
        await node.does("ben", spending("tea"), "key")


async def test_the_same_change_under_the_same_key_by_two_people_is_no_retry(node: Node) -> None:
    await node.spends("tea")
    await node.does("asha", UpdateExpense("tea", draft(500)), "key")
    with pytest.raises(IdempotencyKeyReused):
        await node.does("ben", UpdateExpense("tea", draft(500)), "key")


async def test_the_same_key_in_another_group_is_another_command(node: Node) -> None:
    await node.makes(group_id="diu")
    await node.does("asha", spending("tea"), "key")
    outcome = await node.does("asha", spending("tea"), "key", "diu")
    assert not outcome.replayed


# --- refusals that are retries in disguise


@pytest.mark.parametrize(
    ("command", "again"),
    [
        (CreateGroup("Asha", "Goa"), Conflict),
        (spending("rice"), Conflict),
        (DeleteExpense("tea"), Conflict),
        (AddMember("chitra", "Chitra"), AlreadyMember),
        (RemoveMember("ben"), NotFound),
        (CreateSettlement("pay", "asha", 100, from_id="ben"), Conflict),
        (DeleteExpense("tea", expected_seq=3), Conflict),
        (UpdateExpense("tea", draft(500), expected_seq=3), Conflict),
        (UpdateGroup(archived=True), GroupArchived),
    ],
)
async def test_what_the_rules_refuse_the_second_time_is_a_replay_for_who_did_it_the_first_time(
    store: MemoryEvents, command: Command, again: type[LedgerError]
) -> None:
    node = Node(store)
    if not isinstance(command, CreateGroup):
        await node.makes("ben")
        await node.does("asha", spending("tea", 900, "asha"))
    first = await node.does("asha", command, "key")
    retry = await node.does("asha", command, "key")
    assert (retry.recorded, retry.replayed) == (first.recorded, True)
    with pytest.raises(again):
        await node.does("asha", command, "another key")


async def test_a_refusal_stays_a_refusal_when_it_is_sent_again(node: Node, heard: Span) -> None:
    for _ in range(2):
        with pytest.raises(Forbidden):
            await node.does("ben", UpdateGroup(name="Diu"), "key")
    assert heard.seqs() == []
    assert len(await ledger(node.wire.store)) == 2


async def test_settlements_are_looked_up_and_answered_once(node: Node) -> None:
    await node.spends("tea")
    for id_ in ("one", "two", "three"):
        await node.does("ben", CreateSettlement(id_, "asha", 100))
    await node.does("asha", ConfirmSettlement("one"))
    await node.does("asha", DeclineSettlement("two"))
    await node.does("ben", CancelSettlement("three"))
    with pytest.raises(AlreadySettled):
        await node.does("asha", ConfirmSettlement("two"))
    with pytest.raises(NotFound):
        await node.does("asha", ConfirmSettlement("four"))


async def test_a_deleted_expense_is_restored_as_it_was(node: Node) -> None:
    await node.spends("tea")
    await node.does("asha", DeleteExpense("tea"))
    outcome = await node.does("ben", RestoreExpense("tea"))
    thing = thing_of(outcome.recorded.event)
    assert isinstance(thing, Expense)
    assert thing.deleted_at is None
    assert thing_of(GroupUpdated(outcome.state.settings, outcome.state.settings)) is None


# --- who has left


async def test_a_retry_by_who_has_left_shows_the_group_as_they_last_could_see_it(node: Node) -> None:
    left = await node.does("ben", LeaveGroup(), "key")
    await node.spends("secret", actor="asha")
    again = await node.does("ben", LeaveGroup(), "key")
    assert again.replayed
    assert again.state == left.state
    assert again.state.expense_count == 0


async def test_a_retry_of_a_join_by_who_was_put_out_again_doesnt_let_them_see_the_group(node: Node) -> None:
    await node.does("chitra", JoinGroup("Chitra"), "key")
    await node.does("asha", RemoveMember("chitra"))
    await node.spends("secret")
    again = await node.does("chitra", JoinGroup("Chitra"), "key")
    assert again.replayed
    assert again.state.seq == 3
    assert not (await whole(node.wire.store)).is_member("chitra")


async def test_a_retried_change_of_settings_by_an_admin_who_has_left_is_refused(node: Node) -> None:
    await node.does("asha", ChangeRole("ben", Role.ADMIN))
    await node.does("ben", UpdateGroup(has_password=True), "key")
    await node.does("ben", LeaveGroup())
    with pytest.raises(NotFound):
        await node.does("ben", UpdateGroup(has_password=True), "key")


# --- conflicts


async def test_a_conflict_carries_the_present_version_and_its_group(node: Node) -> None:
    await node.spends("tea")
    changed = await node.does("ben", UpdateExpense("tea", draft(500)))
    with pytest.raises(Conflict) as conflict:
        await node.does("asha", UpdateExpense("tea", draft(700), expected_seq=3))
    assert isinstance(changed.recorded.event, ExpenseUpdated)
    assert conflict.value.current == changed.recorded.event.after
    assert conflict.value.group_id == "goa"


async def test_of_two_edits_of_the_same_version_one_wins_and_one_conflicts(node: Node, heard: Span) -> None:
    await node.spends("tea")
    edits = [UpdateExpense("tea", draft(amount), expected_seq=3) for amount in (500, 700)]
    outcomes = await asyncio.gather(*(node.does("asha", edit) for edit in edits), return_exceptions=True)
    assert [type(outcome).__name__ for outcome in outcomes] == ["Outcome", "Conflict"]
    assert heard.seqs() == [3, 4]


async def test_a_command_for_a_group_that_doesnt_exist_is_not_found(node: Node) -> None:
    with pytest.raises(NotFound):
        await node.does("asha", spending("tea"), group_id="nowhere")


# --- races with other nodes


def rival_of(store: MemoryEvents, count: int) -> Coroutine[Any, Any, None]:
    """Other nodes' commands, so many."""

    async def act() -> None:
        node = Node(store, is_shared=True)
        for number in range(count):
            await node.does("ben", spending(f"rival {number} of {len(await ledger(store))}"))

    return act()


class Contested(MemoryEvents):
    """A store in which somebody else takes the place just before each append, so many times."""

    def __init__(self) -> None:
        super().__init__()
        self.rivals = 0
        self.tries = 0

    async def append(self, new: NewEvent) -> RecordedEvent:
        if new.by == "asha":
            self.tries += 1
            if self.rivals:
                self.rivals -= 1
                await rival_of(self, 1)
        return await super().append(new)


@pytest.mark.parametrize("lost", range(1, ATTEMPTS_MAX))
async def test_a_lost_race_is_decided_anew_and_what_won_is_announced_first(lost: int) -> None:
    contested = Contested()
    node = Node(contested, is_shared=True)
    await node.makes("ben")
    (span,) = await node.connects("ben")
    contested.rivals, contested.tries = lost, 0
    outcome = await node.spends("tea")
    assert outcome.recorded.seq == 3 + lost
    assert contested.tries == lost + 1
    assert span.seqs() == list(range(3, 4 + lost))
    check_span(span, await ledger(contested))


async def test_races_are_given_up_after_a_bounded_number_of_attempts_and_can_be_tried_again() -> None:
    contested = Contested()
    node = Node(contested, is_shared=True)
    await node.makes("ben")
    contested.rivals, contested.tries = 1_000, 0
    with pytest.raises(StoreUnavailable):
        await node.spends("tea")
    assert contested.tries == ATTEMPTS_MAX
    contested.rivals = 0
    assert not (await node.spends("tea")).replayed


async def test_a_race_lost_to_ones_own_retry_on_another_node_is_a_replay(store: MemoryEvents) -> None:
    clock = Clock()
    one, two = (Node(store, is_shared=True, ticks=lambda: 2, clock=clock) for _ in range(2))
    await one.makes("ben")
    clock_of_two = Clock()
    clock_of_two.move(60)
    two.handler._clock = clock_of_two
    outcomes = await asyncio.gather(one.spends("tea"), two.spends("tea"))
    assert sorted(outcome.replayed for outcome in outcomes) == [False, True]
    assert outcomes[0].recorded == outcomes[1].recorded
    check_seqs(await ledger(store))


async def test_a_decision_on_an_old_state_is_revised_before_it_is_refused(store: MemoryEvents) -> None:
    one, two = (Node(store, is_shared=True) for _ in range(2))
    await one.makes("ben")
    await two.groups.peek("goa")
    await one.does("asha", AddMember("chitra", "Chitra"))
    assert (await two.does("chitra", spending("tea"))).recorded.seq == 4


async def test_a_decision_on_an_old_state_isnt_carried_out(store: MemoryEvents) -> None:
    one, two = (Node(store, is_shared=True) for _ in range(2))
    await one.makes("ben")
    await two.groups.peek("goa")
    await one.does("asha", RemoveMember("ben"))
    with pytest.raises(NotFound):
        await two.does("ben", spending("tea"))
    check_seqs(await ledger(store))


# --- faults


async def test_what_was_not_written_is_unknown_to_the_caller_and_done_by_the_retry(
    node: Node, heard: Span
) -> None:
    node.wire.faults.append(BEFORE)
    with pytest.raises(StoreUnavailable):
        await node.spends("tea")
    assert heard.seqs() == []
    assert not (await node.spends("tea")).replayed
    assert heard.seqs() == [3]


@pytest.mark.parametrize("fault", [AFTER, LATE])
async def test_an_unknown_outcome_is_never_a_failure_and_the_retry_finds_the_event_and_announces_it(
    node: Node, heard: Span, fault: str
) -> None:
    node.wire.faults.append(fault)
    with pytest.raises(StoreUnavailable):
        await node.spends("tea")
    await asyncio.gather(*node.wire.late)
    assert heard.seqs() == []
    retry = await node.spends("tea")
    assert (retry.recorded.seq, retry.replayed) == (3, True)
    assert heard.seqs() == [3]


async def test_what_was_written_unheard_is_announced_before_what_comes_next(node: Node, heard: Span) -> None:
    node.wire.faults.append(AFTER)
    with pytest.raises(StoreUnavailable):
        await node.spends("tea")
    assert (await node.spends("rice")).recorded.seq == 4
    assert heard.seqs() == [3, 4]
    check_span(heard, await ledger(node.wire.store))


@pytest.mark.parametrize("failing", range(4))
async def test_a_store_that_fails_on_the_way_to_a_refusal_doesnt_turn_it_into_one(
    node: Node, failing: int
) -> None:
    await node.does("asha", AddMember("chitra", "Chitra"), "key")
    node.wire.read_faults.extend([FINE] * failing + [BEFORE])
    try:
        outcome = await node.does("asha", AddMember("chitra", "Chitra"), "key")
    except StoreUnavailable:
        outcome = await node.does("asha", AddMember("chitra", "Chitra"), "key")
    assert outcome.replayed


async def test_a_caller_who_goes_away_while_the_event_is_written_doesnt_take_the_announcement_along(
    node: Node, heard: Span
) -> None:
    node.wire.hold = asyncio.Event()
    node.wire.reached.clear()
    caller = asyncio.create_task(node.spends("tea"))
    await node.wire.reached.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    node.wire.hold.set()
    await node.handler.drain()
    assert heard.seqs() == [3]
    assert (await node.spends("tea")).replayed


async def test_a_refusal_that_nobody_waits_for_any_more_is_no_unhandled_error(node: Node) -> None:
    node.wire.hold = asyncio.Event()
    caller = asyncio.create_task(node.does("ben", UpdateExpense("nothing", draft(5))))
    await asyncio.sleep(0.01)
    caller.cancel()
    node.wire.hold.set()
    await node.handler.drain()
    await asyncio.gather(caller, return_exceptions=True)


async def test_giving_up_waiting_for_commands_under_way_doesnt_cancel_them(node: Node, heard: Span) -> None:
    node.wire.hold = asyncio.Event()
    node.wire.reached.clear()
    caller = asyncio.create_task(node.spends("tea"))
    await node.wire.reached.wait()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await node.handler.drain()
    node.wire.hold.set()
    assert (await caller).recorded.seq == 3
    await node.handler.drain()
    assert heard.seqs() == [3]


# --- time


async def test_time_never_goes_back_in_a_ledger_when_the_clock_does(node: Node) -> None:
    await node.spends("tea")
    node.clock.move(-3_600)
    early = await node.spends("rice")
    node.clock.move(7_200.5)
    late = await node.spends("dal")
    check_seqs(await ledger(node.wire.store))
    assert early.recorded.at == "2026-11-21T08:00:00.000Z"
    assert late.recorded.at == "2026-11-21T09:00:00.500Z"
    event = early.recorded.event
    assert isinstance(event, ExpenseCreated)
    assert event.expense.created_at == early.recorded.at


async def test_nodes_whose_clocks_differ_write_one_ledger_in_order_of_time(store: MemoryEvents) -> None:
    ahead, behind = Node(store, is_shared=True), Node(store, is_shared=True)
    ahead.clock.move(500)
    await ahead.makes("ben")
    await behind.spends("tea")
    await ahead.spends("rice")
    await behind.spends("dal")
    check_seqs(await ledger(store))


# --- any interleaving

USERS = ("asha", "ben", "chitra", "dan")
GROUP_IDS = ("goa", "diu")
THINGS = ("one", "two", "three")

commands = st.one_of(
    st.builds(spending, st.sampled_from(THINGS), st.integers(1, 10_000)),
    st.builds(
        UpdateExpense,
        st.sampled_from(THINGS),
        st.builds(draft, st.integers(1, 10_000)),
        st.none() | st.integers(1, 9),
    ),
    st.builds(DeleteExpense, st.sampled_from(THINGS)),
    st.builds(RestoreExpense, st.sampled_from(THINGS)),
    st.builds(AddMember, st.sampled_from(USERS[2:]), st.just("Somebody")),
    st.builds(RemoveMember, st.sampled_from(USERS[2:])),
    st.builds(CreateSettlement, st.sampled_from(THINGS), st.sampled_from(USERS), st.integers(1, 5_000)),
    st.builds(ConfirmSettlement, st.sampled_from(THINGS)),
    st.builds(CancelSettlement, st.sampled_from(THINGS)),
    st.builds(UpdateGroup, name=st.sampled_from(["Goa", "Diu"])),
)
sends = st.tuples(
    st.integers(0, 2), st.sampled_from(USERS), commands, st.sampled_from(GROUP_IDS), st.integers(0, 40)
)
faults = st.lists(st.sampled_from([FINE, FINE, FINE, BEFORE, AFTER, LATE]), max_size=3)
Send = tuple[int, str, Command, str, int]


class Nodes(RuleBasedStateMachine):
    """Three nodes with little memory on one store. Their clients send, retry, come and go; the store fails."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.store = MemoryEvents()
        self.random = random.Random(0)  # noqa: S311 - of the test
        self.nodes = [
            Node(self.store, is_shared=True, ticks=lambda: self.random.randrange(4)) for _ in range(3)
        ]
        self.followers = [Follower(n.wire, n.groups, n.listeners, n.hints, n.listeners) for n in self.nodes]
        self.answered: dict[tuple[str, str], RecordedEvent] = {}
        self.sent: list[Send] = []

    def teardown(self) -> None:
        self.loop.run_until_complete(self._settle())
        self.loop.close()

    async def _settle(self) -> None:
        """When nothing fails any more, everybody hears everything."""
        for node in self.nodes:
            await asyncio.gather(*node.wire.late)
            node.wire.faults.clear()
            node.wire.read_faults.clear()
        for follower in self.followers:
            await self._sweep(follower)
        for node in self.nodes:
            for span in node.listeners.open.values():
                events = await ledger(self.store, span.group_id)
                check_span(span, events)
                last = span.news()[-1][0].seq if span.news() else span.ready_at
                assert last in (None, len(events))

    async def _sweep(self, follower: Follower) -> None:
        follower._sweep_at = 0.0
        await follower._follow()
        await asyncio.gather(*follower._reading.values())

    @initialize(seed=st.integers(0, 2**32))
    def begin(self, seed: int) -> None:
        self.random.seed(seed)
        for group_id in GROUP_IDS:
            self.loop.run_until_complete(self.nodes[0].makes("ben", group_id=group_id))

    @rule(
        sends=st.lists(sends, min_size=1, max_size=6),
        connecting=st.lists(st.tuples(st.integers(0, 2), st.sampled_from(USERS)), max_size=3),
        faults=faults,
        read_faults=faults,
    )
    def several_send_while_others_connect(
        self, sends: list[Send], connecting: list[tuple[int, str]], faults: list[str], read_faults: list[str]
    ) -> None:
        for node in self.nodes:
            node.wire.faults.extend(faults)
            node.wire.read_faults.extend(read_faults)
        self.sent += sends
        self.loop.run_until_complete(self._all(sends, connecting))

    @rule(index=st.integers(0, 100), number=st.integers(0, 2))
    def somebody_retries(self, index: int, number: int) -> None:
        if self.sent:
            _, *send = self.sent[index % len(self.sent)]
            retry: Any = (number, *send)
            self.loop.run_until_complete(self._all([retry, retry]))

    @rule(number=st.integers(0, 2), user=st.sampled_from(USERS))
    def somebody_connects(self, number: int, user: str) -> None:
        self.loop.run_until_complete(self._connect(self.nodes[number], user))

    @rule(number=st.integers(0, 2), user=st.sampled_from(USERS))
    def somebody_disconnects(self, number: int, user: str) -> None:
        self.nodes[number].listeners.disconnect(user)

    @rule(number=st.integers(0, 2))
    def a_node_sweeps(self, number: int) -> None:
        self.nodes[number].wire.read_faults.clear()
        self.loop.run_until_complete(self._sweep(self.followers[number]))

    @rule(number=st.integers(0, 2), seconds=st.integers(-100, 100))
    def a_clock_jumps(self, number: int, seconds: int) -> None:
        self.nodes[number].clock.move(seconds)

    @invariant()
    def the_ledgers_are_whole_and_everybody_hears_them_in_order(self) -> None:
        self.loop.run_until_complete(self._check())

    async def _check(self) -> None:
        for group_id in GROUP_IDS:
            events = await ledger(self.store, group_id)
            check_seqs(events)
            for command_id, recorded in self.answered.items():
                if recorded.group_id == group_id:
                    assert events[recorded.seq - 1] == recorded, command_id
            for node in self.nodes:
                for span in node.listeners.spans:
                    if span.group_id == group_id:
                        check_span(span, events)

    async def _all(self, sends: list[Send], connecting: Sequence[tuple[int, str]] = ()) -> None:
        users = [(self.nodes[number], user) for number, user in connecting]
        await asyncio.gather(*starmap(self._send, sends), *starmap(self._connect, users))

    async def _send(self, number: int, user: str, command: Command, group_id: str, key: int) -> None:
        await self._dawdle()
        try:
            outcome = await self.nodes[number].does(user, command, f"{user} {key}", group_id)
        except (LedgerError, IdempotencyKeyReused, StoreUnavailable) as error:
            known = self.answered.get((group_id, f"{user} {key}"))
            # What was once answered as done is never refused to who sends the very same again.
            if known is not None and not isinstance(error, IdempotencyKeyReused | StoreUnavailable):
                assert known.content_hash != _hash(user, command) or isinstance(command, UpdateGroup)
            return
        first = self.answered.setdefault((group_id, f"{user} {key}"), outcome.recorded)
        assert outcome.recorded == first
        assert outcome.recorded.by == user

    async def _dawdle(self) -> None:
        for _ in range(self.random.randrange(20)):
            await asyncio.sleep(0)

    async def _connect(self, node: Node, user: str) -> None:
        await self._dawdle()
        node.listeners.disconnect(user)
        try:
            await node.comes_online(user)
        except StoreUnavailable:
            node.listeners.disconnect(user)


def _hash(user: str, command: Command) -> str:
    return request(user, command).content_hash()


@pytest.fixture(autouse=True, scope="module")
def _little_memory() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(groups, "GROUPS_HELD_MAX", 1)
        yield


Nodes.TestCase.settings = settings(max_examples=70, stateful_step_count=25, deadline=None)
TestAnyInterleaving = Nodes.TestCase


async def test_who_made_a_group_without_an_answer_hears_it_once_the_command_is_sent_again(node: Node) -> None:
    node.listeners.connected.add("asha")
    node.wire.faults.append(AFTER)
    with pytest.raises(StoreUnavailable):
        await node.does("asha", CreateGroup("Asha", "Diu"), group_id="diu")
    assert (await node.does("asha", CreateGroup("Asha", "Diu"), group_id="diu")).replayed
    assert node.listeners.open["diu", "asha"].seqs() == [1]
    await node.spends("tea", group_id="diu")
    assert (await node.does("asha", CreateGroup("Asha", "Diu"), group_id="diu")).replayed
    assert node.listeners.open["diu", "asha"].seqs() == [1, 2]
