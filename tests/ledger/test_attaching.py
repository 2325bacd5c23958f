"""Attaching files to expenses: who may, how many, and that nothing else of the expense changes."""

import dataclasses

from hypothesis import given as hypothesis_given
from hypothesis import strategies as st

from persplit.ledger.attachment import ATTACHMENTS_MAX, Attachment
from persplit.ledger.commands import (
    AddAttachment,
    DeleteExpense,
    RemoveAttachment,
    RestoreExpense,
    UpdateExpense,
)
from persplit.ledger.errors import Conflict, GroupArchived, Invalid, LedgerError, LimitReached, NotFound
from persplit.ledger.events import AttachmentAdded, AttachmentRemoved, ExpenseUpdated
from persplit.ledger.state import apply, has_same_plan
from tests.ledger.given import (
    ARCHIVED,
    ASHA,
    JON,
    MEERA,
    PROPERTY,
    RAVI,
    TRIP,
    given,
    instant,
    ledger_of,
    shared,
    spent,
)

DINNER = spent("e1", shared(300))
"""Asha paid 300 for the three of them; event 4."""
BILL = Attachment("ab" * 32, "image/jpeg", 1_000, 30, 40, "bill.jpg")
MENU = Attachment("cd" * 32, "application/pdf", 2_000)


def test_any_member_attaches_and_nothing_else_of_the_expense_changes() -> None:
    before = ledger_of(*TRIP, DINNER).expenses["e1"]
    after = dataclasses.replace(before, seq=5, updated_at=instant(5), attachments=(BILL,))
    ledger = given(*TRIP, DINNER).when(RAVI, AddAttachment("e1", BILL)).then(AttachmentAdded(after, BILL))
    assert ledger.expenses["e1"] == after


def test_any_member_takes_it_off_again() -> None:
    was = given(*TRIP, DINNER, AddAttachment("e1", BILL), AddAttachment("e1", MENU))
    removed = was.when(MEERA, RemoveAttachment("e1", BILL.id)).made(AttachmentRemoved)
    assert removed.attachment == BILL
    assert removed.expense.attachments == (MENU,)


def test_attachments_outlive_edits_deletion_and_coming_back() -> None:
    ledger = ledger_of(
        *TRIP,
        DINNER,
        AddAttachment("e1", BILL),
        UpdateExpense("e1", shared(600)),
        DeleteExpense("e1"),
        RestoreExpense("e1"),
    )
    assert ledger.expenses["e1"].attachments == (BILL,)
    changed = next(one.event for one in ledger.events if isinstance(one.event, ExpenseUpdated))
    assert changed.before.attachments == changed.after.attachments == (BILL,)


def test_what_was_not_uploaded_is_not_attached() -> None:
    given(*TRIP, DINNER).when(ASHA, AddAttachment("e1", None)).refused(Invalid, path="attachmentId")


def test_the_same_is_attached_once() -> None:
    was = given(*TRIP, DINNER, AddAttachment("e1", BILL))
    renamed = dataclasses.replace(BILL, name="again.jpg")
    was.when(RAVI, AddAttachment("e1", renamed)).refused(Conflict, says="already")
    was.when(RAVI, RemoveAttachment("e1", MENU.id)).refused(NotFound)


def test_only_so_many_are_attached() -> None:
    many = [AddAttachment("e1", dataclasses.replace(BILL, id=f"{n:064x}")) for n in range(ATTACHMENTS_MAX)]
    full = given(*TRIP, DINNER, *many)
    full.when(ASHA, AddAttachment("e1", MENU)).refused(LimitReached)
    full.when(ASHA, RemoveAttachment("e1", f"{3:064x}")).made(AttachmentRemoved)
    full.when(ASHA, AddAttachment("e1", MENU)).made(AttachmentAdded)


def test_strangers_deleted_expenses_and_archived_groups_are_refused() -> None:
    for command in (AddAttachment("e1", BILL), RemoveAttachment("e1", BILL.id)):
        given(*TRIP, DINNER).when(JON, command).refused(NotFound)
        given(*TRIP).when(ASHA, command).refused(NotFound)
        given(*TRIP, DINNER, DeleteExpense("e1")).when(ASHA, command).refused(Conflict, says="restore")
        given(*TRIP, DINNER, ARCHIVED).when(ASHA, command).refused(GroupArchived)


PICTURES = [Attachment(f"{n:064x}", "image/png", n + 1, 1, 1) for n in range(ATTACHMENTS_MAX + 2)]


@hypothesis_given(st.lists(st.tuples(st.booleans(), st.sampled_from(PICTURES)), max_size=30))
@PROPERTY
def test_an_expense_has_what_was_added_and_not_taken_off_and_no_balance_ever_moves(
    steps: list[tuple[bool, Attachment]],
) -> None:
    ledger = ledger_of(*TRIP, DINNER)
    balances, basis, expected = ledger.group.balances, ledger.group, list[Attachment]()
    for adds, it in steps:
        refusal: LedgerError | None
        if adds:
            refusal = ledger.try_to(RAVI, AddAttachment("e1", it))
            may = it not in expected and len(expected) < ATTACHMENTS_MAX
            expected += [it] if may else []
        else:
            refusal = ledger.try_to(MEERA, RemoveAttachment("e1", it.id))
            may = it in expected
            expected = [one for one in expected if one != it]
        assert (refusal is None) == may
        assert ledger.expenses["e1"].attachments == tuple(expected)
        assert ledger.group.balances == balances
        assert has_same_plan(basis, ledger.group), "the plan needs no work"
    folded = None
    for recorded in ledger.events:
        folded = apply(folded, recorded)
    assert folded == ledger.state
