"""Amounts and quantities as bills print them, and as machines misread them: 1,23,456.50, Rs.450, 1.063.00, 1O5.0O."""

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from persplit.ledger.money import AMOUNT_MAX

DIGITS_MAX: Final = 13
"""Longer ones are numbers of accounts, phones or licences."""
_LOOKALIKES: Final = str.maketrans({"O": "0", "o": "0", "l": "1", "I": "1", "|": "1", "S": "5", "B": "8"})
_SIGN: Final = r"(?P<sign>[-\u2013~()]*)"
_CURRENCY: Final = r"(?i:₹|Rs\.?|INR|Re\.?|[$€£])?"
_NUMBER: Final = re.compile(
    rf"{_SIGN}\s*{_CURRENCY}\s*(?P<inner>-?)(?P<digits>[0-9OolI|SB][0-9OolI|SB.,]*)\s*(?P<after>[-)]?)/?-?\Z",
)
_APART: Final = re.compile(r"(?<=[0-9]) (?=[0-9]{2}\Z)")
"""A point that wasn't seen: `673 98`."""
_GAP: Final = re.compile(r"(?<=[0-9])\s*([.,])\s+(?=[0-9])|(?<=[0-9])\s+([.,])\s*(?=[0-9])")
_STRAY: Final = " .,:;*=≤≥'\"_"


@dataclass(frozen=True, slots=True)
class Number:
    """A number on a bill. `value` is what it says; `places` how many digits stand after its point."""

    value: Fraction
    places: int
    text: str = ""

    def minor(self, digits: int) -> int | None:
        """It as an amount of a currency with so many minor digits; None if it can't be one."""
        amount = self.value * 10**digits
        return int(amount) if amount.denominator == 1 and abs(amount) <= AMOUNT_MAX else None


def number_of(text: str) -> Number | None:
    """The number that the text is, with a currency's sign or without; None if it isn't one."""
    cleaned = _GAP.sub(lambda it: it[1] or it[2], text.strip(_STRAY))
    cleaned = _APART.sub(".", cleaned)
    found = _NUMBER.match(cleaned)
    if found is None:
        return None
    digits = found["digits"]
    if sum(letter.isdigit() for letter in digits) * 2 < sum(letter.isalnum() for letter in digits):
        return None
    plain = digits.translate(_LOOKALIKES).rstrip(".,")
    if len(plain.replace(",", "").replace(".", "")) > DIGITS_MAX:
        return None
    value, places = _valued(plain)
    is_negative = bool(found["sign"] or found["inner"] or found["after"] == "-")
    return Number(-value if is_negative else value, places, text)


def _valued(plain: str) -> tuple[Fraction, int]:
    """What the digits and separators say. The last separator is the point where what follows isn't a group of three."""
    at = max(plain.rfind("."), plain.rfind(","))
    places = len(plain) - at - 1 if at >= 0 else 0
    is_group = places == 3 and (plain[at] == "," or plain.count(".") > 1)
    if at < 0 or is_group or places > 3:
        return Fraction(int(re.sub(r"[.,]", "", plain))), 0
    whole = re.sub(r"[.,]", "", plain[:at]) or "0"
    return Fraction(int(whole)) + Fraction(int(plain[at + 1 :] or "0"), 10**places), places
