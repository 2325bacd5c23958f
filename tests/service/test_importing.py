"""Importing over stores that fail, beside other nodes, and where there are no transactions."""

import asyncio
from typing import Any

import pytest

from persplit.adapters.memory_store import MemoryEvents
from persplit.exchange.planning import ImportPlan
from persplit.ledger.errors import NotFound
from persplit.service.batches import AT_ONCE_MAX, OUTSIDE_MAX, Batches
from persplit.service.errors import ImportRefused, ImportUnavailable, StoreUnavailable
from persplit.service.groups import TOLD_ONE_BY_ONE_MAX
from persplit.service.importing import Imported, Importing, ImportOrder
from persplit.service.ports import TransactionsUnavailable
from tests.service.nodes import AFTER, BEFORE, Node, check_seqs, ledger, whole

HEADER = "Date,Description,Category,Cost,Currency,Asha,Ravi\n"
TWO = HEADER + "2026-01-01,Tea,Food,10.00,INR,5.00,-5.00\n2026-01-02,Cake,Food,4.00,INR,-2.00,2.00\n"


def importing(node: Node) -> Importing:
    batches = Batches(node.wire, node.groups, node.handler, node.hints, node.clock)
    return Importing(node.wire, node.groups, node.people, batches, node.clock)


def order(text: str = TWO) -> ImportOrder:
    return ImportOrder("goa", "asha", text, None, {"Asha": "asha"}, ())


async def imports(node: Node, text: str = TWO) -> Imported:
    return await importing(node).carry_out(order(text))


async def test_an_import_whose_outcome_was_unknown_is_found_done_when_it_is_sent_again() -> None:
    store = MemoryEvents()
    node = Node(store)
    await node.makes()
    node.wire.faults.extend([AFTER])
    with pytest.raises(StoreUnavailable):
        await imports(node)
    again = await imports(node)
    assert again.recorded is not None
    assert not again.recorded.events
    assert (await whole(store)).balances["asha"] == 300
    check_seqs(await ledger(store))


async def test_an_import_that_did_not_reach_the_store_left_nothing_and_can_be_sent_again() -> None:
    store = MemoryEvents()
    node = Node(store)
    await node.makes()
    node.wire.faults.extend([BEFORE])
    with pytest.raises(StoreUnavailable):
        await imports(node)
    assert len(await ledger(store)) == 1
    assert (await imports(node)).recorded is not None
    assert (await whole(store)).balances["asha"] == 300


async def test_two_nodes_that_import_the_same_file_at_once_import_it_once() -> None:
    store = MemoryEvents()
    nodes = [Node(store, is_shared=True, ticks=lambda: 3) for _ in range(3)]
    await nodes[0].makes()
    done = await asyncio.gather(*(imports(node) for node in nodes))
    assert sorted(len(one.recorded.events) for one in done if one.recorded) == [0, 0, 3]
    assert (await whole(store)).balances["asha"] == 300
    check_seqs(await ledger(store))


async def test_expenses_that_come_meanwhile_and_an_import_all_count() -> None:
    store = MemoryEvents()
    one, other = (Node(store, is_shared=True, ticks=lambda: 2) for _ in range(2))
    await one.makes("ravi")
    await asyncio.gather(imports(one), *(other.spends(f"e{number}", 900) for number in range(5)))
    check_seqs(await ledger(store))
    assert (await whole(store)).expense_count == 7


async def test_who_listens_hears_a_few_events_each_and_of_many_the_last() -> None:
    store = MemoryEvents()
    node = Node(store)
    await node.makes()
    await node.connects("asha")
    few = await imports(node)
    assert few.recorded is not None
    assert [seq for _, seq in node.listeners.announced] == [r.seq for r in few.recorded.events]
    node.listeners.announced.clear()
    lines = [f"2026-02-01,Tea {n},Food,1.00,INR,0.50,-0.50\n" for n in range(TOLD_ONE_BY_ONE_MAX + 1)]
    many = await imports(node, HEADER + "".join(lines))
    assert many.recorded is not None
    assert [seq for _, seq in node.listeners.announced] == [many.recorded.events[-1].seq]
    assert node.hints.published[-1].seq == many.recorded.events[-1].seq


async def test_a_store_without_transactions_is_said_to_have_none(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryEvents()
    node = Node(store)
    await node.makes()

    async def refuses(_: object) -> None:
        raise TransactionsUnavailable

    monkeypatch.setattr(store, "append_all", refuses)
    assert (await importing(node).look(order())).plan.steps
    with pytest.raises(ImportUnavailable):
        await imports(node)
    assert len(await ledger(store)) == 1


async def test_what_is_refused_is_named_and_nothing_is_written() -> None:
    store = MemoryEvents()
    node = Node(store)
    await node.makes()
    with pytest.raises(ImportRefused) as refused:
        await imports(node, TWO.replace("-2.00,2.00", "-2.00,2.01"))
    assert [error.path for error in refused.value.errors] == ["rows.3"]
    assert len(await ledger(store)) == 1


# --- beside others who write to the group


async def test_others_write_while_an_import_is_decided_and_it_is_decided_anew() -> None:
    store = MemoryEvents()
    node = Node(store)
    await node.makes("ravi")
    one = importing(node)
    plan = one._planned
    spent: list[int] = []

    async def slow(*given: Any) -> ImportPlan:
        planned = await plan(*given)
        if len(spent) < OUTSIDE_MAX - 1:
            spent.append((await node.spends(f"e{len(spent)}")).recorded.seq)
        return planned

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(one, "_planned", slow)
        done = await one.carry_out(order())
    assert done.recorded is not None
    assert spent == [3, 4]
    assert [recorded.seq for recorded in done.recorded.events] == [5, 6, 7]
    check_seqs(await ledger(store))
    assert (await whole(store)).expense_count == 4


async def test_an_import_into_a_group_that_is_never_quiet_is_decided_with_its_lock_held() -> None:
    store = MemoryEvents()
    node = Node(store)
    await node.makes("ravi")
    one = importing(node)
    plan = one._planned
    waiting: list[asyncio.Task[Any]] = []

    async def overtaken(*given: Any) -> ImportPlan:
        number = len(waiting)
        waiting.append(asyncio.create_task(node.spends(f"e{number}")))
        await asyncio.wait(waiting, timeout=None if number < OUTSIDE_MAX else 0.05)
        return await plan(*given)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(one, "_planned", overtaken)
        done = await one.carry_out(order())
    await asyncio.gather(*waiting)
    assert done.recorded is not None
    assert [recorded.seq for recorded in done.recorded.events] == [6, 7, 8]
    assert len(waiting) == OUTSIDE_MAX + 1
    check_seqs(await ledger(store))


async def test_who_waits_for_a_turn_to_import_keeps_nobody_from_writing() -> None:
    node = Node(MemoryEvents())
    await node.makes("ravi")
    one = importing(node)
    for _ in range(AT_ONCE_MAX):
        await one._batches.turn.acquire()
    undoing = asyncio.create_task(one.undo("goa", "asha", "0" * 16))
    await node.spends("tea")
    one._batches.turn.release()
    with pytest.raises(NotFound):
        await undoing


async def test_an_undo_reads_what_the_import_made_and_nothing_else() -> None:
    store = MemoryEvents()
    node = Node(store)
    await node.makes("ravi")
    for number in range(5):
        await node.spends(f"e{number}")
    one = importing(node)
    done = await one.carry_out(order())
    node.wire.reads.clear()
    undone = await one.undo("goa", "asha", done.plan.import_id)
    assert len(undone.events) == 3
    assert node.wire.reads.count("of_commands") == 2
    assert (await whole(store)).balances["asha"] == (await whole(store, up_to=7)).balances["asha"]
    (past,) = await one.imports("goa", "ravi")
    assert past.undone is not None
    for nonsense in (f"{done.plan.import_id} ", "", "x" * 16):
        with pytest.raises(NotFound):
            await one.undo("goa", "asha", nonsense)


async def test_of_very_many_imports_some_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("persplit.service.importing.LISTED_MAX", 2)
    node = Node(MemoryEvents())
    await node.makes("ravi")
    for number in range(3):
        await imports(node, HEADER + f"2026-01-0{number + 1},Tea,Food,10.00,INR,5.00,-5.00\n")
    listed = await importing(node).imports("goa", "asha")
    assert [it.recorded.seq for it in listed] == sorted((it.recorded.seq for it in listed), reverse=True)
    assert len(listed) == 2
