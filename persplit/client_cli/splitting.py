"""From the words of `expense add` and `expense edit` to the ledger's `ExpenseDraft`."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Final, TypeAlias

from persplit.client_cli.amounts import parse_amount, parse_scaled
from persplit.client_cli.errors import UsageFault
from persplit.ledger.expense import ExpenseDraft, ExpenseKind, Item, Posting, SplitType, SplitValue

Person: TypeAlias = Callable[[str], str]
"""From how somebody is called to their user id. Raises `UsageFault`."""


class Split(StrEnum):
    """How to divide, in the words of the command line."""

    EQUAL = "equal"
    EXACT = "exact"
    PERCENT = "percent"
    SHARES = "shares"
    ADJUST = "adjust"
    ITEMS = "items"


class Kind(StrEnum):
    """Which way the money went, in the words of the command line."""

    EXPENSE = "expense"
    REFUND = "refund"
    INCOME = "income"

    @property
    def meant(self) -> ExpenseKind:
        """What the ledger calls it."""
        return ExpenseKind(self.value.upper())


_TYPES: Final[Mapping[Split, SplitType]] = {
    Split.EQUAL: SplitType.EQUAL,
    Split.EXACT: SplitType.EXACT,
    Split.PERCENT: SplitType.PERCENTAGE,
    Split.SHARES: SplitType.SHARES,
    Split.ADJUST: SplitType.ADJUSTMENT,
    Split.ITEMS: SplitType.ITEMIZED,
}
WORDS: Final[Mapping[SplitType, Split]] = {value: key for key, value in _TYPES.items()}
_BY_WHO_TAKES_PART: Final = frozenset({SplitType.EQUAL, SplitType.ADJUSTMENT})
_DAYS: Final = {"today": 0, "yesterday": 1}


@dataclass(frozen=True, slots=True)
class Words:
    """What was said of an expense; None and empty where nothing was."""

    description: str | None = None
    amount: str | None = None
    split: Split | None = None
    paid_by: Sequence[str] = ()
    among: Sequence[str] = ()
    parts: Sequence[str] = ()
    items: Sequence[str] = ()
    include_payer: bool | None = None
    date: str | None = None
    category: str | None = None
    notes: str | None = None
    kind: Kind | None = None
    currency: str | None = None
    rate: str | None = None
    preset_id: str | None = None

    @property
    def split_type(self) -> SplitType | None:
        """The split type, told or following from what was told; None where nothing says."""
        if self.split is not None:
            return _TYPES[self.split]
        if self.items:
            return SplitType.ITEMIZED
        if self.parts:
            raise UsageFault("say with --split what the parts are: exact, percent, shares or adjust")
        return None


def drafted(words: Words, person: Person, currency: str, today: date | None) -> ExpenseDraft:
    """A new expense. Its amount may be left out of an itemised one: then it is the items' sum.

    Without `today` it is a template, which has no day.

    Raises:
        UsageFault: something isn't said, or isn't understood. Whether it adds up is for the ledger to say.

    """
    if words.description is None:
        raise UsageFault("say what it was for")
    currency = words.currency or currency
    items = tuple(parse_item(text, person, currency) for text in words.items)
    amount = _amount(words, items, currency)
    split_type = words.split_type or SplitType.EQUAL
    return ExpenseDraft(
        description=words.description,
        amount=amount,
        split_type=split_type,
        payers=_payers(words.paid_by, amount, person, currency) if words.paid_by else None,
        participants=tuple(_people(words.among, person)) if words.among else None,
        splits=tuple(_split(text, split_type, person, currency) for text in words.parts),
        items=items,
        include_payer=words.include_payer is not False,
        date=None if today is None else parse_day(words.date or "today", today),
        category=words.category or None,
        notes=words.notes or None,
        kind=(words.kind or Kind.EXPENSE).meant,
        currency=words.currency,
        rate=words.rate,
        preset_id=words.preset_id,
    )


def divided(
    words: Words, person: Person, currency: str
) -> tuple[SplitType, tuple[str, ...] | None, tuple[SplitValue, ...]]:
    """How to divide, among whom, and what is told of each. Raises `UsageFault`."""
    split_type = words.split_type or SplitType.EQUAL
    people = tuple(_people(words.among, person)) if words.among else None
    return split_type, people, tuple(_split(part, split_type, person, currency) for part in words.parts)


def redrafted(before: ExpenseDraft, words: Words, person: Person, currency: str, today: date) -> ExpenseDraft:
    """The expense with what was said in place of what stood. An empty category or note removes it.

    Another way to divide starts afresh: parts and items of the old one would mean something else in the new.
    """
    after = before
    if words.description is not None:
        after = replace(after, description=words.description)
    if words.category is not None:
        after = replace(after, category=words.category or None)
    if words.notes is not None:
        after = replace(after, notes=words.notes or None)
    if words.date is not None:
        after = replace(after, date=parse_day(words.date, today))
    if words.kind is not None:
        after = replace(after, kind=words.kind.meant)
    if words.currency is not None or words.rate is not None:
        after = replace(after, currency=words.currency or before.currency, rate=words.rate)
    return _redivided(after, words, person, after.currency or currency)


def _redivided(before: ExpenseDraft, words: Words, person: Person, currency: str) -> ExpenseDraft:
    after = _of_type(before, words.split_type or before.split_type)
    if words.items:
        items = tuple(parse_item(text, person, currency) for text in words.items)
        after = replace(after, items=items, participants=None)
    if words.parts:
        splits = tuple(_split(text, after.split_type, person, currency) for text in words.parts)
        keeps = after.split_type in _BY_WHO_TAKES_PART
        after = replace(after, splits=splits, participants=after.participants if keeps else None)
    if words.among:
        after = replace(after, participants=tuple(_people(words.among, person)))
    if words.include_payer is not None:
        after = replace(after, include_payer=words.include_payer)
    return _repaid(after, words, person, currency)


def _of_type(before: ExpenseDraft, split_type: SplitType) -> ExpenseDraft:
    if split_type is before.split_type:
        return before
    both = {split_type, before.split_type} <= _BY_WHO_TAKES_PART
    return replace(
        before,
        split_type=split_type,
        splits=(),
        items=(),
        participants=before.participants if both or split_type is SplitType.EQUAL else None,
        include_payer=before.include_payer if both else True,
    )


def _repaid(before: ExpenseDraft, words: Words, person: Person, currency: str) -> ExpenseDraft:
    """The amount and who paid it. A single payer pays another amount as well; several have to be told anew."""
    amount = before.amount if words.amount is None else parse_amount(words.amount, currency)
    payers = before.payers
    if words.paid_by:
        payers = _payers(words.paid_by, amount, person, currency)
    elif payers is not None and len(payers) == 1:
        payers = (Posting(payers[0].user_id, amount),)
    elif payers is not None and amount != before.amount:
        raise UsageFault(
            "several people paid this: say with --paid-by what each of them paid of the new amount"
        )
    return replace(before, amount=amount, payers=payers)


def _amount(words: Words, items: Sequence[Item], currency: str) -> int:
    if words.amount is not None:
        return parse_amount(words.amount, currency)
    if items:
        return sum(item.amount for item in items)
    raise UsageFault("say how much it was")


def _payers(texts: Sequence[str], amount: int, person: Person, currency: str) -> tuple[Posting, ...]:
    """`Asha` alone, or `Asha=700` and `Ben=500`; one may stand without an amount, and paid the rest."""
    told = [_pair(text) for text in texts]
    known = [None if value is None else parse_amount(value, currency) for _, value in told]
    if known.count(None) > 1:
        raise UsageFault("say what each payer paid: --paid-by Asha=700 --paid-by Ben=500")
    rest = amount - sum(paid or 0 for paid in known)
    if rest < 0 or (rest == 0 and None in known):
        raise UsageFault("the payers paid more than the amount already")
    return tuple(
        Posting(person(name), rest if paid is None else paid)
        for (name, _), paid in zip(told, known, strict=True)
    )


def _split(text: str, split_type: SplitType, person: Person, currency: str) -> SplitValue:
    name, value = _pair(text)
    if value is None:
        raise UsageFault(f"{text!r} lacks a value: write it like Asha=500")
    match split_type:
        case SplitType.PERCENTAGE | SplitType.SHARES:
            number = parse_scaled(value)
        case SplitType.ADJUSTMENT:
            number = parse_amount(value, currency, signed=True, zero=True)
        case _:
            number = parse_amount(value, currency, zero=True)
    return SplitValue(person(name), number)


def parse_item(text: str, person: Person, currency: str) -> Item:
    """`Thali=300:Asha,Ben`: what, how much, for whom. Raises `UsageFault`."""
    name, equals, rest = text.partition("=")
    amount, colon, who = rest.partition(":")
    people = tuple(_people([who], person)) if colon else ()
    if not (name.strip() and equals and people):
        raise UsageFault(f"{text!r} isn't an item: write it like Thali=300:Asha,Ben")
    return Item(name.strip(), parse_amount(amount, currency), people)


def _people(texts: Iterable[str], person: Person) -> Iterable[str]:
    """Everybody named, by commas or one by one."""
    for text in texts:
        for name in text.split(","):
            if name.strip():
                yield person(name)


def _pair(text: str) -> tuple[str, str | None]:
    name, equals, value = text.rpartition("=")
    return (name.strip(), value.strip()) if equals else (text.strip(), None)


def parse_day(text: str, today: date) -> str:
    """`2026-11-21`, `today` or `yesterday` as an ISO day. Raises `UsageFault`."""
    word = text.strip().lower()
    if word in _DAYS:
        return (today - timedelta(days=_DAYS[word])).isoformat()
    try:
        return date.fromisoformat(word).isoformat()
    except ValueError:
        raise UsageFault(
            f"{text!r} isn't a day: write 2026-11-21, today or yesterday", code="bad_day"
        ) from None
