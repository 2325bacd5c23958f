"""The types of fields on the wire, each with its bounds. Nothing is coerced, rounded or guessed."""

import base64
import binascii
import re
import unicodedata
from datetime import UTC, date, datetime
from typing import Annotated, Final

from pydantic import AfterValidator, Field, StrictFloat, StrictInt, StringConstraints
from pydantic.json_schema import WithJsonSchema

from persplit.exchange.book import Format
from persplit.ledger import attachment, comment, expense, finding, group, loan, settlement
from persplit.ledger.conversion import RATE_DECIMALS_MAX, RATE_WHOLE_DIGITS_MAX, canonical_rate
from persplit.ledger.money import AMOUNT_MAX, CURRENCIES
from persplit.ledger.recurrence import is_time_zone
from persplit.ledger.upi import normalise_vpa

ID_LENGTH_MAX: Final = 64
EMAIL_LENGTH_MAX: Final = 254
PASSWORD_LENGTH_MIN: Final = 8
PASSWORD_LENGTH_MAX: Final = 128
LIMIT_MAX: Final = 200
LIMIT_DEFAULT: Final = 50
SEQ_MAX: Final = 2**53 - 1
TOKEN_LENGTH_MAX: Final = 4096
PERSON_KEY_LENGTH_MAX: Final = 200
"""Of somebody's name in another product's file."""
TIME_ZONE_LENGTH_MAX: Final = 64
ROW_MAX: Final = 1_000_000
"""Of a line in a file."""

_EMAIL: Final = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+\Z")
_UUID: Final = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z", re.IGNORECASE | re.ASCII
)
# RFC 3339. Python reads the whole of ISO 8601, week dates and all, which no other implementation would.
_INSTANT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})\Z"
)
# Controls, surrogates, line and paragraph separators; and what turns the direction of other text. Unassigned
# characters are let through: to this Python an emoji of next year is one.
_FORBIDDEN_CATEGORIES: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
_BIDI_CONTROLS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Letters and symbols by category, and yet nothing to see: fillers of Hangul, and the Braille cell without a dot.
_BLANK: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")


def plain(text: str) -> str:
    """The text, if there is no control character in it. Raises `ValueError`."""
    if text.isascii() and text.isprintable():
        return text  # most texts: no need to look at each character
    for character in text:
        if unicodedata.category(character) in _FORBIDDEN_CATEGORIES or character in _BIDI_CONTROLS:
            raise ValueError("control characters are not allowed")
    return text


def _visible(text: str) -> str:
    if text.isascii() and text.isprintable() and not text.isspace():
        return text
    # A mark needs a letter to stand on; formats and separators show nothing.
    if all(character in _BLANK or unicodedata.category(character)[0] in "CMZ" for character in text):
        raise ValueError("there is nothing to see in it")
    return text


def _plain_lines(text: str) -> str:
    plain(text.replace("\n", "").replace("\t", ""))
    return text


def _uuid(text: str) -> str:
    if not _UUID.match(text):
        raise ValueError("not a UUID")
    return text.lower()


def _email(text: str) -> str:
    # A format character can't be seen: two addresses would look like one.
    if not _EMAIL.match(text) or any(unicodedata.category(character) == "Cf" for character in text):
        raise ValueError("not an e-mail address")
    return text


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise ValueError("not a day, YYYY-MM-DD") from None


def _instant(text: str) -> str:
    if not _INSTANT.match(text):
        raise ValueError("not a time in RFC 3339 with its offset, such as 2026-11-21T09:30:00Z")
    try:
        instant = datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("there is no such time") from None
    # Not `strftime`: it writes the year 999 with three digits, and the ledger compares times as text.
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _currency(code: str) -> str:
    if code not in CURRENCIES:
        raise ValueError("not an ISO 4217 currency code")
    return code


def _time_zone(name: str) -> str:
    if not is_time_zone(name):
        raise ValueError("not a time zone of the IANA database, such as Asia/Kolkata")
    return name


def _file_format(name: str) -> str:
    if name != FOUND_OUT and name not in set(Format):
        raise ValueError(f"one of {FOUND_OUT}, {', '.join(Format)}")
    return name


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


def _feed_position(cursor: str) -> str:
    position = _position(cursor)
    if not re.fullmatch(r"[0-9TZ:.-]{24} [1-9][0-9]{0,15} [!-~]{1,64}", position):
        raise ValueError("not a cursor of ours")
    return position


def _line(length_max: int) -> StringConstraints:
    return StringConstraints(strict=True, strip_whitespace=True, min_length=1, max_length=length_max)


def _lines(length_max: int) -> StringConstraints:
    return StringConstraints(strict=True, strip_whitespace=True, max_length=length_max)


_PLAIN: Final = AfterValidator(plain)
_VISIBLE: Final = AfterValidator(_visible)
_PLAIN_LINES: Final = AfterValidator(_plain_lines)

Name = Annotated[str, _line(group.NAME_LENGTH_MAX), _PLAIN, _VISIBLE]
GroupDescription = Annotated[str, _lines(group.DESCRIPTION_LENGTH_MAX), _PLAIN_LINES]
Description = Annotated[str, _line(expense.DESCRIPTION_LENGTH_MAX), _PLAIN, _VISIBLE]
Category = Annotated[str, _line(expense.CATEGORY_LENGTH_MAX), _PLAIN, _VISIBLE]
Notes = Annotated[str, _lines(expense.NOTES_LENGTH_MAX), _PLAIN_LINES]
ItemName = Annotated[str, _line(expense.ITEM_NAME_LENGTH_MAX), _PLAIN, _VISIBLE]
AttachmentName = Annotated[str, _line(attachment.ATTACHMENT_NAME_LENGTH_MAX), _PLAIN, _VISIBLE]
SearchText = Annotated[str, _line(finding.TEXT_LENGTH_MAX), _PLAIN]
CommentText = Annotated[str, _line(comment.TEXT_LENGTH_MAX), _PLAIN_LINES, _VISIBLE]
LoanDescription = Annotated[str, _line(loan.LOAN_DESCRIPTION_LENGTH_MAX), _PLAIN, _VISIBLE]
SettlementNote = Annotated[str, _lines(settlement.NOTE_LENGTH_MAX), _PLAIN_LINES]

Id = Annotated[
    str, StringConstraints(strict=True, min_length=1, max_length=ID_LENGTH_MAX), AfterValidator(plain)
]
AttachmentId = Annotated[str, StringConstraints(strict=True, pattern=r"^[0-9a-f]{64}$")]
FileBody = Annotated[
    bytes, Field(strict=True, min_length=1), WithJsonSchema({"type": "string", "format": "binary"})
]
NewId = Annotated[
    str,
    StringConstraints(strict=True, max_length=36),
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
    AfterValidator(plain),
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
Rate = Annotated[
    str,
    StringConstraints(strict=True, max_length=RATE_WHOLE_DIGITS_MAX + 1 + RATE_DECIMALS_MAX),
    AfterValidator(canonical_rate),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": rf"^[0-9]{{1,{RATE_WHOLE_DIGITS_MAX}}}(\\.[0-9]{{1,{RATE_DECIMALS_MAX}}})?$",
            "description": "a positive decimal number: major units of the group's currency for one of `currency`",
        }
    ),
]
InterestRate = Annotated[
    str,
    StringConstraints(strict=True, max_length=len("100") + 1 + loan.RATE_DECIMALS_MAX),
    AfterValidator(loan.canonical_rate),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": rf"^[0-9]{{1,3}}(\\.[0-9]{{1,{loan.RATE_DECIMALS_MAX}}})?$",
            "description": f"percent a year, more than 0 and at most {loan.RATE_MAX}",
        }
    ),
]
Day = Annotated[
    str,
    StringConstraints(strict=True, pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"),
    AfterValidator(_day),
    WithJsonSchema({"type": "string", "format": "date"}),
]
TimeZone = Annotated[
    str,
    StringConstraints(strict=True, max_length=TIME_ZONE_LENGTH_MAX),
    AfterValidator(_time_zone),
    Field(description="IANA time zone, such as Asia/Kolkata: when a day begins for recurring expenses"),
]
Instant = Annotated[
    str,
    StringConstraints(strict=True, max_length=40),
    AfterValidator(_instant),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
FOUND_OUT: Final = "auto"
FileFormat = Annotated[
    str,
    AfterValidator(_file_format),
    WithJsonSchema({"type": "string", "enum": [FOUND_OUT, *(format_.value for format_ in Format)]}),
]
PersonKey = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=PERSON_KEY_LENGTH_MAX)]
Row = Annotated[StrictInt, Field(ge=1, le=ROW_MAX)]
Utr = Annotated[str, StringConstraints(strict=True, pattern=r"^[0-9]{12}$")]
InviteCode = Annotated[
    str, StringConstraints(strict=True, strip_whitespace=True, min_length=1, max_length=64)
]
_CURSOR: Final = Field(description="the `nextCursor` of the page before")
SeqCursor = Annotated[
    str, StringConstraints(strict=True, max_length=100), AfterValidator(_seq_position), _CURSOR
]
FeedCursor = Annotated[
    str, StringConstraints(strict=True, max_length=200), AfterValidator(_feed_position), _CURSOR
]
IdCursor = Annotated[str, StringConstraints(strict=True, max_length=100), AfterValidator(_position), _CURSOR]
