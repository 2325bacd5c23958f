"""Dividing as products do that hold fractions of a minor unit: everybody's total stays right, row by row.

Spliit, ihatemoney and Cospend never round a share: they add up fractions and round what they show. A ledger of
whole units can't hold that; dividing each row by itself would drift away from it by up to a unit a row. So what is
left over of a row goes to whoever has been given least, so far, against their exact total.
"""

from collections.abc import Mapping
from fractions import Fraction


class Divider:
    """Divides one row after the other, remembering what everybody's shares come to exactly and as booked."""

    def __init__(self) -> None:
        self._lacking: dict[str, Fraction] = {}

    def divide(self, amount: int, weights: Mapping[str, Fraction], sign: int = 1) -> dict[str, int]:
        """Shares in proportion to the weights, whole, none negative, summing to `amount`.

        After each row nobody's total is a whole unit or more away from the exact one, unless the shares of the row
        are so small that making up for it would take somebody below zero.

        Args:
            amount: minor units, not negative.
            weights: not negative, not all zero.
            sign: -1 where the shares are given back: then they count against everybody's total.

        """
        total = sum(weights.values())
        wanted = {
            person: amount * weight / total + sign * self._lacking.get(person, Fraction(0))
            for person, weight in weights.items()
            if weight
        }
        shares = {person: max(0, part.numerator // part.denominator) for person, part in wanted.items()}
        _even_out(shares, wanted, amount)
        for person, part in wanted.items():
            self._lacking[person] = sign * (part - shares[person])
        return {person: shares.get(person, 0) for person in weights}


def _even_out(shares: dict[str, int], wanted: Mapping[str, Fraction], amount: int) -> None:
    """Bring the shares' sum to `amount`, a unit at a time, where it is most due; ties by name."""
    left = amount - sum(shares.values())
    while left:
        step = 1 if left > 0 else -1
        due = [person for person in shares if shares[person] + step >= 0]
        person = max(due, key=lambda one: (step * (wanted[one] - shares[one]), one))
        shares[person] += step
        left -= step
