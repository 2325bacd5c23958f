"""Expenses as asked for, to plain JSON objects and back: the fields of `expense:create`."""

from typing import Any, TypeAlias

from persplit.ledger.expense import (
    SCALED_SPLITS,
    VALUE_SCALE,
    ExpenseDraft,
    ExpenseKind,
    Item,
    Posting,
    SplitType,
    SplitValue,
)

Json: TypeAlias = dict[str, Any]


def draft_to_json(draft: ExpenseDraft) -> Json:
    """The fields of `expense:create` and `expense:update`; what isn't told is left out."""
    told: Json = {
        "description": draft.description,
        "amount": draft.amount,
        "splitType": None if draft.preset_id is not None else draft.split_type.value,
        "presetId": draft.preset_id,
        "paidBy": _payers_to_json(draft),
        "participants": None if draft.participants is None else list(draft.participants),
        "splits": splits_to_json(draft.splits, draft.split_type),
        "items": [
            {"name": item.name, "amount": item.amount, "participants": list(item.participants)}
            for item in draft.items
        ],
        "includePayer": draft.include_payer,
        "date": draft.date,
        "category": draft.category,
        "notes": draft.notes,
        "kind": None if draft.kind is ExpenseKind.EXPENSE else draft.kind.value,
        "currency": draft.currency,
        "rate": draft.rate,
    }
    return {name: value for name, value in told.items() if value is not None and value != []} | (
        {"participants": []} if draft.participants == () else {}
    )


def draft_from_json(fields: Json) -> ExpenseDraft:
    """What `draft_to_json` made."""
    split_type = SplitType(fields.get("splitType", SplitType.EQUAL))
    return ExpenseDraft(
        description=fields["description"],
        amount=fields["amount"],
        split_type=split_type,
        payers=_payers_from_json(fields),
        participants=tuple(fields["participants"]) if "participants" in fields else None,
        splits=splits_from_json(fields.get("splits", []), split_type),
        items=tuple(Item(i["name"], i["amount"], tuple(i["participants"])) for i in fields.get("items", ())),
        include_payer=fields["includePayer"],
        date=fields.get("date"),
        category=fields.get("category"),
        notes=fields.get("notes"),
        kind=ExpenseKind(fields.get("kind", ExpenseKind.EXPENSE)),
        currency=fields.get("currency"),
        rate=fields.get("rate"),
        preset_id=fields.get("presetId"),
    )


def splits_to_json(splits: tuple[SplitValue, ...], split_type: SplitType) -> list[Json]:
    """The splits, each `value` in minor units, or for PERCENTAGE and SHARES the number that was asked for."""
    if split_type not in SCALED_SPLITS:
        return [{"userId": split.user_id, "value": split.value} for split in splits]
    return [{"userId": split.user_id, "value": unscaled(split.value)} for split in splits]


def splits_from_json(stored: list[Json], split_type: SplitType) -> tuple[SplitValue, ...]:
    """What `splits_to_json` made."""
    if split_type not in SCALED_SPLITS:
        return tuple([SplitValue(split["userId"], split["value"]) for split in stored])
    return tuple([SplitValue(split["userId"], round(split["value"] * VALUE_SCALE)) for split in stored])


def unscaled(value: int) -> int | float:
    """Ten-thousandths as the number they stand for. Below 2**49 a float is near enough to be turned back."""
    whole, rest = divmod(value, VALUE_SCALE)
    return whole if rest == 0 else value / VALUE_SCALE


def _payers_to_json(draft: ExpenseDraft) -> str | list[Json] | None:
    if draft.payers is None:
        return None
    if len(draft.payers) == 1 and draft.payers[0].amount == draft.amount:
        return draft.payers[0].user_id
    return [{"userId": payer.user_id, "amount": payer.amount} for payer in draft.payers]


def _payers_from_json(fields: Json) -> tuple[Posting, ...] | None:
    paid_by = fields.get("paidBy")
    if isinstance(paid_by, str):
        return (Posting(paid_by, fields["amount"]),)
    return None if paid_by is None else tuple(Posting(p["userId"], p["amount"]) for p in paid_by)
