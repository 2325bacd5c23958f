"""From one currency to another: whole minor units in, whole minor units out, nothing made or lost on the way.

A rate is a decimal text: so many major units of the group's currency for one major unit of the other. An amount is
converted once and rounded once, half a unit up. Its parts are not converted one by one: the converted whole is
divided in proportion to them, so that they sum to it whatever the rate.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Final

from persplit.ledger.errors import FieldError, Invalid
from persplit.ledger.expense import Expense, Item, Original, Posting, RateSource, SplitType, SplitValue
from persplit.ledger.money import AMOUNT_MAX, minor_digits

RATE_WHOLE_DIGITS_MAX: Final = 9
"""A Kuwaiti dinar is about 300,000 rials of Iran."""
RATE_DECIMALS_MAX: Final = 12
"""Of that rial about 0.000003 dinars, with digits enough to be as exact as any published rate."""

_RATE: Final = re.compile(rf"[0-9]{{1,{RATE_WHOLE_DIGITS_MAX}}}(\.[0-9]{{1,{RATE_DECIMALS_MAX}}})?")


def canonical_rate(text: str) -> str:
    """The rate with no needless zeros: `097.250` is `97.25`.

    Raises:
        ValueError: it isn't a positive decimal number of a few digits.

    """
    if not _RATE.fullmatch(text):
        raise ValueError(
            f"a decimal number such as 97.25, with at most {RATE_WHOLE_DIGITS_MAX} digits before the point and "
            f"{RATE_DECIMALS_MAX} after it"
        )
    whole, _, decimals = text.partition(".")
    shown = (whole.lstrip("0") or "0") + (f".{decimals}".rstrip("0") if decimals else "").rstrip(".")
    if shown == "0":
        raise ValueError("more than 0")
    return shown


def converted(amount: int, currency: str, rate: str, into: str) -> int:
    """The amount in minor units of `into`, rounded to the nearest, half a unit up.

    Args:
        amount: minor units of `currency`, not negative.
        currency: ISO 4217.
        rate: major units of `into` for one of `currency`, as `canonical_rate` gives it.
        into: ISO 4217.

    """
    factor = Fraction(rate) * Fraction(10) ** (minor_digits(into) - minor_digits(currency))
    return (2 * amount * factor.numerator + factor.denominator) // (2 * factor.denominator)


def in_proportion(total: int, parts: Sequence[int]) -> list[int]:
    """`total` divided in proportion to the parts, to the last unit.

    Hamilton's method. Equal remainders are served in turn, beginning at a place that depends on the total: it isn't
    always the first who gets the odd unit, and people who go by other ids in another ledger get the same there.

    Args:
        total: not negative.
        parts: not negative, not all zero.

    """
    whole = sum(parts)
    divided = [total * part // whole for part in parts]
    left = total - sum(divided)
    ranked = sorted(
        range(len(parts)), key=lambda place: (-(total * parts[place] % whole), (place - total) % len(parts))
    )
    for place in ranked[:left]:
        divided[place] += 1
    return divided


def in_currency(typed: Expense, currency: str, rate: str, source: RateSource, into: str) -> Expense:
    """The expense that was typed in `currency` as one of a group that reckons in `into`, with what was typed beside.

    Raises:
        Invalid: it comes to nothing, or to more than an amount can be.

    """
    amount = converted(typed.amount, currency, rate, into)
    if not 1 <= amount <= AMOUNT_MAX:
        raise Invalid(
            FieldError("amount", f"comes to {amount} minor units of {into}: from 1 to {AMOUNT_MAX}")
        )
    payers = _postings(amount, typed.payers)
    return replace(
        typed,
        amount=amount,
        payers=tuple(payer for payer in payers if payer.amount),
        splits=_splits(amount, typed, currency, rate, into),
        items=tuple(
            Item(item.name, max(1, converted(item.amount, currency, rate, into)), item.participants)
            for item in typed.items
        ),
        shares=_postings(amount, typed.shares),
        original=Original(
            currency=currency,
            amount=typed.amount,
            rate=rate,
            rate_source=source,
            payers=typed.payers,
            splits=typed.splits,
            items=typed.items,
            shares=typed.shares,
        ),
    )


def as_typed(expense: Expense) -> Expense:
    """The expense in the currency in which it was typed."""
    typed = expense.original
    if typed is None:
        return expense
    return replace(
        expense,
        amount=typed.amount,
        payers=typed.payers,
        splits=typed.splits,
        items=typed.items,
        shares=typed.shares,
        original=None,
    )


def _postings(total: int, parts: Sequence[Posting]) -> tuple[Posting, ...]:
    amounts = in_proportion(total, [part.amount for part in parts])
    return tuple(Posting(part.user_id, amount) for part, amount in zip(parts, amounts, strict=True))


def _splits(amount: int, typed: Expense, currency: str, rate: str, into: str) -> tuple[SplitValue, ...]:
    """The values in the group's currency, where they are amounts: those of EXACT are the shares."""
    match typed.split_type:
        case SplitType.EXACT:
            values = in_proportion(amount, [split.value for split in typed.splits])
        case SplitType.ADJUSTMENT:
            values = [_signed(split.value, currency, rate, into) for split in typed.splits]
        case _:
            return typed.splits
    return tuple(SplitValue(split.user_id, value) for split, value in zip(typed.splits, values, strict=True))


def _signed(value: int, currency: str, rate: str, into: str) -> int:
    amount = converted(abs(value), currency, rate, into)
    return -amount if value < 0 else amount
