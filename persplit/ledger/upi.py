"""UPI: ids and payment links, as payer apps really take them.

A link says `pa, pn, am, cu, tn` and nothing else: `mc`, `mode`, `tid`, `orgid`, `sign` and `url` belong to banks
and merchants, and an app refuses a link in which a person uses them. Nothing here knows whether an id exists: only
a bank can tell.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Final
from urllib.parse import quote

from persplit.ledger.money import AMOUNT_MAX

QR_GALLERY_LIMIT_PAISE: Final = 2_000_00
"""Most that a QR picked from the gallery ("QR share and pay") may ask of a person, in paise: NPCI circular
OC-76C of 8 April 2025. Above it the payer has to scan a screen or to type the UPI id."""

P2P_LIMIT_PAISE: Final = 1_00_000_00
"""Most that one person may send another in one payment, in paise: NPCI's limit of Rs 1,00,000, which the raise of
merchant limits on 15 September 2025 left as it was. Banks may set less. Above it: several payments."""

NAME_LENGTH_MAX: Final = 40
"""Characters of `pn`. The specification has 99, but it is for show only and every one makes the QR denser."""

NOTE_LENGTH_MAX: Final = 50
"""Characters of `tn`: what all apps take; some documents say 80."""

PAYEES_REMEMBERED_MAX: Final = 16_384
"""Payees with the notes of their groups whose part of a link is remembered: 10 MB, the longest unused goes first."""

_SAFE: Final = "@.-_"
"""Left as they are in a link. Apps look for the `@` literally."""

_VPA: Final = re.compile(r"(?=.{3,255}\Z)[A-Za-z0-9][A-Za-z0-9._-]{0,252}@[A-Za-z][A-Za-z0-9]{1,63}\Z")
_PLAIN: Final = re.compile(r"[A-Za-z0-9.-]")
_EXAMPLE: Final = "it looks like name@okhdfcbank or 9876543210@ybl"


def normalise_vpa(text: str) -> str:
    """The UPI id as we store it: without surrounding space, in lower case.

    Raises:
        ValueError: it isn't one; the message is for the person who typed it and doesn't repeat it.

    """
    vpa = text.strip()
    if _VPA.match(vpa) is None:
        raise ValueError(_fault_of(vpa))
    return vpa.lower()


def clean_text(text: str, length_max: int) -> str:
    """The text cut down to at most `length_max` characters of `[A-Za-z0-9 .-]`; may be empty.

    Payer apps parse links naively: a `&`, a `=` or a percent-encoded letter ends up as junk on the screen. Accents
    go (`José` becomes `Jose`), every other character makes a space, spaces collapse, and what then dangles at
    the ends, punctuation without its words, is trimmed.
    """
    decomposed = unicodedata.normalize("NFKD", text)
    letters = (c for c in decomposed if not unicodedata.category(c).startswith("M"))
    spaced = "".join(c if _PLAIN.match(c) else " " for c in letters)
    return " ".join(spaced.split()).lstrip(" .-")[:length_max].rstrip(" -")


def payment_link(vpa: str, payee_name: str, amount: int, note: str) -> str:
    """The link that asks for `amount` paise; a QR of it is paid by scanning.

    A name in which nothing is left after cleaning gives way to the UPI id's local part; such a note is left out.

    Raises:
        ValueError: the UPI id isn't one, or the amount isn't within 1..AMOUNT_MAX.

    """
    if not 1 <= amount <= AMOUNT_MAX:
        raise ValueError(f"the amount is from 1 to {AMOUNT_MAX} paise, not {amount}")
    before, after = _around_amount(vpa, payee_name, note)
    return f"{before}{amount // 100}.{amount % 100:02d}{after}"


@lru_cache(PAYEES_REMEMBERED_MAX)
def _around_amount(vpa: str, payee_name: str, note: str) -> tuple[str, str]:
    """The link up to the amount, and what follows it. Each change of a balance asks for them again."""
    payee = normalise_vpa(vpa)
    local_part = payee.partition("@")[0]
    name = clean_text(payee_name, NAME_LENGTH_MAX) or clean_text(local_part, NAME_LENGTH_MAX)
    said = clean_text(note, NOTE_LENGTH_MAX)
    before = "&".join([_field("pa", payee), *([_field("pn", name)] if name else []), "am="])
    return f"upi://pay?{before}", "&".join(["", "cu=INR", *([_field("tn", said)] if said else [])])


def _field(key: str, value: str) -> str:
    return f"{key}={quote(value, safe=_SAFE)}"


def _fault_of(vpa: str) -> str:
    """What is wrong with a UPI id that doesn't fit the pattern, most likely mistake first."""
    local_part, at, handle = vpa.partition("@")
    if not vpa:
        return f"the UPI id is empty; {_EXAMPLE}"
    if any(c.isspace() for c in vpa):
        return f"a UPI id has no spaces; {_EXAMPLE}"
    if not at or not handle:
        return f"the handle is missing, the part after the @; {_EXAMPLE}"
    if "@" in handle:
        return f"a UPI id has one @ only; {_EXAMPLE}"
    if handle.lower().endswith(".npci"):
        return f"UPI apps no longer take an account number or Aadhaar as a UPI id; {_EXAMPLE}"
    if "." in handle:
        return f"this is an e-mail address: a UPI id has no dot after the @; {_EXAMPLE}"
    if not local_part:
        return f"the name before the @ is missing; {_EXAMPLE}"
    return f"a UPI id is letters, digits, dots, hyphens and underscores around one @; {_EXAMPLE}"
