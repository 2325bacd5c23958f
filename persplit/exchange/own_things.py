"""Expenses and settlements of a file of ours, checked as if a stranger had written them: anybody can edit a file."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar

from persplit.exchange.book import PEOPLE_MAX
from persplit.exchange.cells import BadCell, day_of
from persplit.ledger import codec
from persplit.ledger.arrangement_codec import preset_from_json
from persplit.ledger.codec import Json
from persplit.ledger.comment import TEXT_LENGTH_MAX, Comment
from persplit.ledger.conversion import as_typed
from persplit.ledger.expense import (
    CATEGORY_LENGTH_MAX,
    DESCRIPTION_LENGTH_MAX,
    ITEM_NAME_LENGTH_MAX,
    ITEMS_MAX,
    NOTES_LENGTH_MAX,
    SCALED_SPLITS,
    SHARES_VALUE_MAX,
    Expense,
    ExpenseDraft,
    Item,
    Original,
    Posting,
    SplitType,
    SplitValue,
)
from persplit.ledger.group import NAME_LENGTH_MAX
from persplit.ledger.loan import LOAN_DESCRIPTION_LENGTH_MAX, Loan, LoanDraft, canonical_rate
from persplit.ledger.loan_codec import loan_from_json
from persplit.ledger.money import AMOUNT_MAX, CURRENCIES
from persplit.ledger.preset import PresetDraft
from persplit.ledger.settlement import NOTE_LENGTH_MAX, Settlement

_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_UTR: Final = re.compile(r"[0-9]{12}")
_HIDDEN: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
_UNREADABLE: Final = (AttributeError, KeyError, IndexError, TypeError, ValueError, OverflowError)

Rename = Callable[[str], str]
"""From an id of the file to one of the group. Raises `BadCell` for somebody unknown."""
_T = TypeVar("_T")


def expense_of(body: Json) -> Expense:
    """The expense that an event holds. Raises `BadCell`."""
    return _decoded(codec.expense_from_json, body, "expense")


def settlement_of(body: Json) -> Settlement:
    """The settlement that an event holds. Raises `BadCell`."""
    settlement = _decoded(codec.settlement_from_json, body, "settlement")
    _amount(settlement.amount)
    _text(settlement.note, NOTE_LENGTH_MAX, lines=True)
    if settlement.utr is not None and not (
        isinstance(settlement.utr, str) and _UTR.fullmatch(settlement.utr)
    ):
        raise BadCell("its UTR is not a number of twelve digits")
    if settlement.loan_id is not None:
        _id(settlement.loan_id)
        _day(settlement.paid_on)
    return settlement


def loan_of(body: Json) -> Loan:
    """The loan that an event holds. Raises `BadCell`."""
    loan = _decoded(loan_from_json, body, "loan")
    for value in (loan.id, loan.lender_id, loan.borrower_id, loan.created_by):
        _id(value)
    return loan


def loan_draft_of(loan: Loan) -> LoanDraft:
    """The terms that make this loan again. Raises `BadCell`."""
    if loan.description is not None:
        _text(loan.description, LOAN_DESCRIPTION_LENGTH_MAX)
    try:
        rate = None if loan.rate is None else canonical_rate(loan.rate)
    except (TypeError, ValueError):
        raise BadCell("its interest is no rate a year") from None
    return LoanDraft(
        principal=_amount(loan.principal),
        date=_day(loan.date),
        due_date=None if loan.due_date is None else _day(loan.due_date),
        rate=rate,
        description=loan.description,
    )


def comment_of(body: Json) -> Comment:
    """The comment that an event holds. Raises `BadCell`."""
    comment = _decoded(codec.comment_from_json, body, "comment")
    for value in (comment.id, comment.expense_id, comment.created_by):
        _id(value)
    if not isinstance(comment.text, str) or not comment.text.strip():
        raise BadCell("it has no text")
    _text(comment.text, TEXT_LENGTH_MAX, lines=True)
    return comment


def preset_of(body: Json, rename: Rename) -> PresetDraft:
    """The preset that an event holds, as one to be kept. Raises `BadCell`."""
    preset = _decoded(preset_from_json, body, "preset")
    _text(preset.name, NAME_LENGTH_MAX)
    if not isinstance(preset.is_default, bool):
        raise BadCell("isDefault is neither true nor false")
    among = preset.participants
    return PresetDraft(
        name=preset.name,
        split_type=preset.split_type,
        participants=None if among is None else tuple(rename(user_id) for user_id in _bounded(among)),
        splits=tuple(
            SplitValue(rename(split.user_id), _value(split.value, preset.split_type))
            for split in _bounded(preset.splits)
        ),
        is_default=preset.is_default,
    )


def _decoded(decode: Callable[[Json], _T], body: Json, noun: str) -> _T:
    try:
        return decode(body[noun])
    except _UNREADABLE:
        raise BadCell(f"it holds no {noun} that can be read") from None


def instant_of(value: Any) -> str:
    """A time as we write it. Raises `BadCell`."""
    if not (isinstance(value, str) and _INSTANT.fullmatch(value)):
        raise BadCell("a time in it is not one in RFC 3339 with milliseconds, in UTC")
    try:
        datetime.fromisoformat(value)
    except ValueError:
        raise BadCell("a time in it does not exist") from None
    return value


def draft_of(expense: Expense, rename: Rename) -> ExpenseDraft:
    """The draft that makes this expense again, in the currency in which it was typed. Raises `BadCell`."""
    original, expense = expense.original, as_typed(expense)
    _text(expense.description, DESCRIPTION_LENGTH_MAX)
    if expense.category is not None:
        _text(expense.category, CATEGORY_LENGTH_MAX)
    _text(expense.notes, NOTES_LENGTH_MAX, lines=True)
    if not isinstance(expense.include_payer, bool):
        raise BadCell("includePayer is neither true nor false")
    return ExpenseDraft(
        description=expense.description,
        amount=_amount(expense.amount),
        split_type=expense.split_type,
        payers=_postings(expense.payers, rename),
        participants=tuple(rename(user_id) for user_id in _bounded(expense.participants)),
        splits=tuple(
            SplitValue(rename(split.user_id), _value(split.value, expense.split_type))
            for split in _bounded(expense.splits)
        ),
        items=tuple(_item(item, rename) for item in _bounded(expense.items, ITEMS_MAX)),
        include_payer=expense.include_payer,
        date=_day(expense.date),
        category=expense.category,
        notes=expense.notes,
        shares=_postings(expense.shares, rename),
        kind=expense.kind,
        **({} if original is None else _exchanged(original)),
    )


def _exchanged(original: Original) -> dict[str, Any]:
    if original.currency not in CURRENCIES or not isinstance(original.rate, str):
        raise BadCell("its original amount is in no currency, or at no rate")
    return {"currency": original.currency, "rate": original.rate, "rate_source": original.rate_source}


def _postings(postings: Sequence[Posting], rename: Rename) -> tuple[Posting, ...]:
    return tuple(Posting(rename(p.user_id), _amount(p.amount, least=0)) for p in _bounded(postings))


def _item(item: Item, rename: Rename) -> Item:
    _text(item.name, ITEM_NAME_LENGTH_MAX)
    people = tuple(rename(user_id) for user_id in _bounded(item.participants))
    if not people:
        raise BadCell("an item of it has nobody who takes part")
    return Item(item.name, _amount(item.amount), people)


def _bounded(values: Sequence[_T], length_max: int = 2 * PEOPLE_MAX) -> Sequence[_T]:
    if len(values) > length_max:
        raise BadCell(f"a list in it has more than {length_max} entries")
    return values


def _id(value: Any) -> None:
    if not isinstance(value, str):
        raise BadCell("an id in it is not a text")


def _day(value: Any) -> str:
    if not isinstance(value, str) or day_of(value) != value:
        raise BadCell("its date is not a day")
    return value


def _amount(value: Any, least: int = 1) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= AMOUNT_MAX:
        raise BadCell("an amount in it is not a whole number of minor units, or beyond the bounds")
    return value


def _value(value: Any, split_type: SplitType) -> int:
    low = -AMOUNT_MAX if split_type is SplitType.ADJUSTMENT else 0
    high = SHARES_VALUE_MAX if split_type in SCALED_SPLITS else AMOUNT_MAX
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise BadCell("the value of a split in it is beyond the bounds")
    return value


def _text(value: Any, length_max: int, *, lines: bool = False) -> None:
    """Return if it is a text that may stand there; an empty one or None only where there may be several lines."""
    if lines and value is None:
        return
    if not isinstance(value, str) or len(value) > length_max or not (lines or value.strip()):
        raise BadCell("a text in it is missing or too long")
    kept: Iterable[str] = value.replace("\n", "").replace("\t", "") if lines else value
    if any(unicodedata.category(character) in _HIDDEN for character in kept):
        raise BadCell("a text in it has control characters")
