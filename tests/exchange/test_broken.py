"""Files that are broken, doctored or hostile: the row is named, and nothing else goes wrong."""

import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persplit.exchange.book import PEOPLE_MAX, ROWS_MAX, Format, UnreadableFile
from persplit.exchange.cells import (
    BadCell,
    day_of,
    decimal_of,
    description_of,
    lines_of,
    minor_units,
    notes_of,
)
from persplit.exchange.planning import ImportPlan
from persplit.exchange.reading import read_book
from persplit.ledger.commands import AddMember, CreateExpense, CreateGroup, CreateSettlement
from persplit.ledger.errors import LedgerError
from persplit.ledger.expense import ExpenseDraft, Item, Posting, SplitType
from tests.exchange.given import Target, exported, text_of
from tests.ledger.given import ASHA, PROPERTY, RAVI, ledger_of, shared, values

FILES = [
    "splitwise_en.csv",
    "splitwise_de.csv",
    "spliit.json",
    "spliit.csv",
    "tricount.json",
    "ihatemoney.csv",
    "ihatemoney_old.json",
    "cospend.csv",
]


def looked_at(text: str, currency: str = "EUR") -> ImportPlan | None:
    """What comes of a text; None where it can't be read at all."""
    try:
        return Target.founded(currency).looked_at(text)
    except UnreadableFile:
        return None


@given(st.sampled_from(FILES), st.data())
@PROPERTY
def test_a_file_cut_or_scribbled_on_is_refused_with_its_rows_or_still_adds_up(
    name: str, data: st.DataObject
) -> None:
    text = text_of(name)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 40)))
    scribble = data.draw(
        st.text(max_size=8) | st.sampled_from(['"', ",", "\n", "-", "9", "null", "[", "1e400", "NaN"])
    )
    try:
        plan = looked_at(text[:start] + scribble + text[end:], "INR" if name == "splitwise_en.csv" else "EUR")
    except LedgerError:
        return
    if plan is not None:
        assert sum(plan.state.balances.values()) == 0
        assert all(error.path.startswith(("rows.", "members.", "file")) for error in plan.refusals)


@given(st.text(max_size=300))
@PROPERTY
def test_any_text_is_read_or_refused(text: str) -> None:
    for format_ in (None, *Format):
        with contextlib.suppress(UnreadableFile):
            assert read_book(text, "EUR", format_).format in Format


HEADER = "Date,Description,Category,Cost,Currency,Asha,Ravi\n2026-01-01,Tea,Food,10.00,EUR,5.00,-5.00\n"


def test_a_table_of_spliit_whose_header_lacks_a_column_is_refused() -> None:
    with pytest.raises(UnreadableFile, match="has no Is Reimbursement"):
        Target.founded("EUR").looked_at(text_of("spliit.csv").replace("Is Reimbursement", "Is Reimb"))


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("2026-01-01,Tea,Food,10.00,EUR,5.00", "it has 1 people's columns, the header has 2"),
        ("2026-01-01,Tea,Food,10.00,EUR,5.00,-5.00,1.00", "people's columns"),
        ("2026-01-01,Tea,Food,10.00", "it has 4 columns"),
        ("2026-01-01,Tea,Food,10.00,EURO,5.00,-5.00", "not an ISO 4217 code"),
        ("2026-01-01,Tea,Food,ten,EUR,5.00,-5.00", "'ten' is not a number"),
        ("2026-01-01,Tea,Food,10.001,EUR,5.00,-5.00", "may be a thousand times another number"),
        ("2026-01-01,Tea,Food,10.0001,EUR,5.00,-5.00", "finer than EUR has units"),
        ("2026-01-01,Tea,Food,1e400,EUR,5.00,-5.00", "beyond all bounds"),
        ("2026-01-01,Tea,Food,Infinity,EUR,5.00,-5.00", "not a number"),
        ("2026-01-01,Tea,Food,99999999999999.00,EUR,5.00,-5.00", "larger than can be held"),
        ("2026-01-01,Tea,Food,10.00,EUR,5.00,-4.00", "sum to 100 minor units"),
        ("2026-01-01,Tea,Food,4.00,EUR,5.00,-5.00", "more is owed for it than it cost"),
        ("01/02/2026,Tea,Food,10.00,EUR,5.00,-5.00", "is not a date that begins with year"),
    ],
)
def test_a_row_of_a_table_that_is_wrong_is_named(line: str, says: str) -> None:
    plan = looked_at(HEADER + line + "\n")
    assert plan is not None
    (error,) = plan.refusals
    assert error.path == "rows.3"
    assert says in error.message


def spliit(change: Callable[[Any], None]) -> str:
    value = json.loads(text_of("spliit.json"))
    change(value["expenses"][1])
    return json.dumps(value)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda it: it.update(amount="100"), "amount is missing"),
        (lambda it: it.update(amount=True), "amount is missing"),
        (lambda it: it.update(amount=10**15), "larger than can be held"),
        (lambda it: it.update(splitMode="BY_MOON"), "splitMode is not one that is known"),
        (lambda it: it.update(paidById="p9"), "not among the participants"),
        (lambda it: it.update(paidFor=[]), "nobody takes part"),
        (lambda it: it["paidFor"].append(it["paidFor"][0]), "takes part twice"),
        (lambda it: it["paidFor"][0].update(shares=-1), "nobody takes part"),
        (lambda it: it.update(splitMode="BY_AMOUNT"), "the parts sum to 200, not to 10000"),
        (lambda it: it.update(expenseDate="soon"), "is not a date"),
        (lambda it: it.update(paidFor=[{"participantId": "p1", "shares": 1}] * 300), "more than 256 entries"),
    ],
)
def test_an_entry_of_spliit_that_is_wrong_is_named(change: Callable[[Any], None], says: str) -> None:
    plan = looked_at(spliit(change))
    assert plan is not None
    (error,) = plan.refusals
    assert error.path == "rows.2"
    assert says in error.message


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"value": "-16.66"', '"value": "-16.67"', "the allocations sum to 5001"),
        ('"value": "-16.66"', '"value": "16.66"', "another sign"),
        ('"display_name": "Asha"', '"nickname": "Asha"', ""),
        ('"currency": "EUR"', '"currency": "XYZ"', "not an ISO 4217 code"),
    ],
)
def test_an_entry_of_tricount_that_is_wrong_is_named(old: str, new: str, says: str) -> None:
    text = text_of("tricount.json")
    place = text.index(old, text.index("all_registry_entry"))
    plan = looked_at(text[:place] + new + text[place + len(old) :])
    assert plan is not None
    assert plan.refusals[0].path == "rows.1"
    assert says in plan.refusals[0].message


@pytest.mark.parametrize(
    ("name", "old", "new", "row", "says"),
    [
        ("ihatemoney.csv", "Ravi,2.0,Asha", "Ravi,3.0,Asha", 4, "another weight"),
        ("ihatemoney.csv", "Ravi,2.0,Asha", "Ravi,-2.0,Asha", 2, "a weight is negative"),
        ("ihatemoney.csv", "20.0,XXX", "20.0,ABC", 2, "not an ISO 4217 code"),
        ("ihatemoney.csv", "Ravi,2.0,Asha", ",2.0,Asha", 2, "has no name"),
        ("ihatemoney.csv", "Ravi,2.0,Asha", "Ravi,2.0,", 2, "nobody owes it"),
        ("ihatemoney.csv", "Ravi,2.0,Asha", 'Ravi,2.0,"Asha,Asha"', 2, "owes it twice"),
        ("cospend.csv", '"Asha,Ravi,Meera"', '"Asha,Nobody"', 7, "not among the people"),
        ("cospend.csv", '"Meera",2.5', '"Meera",x', 4, "not a number"),
        ("spliit.csv", "-75,25,0", "75,25,0", 3, "several cells"),
        ("spliit.csv", "-75,25,0", "-75,35,0", 3, "the cells sum to"),
        ("spliit.csv", '"EUR","100.00"', '"euro","100.00"', 3, "not an ISO 4217 code"),
    ],
)
def test_a_row_of_the_others_that_is_wrong_is_named(
    name: str, old: str, new: str, row: int, says: str
) -> None:
    assert old in text_of(name)
    plan = looked_at(text_of(name).replace(old, new, 1))
    assert plan is not None
    assert [says in e.message for e in plan.refusals if e.path == f"rows.{row}"][:1] == [True], plan.refusals


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "{",
        '"text"',
        "[[]]",
        "a,b,c,d,e,f\n1,2,3,4,5,6\n",
        "x" * 8_000_001,
        "Date,Description,Category,Cost,Currency,Asha,,Ravi\n2026-01-01,Tea,Food,10.00,EUR,5.00,,-5.00\n",
        ",".join(["a"] * 400) + "\n",
        "what,amount,date,payer_name,payer_weight,owers\n" + "tea,1,2026-01-01,A,1,B\n" * (ROWS_MAX + 1),
        json.dumps(
            [{"what": "tea", "amount": 1, "date": "", "payer_name": "", "payer_weight": 1, "owers": []}, 7]
        ),
        "name,weight\nA,1\n\nwhat,amount,timestamp,payer_name,payer_weight,owers\n"
        + "tea,1,1,A,1,A\n" * (ROWS_MAX + 1),
        "Date,Description,Category,Cost,Currency,A\n" + "\n" * 20_001,
        'Date,Description,Category,Cost,Currency,A\n"' + "x" * 20_001,
        json.dumps({"participants": [{"id": 1}], "expenses": []}),
        json.dumps(
            {"participants": [{"id": str(n), "name": "A"} for n in range(PEOPLE_MAX + 1)], "expenses": []}
        ),
        json.dumps({"all_registry_entry": []}),
        json.dumps({"format": "persplit", "version": 2}),
        json.dumps({"format": "persplit", "version": 1}),
        json.dumps({"format": "persplit", "version": 1, "group": {"currency": "XYZ"}}),
    ],
    ids=lambda text: text[:20],
)
def test_what_no_product_wrote_is_refused_whole(text: str) -> None:
    with pytest.raises(UnreadableFile):
        read_book(text, "EUR")


@pytest.mark.parametrize("format_", list(Format))
def test_a_file_of_another_product_than_said_is_refused(format_: Format) -> None:
    with pytest.raises(UnreadableFile):
        read_book("hello", "EUR", format_)


# --- our own, doctored


def ours() -> dict[str, Any]:
    """A file with an expense of several payers, an itemised one and a payment."""
    several = ExpenseDraft(
        "Boat",
        300,
        SplitType.EXACT,
        payers=(Posting(ASHA, 100), Posting(RAVI, 200)),
        splits=values({ASHA: 300}),
    )
    bill = ExpenseDraft("Bill", 90, SplitType.ITEMIZED, items=(Item("Soup", 90, (ASHA, RAVI)),))
    return exported(
        ledger_of(
            CreateGroup("Asha", "Goa", currency="EUR"),
            AddMember(RAVI, "Ravi"),
            CreateExpense("e1", shared(100, ASHA, RAVI)),
            CreateExpense("e2", several),
            CreateExpense("e3", bill),
            CreateSettlement("s1", RAVI, 40),
        )
    )


def test_our_own_is_taken_as_it_is() -> None:
    target = Target.founded()
    target.takes(json.dumps(ours()))
    assert len(target.things()) == 4


def on(row: int, *path: str | int) -> Callable[[Any, Any], None]:
    """Puts a value in place of one in the event of that row."""

    def put(document: Any, value: Any) -> None:
        place = document["events"][row - 1]
        for part in path[:-1]:
            place = place[part]
        place[path[-1]] = value

    return put


@pytest.mark.parametrize(
    ("put", "value"),
    [
        (on(3, "expense", "amount"), 101),
        (on(3, "expense", "amount"), -100),
        (on(3, "expense", "amount"), 1.5),
        (on(3, "expense", "amount"), 10**14),
        (on(3, "expense", "amount"), True),
        (on(3, "expense", "splitType"), "MOON"),
        (on(3, "expense", "paidBy"), "nobody"),
        (on(3, "expense", "paidBy"), 7),
        (on(3, "expense", "shares", 0, "amount"), 51),
        (on(3, "expense", "shares", 0, "amount"), -50),
        (on(3, "expense", "shares", 0, "userId"), "ravi"),
        (on(3, "expense", "participants"), ["asha", "asha"]),
        (on(3, "expense", "participants"), ["asha"] * 600),
        (on(3, "expense", "participants"), None),
        (on(3, "expense", "description"), ""),
        (on(3, "expense", "description"), "a\x00b"),
        (on(3, "expense", "description"), "x" * 201),
        (on(3, "expense", "category"), ""),
        (on(3, "expense", "notes"), "\x1b[2J"),
        (on(3, "expense", "notes"), 5),
        (on(3, "expense", "date"), "2026-1-1"),
        (on(3, "expense", "date"), None),
        (on(3, "expense", "includePayer"), "yes"),
        (on(3, "expense", "updatedAt"), "now"),
        (on(3, "expense", "updatedAt"), "2026-13-01T00:00:00.000Z"),
        (on(3, "expense", "id"), 5),
        (on(3, "expense"), "none"),
        (on(4, "expense", "splits", 0, "value"), 299),
        (on(4, "expense", "splits", 0, "value"), 1.5),
        (on(4, "expense", "splits", 0, "value"), -1),
        (on(4, "expense", "paidBy", 0, "amount"), 99),
        (on(5, "expense", "items", 0, "participants"), []),
        (on(5, "expense", "items", 0, "name"), ""),
        (on(6, "settlement", "amount"), 0),
        (on(6, "settlement", "toUserId"), "asha"),
        (on(6, "settlement", "utr"), "12"),
        (on(6, "settlement", "note"), "x" * 201),
        (on(6, "settlement", "status"), "MAYBE"),
        (on(6, "type"), "settlement:moved"),
        (on(3, "type"), "expense:moved"),
        (on(3, "type"), "expense:restored"),
        (on(3, "type"), 7),
    ],
)
def test_our_own_doctored_is_refused_with_its_row(put: Callable[[Any, Any], None], value: Any) -> None:
    document = ours()
    put(document, value)
    plan = looked_at(json.dumps(document))
    assert plan is not None
    assert plan.refusals
    assert {error.path for error in plan.refusals} <= {f"rows.{row}" for row in (3, 4, 5, 6)}


def test_our_own_whose_balances_are_not_those_of_its_events_is_refused() -> None:
    document = ours()
    document["balances"][0]["amount"] += 1
    plan = looked_at(json.dumps(document))
    assert plan is not None
    assert [error.path for error in plan.refusals] == ["file"]


def test_who_claimed_whom_has_to_make_sense() -> None:
    document = ours()
    document["group"]["members"][0]["claimed"] = "nobody"
    with pytest.raises(UnreadableFile):
        read_book(json.dumps(document), "EUR")


# --- cells


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1,234.50", "1234.50"),
        ("1.234,50", "1234.50"),
        ("1 234,5", "1234.5"),
        ("1'234.50", "1234.50"),
        ("-12,5", "-12.5"),
        ("−12.5", "-12.5"),
        ("1.234.567", "1234567"),
        ("0.125", "0.125"),
        ("7", "7"),
    ],
)
def test_numbers_as_people_write_them(text: str, number: str) -> None:
    assert str(decimal_of(text)) in (number, number + ".")


def test_amounts_have_the_places_of_their_currency() -> None:
    assert minor_units(decimal_of("1200.00"), "JPY") == 1_200
    assert minor_units(decimal_of("1.5"), "KWD") == 1_500
    with pytest.raises(BadCell):
        minor_units(decimal_of("1.5"), "JPY")


def test_texts_lose_what_cannot_be_seen_and_the_escape_before_a_formula() -> None:
    assert description_of("'=1+1") == "=1+1"
    assert description_of("a\x07b\u202ec") == "a bc"
    assert description_of(" ") == "(no description)"
    assert notes_of("two\r\nlines\x00") == "two\nlines"
    assert notes_of(" \n ") is None
    assert day_of("2026/01/31 10:00") == "2026-01-31"


def test_a_record_of_several_lines_has_the_number_of_its_first() -> None:
    lines = lines_of('a,b\n"x\ny",2\nc,d\n')
    assert [line.number for line in lines] == [1, 2, 4]
