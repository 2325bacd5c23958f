"""Searching and adding up from memory: always what a plain recount of the ledger gives, in bounded memory."""

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from persplit.adapters.memory_store import MemoryEvents
from persplit.ledger.commands import CreateExpense, DeleteExpense, RestoreExpense, UpdateExpense
from persplit.ledger.errors import NotFound
from persplit.ledger.expense import NOTES_LENGTH_MAX, Expense
from persplit.ledger.finding import ExpenseFilter
from persplit.ledger.statistics import statistics_of
from persplit.service import expense_books
from persplit.service.expense_books import ExpenseBooks
from persplit.service.subjects import thing_of
from tests.service.nodes import Node, draft, spending


def books_of(node: Node, kept_max: int = 100) -> ExpenseBooks:
    return ExpenseBooks(node.wire, node.groups, kept_max)


async def recounted(store: MemoryEvents, group_id: str) -> list[Expense]:
    """Every expense as it is now, in order of creation, the plain way."""
    present: dict[str, Expense] = {}
    for recorded in await store.read(group_id, 0, 1_000):
        thing = thing_of(recorded.event)
        if isinstance(thing, Expense):
            present[thing.id] = thing
    return list(present.values())


@given(data=st.data())
@settings(deadline=None, max_examples=25)
def test_a_book_that_is_kept_up_is_what_a_recount_gives(data: st.DataObject) -> None:
    asyncio.run(_kept_up(data))


async def _kept_up(data: st.DataObject) -> None:
    store = MemoryEvents()
    node = Node(store)
    await node.makes("ben")
    books = books_of(node, data.draw(st.integers(0, 3), "kept"))
    for number in range(data.draw(st.integers(1, 12), "moves")):
        key = f"move {number}"
        there = await recounted(store, "goa")
        changes = bool(there) and data.draw(st.booleans(), "changes")
        if changes:
            it = data.draw(st.sampled_from(there), "which")
            if it.deleted_at is not None:
                await node.does("asha", RestoreExpense(it.id), key)
            elif data.draw(st.booleans(), "deletes"):
                await node.does("ben", DeleteExpense(it.id), key)
            else:
                amount = data.draw(st.integers(1, 99), "amount")
                await node.does("ben", UpdateExpense(it.id, draft(amount)), key)
        else:
            await node.does("asha", spending(f"e{number}", number + 1))
        expected = await recounted(store, "goa")
        state, found = await books.statistics("goa", "asha", None, None)
        assert found == statistics_of(expected, "asha", state.canonical)
        low = data.draw(st.integers(1, 50), "at least")
        pages = await paged(books, ExpenseFilter(amount_min=low))
        wanted = [it for it in reversed(expected) if it.deleted_at is None and it.amount >= low]
        assert pages == wanted


async def paged(books: ExpenseBooks, where: ExpenseFilter) -> list[Expense]:
    """All that is found, two at a time."""
    found: list[Expense] = []
    before: int | None = None
    while True:
        page = await books.search("goa", "asha", where, before, 2)
        found += [it for it in page.things if isinstance(it, Expense)]
        before = page.next_before
        if before is None:
            return found


@pytest.mark.parametrize("looked_at_max", [1, 4, 5, 100])
async def test_one_answer_looks_at_so_many_and_says_where_to_go_on(
    monkeypatch: pytest.MonkeyPatch, looked_at_max: int
) -> None:
    monkeypatch.setattr(expense_books, "LOOKED_AT_MAX", looked_at_max)
    node = Node(MemoryEvents())
    await node.makes("ben")
    for number in range(10):
        await node.does("asha", spending(f"e{number}", 100 * (number % 5 == 0) + 1))
    books = books_of(node)
    page = await books.search("goa", "asha", ExpenseFilter(amount_min=100), None, 5)
    newest_first = ["e9", "e8", "e7", "e6", "e5", "e4", "e3", "e2", "e1", "e0"][:looked_at_max]
    assert [it.id for it in page.things] == [id_ for id_ in newest_first if id_ in ("e5", "e0")]
    assert (page.next_before is None) == (looked_at_max == 100)
    assert [it.id for it in await paged(books, ExpenseFilter(amount_min=100))] == ["e5", "e0"]
    assert await paged(books, ExpenseFilter(amount_min=9_999)) == []


async def test_a_question_asked_again_reads_only_what_is_new() -> None:
    node = Node(MemoryEvents())
    await node.makes("ben")
    books = books_of(node)
    await node.does("asha", spending("e1"))
    await books.statistics("goa", "asha", None, None)
    node.wire.reads.clear()
    await books.search("goa", "ben", ExpenseFilter(text="x"), None, 10)
    assert node.wire.reads == []
    await node.does("asha", spending("e2"))
    node.wire.reads.clear()
    _, found = await books.statistics("goa", "asha", None, None)
    assert found.count == 2
    assert node.wire.reads == ["read"]


async def test_others_have_their_turn_however_long_the_notes_are() -> None:
    node = Node(MemoryEvents())
    await node.makes("ben")
    count = 6
    for number in range(count):
        noted = replace(draft(900), notes="\ufdfa" * NOTES_LENGTH_MAX)
        await node.does("asha", CreateExpense(f"e{number}", noted))
    books = books_of(node)
    await books.statistics("goa", "asha", None, None)
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    others_go_on = asyncio.create_task(others())
    await books.search("goa", "asha", ExpenseFilter(text="nowhere"), None, 10)
    others_go_on.cancel()
    assert turns >= count


async def test_what_is_kept_is_bounded_and_what_was_let_go_is_read_again() -> None:
    node = Node(MemoryEvents())
    books = books_of(node, 3)
    for group_id in ("goa", "pune", "diu"):
        await node.makes(group_id=group_id)
        for number in range(2):
            await node.does("asha", spending(f"{group_id}{number}"), group_id=group_id)
        await books.statistics(group_id, "asha", None, None)
        assert books.kept() <= 3
    for group_id in ("goa", "pune", "diu"):
        _, found = await books.statistics(group_id, "asha", None, None)
        assert found.count == 2


async def test_deleted_expenses_are_found_only_if_asked_for() -> None:
    node = Node(MemoryEvents())
    await node.makes()
    books = books_of(node)
    await node.does("asha", spending("e1"))
    await node.does("asha", DeleteExpense("e1"))
    everything = ExpenseFilter(amount_min=1)
    assert not (await books.search("goa", "asha", everything, None, 10)).things
    assert (await books.search("goa", "asha", everything, None, 10, with_deleted=True)).things


async def test_strangers_and_erased_groups_find_nothing() -> None:
    store = MemoryEvents()
    node = Node(store)
    await node.makes()
    books = books_of(node)
    with pytest.raises(NotFound):
        await books.statistics("goa", "ben", None, None)
    await store.erase("goa")
    with pytest.raises(NotFound):
        await books.search("goa", "asha", ExpenseFilter(), None, 10)
    assert books.kept() == 0
