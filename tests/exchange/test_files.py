"""Files as other products write them, and what they come to."""

import pytest

from persplit.exchange.book import Format, Kind
from persplit.exchange.reading import format_of, read_book
from persplit.exchange.rows import Status
from persplit.ledger.expense import Expense, SplitType
from persplit.ledger.settlement import Settlement, SettlementStatus
from tests.exchange.given import Target, text_of


@pytest.mark.parametrize(
    ("name", "format_"),
    [
        ("splitwise_en.csv", Format.SPLITWISE),
        ("splitwise_de.csv", Format.SPLITWISE),
        ("spliit.json", Format.SPLIIT_JSON),
        ("spliit.csv", Format.SPLIIT_CSV),
        ("tricount.json", Format.TRICOUNT),
        ("ihatemoney.csv", Format.IHATEMONEY),
        ("ihatemoney_old.json", Format.IHATEMONEY),
        ("cospend.csv", Format.COSPEND),
    ],
)
def test_a_file_shows_whose_it_is(name: str, format_: Format) -> None:
    assert format_of(text_of(name)) is format_
    assert read_book(text_of(name), "EUR").format is format_


@pytest.mark.parametrize(
    ("name", "currency", "skip", "balances"),
    [
        # What the totals of the file say.
        (
            "splitwise_en.csv",
            "INR",
            [],
            {"Asha Rao": 2_269_083, "Ravi Iyer": -711_917, "Meera Nair": -1_021_916, "Jon Hart": -535_250},
        ),
        # Exactly 7492.73, 4516.73 and -12009.47: Spliit rounds each, and shows a sum of one cent.
        ("spliit.json", "EUR", [], {"Asha": 7_493, "Ravi": 4_517, "Meera": -12_010}),
        # Without the reimbursement, whose payer the table doesn't have.
        ("spliit.csv", "EUR", [6], {"Asha": 16_834, "Ravi": -4_666, "Meera": -12_168}),
        ("tricount.json", "EUR", [], {"Asha": -1_146, "Ravi": 4_763, "Meera": -3_617}),
        # 100.00 among weights 1, 2 and (unknown) 1; 10.00 among 1 and 2; 20.00 given back.
        ("ihatemoney.csv", "EUR", [], {"Asha": 5_167, "Ravi": -2_667, "Meera": -2_500}),
        # 99.99 by weights 1 and 1.5: 39.996 and 59.994.
        ("ihatemoney_old.json", "EUR", [], {"Asha": 5_699, "Ravi": -5_699}),
        # 60.30 by weights 1, 1 and 2.5: 13.40, 13.40, 33.50.
        ("cospend.csv", "EUR", [], {"Asha": -37_810, "Ravi": 41_160, "Meera": -3_350}),
    ],
)
def test_what_a_file_comes_to(name: str, currency: str, skip: list[int], balances: dict[str, int]) -> None:
    target = Target.founded(currency, name="Somebody else")
    plan = target.takes(text_of(name), skip=skip)
    assert target.balances() == balances
    assert not plan.differences
    assert not target.state.pending


def test_a_total_of_the_file_is_compared_with_its_rows() -> None:
    wrong = text_of("splitwise_en.csv").replace("-5352.50", "-5352.51").replace("22690.83", "22690.84")
    plan = Target.founded("INR").looked_at(wrong)
    assert [error.path for error in plan.refusals] == ["rows.15", "rows.15"]
    assert "for Jon Hart, the file says -535251" in plan.refusals[1].message
    assert not Target.founded("INR").looked_at(wrong, skip=[15]).refusals


def test_a_table_in_another_language_with_decimal_commas_and_a_name_twice() -> None:
    target = Target.founded("EUR", name="asha rao")
    emile, jon = "emile", "jon"
    plan = target.looked_at(text_of("splitwise_de.csv"))
    assert [error.path for error in plan.refusals] == ["members.Asha Rao", "members.Asha Rao #2"]
    plan = target.takes(text_of("splitwise_de.csv"), {"Asha Rao": "asha", "Asha Rao #2": None})
    assert target.balances() == {
        "asha rao": 82_668,
        "Émile Noël": -20_336,
        "Asha Rao": -31_332,
        "Jon (removed)": -31_000,
    }
    assert [row.kind for row in plan.rows if row.status is Status.NEW] == [
        Kind.EXPENSE,
        Kind.EXPENSE,
        Kind.PAYMENT,
    ]
    assert emile != jon


def test_who_paid_is_told_where_one_is_owed_and_said_to_be_unknown_where_two_are() -> None:
    target = Target.founded("INR")
    plan = target.takes(text_of("splitwise_en.csv"))
    expenses = {thing.description: thing for thing in target.things() if isinstance(thing, Expense)}
    assert [p.amount for p in expenses["House on the hill"].payers] == [3_600_000]
    assert expenses["House on the hill"].split_type is SplitType.EQUAL
    assert [p.amount for p in expenses["Two of us paid"].payers] == [60_000, 40_000]
    remarks = {row.description: row.reason for row in plan.rows}
    assert "doesn't say what each of several paid" in (remarks["Two of us paid"] or "")
    assert remarks["Kayaks"] is None


def test_a_payment_becomes_a_confirmed_settlement_with_its_day() -> None:
    target = Target.founded("INR")
    target.takes(text_of("splitwise_en.csv"))
    (payment,) = [thing for thing in target.things() if isinstance(thing, Settlement)]
    assert payment.status is SettlementStatus.COMPLETED
    assert (payment.amount, payment.note) == (150_000, "2026-02-10 Ravi I. paid Asha R.")


def test_money_that_came_back_is_paid_by_whom_it_belongs_to_for_who_received_it() -> None:
    target = Target.founded("EUR", name="Asha")
    target.takes(text_of("tricount.json"))
    (refund,) = [t for t in target.things() if isinstance(t, Expense) and t.description == "Deposit back"]
    assert [posting.amount for posting in refund.payers] == [200, 200, 200]
    assert [(posting.user_id, posting.amount) for posting in refund.shares] == [("asha", 600)]


def test_a_division_stays_as_it_was_asked_for_where_it_comes_to_the_same() -> None:
    target = Target.founded("EUR")
    target.takes(text_of("spliit.json"))
    kinds = {thing.description: thing.split_type for thing in target.things() if isinstance(thing, Expense)}
    assert kinds == {
        "Cabin": SplitType.EXACT,  # 400.00 by three leaves a cent
        "Boats": SplitType.SHARES,
        "Pizza": SplitType.EXACT,
        "=HYPERLINK(1)": SplitType.EXACT,
        "Deposit back": SplitType.EQUAL,
        "In pounds": SplitType.EQUAL,
    }


def test_what_is_lost_on_the_way_is_said() -> None:
    rows = Target.founded().looked_at(text_of("spliit.json")).rows
    assert {row.description: row.reason for row in rows if row.reason} == {
        "Pizza": "it repeats (weekly): only this one is taken over",
        "In pounds": "it was paid in GBP: booked as converted in the file",
    }
    rows = Target.founded().looked_at(text_of("tricount.json")).rows
    assert [row.reason for row in rows if row.reason] == ["its attachments stay behind", "it was deleted"]
    assert Target.founded().looked_at(text_of("ihatemoney.csv")).remarks == [
        "the file has no weight for Meera: each counts once"
    ]


def test_categories_and_comments_come_along() -> None:
    target = Target.founded()
    target.takes(text_of("cospend.csv"))
    dinner, rent = (thing for thing in target.things() if isinstance(thing, Expense))
    assert (dinner.category, dinner.notes) == ("Eating out", "two pizzas & wine")
    assert rent.category == "Rent"


def test_rows_in_another_currency_are_refused_and_can_be_left_out() -> None:
    text = text_of("splitwise_en.csv") + "2026-03-01,Hotel,Hotel,30.00,USD,-10.00,20.00,-10.00,0.00\n"
    target = Target.founded("INR")
    plan = target.looked_at(text)
    assert [(e.path, e.message) for e in plan.refusals] == [("rows.16", "it is in USD, the group is in INR")]
    plan = target.takes(text, skip=[16])
    assert [row.status for row in plan.rows if row.row == 16] == [Status.SKIPPED]
