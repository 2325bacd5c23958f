"""What is asked for, on its way to the wire and back; and the checks that need no group."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any, Final

from persplit.client.errors import Json
from persplit.ledger import loan
from persplit.ledger.arrangement_codec import schedule_to_json
from persplit.ledger.conversion import as_typed, canonical_rate
from persplit.ledger.draft_codec import draft_to_json, splits_to_json
from persplit.ledger.errors import FieldError, Invalid
from persplit.ledger.expense import (
    CATEGORY_LENGTH_MAX,
    DESCRIPTION_LENGTH_MAX,
    ITEM_NAME_LENGTH_MAX,
    ITEMS_MAX,
    NOTES_LENGTH_MAX,
    SHARES_VALUE_MAX,
    VALUE_SCALE,
    Expense,
    ExpenseDraft,
    SplitType,
)
from persplit.ledger.group import NAME_LENGTH_MAX
from persplit.ledger.loan_codec import loan_draft_to_json
from persplit.ledger.money import AMOUNT_MAX, CURRENCIES
from persplit.ledger.preset import PresetDraft
from persplit.ledger.recurrence import COUNT_MAX, INTERVAL_MAX, Schedule, is_time_zone
from persplit.ledger.settlement import NOTE_LENGTH_MAX

_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_UTR: Final = re.compile(r"[0-9]{12}")


def draft_of(expense: Expense) -> ExpenseDraft:
    """The draft of an expense: change it with `dataclasses.replace`, and send it as an update.

    Where one person paid, `payers` is None, which in an update leaves them: so the amount alone can be changed.
    In another currency the amounts are what was typed; without a `rate` it keeps the one that it has.
    """
    original, expense = expense.original, as_typed(expense)
    return ExpenseDraft(
        description=expense.description,
        amount=expense.amount,
        split_type=expense.split_type,
        payers=expense.payers if len(expense.payers) > 1 else None,
        participants=expense.participants,
        splits=expense.splits,
        items=expense.items,
        include_payer=expense.include_payer,
        date=expense.date,
        category=expense.category,
        notes=expense.notes,
        kind=expense.kind,
        currency=None if original is None else original.currency,
    )


def draft_to_wire(draft: ExpenseDraft) -> Json:
    """The fields of `expense:create` and `expense:update`; what isn't told is left out.

    Raises:
        Invalid: a field is wrong whatever the group; amounts are whole minor units.

    """
    _raise(_draft_errors(draft))
    return draft_to_json(replace(draft, description=draft.description.strip()))


def preset_to_wire(preset_id: str, draft: PresetDraft) -> Json:
    """The fields of `preset:save`. Raises `Invalid`."""
    _raise(_preset_errors(draft))
    fields: Json = {
        "presetId": preset_id,
        "name": draft.name.strip(),
        "splitType": draft.split_type.value,
        "isDefault": draft.is_default,
    }
    if draft.participants is not None:
        fields["participants"] = list(draft.participants)
    if draft.splits:
        fields["splits"] = splits_to_json(draft.splits, draft.split_type)
    return fields


def recurrence_to_wire(recurrence_id: str, schedule: Schedule, template: ExpenseDraft) -> Json:
    """The fields of `recurrence:save`. Raises `Invalid`."""
    _raise(_schedule_errors(schedule))
    told = {name: value for name, value in schedule_to_json(schedule).items() if value is not None}
    return {"recurrenceId": recurrence_id, "schedule": told, "expense": draft_to_wire(template)}


def loan_to_wire(draft: loan.LoanDraft) -> Json:
    """The terms for `loan:create` and `loan:update`; what isn't told is left out. Raises `Invalid`."""
    _raise(_loan_errors(draft))
    description = None if draft.description is None else draft.description.strip()
    rate = None if draft.rate is None else loan.canonical_rate(draft.rate)
    return loan_draft_to_json(replace(draft, description=description, rate=rate))


# --- checks


def checked_amount(amount: int) -> int:
    """The amount in minor units. Raises `Invalid`."""
    _raise(_amount_errors("amount", amount))
    return amount


def checked_name(path: str, name: str, length_max: int) -> str:
    """The name without surrounding space. Raises `Invalid` if it is empty or too long."""
    _raise(_text_errors(path, name, length_max))
    return name.strip()


def checked_text(path: str, text: str, length_max: int) -> str:
    """The text without surrounding space; it may be empty. Raises `Invalid` if it is too long."""
    _raise(_text_errors(path, text, length_max, length_min=0))
    return text.strip()


def checked_currency(currency: str) -> str:
    """The ISO 4217 code. Raises `Invalid`."""
    if currency not in CURRENCIES:
        raise Invalid(FieldError("currency", "not an ISO 4217 currency code"))
    return currency


def checked_note(note: str | None) -> str | None:
    """A settlement's note; None where there is nothing in it. Raises `Invalid`."""
    return None if note is None else checked_text("note", note, NOTE_LENGTH_MAX) or None


def checked_utr(utr: str | None) -> str | None:
    """A bank's reference. Raises `Invalid`."""
    if utr is not None and not _UTR.fullmatch(utr):
        raise Invalid(FieldError("utr", "twelve digits"))
    return utr


def _raise(errors: Iterator[FieldError]) -> None:
    found = tuple(errors)
    if found:
        raise Invalid(*found)


def _draft_errors(draft: ExpenseDraft) -> Iterator[FieldError]:
    yield from _text_errors("description", draft.description, DESCRIPTION_LENGTH_MAX)
    yield from _amount_errors("amount", draft.amount)
    if draft.category is not None:
        yield from _text_errors("category", draft.category, CATEGORY_LENGTH_MAX)
    if draft.notes is not None:
        yield from _text_errors("notes", draft.notes, NOTES_LENGTH_MAX, length_min=0)
    if draft.date is not None and not _is_day(draft.date):
        yield FieldError("date", "not a day, YYYY-MM-DD")
    if draft.currency is not None and draft.currency not in CURRENCIES:
        yield FieldError("currency", "not an ISO 4217 currency code")
    yield from _rate_errors(draft.rate)
    for index, payer in enumerate(draft.payers or ()):
        yield from _amount_errors(f"paidBy.{index}.amount", payer.amount)
    for index, split in enumerate(draft.splits):
        yield from _value_errors(f"splits.{index}.value", split.value, draft.split_type)
    yield from _item_errors(draft)


def _preset_errors(draft: PresetDraft) -> Iterator[FieldError]:
    yield from _text_errors("name", draft.name, NAME_LENGTH_MAX)
    for index, split in enumerate(draft.splits):
        yield from _value_errors(f"splits.{index}.value", split.value, draft.split_type)


def _loan_errors(draft: loan.LoanDraft) -> Iterator[FieldError]:
    yield from _amount_errors("principal", draft.principal)
    for name, day in (("date", draft.date), ("dueDate", draft.due_date)):
        if day is not None and not _is_day(day):
            yield FieldError(name, "not a day, YYYY-MM-DD")
    if draft.description is not None:
        yield from _text_errors("description", draft.description, loan.LOAN_DESCRIPTION_LENGTH_MAX)
    try:
        loan.canonical_rate("1" if draft.rate is None else draft.rate)
    except (TypeError, ValueError) as error:
        yield FieldError("interestRate", str(error))


def _schedule_errors(schedule: Schedule) -> Iterator[FieldError]:
    for name, day in (("start", schedule.start), ("end", schedule.end)):
        if day is not None and not _is_day(day):
            yield FieldError(f"schedule.{name}", "not a day, YYYY-MM-DD")
    if not 1 <= schedule.interval <= INTERVAL_MAX:
        yield FieldError("schedule.interval", f"from 1 to {INTERVAL_MAX}")
    if schedule.count is not None and not 1 <= schedule.count <= COUNT_MAX:
        yield FieldError("schedule.count", f"from 1 to {COUNT_MAX}")


def checked_time_zone(name: str) -> str:
    """The name of the time zone. Raises `Invalid`."""
    if not is_time_zone(name):
        raise Invalid(FieldError("timeZone", "not a time zone of the IANA database, such as Asia/Kolkata"))
    return name


def _rate_errors(rate: str | None) -> Iterator[FieldError]:
    try:
        canonical_rate("1" if rate is None else rate)
    except (TypeError, ValueError) as error:
        yield FieldError("rate", str(error))


def _item_errors(draft: ExpenseDraft) -> Iterator[FieldError]:
    if len(draft.items) > ITEMS_MAX:
        yield FieldError("items", f"at most {ITEMS_MAX}")
    for index, item in enumerate(draft.items):
        yield from _text_errors(f"items.{index}.name", item.name, ITEM_NAME_LENGTH_MAX)
        yield from _amount_errors(f"items.{index}.amount", item.amount)
        if not item.participants:
            yield FieldError(f"items.{index}.participants", "at least one person takes part")


def _amount_errors(path: str, amount: Any) -> Iterator[FieldError]:
    if type(amount) is not int:
        yield FieldError(path, "minor units: an integer")
    elif not 1 <= amount <= AMOUNT_MAX:
        yield FieldError(path, f"from 1 to {AMOUNT_MAX} minor units")


def _text_errors(path: str, text: Any, length_max: int, length_min: int = 1) -> Iterator[FieldError]:
    if not isinstance(text, str) or not length_min <= len(text.strip()) <= length_max:
        yield FieldError(path, f"from {length_min} to {length_max} characters")


def _value_errors(path: str, value: Any, split_type: SplitType) -> Iterator[FieldError]:
    low, high = {
        SplitType.PERCENTAGE: (0, 100 * VALUE_SCALE),
        SplitType.SHARES: (1, SHARES_VALUE_MAX),
        SplitType.ADJUSTMENT: (-AMOUNT_MAX, AMOUNT_MAX),
    }.get(split_type, (0, AMOUNT_MAX))
    if type(value) is not int:
        yield FieldError(path, "an integer: minor units, or ten-thousandths of a percent or weight")
    elif not low <= value <= high:
        yield FieldError(path, f"from {low} to {high}")


def _is_day(text: str) -> bool:
    try:
        return _DAY.fullmatch(text) is not None and bool(date.fromisoformat(text))
    except ValueError:
        return False
