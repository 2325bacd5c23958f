"""The types of fields on the wire, each with its bounds. Nothing is coerced, rounded or guessed."""

import base64
import binascii
import re
import unicodedata
from datetime import UTC, date, datetime
from typing import Annotated, Final
from uuid import UUID

from pydantic import AfterValidator, Field, StrictFloat, StrictInt, StringConstraints
from pydantic.json_schema import WithJsonSchema

from persplit.ledger import expense, group, settlement
from persplit.ledger.money import AMOUNT_MAX, CURRENCIES
from persplit.ledger.upi import normalise_vpa
from persplit.service.handler import rfc3339

ID_LENGTH_MAX: Final = 64
EMAIL_LENGTH_MAX: Final = 254
PASSWORD_LENGTH_MIN: Final = 8
PASSWORD_LENGTH_MAX: Final = 128
LIMIT_MAX: Final = 200
LIMIT_DEFAULT: Final = 50
SEQ_MAX: Final = 2**53 - 1
TOKEN_LENGTH_MAX: Final = 4096

_EMAIL: Final = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+\Z")
# Controls, surrogates, unassigned, line and paragraph separators; and what turns the direction of other text.
_FORBIDDEN_CATEGORIES: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
_BIDI_CONTROLS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def _plain(text: str) -> str:
    for character in text:
        if unicodedata.category(character) in _FORBIDDEN_CATEGORIES or character in _BIDI_CONTROLS:
            raise ValueError("control characters are not allowed")
    return text


def _plain_lines(text: str) -> str:
    _plain(text.replace("\n", "").replace("\t", ""))
    return text


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise ValueError("not a UUID") from None


def _email(text: str) -> str:
    if not _EMAIL.match(text):
        raise ValueError("not an e-mail address")
    return text


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise ValueError("not a day, YYYY-MM-DD") from None


def _instant(text: str) -> str:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("not a time in RFC 3339") from None
    if instant.tzinfo is None:
        raise ValueError("a time needs its offset, such as Z")
    try:
        return rfc3339(instant.astimezone(UTC))
    except OverflowError:
        raise ValueError("out of range") from None


def _currency(code: str) -> str:
    if code not in CURRENCIES:
        raise ValueError("not an ISO 4217 currency code")
    return code


def cursor_of(position: str | int) -> str:
    """An opaque cursor that stands for the position."""
    return base64.urlsafe_b64encode(str(position).encode()).rstrip(b"=").decode()


def _position(cursor: str) -> str:
    try:
        return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        raise ValueError("not a cursor of ours") from None


def _seq_position(cursor: str) -> str:
    position = _position(cursor)
    if not re.fullmatch(r"[1-9][0-9]{0,15}", position):
        raise ValueError("not a cursor of ours")
    return position


def _line(length_max: int) -> StringConstraints:
    return StringConstraints(strict=True, strip_whitespace=True, min_length=1, max_length=length_max)


def _lines(length_max: int) -> StringConstraints:
    return StringConstraints(strict=True, strip_whitespace=True, max_length=length_max)


_PLAIN: Final = AfterValidator(_plain)
_PLAIN_LINES: Final = AfterValidator(_plain_lines)

Name = Annotated[str, _line(group.NAME_LENGTH_MAX), _PLAIN]
GroupDescription = Annotated[str, _lines(group.DESCRIPTION_LENGTH_MAX), _PLAIN_LINES]
Description = Annotated[str, _line(expense.DESCRIPTION_LENGTH_MAX), _PLAIN]
Category = Annotated[str, _line(expense.CATEGORY_LENGTH_MAX), _PLAIN]
Notes = Annotated[str, _lines(expense.NOTES_LENGTH_MAX), _PLAIN_LINES]
ItemName = Annotated[str, _line(expense.ITEM_NAME_LENGTH_MAX), _PLAIN]
SettlementNote = Annotated[str, _lines(settlement.NOTE_LENGTH_MAX), _PLAIN_LINES]

Id = Annotated[
    str, StringConstraints(strict=True, min_length=1, max_length=ID_LENGTH_MAX), AfterValidator(_plain)
]
NewId = Annotated[
    str,
    StringConstraints(strict=True, min_length=32, max_length=38),
    AfterValidator(_uuid),
    WithJsonSchema(
        {"type": "string", "format": "uuid", "description": "chosen by the client if it wishes: a new UUID"}
    ),
]
CommandId = Annotated[str, StringConstraints(strict=True, pattern=r"^[!-~]{1,128}$")]
Amount = Annotated[StrictInt, Field(ge=1, le=AMOUNT_MAX, description="minor units of the group's currency")]
Number = (
    Annotated[StrictInt, Field(ge=-AMOUNT_MAX, le=AMOUNT_MAX)]
    | Annotated[StrictFloat, Field(allow_inf_nan=False, ge=-AMOUNT_MAX, le=AMOUNT_MAX)]
)
Seq = Annotated[StrictInt, Field(ge=1, le=SEQ_MAX)]
ExpectedSeq = Annotated[
    StrictInt,
    Field(
        ge=1,
        le=SEQ_MAX,
        description="the seq at which the caller saw it: if it has changed since, the answer is `conflict`",
    ),
]
After = Annotated[StrictInt, Field(ge=0, le=SEQ_MAX, description="events after this seq; 0: from the first")]
Limit = Annotated[StrictInt, Field(ge=1, le=LIMIT_MAX, description="at most so many")]
Email = Annotated[
    str,
    StringConstraints(strict=True, strip_whitespace=True, max_length=EMAIL_LENGTH_MAX),
    AfterValidator(_plain),
    AfterValidator(_email),
    WithJsonSchema({"type": "string", "format": "email", "maxLength": EMAIL_LENGTH_MAX}),
]
NewPassword = Annotated[
    str, StringConstraints(strict=True, min_length=PASSWORD_LENGTH_MIN, max_length=PASSWORD_LENGTH_MAX)
]
Password = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=PASSWORD_LENGTH_MAX)]
Token = Annotated[str, StringConstraints(strict=True, max_length=TOKEN_LENGTH_MAX)]
Phone = Annotated[
    str, StringConstraints(strict=True, strip_whitespace=True, pattern=r"^\+?[0-9][0-9 ()-]{4,22}[0-9]$")
]
Vpa = Annotated[str, StringConstraints(strict=True, max_length=300), AfterValidator(normalise_vpa)]
Locale = Annotated[str, StringConstraints(strict=True, pattern=r"^[a-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}$")]
Currency = Annotated[
    str,
    StringConstraints(strict=True, max_length=3),
    AfterValidator(_currency),
    WithJsonSchema({"type": "string", "pattern": "^[A-Z]{3}$", "description": "ISO 4217"}),
]
Day = Annotated[
    str,
    StringConstraints(strict=True, pattern=r"^\d{4}-\d{2}-\d{2}$"),
    AfterValidator(_day),
    WithJsonSchema({"type": "string", "format": "date"}),
]
Instant = Annotated[
    str,
    StringConstraints(strict=True, max_length=40),
    AfterValidator(_instant),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
Utr = Annotated[str, StringConstraints(strict=True, pattern=r"^[0-9]{12}$")]
InviteCode = Annotated[
    str, StringConstraints(strict=True, strip_whitespace=True, min_length=1, max_length=64)
]
_CURSOR: Final = Field(description="the `nextCursor` of the page before")
SeqCursor = Annotated[
    str, StringConstraints(strict=True, max_length=100), AfterValidator(_seq_position), _CURSOR
]
IdCursor = Annotated[str, StringConstraints(strict=True, max_length=100), AfterValidator(_position), _CURSOR]
