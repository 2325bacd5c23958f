"""Money: whole minor units of an ISO 4217 currency. Never a float."""

from typing import Final

AMOUNT_MAX: Final = 10**13
"""Largest amount in minor units: 100 billion rupees, and far below 2**53, which JavaScript reads exactly."""

MINOR_DIGITS_DEFAULT: Final = 2

# ISO 4217 (list one): the active currencies, by number of minor digits where it isn't two.
_MINOR_DIGITS: Final = {
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
    **dict.fromkeys("CLF UYW".split(), 4),
}
CURRENCIES: Final = frozenset(_MINOR_DIGITS) | frozenset(
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY "
    "COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF "
    "IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR "
    "MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG "
    "SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES "
    "WST XCD XCG YER ZAR ZMW ZWG".split()
)


def minor_digits(currency: str) -> int:
    """How many decimal places the currency writes: INR 2, JPY 0, KWD 3."""
    return _MINOR_DIGITS.get(currency, MINOR_DIGITS_DEFAULT)


def decimal_text(amount: int, currency: str) -> str:
    """The amount in major units as plain text, exact: 123450 INR → `1234.50`, 500 JPY → `500`."""
    digits = minor_digits(currency)
    sign = "-" if amount < 0 else ""
    if digits == 0:
        return f"{sign}{abs(amount)}"
    major, minor = divmod(abs(amount), 10**digits)
    return f"{sign}{major}.{minor:0{digits}d}"
