"""Following other nodes: a hint makes it quick, the sweep makes it sure."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from persplit.adapters.memory_store import MemoryEvents
from persplit.adapters.no_hints import NoHints
from persplit.ledger.commands import AddMember, RemoveMember
from persplit.service import follower as follower_module
from persplit.service.follower import ANNOUNCED_LATE_MAX, PEOPLE_PER_SWEEP_MAX, READ_AT_ONCE, Follower
from persplit.service.ports import Hint
from tests.counted import moves
from tests.service.nodes import BEFORE, Node, Span, check_span, ledger

PATIENCE = 5.0


@pytest.fixture(autouse=True)
def _quick_retries_and_no_sweep_but_those_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower_module, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(follower_module, "SWEEP_SECONDS", 60.0)


@pytest.fixture
def store() -> MemoryEvents:
    return MemoryEvents()


@pytest.fixture
async def writing(store: MemoryEvents) -> Node:
    """The node that commands go to, with the group goa: asha, its admin, and ben."""
    node = Node(store, is_shared=True)
    await node.makes("ben")
    return node


@pytest.fixture
def node(store: MemoryEvents, writing: Node) -> Node:
    """The node that follows."""
    return Node(store, is_shared=True)


@pytest.fixture
def follower(node: Node) -> Follower:
    return follower_of(node)


def follower_of(node: Node, *, finds_people: bool = True) -> Follower:
    people = node.listeners if finds_people else None
    return Follower(node.wire, node.groups, node.listeners, node.hints, people)


@asynccontextmanager
async def running(follower: Follower) -> AsyncIterator[asyncio.Task[None]]:
    """The follower at work, its first sweep done."""
    task = asyncio.create_task(follower.run())
    await eventually(lambda: follower._sweep_at > 0 and is_done(follower))
    yield task
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def eventually(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110 - any condition of the test's
            await asyncio.sleep(0.001)


def is_done(follower: Follower) -> bool:
    return not (follower._waiting or follower._reading)


async def quiet(follower: Follower, doing: Awaitable[object] | None = None) -> None:
    """Time enough for a follower to do what it would do."""
    if doing is not None:
        await doing
    for _ in range(50):
        await asyncio.sleep(0)


async def hinted(node: Node, writing: Node, since: int) -> None:
    """Hand on the hints that the writing node gave after the first so many."""
    for hint in writing.hints.published[since:]:
        node.hints.tell(hint)


# --- hints


async def test_a_hint_makes_news_heard_at_once(node: Node, writing: Node, follower: Follower) -> None:
    (span,) = await node.connects("ben")
    async with running(follower):
        await writing.spends("tea")
        node.hints.tell(Hint("goa", 3))
        await eventually(lambda: span.seqs() == [3])


async def test_hints_lost_doubled_late_and_out_of_order_change_nothing_in_what_is_heard(
    node: Node, writing: Node, follower: Follower, store: MemoryEvents
) -> None:
    (span,) = await node.connects("ben")
    async with running(follower):
        for id_ in ("tea", "rice", "dal", "naan"):
            await writing.spends(id_)
        for seq in (6, 4, 4, 3, 6):
            node.hints.tell(Hint("goa", seq))
            await asyncio.sleep(0)
        await eventually(lambda: span.seqs() == [3, 4, 5, 6])
        await quiet(follower)
    assert span.seqs() == [3, 4, 5, 6]
    check_span(span, await ledger(store))


async def test_a_hint_about_a_group_that_nobody_here_hears_costs_no_read(
    node: Node, writing: Node, follower: Follower
) -> None:
    async with running(follower):
        await writing.spends("tea")
        node.wire.reads.clear()
        node.hints.tell(Hint("goa", 3))
        node.hints.tell(Hint("goa", 2, "nobody here"))
        await quiet(follower)
        assert node.wire.reads == []


async def test_a_hint_about_what_was_heard_already_costs_no_read(node: Node, follower: Follower) -> None:
    await node.connects("ben")
    async with running(follower):
        await node.spends("tea")
        node.wire.reads.clear()
        node.hints.tell(Hint("goa", 3))
        await quiet(follower)
        assert node.wire.reads == []


async def test_when_hints_may_have_been_missed_all_groups_that_are_heard_are_looked_at(
    node: Node, writing: Node, follower: Follower
) -> None:
    await writing.makes("ben", group_id="diu")
    spans = await node.connects("ben", "goa", "diu")
    async with running(follower):
        await writing.spends("tea")
        await writing.spends("tea", group_id="diu")
        node.hints.tell(None)
        await eventually(lambda: all(span.seqs() == [3] for span in spans))


async def test_more_hints_than_can_wait_become_a_sweep(
    node: Node, writing: Node, follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower_module, "HINTS_WAITING_MAX", 1)
    await writing.makes("ben", group_id="diu")
    spans = await node.connects("ben", "goa", "diu")
    async with running(follower):
        for span in spans:
            await writing.spends("tea", group_id=span.group_id)
        for span in spans:
            node.hints.tell(Hint(span.group_id, 3))
        assert len(follower._waiting) == 1
        await eventually(lambda: all(span.seqs() == [3] for span in spans))


# --- who is new in a group


async def test_who_is_added_on_another_node_hears_how_they_came_in_and_what_came_after(
    node: Node, writing: Node, follower: Follower, store: MemoryEvents
) -> None:
    node.listeners.connected.add("chitra")
    async with running(follower):
        await writing.does("asha", AddMember("chitra", "Chitra"))
        await writing.spends("tea")
        await hinted(node, writing, 2)
        await eventually(lambda: node.listeners.hears("goa", "chitra"))
        span = node.listeners.open["goa", "chitra"]
        await eventually(lambda: span.seqs() == [3, 4])
        check_span(span, await ledger(store))
        await writing.spends("rice")
        node.hints.tell(Hint("goa", 5))
        await eventually(lambda: span.seqs() == [3, 4, 5])


async def test_who_makes_a_group_elsewhere_hears_it_on_their_other_device(
    node: Node, writing: Node, follower: Follower
) -> None:
    node.listeners.connected.add("asha")
    async with running(follower):
        await writing.makes(group_id="diu")
        await hinted(node, writing, 2)
        await eventually(lambda: node.listeners.hears("diu", "asha"))
        await eventually(lambda: node.listeners.open["diu", "asha"].seqs() == [1])


async def test_of_two_who_are_added_at_once_both_hear_the_group(node: Node, writing: Node) -> None:
    node.listeners.connected |= {"chitra", "dan"}
    async with running(follower_of(node, finds_people=False)):
        await writing.does("asha", AddMember("chitra", "Chitra"))
        await writing.does("asha", AddMember("dan", "Dan"))
        await hinted(node, writing, 2)
        await eventually(lambda: {u for _, u in node.listeners.open} == {"chitra", "dan"})


async def test_who_is_added_while_the_group_is_being_loaded_here_for_somebody_else_hears_it(
    node: Node, writing: Node, follower: Follower
) -> None:
    node.listeners.connected.add("chitra")
    await writing.does("asha", AddMember("chitra", "Chitra"))
    await node.connects("ben")  # loads it past the joining
    async with running(follower_of(node, finds_people=False)):
        await hinted(node, writing, 2)
        await eventually(lambda: node.listeners.hears("goa", "chitra"))
        await eventually(lambda: node.listeners.open["goa", "chitra"].seqs() == [3])


async def test_who_came_into_a_group_that_is_held_here_already_is_told_with_the_next_sweep(
    node: Node, writing: Node
) -> None:
    node.listeners.connected.add("chitra")
    await writing.does("asha", AddMember("chitra", "Chitra"))
    await writing.spends("tea")
    await node.groups.state_for("goa", "ben")  # loads it past the joining
    async with running(follower_of(node)):
        await eventually(lambda: node.listeners.hears("goa", "chitra"))
        await eventually(lambda: node.listeners.open["goa", "chitra"].seqs() == [4])


async def test_who_was_added_and_removed_again_hears_nothing_more(
    node: Node, writing: Node, follower: Follower
) -> None:
    node.listeners.connected.add("chitra")
    async with running(follower):
        await writing.does("asha", AddMember("chitra", "Chitra"))
        await writing.does("asha", RemoveMember("chitra"))
        await writing.spends("secret")
        await hinted(node, writing, 2)
        await quiet(follower)
        await eventually(lambda: is_done(follower))
        assert not node.listeners.hears("goa", "chitra")
        assert all(seq < 4 for span in node.listeners.spans for seq in span.seqs())


async def test_a_hint_about_a_group_that_doesnt_exist_is_harmless(node: Node, follower: Follower) -> None:
    node.listeners.connected.add("ben")
    async with running(follower):
        for seq in (-1, 0, 10**15):
            node.hints.tell(Hint("nowhere", seq, "ben"))
            await quiet(follower)
            assert "nowhere" not in node.groups._held
        assert not node.listeners.hears("nowhere", "ben")


async def test_a_late_hint_about_who_came_long_ago_doesnt_flood_them(
    node: Node, writing: Node, follower: Follower
) -> None:
    node.listeners.connected.add("ben")
    for number in range(ANNOUNCED_LATE_MAX + 5):
        await writing.spends(f"tea {number}")
    async with running(follower_of(node, finds_people=False)):
        node.hints.tell(Hint("goa", 2, "ben"))
        await eventually(lambda: node.listeners.hears("goa", "ben"))
        await quiet(follower)
        # One is enough to know that there is a group to be pulled.
        assert node.listeners.open["goa", "ben"].seqs() == [ANNOUNCED_LATE_MAX + 7]


# --- the sweep


async def test_without_any_hint_news_is_heard_with_the_next_sweep(
    node: Node, writing: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower_module, "SWEEP_SECONDS", 0.02)
    follower = Follower(node.wire, node.groups, node.listeners, NoHints())
    await NoHints().publish(Hint("goa", 1))
    (span,) = await node.connects("ben")
    async with running(follower):
        with moves("persplit_groups_behind_total"), moves("persplit_event_lag_seconds_count"):
            for id_ in ("tea", "rice"):
                await writing.spends(id_)
            await eventually(lambda: span.seqs() == [3, 4])


async def test_without_any_hint_who_is_added_elsewhere_hears_it_with_the_next_sweep(
    node: Node, writing: Node, follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower_module, "SWEEP_SECONDS", 0.02)
    node.listeners.connected |= {"chitra", "somebody in no group"}
    async with running(follower):
        await writing.does("asha", AddMember("chitra", "Chitra"))
        await eventually(lambda: node.listeners.hears("goa", "chitra"))
        await eventually(lambda: node.listeners.open["goa", "chitra"].seqs() == [3])


async def test_with_many_people_connected_the_sweeps_take_turns(
    node: Node, follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    node.listeners.connected |= {f"user {number}" for number in range(PEOPLE_PER_SWEEP_MAX * 2 + 7)}
    looked_up: list[int] = []
    for _ in range(4):
        node.wire.reads.clear()
        await follower._find_new_groups(node.listeners)
        looked_up.append(node.wire.reads.count("groups_of"))
    assert looked_up == [PEOPLE_PER_SWEEP_MAX, PEOPLE_PER_SWEEP_MAX, 7, PEOPLE_PER_SWEEP_MAX]


async def test_a_constant_stream_of_hints_doesnt_keep_the_sweep_from_happening(
    node: Node, writing: Node, follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower_module, "SWEEP_SECONDS", 0.02)
    await writing.makes("ben", group_id="diu")
    (goa, _) = await node.connects("ben", "goa", "diu")
    async with running(follower):
        await writing.spends("tea")  # its hint is lost

        async def stream() -> None:
            while True:
                node.hints.tell(Hint("diu", 10**6))
                await asyncio.sleep(0)

        streaming = asyncio.create_task(stream())
        await eventually(lambda: goa.seqs() == [3])
        streaming.cancel()


async def test_a_sweep_looks_at_more_groups_than_one_read_returns(
    node: Node, writing: Node, follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower_module, "READ_LIMIT_MAX", 3)
    ids = [f"group {number}" for number in range(READ_AT_ONCE + 5)]
    for id_ in ids:
        await writing.makes("ben", group_id=id_)
    spans = await node.connects("ben", *ids)
    async with running(follower):
        for id_ in ids:
            await writing.spends("tea", group_id=id_)
        node.hints.tell(None)
        await eventually(lambda: all(span.seqs() == [3] for span in spans))


# --- faults


@pytest.mark.parametrize("failing", range(5))
async def test_a_store_that_fails_is_asked_again(
    node: Node, writing: Node, follower: Follower, failing: int
) -> None:
    (span,) = await node.connects("ben")
    node.listeners.connected.add("chitra")
    async with running(follower):
        await writing.does("asha", AddMember("chitra", "Chitra"))
        node.wire.read_faults.extend([BEFORE] * (failing + 1))
        await hinted(node, writing, 2)
        with moves("persplit_sweep_failures_total"):
            node.hints.tell(None)
            await eventually(lambda: span.seqs() == [3] and node.listeners.hears("goa", "chitra"))


async def test_who_is_new_isnt_forgotten_when_the_store_fails(node: Node, writing: Node) -> None:
    follower = follower_of(node, finds_people=False)
    node.listeners.connected.add("chitra")
    async with running(follower):
        await writing.does("asha", AddMember("chitra", "Chitra"))
        node.wire.read_faults.append(BEFORE)
        await hinted(node, writing, 2)
        await eventually(lambda: node.listeners.hears("goa", "chitra"))


async def test_a_group_that_cant_be_read_at_all_doesnt_keep_the_others_from_being_heard(
    node: Node, writing: Node, follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    await writing.makes("ben", group_id="diu")
    (_, diu) = await node.connects("ben", "goa", "diu")
    catch_up = node.groups.catch_up

    async def catch_up_but_goa(group_id: str, live: object) -> bool:
        if group_id == "goa":
            raise ValueError("an event of a type that isn't known here")
        return await catch_up(group_id, live)  # type: ignore[arg-type]

    monkeypatch.setattr(node.groups, "catch_up", catch_up_but_goa)
    async with running(follower):
        for number in range(3):
            await writing.spends(f"tea {number}")
            await writing.spends(f"tea {number}", group_id="diu")
            node.hints.tell(None)
        await eventually(lambda: diu.seqs() == [3, 4, 5])


async def test_a_group_whose_lock_is_held_for_long_doesnt_hold_up_the_others(
    node: Node, writing: Node, follower: Follower
) -> None:
    await writing.makes("ben", group_id="diu")
    spans: list[Span] = await node.connects("ben", "goa", "diu")
    async with running(follower):
        async with node.groups.locked("goa"):
            for span in spans:
                await writing.spends("tea", group_id=span.group_id)
                node.hints.tell(Hint(span.group_id, 3))
            await eventually(lambda: spans[1].seqs() == [3])
        await eventually(lambda: spans[0].seqs() == [3])


async def test_a_group_is_read_by_one_task_at_a_time_and_again_for_hints_that_came_meanwhile(
    node: Node, writing: Node, follower: Follower
) -> None:
    (span,) = await node.connects("ben")
    async with running(follower):
        async with node.groups.locked("goa"):
            for number in range(3):
                await writing.spends(f"tea {number}")
                node.hints.tell(Hint("goa", 3 + number))
                await quiet(follower)
            assert (set(follower._reading), set(follower._waiting)) == ({"goa"}, {"goa"})
        await eventually(lambda: span.seqs() == [3, 4, 5] and is_done(follower))


async def test_so_many_groups_are_read_at_once_and_then_the_others(
    node: Node, writing: Node, follower: Follower
) -> None:
    ids = [f"group {number}" for number in range(READ_AT_ONCE * 2 + 3)]
    for id_ in ids:
        await writing.makes("ben", group_id=id_)
    spans = await node.connects("ben", *ids)
    for id_ in ids:
        await writing.spends("tea", group_id=id_)
    async with running(follower):
        node.wire.hold = asyncio.Event()
        for id_ in ids:
            node.hints.tell(Hint(id_, 3))
        await quiet(follower)
        assert len(follower._reading) <= READ_AT_ONCE
        node.wire.hold.set()
        await eventually(lambda: all(span.seqs() == [3] for span in spans))
