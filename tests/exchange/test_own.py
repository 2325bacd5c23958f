"""Our own file: what went out comes in again, with its balances, its history and its plan."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import assume, given

from persplit.exchange import own_table, table
from persplit.exchange.book import UnreadableFile
from persplit.exchange.rows import Status
from persplit.ledger import codec
from persplit.ledger.attachment import Attachment
from persplit.ledger.codec import Json
from persplit.ledger.commands import (
    AddAttachment,
    AddMember,
    BecomePlaceholder,
    ConfirmSettlement,
    CreateExpense,
    CreateGroup,
    CreateLoan,
    CreateSettlement,
    JoinGroup,
    RemoveAttachment,
    UpdateExpense,
    UpdateGroup,
)
from persplit.ledger.events import LoanEvent, subject_of
from persplit.ledger.expense import ExpenseDraft, SplitType
from persplit.ledger.loan import LoanDraft, LoanStatus
from persplit.ledger.money import AMOUNT_MAX
from persplit.ledger.state import plan_of
from persplit.ledger.units import speakers
from tests.exchange.given import Target, exported
from tests.ledger.given import (
    ASHA,
    JON,
    LONG_PROPERTY,
    MEERA,
    RAVI,
    TRIP,
    Ledger,
    histories,
    ledger_of,
    shared,
    spent,
)


def renamed(value: Any, people: Ledger) -> Any:
    """The JSON value with ids that are UUIDs, in the same order, so that ties are broken alike."""
    loans = {subject_of(it.event)[1] for it in people.events if isinstance(it.event, LoanEvent)}
    ids = sorted([*people.group.members, *people.things, *loans])
    names = {who: f"00000000-0000-4000-8000-{number:012d}" for number, who in enumerate(ids)}
    return _replaced(value, names)


def _replaced(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _replaced(part, names) for key, part in value.items()}
    if isinstance(value, list):
        return [_replaced(part, names) for part in value]
    return names.get(value, value) if isinstance(value, str) else value


def largest(value: Any) -> int:
    """The largest number in the JSON value."""
    if isinstance(value, dict):
        return max((largest(part) for part in value.values()), default=0)
    if isinstance(value, list):
        return max(map(largest, value), default=0)
    return value if isinstance(value, int) else 0


def history(events: list[Json]) -> Iterator[Json]:
    """What happened to expenses, settlements and loans, without where and under what number that was."""
    for event in events:
        noun = event["type"].partition(":")[0]
        if noun in ("expense", "settlement", "loan"):
            yield {
                "type": event["type"],
                noun: without_place(event[noun]),
                "loan": without_place(event.get("loan")),
                "before": without_place(event.get("before")),
            }


def said(events: list[Json]) -> list[tuple[str, str, str]]:
    """What was said about which expense, without the name of an author who has no account here."""
    talk = [event for event in events if event["type"].startswith("comment:")]
    return [
        (event["type"], event["comment"]["expenseId"], event["comment"]["text"].rpartition(": ")[2])
        for event in talk
    ]


def without_place(thing: Json | None) -> Json | None:
    return thing and {k: v for k, v in thing.items() if k not in ("groupId", "seq")}


def test_attachments_stay_where_they_are_and_everything_else_comes() -> None:
    bill = Attachment("ab" * 32, "image/png", 1_000, 10, 20, "bill.png")
    steps = (AddAttachment("e1", bill), UpdateExpense("e1", shared(600)), RemoveAttachment("e1", bill.id))
    ledger = ledger_of(*TRIP, spent("e1", shared(300)), *steps)
    target = Target.founded("INR", name="Asha")
    plan = target.takes(json.dumps(renamed(exported(ledger), ledger)))
    assert [row.status for row in plan.rows] == [Status.NEW, Status.IGNORED, Status.NEW, Status.IGNORED]
    (expense,) = target.ledger.expenses.values()
    assert (expense.amount, expense.attachments) == (600, ())


@given(histories())
@LONG_PROPERTY
def test_import_of_export_has_the_balances_the_history_and_the_plan(ledger: Ledger) -> None:
    document = renamed(exported(ledger), ledger)
    assume(largest(document["events"]) <= AMOUNT_MAX)
    me = document["group"]["members"][0]["userId"]
    target = Target.founded(ledger.group.settings.currency, name="u1", by=me)
    plan = target.takes(json.dumps(document))
    assert {row.status for row in plan.rows} <= {Status.NEW}
    assert not plan.differences
    wanted = {one["userId"]: one["amount"] for one in document["balances"]}
    assert {u: a for u, a in target.state.balances.items() if a} == {u: a for u, a in wanted.items() if a}
    ours = [codec.event_to_json(recorded) for recorded in target.ledger.events]
    claimed = {m["claimed"]: m["userId"] for m in document["group"]["members"] if m["claimed"]}
    assert list(history(ours)) == list(history(_replaced(document["events"], claimed)))
    assert said(ours) == said(document["events"])
    # Whoever left while debts could be rearranged could only do so then: so that comes last.
    target.ledger.do(me, UpdateGroup(simplify=ledger.group.settings.simplify))
    # Who speaks for a unit depends on who has an account, and on who came first, here.
    assume(speakers(map(codec.member_from_json, document["group"]["members"])) == target.state.settles_as)
    rows = [
        {"from": row.from_id, "to": row.to_id, "amount": row.amount}
        for row in plan_of(target.state).transfers
    ]
    assert rows == document["settleUp"]


def lent_and_repaid() -> Ledger:
    """Ravi has repaid some of what he borrowed, late in the evening where the group is, and too much of the rest."""
    terms = LoanDraft(10_000, "2026-01-01", "2027-01-31", "6.5", "Deposit")
    ledger = ledger_of(*TRIP, UpdateGroup(time_zone="Asia/Kolkata"), CreateLoan("l1", ASHA, RAVI, terms))
    ledger.now = "2026-02-28T20:00:00.000Z"
    for payment, amount, loan in (("s1", 3_000, "l1"), ("s2", 600, "l2")):
        if loan == "l2":
            ledger.do(ASHA, CreateLoan("l2", ASHA, RAVI, LoanDraft(500, "2026-02-01")))
        ledger.do(RAVI, CreateSettlement(payment, ASHA, amount, loan_id=loan))
        ledger.do(ASHA, ConfirmSettlement(payment))
    return ledger


def test_loans_come_along_to_the_last_unit_whatever_the_calendar_and_go_when_it_is_taken_back() -> None:
    ledger = lent_and_repaid()
    document = renamed(exported(ledger), ledger)
    target = Target.founded("INR", name="Asha")  # its days begin in UTC
    plan = target.takes(json.dumps(document))
    terms = [
        (loan.principal, loan.outstanding, loan.interest_paid, loan.accrued_through)
        for loan in ledger.group.loans.values()
    ]
    assert terms == [
        (loan.principal, loan.outstanding, loan.interest_paid, loan.accrued_through)
        for loan in target.state.loans.values()
    ]
    assert target.balances() == {"Asha": -100, "Ravi": 100}
    assert target.takes(json.dumps(document)).steps == ()
    target.undoes(plan.import_id)
    assert target.balances() == {}
    assert {loan.status for loan in target.state.loans.values()} == {LoanStatus.DELETED}
    assert [member.name for member in target.state.active()] == ["Asha"]
    again = target.takes(json.dumps(document))
    assert {row.status for row in again.rows} == {Status.NEW}
    assert target.balances() == {"Asha": -100, "Ravi": 100}


def test_a_loan_that_an_admin_noted_for_two_others_comes_along_where_they_are_no_admin() -> None:
    ledger = ledger_of(*TRIP, CreateLoan("l1", RAVI, MEERA, LoanDraft(10_000, "2026-01-01")))
    ledger.do(MEERA, CreateSettlement("s1", RAVI, 4_000, loan_id="l1"))
    ledger.do(RAVI, ConfirmSettlement("s1"))
    target = Target.founded("INR", name="Jon", by=JON)  # Asha comes in as somebody without an account
    target.takes(json.dumps(renamed(exported(ledger), ledger)))
    (loan,) = target.state.loans.values()
    assert (loan.outstanding, loan.created_by) == (6_000, JON)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("principal", 0),
        ("principal", "much"),
        ("lenderId", "nobody"),
        ("id", 7),
        ("date", "yesterday"),
        ("dueDate", "2025-02-30"),
        ("interestRate", "much"),
        ("interestRate", 6.5),
        ("description", "x" * 201),
        ("outstanding", None),
    ],
)
def test_a_loan_that_makes_no_sense_is_named_and_nothing_is_imported(field: str, value: object) -> None:
    ledger = ledger_of(*TRIP, CreateLoan("l1", ASHA, RAVI, LoanDraft(10_000, "2026-01-01")))
    document = renamed(exported(ledger), ledger)
    loan = document["events"][3]["loan"]
    if value is None:
        del loan[field]
    else:
        loan[field] = value
    plan = Target.founded("INR", name="Asha").looked_at(json.dumps(document))
    assert [error.path for error in plan.refusals] == ["rows.4"]


def test_a_payment_for_a_loan_that_is_left_out_is_named() -> None:
    ledger = lent_and_repaid()
    document = renamed(exported(ledger), ledger)
    plan = Target.founded("INR", name="Asha").looked_at(json.dumps(document), skip=[5])
    assert [error.path for error in plan.refusals] == ["rows.6", "rows.7"]
    document["events"] = [event for event in document["events"] if event["type"] != "loan:created"]
    plan = Target.founded("INR", name="Asha").looked_at(json.dumps(document))
    assert all("loan that is not in the file" in error.message for error in plan.refusals[::2])


@given(histories())
@LONG_PROPERTY
def test_import_of_the_table_has_the_balances(ledger: Ledger) -> None:
    state = ledger.group
    names = {member.user_id: f"person {number}" for number, member in enumerate(state.members.values())}
    text = table.table_of(state, names, list(ledger.things.values()))
    target = Target.founded(state.settings.currency, name="Somebody else")
    plan = target.takes(text)
    by_name = {names[user_id]: amount for user_id, amount in state.balances.items() if amount}
    assert target.balances() == by_name
    assert {row.status for row in plan.rows} <= {Status.NEW}
    assert target.takes(text).steps == ()


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("Asha,Paid for Ben", "Ben,Paid for Asha", "the columns aren't"),
        ("Paid for Ben", "Paid for", "the columns aren't"),
        ("Type", "Kind", "no header"),
    ],
)
def test_a_table_with_other_columns_is_not_read(old: str, new: str, reason: str) -> None:
    with pytest.raises(UnreadableFile, match=reason):
        own_table.read(TABLE.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("INR,10.00", "XXX,10.00", "ISO 4217"),
        ("10.00,,5.00,5.00", "10.00,,5.00,4.99", "what it was for doesn't sum"),
        ("EQUAL,,10.00", "EQUAL,,9.00", "what was paid doesn't sum"),
        ("INR,10.00", 'INR,"10,00"', "is not an amount"),
        ("10.00,EQUAL,,10.00,,5.00,5.00", "0.00,EQUAL,,,,,", "amount is zero"),
        (",expense,", ",payment,", "from one person to one other"),
        (",expense,", ",gift,", "neither expense nor payment"),
        ("2026-03-01", "yesterday", "is not a date"),
    ],
)
def test_a_row_that_does_not_hold_is_refused_by_its_line(old: str, new: str, reason: str) -> None:
    book = own_table.read(TABLE.replace(old, new))
    (refused,) = book.refused
    assert (refused.row, reason in refused.reason) == (2, True)
    assert not book.entries


TABLE = (
    "Date,Type,Description,Category,Currency,Amount,Split,Notes,Paid by Asha,Paid by Ben,Paid for Asha,Paid for Ben\n"
    "2026-03-01,expense,Tea,,INR,10.00,EQUAL,,10.00,,5.00,5.00\n"
)


def test_who_took_over_somebody_who_had_taken_over_a_placeholder_is_imported_as_one_person() -> None:
    ledger = Ledger()
    ledger.do("u1", CreateGroup("u1", "Goa"))
    ledger.do("u1", AddMember("p1", "p1", placeholder=True))
    ledger.do("u1", CreateExpense("e1", ExpenseDraft("Tea", 100, SplitType.EQUAL)))
    ledger.do("u2", JoinGroup("u2", claim="p1"))
    ledger.do("u2", BecomePlaceholder("u2"))
    ledger.do("u3", JoinGroup("u3", claim="u2"))
    target = Target.founded("INR", name="u1", by="u1")
    target.takes(json.dumps(exported(ledger)))
    assert sorted(target.state.balances.values()) == [-50, 50]
