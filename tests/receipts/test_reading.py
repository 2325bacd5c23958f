"""From words to a receipt, without a picture: what bills say and how, what is put right, and what never goes wrong."""

import random
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from persplit.ledger.split import shares_of
from persplit.receipts.dates import day_of
from persplit.receipts.labels import Label, label_of
from persplit.receipts.numbers import number_of
from persplit.receipts.page import WORDS_MAX, Word, rows_of
from persplit.receipts.proposal import UNNAMED, UNNAMED_ITEM, proposal_of
from persplit.receipts.reading import read
from persplit.receipts.receipt import ITEMS_MAX, Money, ReadItem, Receipt, Text
from tests.receipts.given import amounts, reading, rows, words_of
from tests.receipts.rendering import KINDS, RULE, Truth, rupees

FEW = settings(max_examples=60, deadline=None)

RESTAURANT = """
    Hotel Saravana Bhavan
    GSTIN: 29ABCDE1234F1Z5
    Bill No: 512 | Table: 7
    Date: 05/03/2026 | Time: 20:15
    Item | Qty | Rate | Amount
    Masala Dosa | 2 | 120.00 | 240.00
    Chicken 65 | 1 | 1,023.50 | 1,023.50
    Sub Total | 1,263.50
    Service Charge 5% | 63.18
    CGST @ 2.5% | 33.17
    SGST @ 2.5% | 33.17
    Tip | 50.00
    Round Off | -0.02
    Grand Total | ₹1,443.00
    Paid by UPI | 1,443.00
"""


def test_a_restaurants_bill_with_both_halves_of_gst_a_service_charge_a_tip_and_rounding() -> None:
    receipt = reading(RESTAURANT)
    assert receipt.merchant is not None
    assert receipt.merchant.value == "Hotel Saravana Bhavan"
    assert receipt.date is not None
    assert receipt.date.value == "2026-03-05", "the day comes first"
    assert amounts(receipt) == [("Masala Dosa", 24_000), ("Chicken 65", 102_350)]
    assert (receipt.items[0].quantity, receipt.items[0].rate) == (Fraction(2), 12_000)
    assert [(charge.kind, charge.amount) for charge in receipt.charges] == [
        (Label.SERVICE, 6_318),
        (Label.TAX, 3_317),
        (Label.TAX, 3_317),
        (Label.TIP, 5_000),
        (Label.ROUNDING, -2),
    ]
    tax, tip = receipt.sum_of(Label.TAX), receipt.sum_of(Label.TIP)
    assert (tax and tax.value, tip and tip.value) == (6_634, 5_000)
    assert receipt.total is not None
    assert (receipt.total.value, receipt.difference) == (144_300, 0)
    assert receipt.total.confidence > 0.95, "it adds up"


def test_a_supermarkets_bill_with_names_above_numbers_a_discount_and_taxes_in_the_prices() -> None:
    receipt = reading("""
        FRESH MART
        Ph: 080-23451234
        Dt: 12-Nov-2026
        TATA SALT 1KG
        2 x 28.00 | 56.00
        ONION LOOSE
        1.250 x 40.00 | 50.00
        Items: 2 | Gross Amt: 106.00
        Discount | -6.00
        TOTAL | 100.00
        Cash | 100.00
        GST included in the above
        CGST | 2.38
        SGST | 2.38
    """)
    assert amounts(receipt) == [("TATA SALT 1KG", 5_600), ("ONION LOOSE", 5_000)]
    assert receipt.items[1].quantity == Fraction(5, 4)
    assert [charge.included for charge in receipt.charges] == [False, True, True]
    assert (receipt.total and receipt.total.value, receipt.difference) == (10_000, 0)


def test_a_filling_stations_receipt_is_one_product() -> None:
    receipt = reading("""
        Indian Oil
        Pump No | 3
        Nozzle No | 2
        Product | Petrol
        Rate/Ltr | 102.86
        Volume (L) | 9.72
        Amount | 21,000.00
        Date | 31.12.2025
    """)
    assert amounts(receipt) == [("Petrol", 100_000)], "a rupee sign was taken for a 2"
    assert (receipt.items[0].quantity, receipt.items[0].rate) == (Fraction(972, 100), 10_286)
    assert receipt.items[0].confidence < 0.95
    assert receipt.difference == 0


def test_a_bill_without_minor_units() -> None:
    receipt = reading("Dhaba\nThali | 2 | 150 | 300\nChai | 20\nTotal | 320")
    assert amounts(receipt) == [("Thali", 30_000), ("Chai", 2_000)]
    assert (receipt.total and receipt.total.value, receipt.difference) == (32_000, 0)
    yen = reading("Ramen-ya\nRamen | 2 | 900 | 1,800\nTotal | 1,800", digits=0)
    assert (amounts(yen), yen.total and yen.total.value) == ([("Ramen", 1_800)], 1_800)


def test_it_says_by_how_much_it_does_not_add_up() -> None:
    receipt = reading("Cafe\nTea | 20.00\nCake | 35.00\nGrand Total | 100.00")
    assert receipt.difference == 10_000 - 5_500
    assert max(item.confidence for item in receipt.items) < 0.8


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("Masala Dosa | 2 | 120.00 | 249.00", 24_000),
        ("Masala Dosa | 2 | 120.00 | 2240.00", 24_000),
    ],
    ids=["a digit was misread", "a rupee sign was taken for a digit"],
)
def test_one_misread_amount_is_put_right_where_then_all_of_it_adds_up(wrong: str, right: int) -> None:
    receipt = reading(RESTAURANT.replace("Masala Dosa | 2 | 120.00 | 240.00", wrong))
    assert receipt.items[0].amount == right
    assert receipt.difference == 0
    assert receipt.items[0].confidence < receipt.items[1].confidence


def test_a_misread_total_and_a_lost_minus_are_put_right_too() -> None:
    for line, misread in (("₹1,443.00", "21,443.00"), ("| -0.02", "| 0.02")):
        receipt = reading(RESTAURANT.replace(line, misread).replace("Paid by UPI | 1,443.00", ""))
        assert (receipt.total and receipt.total.value, receipt.difference) == (144_300, 0)


def test_a_subtotal_whose_name_cannot_be_read_is_no_item() -> None:
    receipt = reading(RESTAURANT.replace("Sub Total", "5uæ"))
    assert len(receipt.items) == 2
    assert receipt.difference == 0


def test_an_item_that_costs_as_much_as_those_before_it_is_one() -> None:
    receipt = reading(RESTAURANT.replace("Sub Total | 1,263.50", "Thali | 2 | 631.75 | 1,263.50"))
    assert len(receipt.items) == 3


def test_a_thing_that_is_called_like_a_label_is_an_item_where_its_numbers_say_so() -> None:
    receipt = reading("Cafe\nItem | Qty | Rate | Amount\nDate Shake | 2 | 60.00 | 120.00\nTotal | 120.00")
    assert amounts(receipt) == [("Date Shake", 12_000)]


def test_without_a_name_for_it_the_total_is_what_the_items_come_to_and_hardly_sure() -> None:
    receipt = reading("Cafe\nTea | 20.00\nCake | 35.00")
    assert receipt.total is not None
    assert (receipt.total.value, receipt.difference) == (5_500, 0)
    assert receipt.total.confidence < 0.5


def test_where_there_is_nothing_nothing_is_found() -> None:
    for receipt in (read([], 2), reading("hello\nworld"), reading("12\n34")):
        assert (receipt.items, receipt.charges, receipt.total) == ((), (), None)


# --- numbers, days and labels


@pytest.mark.parametrize(
    ("text", "value", "places"),
    [
        ("1,23,456.50", "123456.50", 2),
        ("₹1,024.00", "1024", 2),
        ("Rs.450", "450", 0),
        ("450/-", "450", 0),
        ("1.063.00", "1063", 2),
        ("673 98", "673.98", 2),
        ("450. 00", "450", 2),
        ("1O5.0O", "105", 2),
        ("l2.5O", "12.5", 2),
        ("-0.24", "-0.24", 2),
        ("(-)0.38", "-0.38", 2),
        ("0.38-", "-0.38", 2),
        ("10.345", "10.345", 3),
        ("1,000", "1000", 0),
        ("12,50", "12.5", 2),
    ],
)
def test_numbers_as_they_are_printed_and_misread(text: str, value: str, places: int) -> None:
    number = number_of(text)
    assert number is not None
    assert (number.value, number.places) == (Fraction(value), places)


@pytest.mark.parametrize(
    "text", ["", "Total", "65G", "29ABCDE", "14:16", "2 x 3", "SO", "O", ",", "080-2345", "9" * 30]
)
def test_what_is_no_number(text: str) -> None:
    assert number_of(text) is None


@given(st.integers(0, 10**12), st.sampled_from(["", "₹", "Rs.", "Rs ", "INR "]))
@FEW
def test_every_amount_is_read_as_it_was_printed_with_commas_as_in_india(paise: int, sign: str) -> None:
    number = number_of(sign + rupees(paise))
    assert number is not None
    assert number.minor(2) == paise


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("Date: 05/03/2026", "2026-03-05"),
        ("5-3-26", "2026-03-05"),
        ("12.11.2026 14:20", "2026-11-12"),
        ("2026-03-05", "2026-03-05"),
        ("05 Mar 2026", "2026-03-05"),
        ("05-MAR-26", "2026-03-05"),
        ("5th March 2026", "2026-03-05"),
        ("Mar 5, 2026", "2026-03-05"),
        ("12/31/2026", "2026-12-31"),
        ("O5/1l/2O26", "2026-11-05"),
        ("31/13/2026", None),
        ("Ph: 080-2345678", None),
        ("1/1/1899", None),
        ("12 Foo 2026", None),
    ],
)
def test_days_in_indian_order(text: str, day: str | None) -> None:
    assert day_of(text) == day


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)))
@FEW
def test_every_day_is_read_in_every_way_in_which_bills_write_it(day: date) -> None:
    for way in ("%d/%m/%Y", "%d-%m-%y", "%d.%m.%Y", "%d-%b-%Y", "%d %b %Y", "%Y-%m-%d", "%b %d, %Y"):
        assert day_of(f"Date: {day.strftime(way)} 10:30") == day.isoformat()


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Grand Total", Label.TOTAL),
        ("NET AMOUNT", Label.TOTAL),
        ("T0TAL", Label.PLAIN_TOTAL),
        ("Sub Total", Label.SUBTOTAL),
        ("Subtctal", Label.SUBTOTAL),
        ("Total Qty", Label.NOISE),
        ("5GST", Label.TAX),
        ("CGT", Label.TAX),
        ("Add CGST", Label.TAX),
        ("Service Tax", Label.TAX),
        ("Service Charge", Label.SERVICE),
        ("Round 0ff", Label.ROUNDING),
        ("Less Discount", Label.DISCOUNT),
        ("Parcel", Label.PACKING),
        ("Tip", Label.TIP),
        ("Cash", Label.PAYMENT),
        ("Taxi fare", None),
        ("Tipsy Pudding", None),
        ("Cardamom Tea", None),
        ("Multiple plugs", None),
        ("Chicken 65", None),
        ("42", None),
    ],
)
def test_what_labels_say_though_letters_are_misread(text: str, label: Label | None) -> None:
    assert label_of(text) is label


# --- rows


@given(st.floats(-0.1, 0.1), st.floats(-0.04, 0.04), st.randoms(use_true_random=False))
@settings(max_examples=12, deadline=None)
def test_rows_are_found_however_the_paper_is_held(slope: float, change: float, rng: random.Random) -> None:
    words = words_of(RESTAURANT, slope=slope, change=change)
    rng.shuffle(words)
    assert [row.text for row in rows_of(words)] == [row.text for row in rows(RESTAURANT)]


def test_only_so_many_words_are_looked_at() -> None:
    many = [Word(f"word {n}", 0, n * 30, 100, n * 30 + 20) for n in range(WORDS_MAX + 50)]
    assert len(rows_of(many)) == WORDS_MAX
    assert rows_of([Word("  ", 0, 0, 10, 10)]) == []


# --- any receipt


def printed(truth: Truth) -> str:
    """The lines of a made-up receipt, as `words_of` takes them."""
    return "\n".join("|".join(words for words, _ in line.cells) for line in truth.lines if line is not RULE)


@given(st.sampled_from(sorted(KINDS)), st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_a_receipt_that_is_read_letter_by_letter_is_understood(kind: str, seed: int) -> None:
    truth = KINDS[kind](seed)
    receipt = reading(printed(truth))
    assert receipt.merchant == Text(truth.merchant, receipt.merchant.confidence if receipt.merchant else 0)
    assert receipt.date is not None
    assert receipt.date.value == truth.date
    assert receipt.total is not None
    assert (receipt.total.value, receipt.difference) == (truth.total, 0)
    assert amounts(receipt) == truth.items
    tax, tip = receipt.sum_of(Label.TAX), receipt.sum_of(Label.TIP)
    assert (tax.value if tax else 0, tip.value if tip else 0) == (truth.tax, truth.tip)


texts = st.text(st.sampled_from("0123456789.,₹ xX-@%:/abcSOlITotalGSTRate\u200b\n\x07é"), max_size=24)
anything = st.lists(
    st.builds(
        Word,
        text=texts,
        left=st.floats(0, 500),
        top=st.floats(0, 500),
        right=st.floats(500, 900),
        bottom=st.floats(500, 600),
        slope=st.floats(-1, 1),
        score=st.floats(0, 1),
    ),
    max_size=12,
)


@given(anything, st.sampled_from([0, 2, 3]))
@FEW
def test_whatever_was_read_nothing_breaks_and_a_proposal_is_one_that_can_be_booked(
    words: list[Word], digits: int
) -> None:
    receipt = read(rows_of(words), digits)
    charged = sum(charge.amount for charge in receipt.charges if not charge.included)
    spent = sum(item.amount for item in receipt.items) + charged
    assert receipt.difference == (receipt.total.value - spent if receipt.total else 0)
    draft = proposal_of(receipt, ["asha", "ravi", "meera"])
    if draft is None:
        assert receipt.total is None or receipt.total.value <= 0
        return
    assert all(item.amount > 0 and item.name.isprintable() and item.name.strip() for item in draft.items)
    people = ["asha", "ravi", "meera"]
    shares = shares_of("e1", draft.amount, draft.split_type, people, (), draft.items)
    assert sum(share.amount for share in shares) == draft.amount


def test_a_proposal_has_names_where_none_were_read() -> None:
    total = Money(5_000, 0.9)
    bare = proposal_of(Receipt(None, None, (), (), total, 0), ["asha"])
    assert bare is not None
    assert (bare.description, [(item.name, item.amount) for item in bare.items]) == (
        UNNAMED,
        [(UNNAMED, 5_000)],
    )
    odd = ReadItem("\u200b..", 5_000, 0.5)
    named = proposal_of(Receipt(Text("Cafe\x07 One", 0.9), None, (odd,), (), total, 0), ["asha"])
    assert named is not None
    assert (named.description, named.items[0].name) == ("Cafe One", UNNAMED_ITEM)


def test_only_so_many_items_are_read() -> None:
    lines = "\n".join(f"Thing number {n} | 10.00" for n in range(ITEMS_MAX + 20))
    assert len(reading(f"Shop\n{lines}\nTotal | 5.00").items) == ITEMS_MAX
