"""A group's statement for people to print or send: balances, who pays whom with QRs, and what it was for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from persplit.ledger.expense import Expense, ExpenseKind
from persplit.ledger.loan import Loan, accrued
from persplit.ledger.money import decimal_text
from persplit.ledger.settlement import Settlement, SettlementStatus
from persplit.ledger.state import GroupState
from persplit.service.exporting import Whole
from persplit.service.ports import QrRenderer

ROWS_MAX: Final = 500
"""Expenses and payments on one statement, the newest: some fifteen pages. A table has all of them."""
PAYMENTS_MAX: Final = 256
"""Rows of the plan: a plan of a group of the largest size has one less than it has members."""
_SIGNS: Final = {"INR": "₹", "EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥"}


@dataclass(frozen=True, slots=True)
class DuePayment:
    """A row of the plan; `qr` is a PNG, None where UPI can't carry it."""

    from_name: str
    to_name: str
    amount: str
    qr: bytes | None


@dataclass(frozen=True, slots=True)
class OpenLoan:
    """A loan that isn't repaid: what would repay it on the statement's day, and its terms."""

    lender: str
    borrower: str
    to_repay: str
    terms: str


@dataclass(frozen=True, slots=True)
class Entry:
    """An expense or a payment that counts. `who` paid, for a payment: whom. Money that came in is negative."""

    date: str
    what: str
    who: str
    amount: str


@dataclass(frozen=True, slots=True)
class Statement:
    """All that is on it, as texts. `earlier`: how many entries before these are left out."""

    title: str
    as_of: str
    balances: Sequence[tuple[str, str]]
    payments: Sequence[DuePayment]
    entries: Sequence[Entry]
    earlier: int
    loans: Sequence[OpenLoan] = ()


async def statement_of(whole: Whole, qr_codes: QrRenderer) -> Statement:
    """The statement of a group as it stands; newest entries first."""
    state, names = whole.standing.state, whole.names()
    currency = state.settings.currency
    payments = [
        DuePayment(
            names[row.transfer.from_id],
            names[row.transfer.to_id],
            shown(row.transfer.amount, currency),
            None if row.upi_link is None else await qr_codes.png(row.upi_link),
        )
        for row in whole.standing.plan[:PAYMENTS_MAX]
    ]
    entries = [_entry(whole, thing, names) for thing in reversed(whole.things()) if _counts(thing)]
    return Statement(
        title=state.settings.name,
        as_of=state.at[:10],
        balances=[(names[user_id], shown(amount, currency)) for user_id, amount in state.balances.items()],
        payments=payments,
        entries=entries[:ROWS_MAX],
        earlier=max(0, len(entries) - ROWS_MAX),
        loans=[_loan(state, loan, names) for loan in state.loans.values() if loan.is_open],
    )


def shown(amount: int, currency: str) -> str:
    """Minor units for people: `₹1234.50`, `CHF 12.50`, `-₹3.00`."""
    sign = "-" if amount < 0 else ""
    return f"{sign}{_SIGNS.get(currency, f'{currency} ')}{decimal_text(abs(amount), currency)}"


def _loan(state: GroupState, loan: Loan, names: Mapping[str, str]) -> OpenLoan:
    then, currency = accrued(loan, state.at[:10]), state.settings.currency
    terms = [f"{shown(loan.principal, currency)} lent on {loan.date}"]
    terms += [] if loan.rate is None else [f"{loan.rate}% a year"]
    terms += [] if loan.due_date is None else [f"due {loan.due_date}"]
    return OpenLoan(
        names[loan.lender_id],
        names[loan.borrower_id],
        shown(then.outstanding + then.interest_owed, currency),
        ", ".join(terms),
    )


def _counts(thing: Expense | Settlement) -> bool:
    if isinstance(thing, Expense):
        return thing.deleted_at is None
    return thing.status is SettlementStatus.COMPLETED


def _entry(whole: Whole, thing: Expense | Settlement, names: dict[str, str]) -> Entry:
    state = whole.standing.state
    amount = shown(thing.amount, state.settings.currency)
    if isinstance(thing, Expense):
        if thing.kind is not ExpenseKind.EXPENSE:
            amount = shown(-thing.amount, state.settings.currency)
        who = ", ".join(names[state.canonical(posting.user_id)] for posting in thing.payers)
        return Entry(thing.date, thing.description, who, amount)
    payer, payee = (names[state.canonical(user_id)] for user_id in (thing.from_id, thing.to_id))
    did = "paid" if thing.repayment is None else "repaid"
    return Entry(thing.created_at[:10], f"{payer} {did} {payee}", thing.note or "", amount)
