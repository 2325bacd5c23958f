"""Histories of a group that obey its rules: whatever is refused is left out."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from hypothesis import strategies as st

from persplit.ledger.commands import (
    AddMember,
    CancelSettlement,
    ChangeRole,
    Command,
    ConfirmSettlement,
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
from persplit.ledger.errors import LedgerError
from persplit.ledger.events import RecordedEvent
from persplit.ledger.group import Role
from tests.service.nodes import Node, draft, ledger, spending

PEOPLE = ("asha", "ben", "chitra", "dan")
EXPENSES = tuple(f"expense-{number}" for number in range(8))
SETTLEMENTS = tuple(f"settlement-{number}" for number in range(4))

people = st.sampled_from(PEOPLE)
amounts = st.integers(1, 5_000)
expense_ids = st.sampled_from(EXPENSES)
settlement_ids = st.sampled_from(SETTLEMENTS)
drafts = st.builds(draft, amounts) | st.builds(draft, amounts, st.just("asha"), st.just("ben"))

commands: st.SearchStrategy[Command] = st.one_of(
    st.builds(spending, expense_ids, amounts),
    st.builds(spending, expense_ids, amounts),
    st.builds(UpdateExpense, expense_ids, drafts),
    st.builds(DeleteExpense, expense_ids),
    st.builds(RestoreExpense, expense_ids),
    st.builds(CreateSettlement, settlement_ids, people, amounts),
    st.builds(ConfirmSettlement, settlement_ids),
    st.builds(DeclineSettlement, settlement_ids),
    st.builds(CancelSettlement, settlement_ids),
    st.builds(AddMember, people, st.just("Somebody")),
    st.builds(AddMember, st.just("placeholder"), st.just("Dan"), st.just(True)),  # noqa: FBT003 - the field
    st.builds(JoinGroup, st.just("Dan"), st.none() | st.just("placeholder")),
    st.builds(ChangeRole, people, st.sampled_from(Role)),
    st.builds(RemoveMember, people),
    st.builds(LeaveGroup),
    st.builds(UpdateGroup, simplify=st.booleans()),
)
steps = st.lists(st.tuples(people, commands), min_size=3, max_size=40)


async def written(node: Node, draw: Callable[[Any], Any]) -> list[RecordedEvent]:
    """Write a history into the group goa, a second between its events. Asha stays in it, to read it."""
    await node.makes("ben", "chitra")
    for number, (actor, command) in enumerate(draw(steps)):
        node.clock.move(1)
        if command == RemoveMember("asha") or (actor, command) == ("asha", LeaveGroup()):
            continue
        with suppress(LedgerError):
            await node.does(actor, command, f"step {number}")
    return await ledger(node.wire.store)
