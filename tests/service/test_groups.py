"""Groups in memory: loaded once, locked one at a time, let go when nobody needs them, announced in order."""

import asyncio
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persplit.adapters.memory_store import MemoryEvents
from persplit.ledger.commands import AddMember, CreateSettlement, RemoveMember, UpdateGroup
from persplit.ledger.errors import NotFound
from persplit.ledger.money import AMOUNT_MAX
from persplit.ledger.plan import Plan, Transfer
from persplit.ledger.slices import Work
from persplit.ledger.state import GroupState, plan_in_slices
from persplit.service import groups
from persplit.service.errors import StoreUnavailable
from persplit.service.groups import LOOKED_AT_MAX
from persplit.service.qr_tokens import TransferQr
from persplit.service.users import ProfileChanges, User
from tests.service.nodes import AFTER, BEFORE, Node, check_span, ledger, spending, whole

GOA = "00000000-0000-4000-8000-00000000000a"
ASHA = "00000000-0000-4000-8000-000000000001"


@pytest.fixture
def store() -> MemoryEvents:
    return MemoryEvents()


@pytest.fixture
async def node(store: MemoryEvents) -> Node:
    """A node with the group goa: asha, its admin, and ben."""
    node = Node(store)
    await node.makes("ben")
    return node


def another(store: MemoryEvents) -> Node:
    return Node(store, is_shared=True)


async def with_asha(node: Node, vpa: str | None = "asha@okaxis") -> User:
    """Asha with an account and a UPI id."""
    user = User(ASHA, "Asha", "asha@example.org", None, vpa, None, "2026-11-21T08:00:00.000Z")
    await node.users.insert(user, "hash")
    return user


# --- loading


async def test_a_group_is_read_once_and_then_held(store: MemoryEvents, node: Node) -> None:
    fresh = Node(store)
    assert await fresh.groups.peek("goa") == await whole(store)
    fresh.wire.reads.clear()
    assert (await fresh.groups.state_for("goa", "ben")).seq == 2
    assert fresh.wire.reads == []


async def test_many_who_ask_at_once_load_a_group_once(store: MemoryEvents, node: Node) -> None:
    fresh = Node(store, ticks=lambda: 3)
    await asyncio.gather(*(fresh.groups.peek("goa") for _ in range(20)))
    assert fresh.wire.reads.count("load_snapshot") == 1


async def test_a_group_is_locked_by_one_at_a_time(node: Node) -> None:
    inside = 0

    async def work() -> None:
        nonlocal inside
        async with node.groups.locked("goa"):
            inside += 1
            await asyncio.sleep(0)
            assert inside == 1
            inside -= 1

    await asyncio.gather(*(work() for _ in range(20)))


async def test_groups_dont_wait_for_each_other(node: Node) -> None:
    await node.makes(group_id="diu")
    async with node.groups.locked("goa"), asyncio.timeout(1):
        assert await node.groups.peek("diu") is not None


async def test_a_group_that_cant_be_loaded_now_is_loaded_next_time(store: MemoryEvents, node: Node) -> None:
    fresh = Node(store)
    fresh.wire.read_faults.append(BEFORE)
    with pytest.raises(StoreUnavailable):
        await fresh.groups.peek("goa")
    assert len(fresh.groups._held) == 0
    assert await fresh.groups.peek("goa") is not None


async def test_a_group_can_be_loaded_as_it_was_and_read_on_from_there(
    store: MemoryEvents, node: Node
) -> None:
    await node.spends("tea")
    fresh = another(store)
    fresh.listeners.listen("goa", "ben")
    async with fresh.groups.locked("goa", load_up_to=1) as live:
        assert live.state == await whole(store, up_to=1)
        assert await fresh.groups.catch_up("goa", live)
        assert not await fresh.groups.catch_up("goa", live)
    assert fresh.listeners.announced == [("goa", 2), ("goa", 3)]


async def test_how_far_a_group_was_read_is_known_without_asking_the_store(
    store: MemoryEvents, node: Node
) -> None:
    assert node.groups.seq_of("goa") == 2
    assert node.groups.seq_of("nowhere") == 0
    async with Node(store).groups.locked("new") as live:
        assert live.state is None


# --- letting go


@given(st.lists(st.text(max_size=5), min_size=1, max_size=50))
def test_ids_that_are_no_groups_leave_no_trace(ids: list[str]) -> None:
    async def ask() -> None:
        node = Node(MemoryEvents())
        for id_ in ids:
            with pytest.raises(NotFound):
                await node.groups.state_for(id_, "asha")
            assert await node.groups.peek(id_) is None
            with pytest.raises(NotFound):
                await node.does("asha", spending("tea"), group_id=id_)
        await asyncio.gather(*(node.groups.peek(id_) for id_ in ids))
        assert len(node.groups._held) == 0

    asyncio.run(ask())


async def test_memory_stays_bounded_by_letting_go_of_the_longest_unused(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(groups, "GROUPS_HELD_MAX", 3)
    for number in range(10):
        await node.makes(group_id=f"group {number}")
        await node.groups.peek("goa")
        assert len(node.groups._held) <= 3
    assert set(node.groups._held) == {"goa", "group 8", "group 9"}


async def test_a_group_that_is_heard_is_never_let_go(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "GROUPS_HELD_MAX", 2)
    heard = [f"heard {number}" for number in range(5)]
    for group_id in heard:
        node.listeners.listen(group_id, "asha")
        await node.makes(group_id=group_id)
    for number in range(20):
        await node.makes(group_id=f"group {number}")
    assert set(heard) <= set(node.groups._held)
    for group_id in heard:
        await node.spends("tea", group_id=group_id)
    assert [seq for _, seq in node.listeners.announced].count(2) == 5


async def test_with_many_groups_heard_a_use_looks_at_a_few_of_them_only(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(50):
        node.listeners.listen(f"heard {number}", "asha")
        await node.makes(group_id=f"heard {number}")
    monkeypatch.setattr(groups, "GROUPS_HELD_MAX", 2)
    asked: list[str] = []
    has_listeners = node.listeners.has_listeners

    def has_listeners_counted(group_id: str) -> bool:
        asked.append(group_id)
        return has_listeners(group_id)

    monkeypatch.setattr(node.listeners, "has_listeners", has_listeners_counted)
    await node.groups.peek("goa")
    assert 0 < len(asked) <= LOOKED_AT_MAX
    for _ in range(50 // LOOKED_AT_MAX + 1):
        await node.groups.peek("heard 0")
    assert "goa" not in node.groups._held


async def test_a_group_that_is_locked_or_waited_for_is_never_let_go(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    await node.makes(group_id="diu")
    monkeypatch.setattr(groups, "GROUPS_HELD_MAX", 0)
    async with node.groups.locked("goa") as live:
        waiting = asyncio.create_task(node.groups.peek("goa"))
        await asyncio.sleep(0)
        await node.groups.peek("diu")
        assert node.groups._held["goa"] is live
    # The lock is free now, and who waits for it hasn't run yet.
    assert node.groups._held["goa"] is live
    await waiting
    assert len(node.groups._held) == 0


async def test_while_the_lock_of_a_new_group_changes_hands_nobody_gets_another_lock(
    store: MemoryEvents,
) -> None:
    node = Node(store)
    async with node.groups.locked("goa") as first:
        waiting = asyncio.create_task(_lock_of(node))
        await asyncio.sleep(0)
    third = asyncio.create_task(_lock_of(node))
    assert await waiting is first
    assert await third is first


async def _lock_of(node: Node) -> object:
    async with node.groups.locked("goa") as live:
        await asyncio.sleep(0)
        return live


async def test_who_gives_up_waiting_for_a_lock_leaves_no_trace(store: MemoryEvents) -> None:
    node = Node(store)
    async with node.groups.locked("goa"):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await node.groups.peek("goa")
    assert len(node.groups._held) == 0


# --- who may read


async def test_a_group_of_others_reads_like_one_that_doesnt_exist(node: Node) -> None:
    for group_id, user in (("goa", "stranger"), ("nowhere", "asha")):
        with pytest.raises(NotFound, match="there is no such group"):
            await node.groups.state_for(group_id, user)
        with pytest.raises(NotFound, match="there is no such group"):
            await node.groups.standing_for(group_id, user)
        with pytest.raises(NotFound, match="there is no such group"):
            await node.groups.standing_then(group_id, user, 1)


async def test_who_has_left_reads_no_more(node: Node) -> None:
    await node.does("asha", RemoveMember("ben"))
    with pytest.raises(NotFound):
        await node.groups.standing_then("goa", "ben", 2)


async def test_on_a_shared_store_every_read_sees_what_other_nodes_wrote_before(store: MemoryEvents) -> None:
    one, two = another(store), another(store)
    await one.makes("ben")
    await two.groups.peek("goa")
    await one.spends("tea")
    assert (await two.groups.state_for("goa", "ben")).seq == 3
    await one.spends("rice")
    peeked = await two.groups.peek("goa")
    assert peeked is not None
    assert peeked.seq == 4
    await one.spends("dal")
    assert (await two.groups.standing_for("goa", "ben")).state.seq == 5


async def test_alone_on_its_store_a_node_answers_members_from_memory(node: Node) -> None:
    node.wire.reads.clear()
    await node.groups.state_for("goa", "ben")
    await node.groups.standing_for("goa", "ben")
    await node.groups.peek("goa")
    assert node.wire.reads == []


# --- announcing


async def test_what_others_committed_is_announced_here_in_order_by_whoever_reads_first(
    store: MemoryEvents,
) -> None:
    one, two = another(store), another(store)
    await one.makes("ben")
    (span,) = await two.connects("ben")
    for id_ in ("tea", "rice", "dal"):
        await one.spends(id_)
    await asyncio.gather(*(two.groups.state_for("goa", "ben") for _ in range(5)))
    assert span.seqs() == [3, 4, 5]
    check_span(span, await ledger(store))


async def test_an_event_that_cant_be_announced_stands(node: Node) -> None:
    (span,) = await node.connects("ben")
    node.listeners.fails_next = True
    assert (await node.spends("tea")).recorded.seq == 3
    await node.spends("rice")
    assert span.seqs() == [4]


async def test_an_event_is_announced_even_while_profiles_cant_be_read(
    store: MemoryEvents, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = Node(store)
    await with_asha(node)
    await node.makes("ben", group_id=GOA, maker=ASHA)
    (span,) = await node.connects("ben", GOA)

    async def away(_: object) -> Mapping[str, User]:
        raise StoreUnavailable("the store did not answer")

    monkeypatch.setattr(node.users, "get_many", away)
    await node.spends("tea", actor=ASHA, group_id=GOA)
    assert span.seqs() == [3]


async def test_who_comes_into_a_group_held_far_behind_hears_only_what_comes_after(
    store: MemoryEvents, node: Node
) -> None:
    two = another(store)
    await two.groups.peek("goa")
    await node.spends("tea")
    await node.spends("milk")
    await node.does("asha", AddMember("chitra", "Chitra"))

    async def hear(group_id: str) -> None:
        two.listeners.listen(group_id, "chitra")

    state = await two.groups.enter("goa", "chitra", hear)
    assert state == await whole(store)
    await node.spends("rice")
    await two.spends("cake")
    assert two.listeners.open["goa", "chitra"].seqs() == [6, 7]


async def test_who_isnt_in_a_group_comes_into_none(store: MemoryEvents, node: Node) -> None:
    async def hear(group_id: str) -> None:
        raise AssertionError(group_id)

    for group_id in ("goa", "nowhere"):
        assert await another(store).groups.enter(group_id, "chitra", hear) is None


async def test_who_joins_hears_it_themselves_and_who_leaves_hears_nothing_of_it(node: Node) -> None:
    (ben,) = await node.connects("ben")
    node.listeners.connected.add("chitra")
    await node.does("asha", AddMember("chitra", "Chitra"))
    await node.does("asha", RemoveMember("ben"))
    await node.spends("tea")
    assert ben.seqs() == [3]
    assert node.listeners.open["goa", "chitra"].seqs() == [3, 4, 5]
    assert ("goa", "ben") not in node.listeners.open


async def test_a_reader_who_goes_away_while_news_is_announced_doesnt_take_it_along(
    store: MemoryEvents,
) -> None:
    one, two = another(store), another(store)
    await one.makes("ben")
    (span,) = await two.connects("ben")
    await one.spends("tea")
    await one.spends("rice")
    two.listeners.hold = asyncio.Event()
    reader = asyncio.create_task(two.groups.state_for("goa", "ben"))
    await two.listeners.reached.wait()
    for _ in range(2):
        reader.cancel()
        await asyncio.sleep(0)
    assert not reader.done()
    late = asyncio.create_task(two.groups.state_for("goa", "ben"))
    two.listeners.hold.set()
    with pytest.raises(asyncio.CancelledError):
        await reader
    await late
    assert span.seqs() == [3, 4]
    check_span(span, await ledger(store))


async def test_more_events_than_one_read_returns_are_all_taken_in(
    store: MemoryEvents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(groups, "READ_LIMIT_MAX", 2)
    one, two = another(store), another(store)
    await one.makes("ben")
    (span,) = await two.connects("ben")
    for number in range(4):
        await one.spends(f"tea {number}")
    assert (await two.groups.state_for("goa", "ben")).seq == 6
    assert span.seqs() == [3, 4, 5, 6]


async def test_an_unknown_outcome_is_found_by_the_next_reader_who_asks_the_store(store: MemoryEvents) -> None:
    node = another(store)
    await node.makes("ben")
    (span,) = await node.connects("ben")
    node.wire.faults.append(AFTER)
    with pytest.raises(StoreUnavailable):
        await node.spends("tea")
    assert (await node.groups.state_for("goa", "ben")).seq == 3
    assert span.seqs() == [3]


# --- standings


async def test_the_plan_is_worked_out_once_for_each_state(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    await node.spends("tea")
    worked_out: list[int] = []

    def plan_counted(state: GroupState) -> Work[Plan]:
        worked_out.append(state.seq)
        return plan_in_slices(state)

    monkeypatch.setattr(groups, "plan_in_slices", plan_counted)
    for _ in range(5):
        standing = await node.groups.standing_for("goa", "ben")
    assert worked_out == [3]
    assert [payment.transfer.amount for payment in standing.plan] == [450]
    assert list(standing.debts()) == [("ben", "asha", 450)]
    await node.spends("rice")
    assert [p.transfer.amount for p in (await node.groups.standing_for("goa", "ben")).plan] == [900]
    assert worked_out == [3, 4]


async def test_an_event_that_moves_no_money_leaves_the_plan_as_it_is(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    await node.spends("tea")
    standing = await node.groups.standing_for("goa", "ben")
    monkeypatch.setattr(groups, "plan_in_slices", lambda state: pytest.fail("it was planned anew"))
    await node.does("asha", UpdateGroup(name="Goa, again"))
    later = await node.groups.standing_for("goa", "ben")
    assert later.state.seq == standing.state.seq + 1
    assert later.plan == standing.plan


async def test_a_group_that_wants_its_debts_as_they_are_gets_another_plan(node: Node) -> None:
    await node.makes("cara")
    await node.does("asha", spending("tea", 900, "ben"))
    await node.does("ben", spending("rice", 900, "cara"))
    before = await node.groups.standing_for("goa", "ben")
    assert [row.transfer for row in before.plan] == [Transfer("cara", "asha", 900)]
    await node.does("asha", UpdateGroup(simplify=False))
    after = await node.groups.standing_for("goa", "ben")
    assert [row.transfer for row in after.plan] == [
        Transfer("ben", "asha", 900),
        Transfer("cara", "ben", 900),
    ]


async def test_a_plan_that_takes_long_leaves_the_loop_to_others(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    await node.spends("tea")
    seen = list[str]()

    def plan_slowly(state: GroupState) -> Work[Plan]:
        for _ in range(3):
            seen.append("a slice")
            yield
        return (yield from plan_in_slices(state))

    async def others() -> None:
        for _ in range(3):
            seen.append("others")
            await asyncio.sleep(0)

    monkeypatch.setattr(groups, "plan_in_slices", plan_slowly)
    standing, _ = await asyncio.gather(node.groups.standing_for("goa", "ben"), others())
    assert [row.transfer.amount for row in standing.plan] == [450]
    assert seen == ["a slice", "others"] * 3


async def test_a_new_upi_id_shows_at_once_in_the_standing_of_a_group_where_nothing_happens(
    store: MemoryEvents,
) -> None:
    node = Node(store)
    asha = await with_asha(node)
    await node.makes("ben", group_id=GOA, maker=ASHA)
    await node.spends("tea", actor=ASHA, group_id=GOA)
    (before,) = (await node.groups.standing_for(GOA, "ben")).plan
    assert before.upi_link is not None
    assert "pa=asha@okaxis" in before.upi_link
    assert before.qr_token is not None
    await node.users.update(asha.id, ProfileChanges(vpa="asha@ybl"))
    node.people.forget(ASHA)
    (after,) = (await node.groups.standing_for(GOA, "ben")).plan
    assert after.upi_link is not None
    assert "pa=asha@ybl" in after.upi_link
    assert after.qr_token not in (None, before.qr_token)
    link = await node.standings.link_to(await whole(store, GOA), ASHA, 450)
    assert link == after.upi_link


async def test_who_owes_more_than_upi_carries_gets_no_link_and_everybody_still_hears_of_it(
    store: MemoryEvents,
) -> None:
    node = Node(store)
    await with_asha(node)
    await node.makes("ben", group_id=GOA, maker=ASHA)
    (span,) = await node.connects("ben", GOA)
    for number in range(2):
        await node.does(ASHA, spending(f"jet {number}", AMOUNT_MAX, "ben"), group_id=GOA)
    assert span.seqs() == [3, 4]
    (payment,) = (await node.groups.standing_for(GOA, "ben")).plan
    assert (payment.transfer.amount, payment.upi_link, payment.qr_token) == (2 * AMOUNT_MAX, None, None)
    for amount in (0, AMOUNT_MAX + 1):
        assert await node.standings.link_to(await whole(store, GOA), ASHA, amount) is None


@pytest.mark.parametrize("currency", ["EUR", "INR"])
async def test_links_are_for_rupees_and_payees_with_a_upi_id(store: MemoryEvents, currency: str) -> None:
    node = Node(store)
    await with_asha(node, "asha@okaxis" if currency == "EUR" else None)
    await node.makes("ben", group_id=GOA, maker=ASHA)
    await node.does(ASHA, UpdateGroup(currency=currency), group_id=GOA)
    await node.spends("tea", actor=ASHA, group_id=GOA)
    (payment,) = (await node.groups.standing_for(GOA, "ben")).plan
    assert (payment.upi_link, payment.qr_token) == (None, None)


async def test_the_token_of_a_payment_names_the_payment(store: MemoryEvents) -> None:
    node = Node(store)
    await with_asha(node)
    await node.makes("ben", group_id=GOA, maker=ASHA)
    await node.spends("tea", actor=ASHA, group_id=GOA)
    (payment,) = (await node.groups.standing_for(GOA, "ben")).plan
    assert payment.qr_token is not None
    tokens = node.standings._qr_tokens
    read = tokens.read(payment.qr_token)
    assert read.subject == TransferQr(GOA, ASHA, 450)
    assert tokens.matches(read, payment.upi_link or "")


@pytest.mark.parametrize("turns", range(12))
async def test_a_standing_of_a_seq_is_of_that_seq_even_if_another_node_writes_meanwhile(
    store: MemoryEvents, node: Node, turns: int
) -> None:
    await node.spends("tea")
    two = another(store)
    two.wire.ticks = lambda: 2
    reading = asyncio.ensure_future(two.groups.standing_then("goa", "asha", 3))
    for _ in range(turns):
        await asyncio.sleep(0)
    await node.spends("rice")
    assert (await reading).state.seq == 3


async def test_a_standing_of_the_past_is_that_of_the_events_until_then(
    node: Node, store: MemoryEvents
) -> None:
    await node.spends("tea")
    await node.spends("rice")
    await node.does("ben", CreateSettlement("pay", "asha", 100))
    for seq in range(1, 6):
        then = await whole(store, up_to=seq)
        standing = await node.groups.standing_then("goa", "asha", seq)
        assert standing.state == then
    assert (await node.groups.standing_then("goa", "asha", 99)).state.seq == 5
    for seq in (0, -1):
        with pytest.raises(NotFound, match="did not exist"):
            await node.groups.standing_then("goa", "asha", seq)
