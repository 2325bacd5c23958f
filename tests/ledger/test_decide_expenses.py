"""Adding, changing, deleting and restoring expenses: what is filled in, what is refused, what stays."""

import dataclasses
from collections.abc import Mapping

import pytest
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st

from persplit.ledger.commands import (
    AddMember,
    CreateExpense,
    DeleteExpense,
    JoinGroup,
    LeaveGroup,
    RemoveMember,
    RestoreExpense,
    UpdateExpense,
    UpdateGroup,
)
from persplit.ledger.errors import BalanceNotZero, Conflict, Invalid, NotFound
from persplit.ledger.events import ExpenseCreated, ExpenseDeleted, ExpenseRestored, ExpenseUpdated
from persplit.ledger.expense import VALUE_SCALE, Expense, ExpenseDraft, Item, Posting, SplitType
from tests.ledger.given import (
    ASHA,
    CLAIMED,
    GUEST,
    JON,
    LONG_PROPERTY,
    MEERA,
    RAVI,
    TRIP,
    WITH_GUEST,
    Given,
    Ledger,
    as_recorded,
    bill,
    divided,
    given,
    histories,
    instant,
    ledger_of,
    postings,
    shared,
    shares,
    spent,
    values,
)

DINNER = spent("e1", shared(300))
"""Asha paid 300 for the three of them; event 4."""
RAVI_GONE = RemoveMember(RAVI)


def expense_as_added() -> Expense:
    """`DINNER`, as recorded."""
    return Expense(
        id="e1",
        seq=4,
        description="Dinner",
        amount=300,
        payers=postings({ASHA: 300}),
        split_type=SplitType.EQUAL,
        participants=(ASHA, RAVI, MEERA),
        splits=(),
        items=(),
        include_payer=True,
        date="2026-03-01",
        category=None,
        notes=None,
        shares=postings({ASHA: 100, RAVI: 100, MEERA: 100}),
        created_by=ASHA,
        created_at=instant(4),
        updated_at=instant(4),
    )


def added(draft: ExpenseDraft, actor: str = ASHA, happened: Given | None = None) -> Expense:
    """The draft as an expense of the trip."""
    return (happened or given(*TRIP)).when(actor, spent("e1", draft)).made(ExpenseCreated).expense


def refused(draft: ExpenseDraft, path: str, says: str) -> None:
    """Neither adding this nor putting it in place of another expense is allowed."""
    given(*TRIP).when(ASHA, spent("e1", draft)).refused(Invalid, path=path, says=says)
    given(*TRIP, DINNER).when(ASHA, UpdateExpense("e1", draft)).refused(Invalid, path=path, says=says)


# --- adding


def test_an_expense_is_added_with_what_was_left_out_filled_in() -> None:
    ledger = given(*TRIP).when(ASHA, DINNER).then(ExpenseCreated(expense_as_added()))
    assert ledger.group.balances == {ASHA: 200, RAVI: -100, MEERA: -100}


def test_any_member_adds_an_expense_and_pays_unless_told() -> None:
    assert added(shared(300), RAVI).payers == (Posting(RAVI, 300),)
    assert added(shared(300), RAVI).created_by == RAVI
    assert added(shared(300, by=MEERA), RAVI).payers == (Posting(MEERA, 300),)


def test_what_is_told_is_recorded_as_told() -> None:
    told = dataclasses.replace(
        shared(300, RAVI, ASHA), date="2026-02-14", category="Food", notes="Tip included"
    )
    expense = added(told)
    assert (expense.date, expense.category, expense.notes) == ("2026-02-14", "Food", "Tip included")
    assert expense.participants == (RAVI, ASHA)
    assert shares(expense) == {RAVI: 150, ASHA: 150}


def test_several_pay() -> None:
    ledger = ledger_of(*TRIP, spent("e1", shared(300, by={ASHA: 200, RAVI: 100})))
    assert ledger.group.balances == {ASHA: 100, RAVI: 0, MEERA: -100}


def test_all_who_are_in_the_group_take_part_unless_told() -> None:
    happened = given(*TRIP, WITH_GUEST, RAVI_GONE)
    assert added(shared(300), happened=happened).participants == (ASHA, MEERA, GUEST)


@pytest.mark.parametrize(
    ("draft", "participants"),
    [
        (divided(SplitType.EXACT, 10, {MEERA: 4, ASHA: 6}), (MEERA, ASHA)),
        (divided(SplitType.SHARES, 10, {RAVI: 1}), (RAVI,)),
        (divided(SplitType.ADJUSTMENT, 10, {RAVI: 1}), (ASHA, RAVI, MEERA)),
        (bill(10, Item("tea", 4, (RAVI, MEERA)), Item("tea", 4, (MEERA, ASHA))), (RAVI, MEERA, ASHA)),
        (bill(10, Item("tea", 4, (RAVI, MEERA)), participants=(MEERA, RAVI)), (MEERA, RAVI)),
        (divided(SplitType.EXACT, 10, {MEERA: 4, ASHA: 6}, participants=(ASHA, MEERA)), (ASHA, MEERA)),
    ],
)
def test_a_division_that_names_people_says_who_takes_part(
    draft: ExpenseDraft, participants: tuple[str, ...]
) -> None:
    assert added(draft).participants == participants


@pytest.mark.parametrize(
    ("draft", "wanted"),
    [
        (shared(300, by=ASHA, include_payer=False), {RAVI: 150, MEERA: 150}),
        (shared(300, MEERA, by=ASHA, include_payer=False), {MEERA: 300}),
        (shared(300, by={ASHA: 100, RAVI: 200}, include_payer=False), {MEERA: 300}),
        (
            divided(SplitType.ADJUSTMENT, 300, {RAVI: 100}, include_payer=False),
            {RAVI: 200, MEERA: 100},
        ),
    ],
)
def test_the_payer_can_be_left_out(draft: ExpenseDraft, wanted: Mapping[str, int]) -> None:
    expense = added(draft)
    assert shares(expense) == wanted
    assert not expense.include_payer


def test_leaving_the_payer_out_can_leave_nobody() -> None:
    refused(shared(300, ASHA, by=ASHA, include_payer=False), "participants", "leaves nobody")
    everybody = {ASHA: 100, RAVI: 100, MEERA: 100}
    refused(shared(300, by=everybody, include_payer=False), "participants", "leaves nobody")


def test_a_payer_who_is_left_out_has_no_adjustment() -> None:
    draft = divided(SplitType.ADJUSTMENT, 300, {RAVI: 10, ASHA: 10}, include_payer=False)
    refused(draft, "splits.1.userId", "left out")


def test_an_adjustment_for_somebody_who_takes_no_part_is_refused_and_not_lost() -> None:
    # It used to be taken off the amount and given to nobody: the shares summed to 20 less.
    draft = divided(SplitType.ADJUSTMENT, 300, {ASHA: 5, RAVI: 20}, participants=(ASHA, MEERA))
    refused(draft, "splits.1.userId", "takes no part")


# --- what is refused


@pytest.mark.parametrize(
    ("draft", "path"),
    [
        (shared(300, by=JON), "paidBy"),
        (shared(300, by={ASHA: 100, JON: 200}), "paidBy.1.userId"),
        (shared(300, ASHA, JON), "participants.1"),
        (divided(SplitType.EXACT, 300, {ASHA: 100, JON: 200}), "splits.1.userId"),
        (divided(SplitType.ADJUSTMENT, 300, {JON: 10}), "splits.0.userId"),
        (bill(300, Item("tea", 1, (ASHA,)), Item("tea", 1, (ASHA, JON))), "items.1.participants.1"),
    ],
)
def test_strangers_neither_pay_nor_take_part(draft: ExpenseDraft, path: str) -> None:
    refused(draft, path, "not a member")


@pytest.mark.parametrize(
    ("draft", "path"),
    [
        (dataclasses.replace(shared(2), payers=(Posting(ASHA, 1), Posting(ASHA, 1))), "paidBy.1.userId"),
        (shared(300, ASHA, RAVI, ASHA), "participants.2"),
        (
            dataclasses.replace(
                divided(SplitType.EXACT, 2, {}), splits=values({ASHA: 1}) * 2, participants=(ASHA,)
            ),
            "splits.1.userId",
        ),
        (bill(300, Item("tea", 1, (RAVI, RAVI))), "items.0.participants.1"),
    ],
)
def test_nobody_is_named_twice(draft: ExpenseDraft, path: str) -> None:
    refused(draft, path, "named twice")


def test_a_placeholder_and_who_claimed_it_are_one_person() -> None:
    claimed = given(*TRIP, WITH_GUEST, CLAIMED)
    claimed.when(ASHA, spent("e1", shared(300, GUEST, JON))).refused(
        Invalid, path="participants.1", says="twice"
    )


def test_every_bad_field_is_told_at_once() -> None:
    draft = shared(300, JON, ASHA, ASHA, by="x")
    with pytest.raises(Invalid) as refusal:
        ledger_of(*TRIP).do(ASHA, spent("e1", draft))
    assert [error.path for error in refusal.value.errors] == ["paidBy", "participants.0", "participants.2"]


@pytest.mark.parametrize(
    ("draft", "path", "says"),
    [
        (dataclasses.replace(shared(3), participants=()), "participants", "at least one person"),
        (divided(SplitType.ADJUSTMENT, 3, {ASHA: 1}, participants=()), "participants", "at least one person"),
        (dataclasses.replace(shared(3), splits=values({ASHA: 3})), "splits", "EQUAL takes no splits"),
        (
            dataclasses.replace(bill(3, Item("tea", 3, (ASHA,))), splits=values({ASHA: 3})),
            "splits",
            "ITEMIZED takes no splits",
        ),
        (divided(SplitType.EXACT, 3, {}), "splits", "EXACT needs"),
        (divided(SplitType.PERCENTAGE, 3, {}), "splits", "PERCENTAGE needs"),
        (divided(SplitType.ADJUSTMENT, 3, {}), "splits", "ADJUSTMENT needs"),
        (dataclasses.replace(shared(3), items=(Item("tea", 3, (ASHA,)),)), "items", "EQUAL takes no items"),
        (bill(3), "items", "ITEMIZED needs"),
        (divided(SplitType.EXACT, 3, {ASHA: 3}, include_payer=False), "includePayer", "says itself"),
        (
            dataclasses.replace(bill(3, Item("tea", 3, (ASHA,))), include_payer=False),
            "includePayer",
            "says itself",
        ),
        (divided(SplitType.EXACT, 3, {ASHA: 3}, participants=(ASHA, RAVI)), "participants", "EXACT division"),
        (divided(SplitType.EXACT, 3, {ASHA: 3}, participants=()), "participants", "EXACT division"),
        (bill(3, Item("tea", 3, (ASHA, RAVI)), participants=(ASHA,)), "participants", "ITEMIZED division"),
    ],
)
def test_a_division_takes_what_its_type_takes(draft: ExpenseDraft, path: str, says: str) -> None:
    refused(draft, path, says)


@pytest.mark.parametrize(
    ("draft", "path", "says"),
    [
        (shared(300, by={ASHA: 100, RAVI: 199}), "paidBy", "paid 299, not the amount 300"),
        (shared(300, by={ASHA: 301}), "paidBy", "paid 301"),
        (
            divided(SplitType.EXACT, 300, {ASHA: 100, RAVI: 199}),
            "splits",
            "sum to 299, not to the amount 300",
        ),
        (
            divided(SplitType.PERCENTAGE, 300, {ASHA: 4999, RAVI: 5000}, scale=VALUE_SCALE // 100),
            "splits",
            "99.99, not 100",
        ),
        (divided(SplitType.SHARES, 300, {ASHA: 0, RAVI: 0}), "splits", "all zero"),
        (divided(SplitType.ADJUSTMENT, 300, {ASHA: 200, RAVI: 101}), "splits", "exceed the amount by 1"),
        (divided(SplitType.ADJUSTMENT, 300, {ASHA: -300}), "splits", "below zero"),
    ],
)
def test_numbers_have_to_add_up(draft: ExpenseDraft, path: str, says: str) -> None:
    refused(draft, path, says)


def test_a_weight_of_zero_bears_nothing() -> None:
    assert shares(added(divided(SplitType.SHARES, 100, {ASHA: 0, RAVI: 1}))) == {ASHA: 0, RAVI: 100}


def test_an_id_makes_one_expense_only() -> None:
    happened = given(*TRIP, DINNER)
    refusal = happened.when(RAVI, spent("e1", shared(5))).refused(Conflict, says="exists")
    assert refusal.current == happened.ledger.things["e1"]
    deleted = given(*TRIP, DINNER, DeleteExpense("e1"))
    deleted.when(RAVI, spent("e1", shared(5))).refused(Conflict, says="exists")


@pytest.mark.parametrize(
    "command", [UpdateExpense("e2", shared(1)), DeleteExpense("e2"), RestoreExpense("e2")], ids=type
)
def test_what_does_not_exist_cannot_be_changed(
    command: UpdateExpense | DeleteExpense | RestoreExpense,
) -> None:
    given(*TRIP, DINNER).when(ASHA, command).refused(NotFound, says="no such expense")


# --- changing


def test_an_edit_puts_another_version_in_place() -> None:
    before = expense_as_added()
    after = dataclasses.replace(
        before,
        seq=5,
        description="Lunch",
        amount=100,
        payers=postings({ASHA: 100}),
        participants=(RAVI,),
        shares=postings({RAVI: 100}),
        category="Food",
        notes="Thali",
        updated_at=instant(5),
    )
    draft = ExpenseDraft("Lunch", 100, SplitType.EQUAL, participants=(RAVI,), category="Food", notes="Thali")
    ledger = given(*TRIP, DINNER).when(MEERA, UpdateExpense("e1", draft)).then(ExpenseUpdated(before, after))
    assert ledger.group.balances == {ASHA: 100, RAVI: -100, MEERA: 0}


def test_an_edit_by_somebody_else_keeps_who_paid_the_day_and_the_author() -> None:
    dated = dataclasses.replace(shared(300, by=RAVI), date="2026-02-14")
    ledger = given(*TRIP, (RAVI, spent("e1", dated)))
    after = ledger.when(MEERA, UpdateExpense("e1", shared(90))).made(ExpenseUpdated).after
    assert after.payers == (Posting(RAVI, 90),)
    assert after.date == "2026-02-14"
    assert (after.created_by, after.created_at, after.updated_at) == (RAVI, instant(4), instant(5))


def test_an_edit_changes_who_paid_and_the_day_where_told() -> None:
    draft = dataclasses.replace(shared(300, by=RAVI), date="2026-02-14")
    after = given(*TRIP, DINNER).when(ASHA, UpdateExpense("e1", draft)).made(ExpenseUpdated).after
    assert after.payers == (Posting(RAVI, 300),)
    assert after.date == "2026-02-14"


def test_several_payers_stay_while_they_still_add_up() -> None:
    several = given(*TRIP, spent("e1", shared(300, by={ASHA: 100, RAVI: 200})))
    several.when(ASHA, UpdateExpense("e1", shared(301))).refused(Invalid, path="paidBy", says="paid 300")
    after = several.when(ASHA, UpdateExpense("e1", shared(300, MEERA))).made(ExpenseUpdated).after
    assert after.payers == postings({ASHA: 100, RAVI: 200})


def test_an_edit_among_all_means_all_who_are_there_now() -> None:
    after = given(*TRIP, DINNER, AddMember(JON, "Jon")).when(ASHA, UpdateExpense("e1", shared(300)))
    assert after.made(ExpenseUpdated).after.participants == (ASHA, RAVI, MEERA, JON)


@LONG_PROPERTY
@hypothesis_given(histories(), st.data())
def test_sending_an_expense_back_as_recorded_changes_nothing(ledger: Ledger, data: st.DataObject) -> None:
    for expense in ledger.expenses.values():
        if expense.deleted_at is not None:
            continue
        before = ledger.group
        state = ledger.do("u1", UpdateExpense(expense.id, as_recorded(expense)))
        after = ledger.expenses[expense.id]
        named = {posting.user_id: before.canonical(posting.user_id) for posting in expense.shares}
        assert shares(after) == {named[user]: amount for user, amount in shares(expense).items()}
        assert state.balances == before.balances
        assert state.basis == before.basis


def test_an_edit_after_a_claim_keeps_the_odd_paisa_where_it_was() -> None:
    # Ties go by user id: under the claimer's id, the odd paisa would move, and who left would be in the way.
    for number in range(12):
        name = f"e{number}"
        ledger = ledger_of(*TRIP, WITH_GUEST, spent(name, shared(100, RAVI, MEERA, GUEST)))
        before = shares(ledger.expenses[name])
        for row in (RAVI, MEERA):
            ledger.pay(row, ASHA, before[row])
        ledger.do(ASHA, RAVI_GONE)
        ledger.do(*CLAIMED)
        resent = dataclasses.replace(as_recorded(ledger.expenses[name]), description="Lunch")
        ledger.do(ASHA, UpdateExpense(name, resent))
        assert shares(ledger.expenses[name]) == {RAVI: before[RAVI], MEERA: before[MEERA], JON: before[GUEST]}


@pytest.mark.parametrize(
    "draft",
    [
        shared(101, RAVI, MEERA, GUEST),
        shared(100, RAVI, GUEST),
        shared(100, RAVI, MEERA, GUEST, by=MEERA, include_payer=False),
        divided(SplitType.EXACT, 100, {RAVI: 1, MEERA: 1, GUEST: 98}),
    ],
)
def test_an_edit_of_the_division_divides_anew(draft: ExpenseDraft) -> None:
    ledger = ledger_of(*TRIP, WITH_GUEST, spent("e1", shared(100, RAVI, MEERA, GUEST)))
    ledger.do(ASHA, UpdateExpense("e1", draft))
    afresh = ledger_of(*TRIP, WITH_GUEST, spent("e1", draft))
    assert ledger.expenses["e1"].shares == afresh.expenses["e1"].shares


@pytest.mark.parametrize(
    ("before", "after", "wanted"),
    [
        (
            divided(SplitType.EXACT, 100, {ASHA: 40, RAVI: 60}),
            divided(SplitType.EXACT, 100, {ASHA: 60, RAVI: 40}),
            {ASHA: 60, RAVI: 40},
        ),
        (
            bill(100, Item("tea", 1, (ASHA,)), Item("rice", 1, (RAVI,))),
            bill(100, Item("tea", 3, (ASHA,)), Item("rice", 1, (RAVI,))),
            {ASHA: 75, RAVI: 25},
        ),
        (
            bill(100, Item("tea", 3, (ASHA,)), Item("rice", 1, (RAVI,))),
            bill(100, Item("tea", 3, (RAVI,)), Item("rice", 1, (ASHA,))),
            {ASHA: 25, RAVI: 75},
        ),
    ],
)
def test_an_edit_of_values_or_items_divides_anew(
    before: ExpenseDraft, after: ExpenseDraft, wanted: Mapping[str, int]
) -> None:
    ledger = ledger_of(*TRIP, spent("e1", before), UpdateExpense("e1", after))
    assert shares(ledger.expenses["e1"]) == wanted


def test_who_pays_decides_who_is_left_out() -> None:
    ledger = ledger_of(*TRIP, spent("e1", shared(100, include_payer=False)))
    ledger.do(
        ASHA,
        UpdateExpense(
            "e1", dataclasses.replace(as_recorded(ledger.expenses["e1"]), payers=postings({RAVI: 100}))
        ),
    )
    assert shares(ledger.expenses["e1"]) == {ASHA: 50, MEERA: 50}


def test_an_expense_changed_since_it_was_seen_is_not_overwritten() -> None:
    happened = given(*TRIP, DINNER, UpdateExpense("e1", shared(150)))
    current = happened.ledger.things["e1"]
    for command in (UpdateExpense("e1", shared(90), expected_seq=4), DeleteExpense("e1", expected_seq=4)):
        assert happened.when(RAVI, command).refused(Conflict, says="since seq 4").current == current
    happened.when(RAVI, UpdateExpense("e1", shared(90), expected_seq=5)).made(ExpenseUpdated)


def test_an_expense_may_have_been_seen_at_any_later_seq() -> None:
    given(*TRIP, DINNER, UpdateGroup(name="Goa 2")).when(RAVI, DeleteExpense("e1", expected_seq=5)).made(
        ExpenseDeleted
    )


def test_without_an_expected_seq_the_last_writer_wins() -> None:
    happened = given(*TRIP, DINNER, UpdateExpense("e1", shared(150)))
    assert happened.when(RAVI, UpdateExpense("e1", shared(90))).made(ExpenseUpdated).before.amount == 150


# --- deleting and restoring


def test_a_deleted_expense_no_longer_counts() -> None:
    gone = dataclasses.replace(expense_as_added(), seq=5, updated_at=instant(5), deleted_at=instant(5))
    ledger = given(*TRIP, DINNER).when(MEERA, DeleteExpense("e1")).then(ExpenseDeleted(gone))
    assert ledger.group.balances == {ASHA: 0, RAVI: 0, MEERA: 0}
    assert ledger.group.debts == {}


def test_a_restored_expense_counts_as_it_did() -> None:
    back = dataclasses.replace(expense_as_added(), seq=6, updated_at=instant(6))
    ledger = (
        given(*TRIP, DINNER, DeleteExpense("e1"))
        .when(MEERA, RestoreExpense("e1"))
        .then(ExpenseRestored(back))
    )
    assert ledger.group.balances == {ASHA: 200, RAVI: -100, MEERA: -100}


def test_what_is_deleted_is_neither_changed_nor_deleted_again() -> None:
    happened = given(*TRIP, DINNER, DeleteExpense("e1"))
    current = happened.ledger.things["e1"]
    assert (
        happened.when(ASHA, UpdateExpense("e1", shared(90)))
        .refused(Conflict, says="restore it first")
        .current
        == current
    )
    assert (
        happened.when(ASHA, DeleteExpense("e1")).refused(Conflict, says="deleted already").current == current
    )


def test_what_is_not_deleted_is_not_restored() -> None:
    happened = given(*TRIP, DINNER)
    refusal = happened.when(ASHA, RestoreExpense("e1")).refused(Conflict, says="not deleted")
    assert refusal.current == happened.ledger.things["e1"]


def test_an_expense_restored_since_it_was_seen_deleted_conflicts() -> None:
    happened = given(*TRIP, DINNER, DeleteExpense("e1"))
    happened.when(ASHA, RestoreExpense("e1", expected_seq=4)).refused(Conflict, says="since seq 4")
    happened.when(ASHA, RestoreExpense("e1", expected_seq=5)).made(ExpenseRestored)


# --- expenses of people who have left


def ravi_has_left() -> Given:
    """Ravi bore 100 of `DINNER`, paid it back and went."""
    ledger = ledger_of(*TRIP, DINNER)
    ledger.pay(RAVI, ASHA, 100)
    ledger.do(RAVI, LeaveGroup())
    return Given(ledger)


def test_a_former_member_stays_in_an_edit_that_changes_nothing_for_them() -> None:
    happened = ravi_has_left()
    resent = dataclasses.replace(as_recorded(happened.ledger.expenses["e1"]), description="Lunch")
    happened.when(ASHA, UpdateExpense("e1", resent)).made(ExpenseUpdated)
    other_payer = dataclasses.replace(resent, payers=postings({MEERA: 300}))
    happened.when(ASHA, UpdateExpense("e1", other_payer)).made(ExpenseUpdated)
    assert happened.ledger.group.balances == {ASHA: -200, MEERA: 200}
    assert RAVI not in happened.ledger.group.debts


@pytest.mark.parametrize(
    "draft",
    [
        shared(300),
        shared(300, ASHA, MEERA),
        shared(303, ASHA, RAVI, MEERA),
        shared(300, ASHA, RAVI, MEERA, by=RAVI),
        divided(SplitType.EXACT, 300, {RAVI: 99, ASHA: 201}),
    ],
)
def test_an_edit_that_would_leave_a_former_member_owing_or_owed_is_refused(draft: ExpenseDraft) -> None:
    ravi_has_left().when(ASHA, UpdateExpense("e1", draft)).refused(BalanceNotZero, says="has left")


def test_an_edit_may_change_who_else_bears_what() -> None:
    draft = divided(SplitType.EXACT, 300, {RAVI: 100, ASHA: 200})
    happened = ravi_has_left()
    happened.when(ASHA, UpdateExpense("e1", draft)).made(ExpenseUpdated)
    assert happened.ledger.group.balances == {ASHA: 0, MEERA: 0}
    assert happened.ledger.group.debts == {}


def test_an_expense_that_a_former_member_bore_part_of_stays() -> None:
    ravi_has_left().when(ASHA, DeleteExpense("e1")).refused(BalanceNotZero, says="has left")


def test_an_expense_that_a_former_member_bore_part_of_does_not_come_back() -> None:
    gone = given(*TRIP, DINNER, DeleteExpense("e1"), RAVI_GONE)
    gone.when(ASHA, RestoreExpense("e1")).refused(BalanceNotZero, says="has left")
    gone.ledger.do(ASHA, AddMember(RAVI, "Ravi"))
    gone.when(ASHA, RestoreExpense("e1")).made(ExpenseRestored)


def test_a_former_member_who_came_out_even_is_in_nobody_s_way() -> None:
    even = shared(300, by={ASHA: 200, RAVI: 100})
    happened = given(*TRIP, spent("e1", even), RAVI_GONE)
    happened.when(ASHA, DeleteExpense("e1")).made(ExpenseDeleted)
    happened.when(ASHA, RestoreExpense("e1")).made(ExpenseRestored)
    assert happened.ledger.group.balances == {ASHA: 100, MEERA: -100}
    assert list(happened.ledger.group.debts) == [MEERA]


def test_who_was_never_part_of_it_and_has_left_cannot_be_added() -> None:
    happened = given(*TRIP, spent("e1", shared(300, ASHA, MEERA)), RAVI_GONE)
    draft = shared(300, ASHA, MEERA, RAVI)
    happened.when(ASHA, UpdateExpense("e1", draft)).refused(
        Invalid, path="participants.2", says="not a member"
    )
    happened.when(ASHA, CreateExpense("e2", draft)).refused(
        Invalid, path="participants.2", says="not a member"
    )


def test_a_claimed_placeholder_s_expenses_are_changed_under_either_id() -> None:
    for who in (GUEST, JON):
        ledger = ledger_of(*TRIP, WITH_GUEST, spent("e1", shared(100, ASHA, GUEST, by=GUEST)), CLAIMED)
        ledger.do(RAVI, UpdateExpense("e1", shared(200, ASHA, who)))
        expense = ledger.expenses["e1"]
        assert expense.payers == (Posting(JON, 200),)
        assert expense.participants == (ASHA, JON)
        assert ledger.group.balances == {ASHA: -100, RAVI: 0, MEERA: 0, JON: 100}


def test_several_payers_one_of_whom_was_claimed_stay() -> None:
    ledger = ledger_of(*TRIP, WITH_GUEST, spent("e1", shared(100, by={GUEST: 40, RAVI: 60})), CLAIMED)
    ledger.do(ASHA, UpdateExpense("e1", shared(100, ASHA)))
    assert ledger.expenses["e1"].payers == postings({JON: 40, RAVI: 60})


@pytest.mark.parametrize(
    ("draft", "wanted"),
    [
        (divided(SplitType.EXACT, 100, {GUEST: 30, ASHA: 70}), {JON: 30, ASHA: 70}),
        (divided(SplitType.ADJUSTMENT, 100, {GUEST: 30}, participants=(GUEST, ASHA)), {JON: 65, ASHA: 35}),
        (bill(100, Item("tea", 100, (GUEST, ASHA))), {JON: 50, ASHA: 50}),
    ],
)
def test_a_client_that_has_not_heard_of_a_claim_yet_still_names_the_placeholder(
    draft: ExpenseDraft, wanted: Mapping[str, int]
) -> None:
    claimed = given(*TRIP, WITH_GUEST, CLAIMED)
    expense = added(draft, happened=claimed)
    assert shares(expense) == wanted
    assert set(expense.participants) == {JON, ASHA}


def test_a_claimer_who_has_left_is_a_former_member_under_both_ids() -> None:
    ledger = ledger_of(*TRIP, WITH_GUEST, spent("e1", shared(100, ASHA, GUEST)), CLAIMED)
    ledger.pay(JON, ASHA, 50)
    ledger.do(JON, LeaveGroup())
    happened = Given(ledger)
    happened.when(ASHA, DeleteExpense("e1")).refused(BalanceNotZero)
    happened.when(ASHA, UpdateExpense("e1", shared(100, ASHA))).refused(BalanceNotZero)
    happened.when(ASHA, UpdateExpense("e1", shared(100, ASHA, GUEST))).made(ExpenseUpdated)
    ledger.do(JON, JoinGroup("Jon"))
    happened.when(ASHA, DeleteExpense("e1")).made(ExpenseDeleted)
    assert ledger.group.balances == {ASHA: -50, RAVI: 0, MEERA: 0, JON: 50}


# --- shares that an expense had in another ledger


def brought(legs: Mapping[str, int], amount: int = 100, *participants: str) -> ExpenseDraft:
    """Divided equally elsewhere, where the odd unit went to somebody else."""
    return dataclasses.replace(shared(amount, *(participants or (ASHA, RAVI, MEERA))), shares=postings(legs))


def test_shares_that_are_brought_along_stay() -> None:
    for odd in (ASHA, RAVI, MEERA):
        legs = {who: 34 if who == odd else 33 for who in (ASHA, RAVI, MEERA)}
        made = given(*TRIP).when(ASHA, spent("e1", brought(legs))).made(ExpenseCreated)
        assert shares(made.expense) == legs


@pytest.mark.parametrize(
    "legs",
    [
        {ASHA: 35, RAVI: 33, MEERA: 32},
        {ASHA: 34, RAVI: 34, MEERA: 33},
        {ASHA: 50, RAVI: 50},
        {ASHA: 34, RAVI: 33, JON: 33},
    ],
)
def test_shares_that_are_brought_along_have_to_be_a_division_of_this(legs: dict[str, int]) -> None:
    given(*TRIP).when(ASHA, spent("e1", brought(legs))).refused(Invalid, path="shares")


def test_nobody_is_brought_along_twice_or_below_zero() -> None:
    twice = dataclasses.replace(
        brought({}), shares=(Posting(ASHA, 34), Posting(ASHA, 33), Posting(RAVI, 33), Posting(MEERA, 33))
    )
    given(*TRIP).when(ASHA, spent("e1", twice)).refused(Invalid, path="shares")
    below = brought({ASHA: -1, RAVI: 1, MEERA: 1}, 1)
    given(*TRIP).when(ASHA, spent("e1", below)).refused(Invalid, path="shares")
