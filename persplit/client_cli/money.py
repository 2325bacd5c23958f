"""Amounts for people's eyes: symbols, and digits grouped as the currency's country does it."""

from typing import Final

from persplit.ledger.money import decimal_text

SYMBOLS: Final = {"INR": "₹", "EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥"}
"""Currencies with a symbol that nobody takes for another's here; the rest is written with its code."""

_LAKH_CURRENCIES: Final = frozenset({"INR", "PKR", "NPR", "LKR", "BDT"})
"""Grouped by thousand first and then by hundreds: 1,23,45,678."""


def money(amount: int, currency: str) -> str:
    """The amount in minor units as people write it: `₹1,23,456.50`, `-€1,234.00`, `CHF 12.50`."""
    major, dot, minor = decimal_text(abs(amount), currency).partition(".")
    symbol = SYMBOLS.get(currency, f"{currency} ")
    return f"{'-' if amount < 0 else ''}{symbol}{grouped(major, currency)}{dot}{minor}"


def grouped(digits: str, currency: str) -> str:
    """The digits of a whole number with commas."""
    head, tail = digits[:-3], digits[-3:]
    size = 2 if currency in _LAKH_CURRENCIES else 3
    groups: list[str] = [tail]
    while head:
        groups.insert(0, head[-size:])
        head = head[:-size]
    return ",".join(groups)


def signed_money(amount: int, currency: str) -> str:
    """The same with a plus before what is owed to somebody."""
    return f"+{money(amount, currency)}" if amount > 0 else money(amount, currency)
