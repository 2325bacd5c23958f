"""Who bears how much of an expense: exact shares of whole minor units."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from math import lcm

from persplit.ledger.errors import FieldError, Invalid
from persplit.ledger.expense import VALUE_SCALE, Item, Posting, SplitType, SplitValue

_PERCENT_TOTAL = 100 * VALUE_SCALE


def largest_remainder(amount: int, weights: Mapping[str, int], seed: str) -> dict[str, int]:
    """Divide `amount` in proportion to `weights` so that the parts sum to it exactly.

    Hamilton's method: everybody gets the whole units of their exact part; what is left over goes out one unit
    each by largest remainder. Equal remainders are ranked by SHA-256 of `seed:user id`; with the expense's id
    as the seed nobody gets the odd paisa every time, and the same expense always divides the same way.

    Args:
        amount: minor units, not negative.
        weights: user id → weight, not negative, not all zero.
        seed: decides ties.

    """
    total = sum(weights.values())
    parts = {user: amount * weight // total for user, weight in weights.items()}
    left = amount - sum(parts.values())
    if left:
        ranked = sorted(weights, key=lambda user: (-(amount * weights[user] % total), _rank(seed, user)))
        for user in ranked[:left]:
            parts[user] += 1
    return parts


def _rank(seed: str, user_id: str) -> bytes:
    return hashlib.sha256(f"{seed}:{user_id}".encode()).digest()


def shares_of(
    expense_id: str,
    amount: int,
    split_type: SplitType,
    sharers: Sequence[str],
    splits: Sequence[SplitValue],
    items: Sequence[Item],
) -> tuple[Posting, ...]:
    """The shares, in the order of the people, none negative, summing to `amount`.

    Args:
        expense_id: breaks ties between equal remainders.
        amount: minor units, positive.
        split_type: EQUAL and ADJUSTMENT divide among `sharers`, the others among those whom they name.
        sharers: no duplicates, at least one.
        splits: no duplicates; units as `SplitValue` says.
        items: each with at least one participant, no duplicates.

    Raises:
        Invalid: the values do not make up the amount.

    """
    values = {split.user_id: split.value for split in splits}
    match split_type:
        case SplitType.EQUAL:
            parts = largest_remainder(amount, dict.fromkeys(sharers, 1), expense_id)
        case SplitType.ADJUSTMENT:
            parts = _adjusted(expense_id, amount, sharers, values)
        case SplitType.EXACT:
            parts = _exact(amount, values)
        case SplitType.PERCENTAGE:
            _check_sum(values, _PERCENT_TOTAL, "percentages sum to {}, not 100", VALUE_SCALE)
            parts = largest_remainder(amount, values, expense_id)
        case SplitType.SHARES:
            parts = largest_remainder(amount, values, expense_id)
        case SplitType.ITEMIZED:  # pragma: no branch - there is no other
            parts = largest_remainder(amount, _item_weights(items), expense_id)
    return tuple(Posting(user, part) for user, part in parts.items())


def _exact(amount: int, values: dict[str, int]) -> dict[str, int]:
    _check_sum(values, amount, f"the values sum to {{}}, not to the amount {amount}", 1)
    return values


def _check_sum(values: Mapping[str, int], wanted: int, message: str, scale: int) -> None:
    total = sum(values.values())
    if total != wanted:
        shown = total // scale if total % scale == 0 else f"{total / scale:.4f}".rstrip("0")
        raise Invalid(FieldError("splits", message.format(shown)))


def _adjusted(
    expense_id: str, amount: int, sharers: Sequence[str], values: Mapping[str, int]
) -> dict[str, int]:
    """Equal division of what the adjustments leave, plus each person's adjustment."""
    rest = amount - sum(values.values())
    if rest < 0:
        raise Invalid(FieldError("splits", f"the adjustments exceed the amount by {-rest}"))
    parts = largest_remainder(rest, dict.fromkeys(sharers, 1), expense_id)
    adjusted = {user: part + values.get(user, 0) for user, part in parts.items()}
    if min(adjusted.values()) < 0:
        raise Invalid(FieldError("splits", "an adjustment takes somebody's share below zero"))
    return adjusted


def _item_weights(items: Iterable[Item]) -> dict[str, int]:
    """Each person's part of the items as whole numbers in proportion.

    The bill is divided in proportion to these, which spreads what the items leave over (tax, tip, a discount)
    in proportion to what each person had, and rounds once instead of once an item.
    """
    exact: dict[str, Fraction] = {}
    for item in items:
        each = Fraction(item.amount, len(item.participants))
        for user in item.participants:
            exact[user] = exact.get(user, Fraction(0)) + each
    scale = lcm(*(part.denominator for part in exact.values()))
    return {user: int(part * scale) for user, part in exact.items()}
