"""Other currencies: converted once, rounded once, and not a unit made or lost."""

from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from persplit.ledger.commands import CreateGroup, LeaveGroup, UpdateExpense
from persplit.ledger.conversion import canonical_rate, converted, in_proportion
from persplit.ledger.errors import Invalid, LedgerError, RateUnknown
from persplit.ledger.expense import (
    Expense,
    ExpenseDraft,
    ExpenseKind,
    Item,
    Posting,
    RateSource,
    SplitType,
)
from persplit.ledger.money import AMOUNT_MAX, minor_digits
from tests.ledger.given import (
    ASHA,
    MEERA,
    PROPERTY,
    RAVI,
    TRIP,
    Ledger,
    as_recorded,
    bill,
    divided,
    drafts,
    ledger_of,
    shared,
    spent,
)
from tests.strategies import rates

CURRENCIES = st.sampled_from(["INR", "EUR", "JPY", "KWD", "CLF"])


def in_euros(draft: ExpenseDraft, rate: str | None = "90") -> ExpenseDraft:
    return replace(draft, currency="EUR", rate=rate)


def recorded(draft: ExpenseDraft, ledger: Ledger | None = None) -> Expense:
    ledger = ledger or ledger_of(*TRIP)
    ledger.do(ASHA, spent("e1", draft))
    return ledger.expenses["e1"]


# --- rates


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("97.25", "97.25"),
        ("097.250", "97.25"),
        ("1.0", "1"),
        ("0.000000000001", "0.000000000001"),
        ("7", "7"),
    ],
)
def test_a_rate_is_kept_without_needless_zeros(text: str, rate: str) -> None:
    assert canonical_rate(text) == rate


@pytest.mark.parametrize(
    "text", ["", "0", "0.0", "-1", "+1", "1e3", "1,5", ".5", "5.", "1234567890", "0.0000000000001", "٣", "1 "]
)
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"decimal number|more than 0"):
        canonical_rate(text)


# --- amounts


@pytest.mark.parametrize(
    ("amount", "currency", "rate", "into", "comes_to"),
    [
        (1_000, "EUR", "97.25", "INR", 97_250),
        (1_000, "JPY", "0.5531", "INR", 55_310),  # ¥1,000, which has no smaller unit, is ₹553.10
        (
            1_250,
            "KWD",
            "271.5",
            "INR",
            33_938,
        ),  # 1.250 dinars, a thousand fils each: ₹339.375, half a paisa up
        (10_000, "INR", "1.808", "JPY", 181),  # ₹100 is ¥180.8
        (1, "INR", "0.0036", "KWD", 0),
    ],
)
def test_minor_units_have_as_many_digits_as_the_currency(
    amount: int, currency: str, rate: str, into: str, comes_to: int
) -> None:
    assert converted(amount, currency, rate, into) == comes_to


@PROPERTY
@given(amount=st.integers(0, AMOUNT_MAX), currency=CURRENCIES, into=CURRENCIES, rate=rates)
def test_an_amount_is_rounded_like_on_paper(amount: int, currency: str, into: str, rate: str) -> None:
    exact = Decimal(amount).scaleb(-minor_digits(currency)) * Decimal(rate)
    on_paper = exact.scaleb(minor_digits(into)).quantize(Decimal(1), ROUND_HALF_UP)
    assert converted(amount, currency, rate, into) == int(on_paper)


@PROPERTY
@given(total=st.integers(0, AMOUNT_MAX), parts=st.lists(st.integers(0, AMOUNT_MAX), min_size=1, max_size=9))
def test_parts_sum_to_the_whole_and_none_is_a_unit_off(total: int, parts: list[int]) -> None:
    assume(any(parts))
    divided_up = in_proportion(total, parts)
    assert sum(divided_up) == total
    assert all(
        abs(part * sum(parts) - total * asked) < sum(parts)
        for part, asked in zip(divided_up, parts, strict=True)
    )


def test_the_odd_unit_goes_round() -> None:
    served = {in_proportion(total, [1, 1, 1]).index(total // 3 + 1) for total in (100, 103, 106, 109, 112)}
    assert len(served) == 1  # of totals that differ by three
    assert {in_proportion(total, [1] * 7).index(total // 7 + 1) for total in range(1, 50, 7)} != {0}


# --- expenses


@PROPERTY
@given(data=st.data(), rate=rates, currency=st.sampled_from(["EUR", "JPY", "KWD"]))
def test_conversion_neither_makes_nor_loses_a_unit(data: st.DataObject, rate: str, currency: str) -> None:
    draft = data.draw(drafts([ASHA, RAVI, MEERA]))
    ledger = ledger_of(*TRIP)
    try:
        expense = recorded(replace(draft, currency=currency, rate=rate), ledger)
    except LedgerError:
        comes_to = converted(draft.amount, currency, canonical_rate(rate), "INR")
        assert not 1 <= comes_to <= AMOUNT_MAX or not draft.include_payer
        return
    typed = expense.original
    assert typed is not None
    assert expense.amount == converted(typed.amount, currency, typed.rate, "INR")
    for whole, postings in (
        (expense.amount, expense.payers),
        (expense.amount, expense.shares),
        (typed.amount, typed.payers),
        (typed.amount, typed.shares),
    ):
        assert sum(posting.amount for posting in postings) == whole
    assert sum(ledger.group.balances.values()) == 0
    if expense.split_type is SplitType.EXACT:
        assert [split.value for split in expense.splits] == [share.amount for share in expense.shares]


@PROPERTY
@given(data=st.data(), rate=rates)
def test_what_is_sent_back_as_it_was_typed_changes_nothing(data: st.DataObject, rate: str) -> None:
    ledger = ledger_of(*TRIP)
    draft = data.draw(drafts([ASHA, RAVI, MEERA], st.integers(1, 10_000)))
    if ledger.try_to(ASHA, spent("e1", replace(draft, currency="EUR", rate=rate))):
        return
    before, balances = ledger.expenses["e1"], ledger.group.balances
    ledger.do(RAVI, UpdateExpense("e1", as_recorded(before)))
    assert ledger.expenses["e1"] == replace(
        before, seq=ledger.seq, updated_at=ledger.expenses["e1"].updated_at
    )
    assert ledger.group.balances == balances


def test_both_what_was_typed_and_what_it_comes_to_are_kept() -> None:
    expense = recorded(in_euros(shared(10_00, by={ASHA: 7_00, RAVI: 3_00}), "97.255"))
    assert (expense.amount, expense.payers) == (97_255, (Posting(ASHA, 68_078), Posting(RAVI, 29_177)))
    assert sorted(share.amount for share in expense.shares) == [32_386, 32_386, 32_483]
    typed = expense.original
    assert typed is not None
    assert (typed.currency, typed.amount, typed.rate, typed.rate_source) == (
        "EUR",
        10_00,
        "97.255",
        RateSource.GIVEN,
    )
    assert typed.payers == (Posting(ASHA, 7_00), Posting(RAVI, 3_00))
    assert sorted(share.amount for share in typed.shares) == [333, 333, 334]


def test_values_and_lines_of_a_bill_are_converted_too() -> None:
    adjusted = recorded(in_euros(divided(SplitType.ADJUSTMENT, 10_00, {ASHA: 1_00, RAVI: -50})))
    assert [split.value for split in adjusted.splits] == [90_00, -45_00]
    itemised = recorded(in_euros(bill(10_00, Item("Wine", 6_00, (RAVI,)), Item("Bread", 2_00, (ASHA,)))))
    assert [item.amount for item in itemised.items] == [540_00, 180_00]
    assert [share.amount for share in itemised.shares] == [675_00, 225_00]


def test_the_groups_own_currency_is_not_converted() -> None:
    expense = recorded(replace(shared(300), currency="INR"))
    assert expense == recorded(shared(300))
    assert expense.original is None
    with pytest.raises(Invalid, match=r"rate: goes with another currency"):
        recorded(replace(shared(300), currency="INR", rate="1"))


def test_a_rate_of_the_table_is_used_where_none_is_said_and_frozen() -> None:
    ledger = ledger_of(*TRIP)
    with pytest.raises(RateUnknown):
        ledger.do(ASHA, spent("e1", in_euros(shared(100), None)))
    expense = recorded(replace(in_euros(shared(100), None), table_rate="97"), ledger)
    assert (expense.amount, expense.original and expense.original.rate_source) == (9_700, RateSource.TABLE)
    ledger.do(ASHA, UpdateExpense("e1", replace(in_euros(shared(200), None), table_rate="98")))
    assert ledger.expenses["e1"].amount == 19_400  # an edit in the same currency keeps its rate
    ledger.do(ASHA, UpdateExpense("e1", in_euros(shared(200), "100")))
    assert ledger.expenses["e1"].amount == 20_000


@pytest.mark.parametrize("rate", ["0", "1e5", "12345678901"])
def test_a_bad_rate_names_its_field(rate: str) -> None:
    with pytest.raises(Invalid, match=r"^rate: "):
        recorded(in_euros(shared(100), rate))


@pytest.mark.parametrize(("amount", "rate"), [(1, "0.001"), (AMOUNT_MAX, "1.1")])
def test_what_comes_to_nothing_or_to_too_much_is_refused(amount: int, rate: str) -> None:
    with pytest.raises(Invalid, match=r"^amount: comes to"):
        recorded(in_euros(shared(amount), rate))


def test_who_paid_less_than_a_unit_paid_nothing() -> None:
    expense = recorded(in_euros(shared(101, by={ASHA: 100, RAVI: 1}), "0.1"))
    assert expense.payers == (Posting(ASHA, 10),)
    assert expense.original is not None
    assert len(expense.original.payers) == 2


def test_who_paid_less_than_a_unit_and_has_left_stays_in_what_was_typed() -> None:
    ledger = ledger_of(*TRIP)
    ledger.do(ASHA, spent("e1", in_euros(shared(1_000, ASHA, MEERA, by={ASHA: 999, RAVI: 1}), "0.01")))
    assert {payer.user_id for payer in ledger.expenses["e1"].payers} == {ASHA}
    ledger.do(RAVI, LeaveGroup())
    ledger.do(ASHA, UpdateExpense("e1", replace(as_recorded(ledger.expenses["e1"]), description="Ferry")))
    assert ledger.expenses["e1"].description == "Ferry"


def test_an_edit_that_knows_nothing_of_currencies_keeps_what_was_typed() -> None:
    ledger = ledger_of(*TRIP)
    before = recorded(in_euros(shared(10_01, by=ASHA)), ledger)
    known = ExpenseDraft(
        description="Dinner by the sea",
        amount=before.amount,
        split_type=before.split_type,
        payers=before.payers,
        participants=before.participants,
    )
    ledger.do(RAVI, UpdateExpense("e1", known))
    after = ledger.expenses["e1"]
    assert (after.description, after.original, after.shares) == (
        "Dinner by the sea",
        before.original,
        before.shares,
    )
    ledger.do(RAVI, UpdateExpense("e1", replace(known, amount=500_00, payers=None)))
    assert ledger.expenses["e1"].original is None


def test_a_group_in_yen_takes_dinars() -> None:
    ledger = ledger_of(CreateGroup("Asha", "Tokyo", currency="JPY"))
    ledger.do(ASHA, spent("e1", replace(shared(1_500), currency="KWD", rate="487.2")))
    assert ledger.expenses["e1"].amount == 731  # 1.500 × 487.2 = 730.8


# --- refunds and income


@PROPERTY
@given(data=st.data(), kind=st.sampled_from([ExpenseKind.REFUND, ExpenseKind.INCOME]))
def test_money_that_comes_in_is_an_expense_the_other_way_round(
    data: st.DataObject, kind: ExpenseKind
) -> None:
    draft = data.draw(drafts([ASHA, RAVI, MEERA]))
    spending, receiving = ledger_of(*TRIP), ledger_of(*TRIP)
    refusal = spending.try_to(ASHA, spent("e1", draft))
    assert type(receiving.try_to(ASHA, spent("e1", replace(draft, kind=kind)))) is type(refusal)
    assert receiving.group.balances == {
        user_id: -amount for user_id, amount in spending.group.balances.items()
    }
    if refusal is None:
        assert receiving.expenses["e1"].shares == spending.expenses["e1"].shares


def test_a_refund_takes_its_expense_back() -> None:
    ledger = ledger_of(*TRIP)
    recorded(shared(900), ledger)
    ledger.do(ASHA, spent("e2", replace(shared(900), kind=ExpenseKind.REFUND)))
    assert set(ledger.group.balances.values()) == {0}
    assert not ledger.group.debts


def test_several_people_receive_an_income_in_another_currency() -> None:
    ledger = ledger_of(*TRIP)
    earned = shared(300, by={ASHA: 200, RAVI: 100})
    expense = recorded(replace(in_euros(earned), kind=ExpenseKind.INCOME), ledger)
    assert (expense.kind, expense.amount) == (ExpenseKind.INCOME, 27_000)
    assert ledger.group.balances == {ASHA: -9_000, RAVI: 0, MEERA: 9_000}
