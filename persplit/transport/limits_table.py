"""Every limit that a client can meet, as one table for the reference: made from the constants that enforce them."""

from typing import Final, NamedTuple

from persplit.exchange.book import PEOPLE_MAX, ROWS_MAX
from persplit.exchange.own import EVENTS_MAX
from persplit.ledger.attachment import ATTACHMENTS_MAX
from persplit.ledger.comment import COMMENTS_MAX, TEXT_LENGTH_MAX
from persplit.ledger.group import MEMBERS_MAX
from persplit.ledger.reminder import INTERVAL
from persplit.service.attachments import FILES_MAX, GROUP_BYTES_MAX
from persplit.service.channels import DEVICES_MAX, WEBHOOKS_MAX
from persplit.service.direct_ledgers import CURRENCIES_OF_TWO_MAX
from persplit.service.expense_books import LOOKED_AT_MAX
from persplit.service.exporting import EVENTS_MAX as EXPORTED_MAX
from persplit.service.history import PAGE_BYTES_MAX
from persplit.service.notifier import ATTEMPTS_MAX
from persplit.service.overview import GROUPS_PER_USER_MAX
from persplit.service.ports import FILE_BYTES_MAX, PIXELS_MAX
from persplit.service.sync import EVENTS_AT_ONCE_MAX
from persplit.service.throttle import DELAY_SECONDS_MAX, FREE_FAILURES
from persplit.transport.backlog import WAITING_BYTES_MAX, WAITING_FRAMES_MAX
from persplit.transport.engine import FRAME_BYTES_MAX
from persplit.transport.exchange_operations import IMPORT_BODY_BYTES_MAX
from persplit.transport.guard import HANDSHAKE_SECONDS
from persplit.transport.http_bounds import HEADER_BYTES_MAX, HEADERS_MAX, REQUEST_LINE_BYTES_MAX
from persplit.transport.json_text import DEPTH_MAX
from persplit.transport.limits import OPEN_BY_ADDRESS_MAX, OPEN_BY_USER_MAX, RATES, Rate, Scope
from persplit.transport.links import FRAMES_BURST, FRAMES_PER_SECOND, MESSAGE_SECONDS_MAX, WRITE_SECONDS_MAX
from persplit.transport.requests import COMMANDS_MAX
from persplit.transport.rest import BODY_BYTES_MAX, BODY_SECONDS_MAX


class Row(NamedTuple):
    """One limit: of what, how much, what happens beyond, and why it is where it is."""

    what: str
    limit: str
    beyond: str
    why: str


_SCOPES: Final = {
    Scope.PERSON: "a person",
    Scope.ADDRESS: "an address",
    Scope.GROUP: "a group",
}
_REFUSED: Final = "`rate_limited`"


def _kib(size: int) -> str:
    return f"{size // 1024} KiB" if size % 1024 == 0 else f"{size:,} bytes"


def _rate(rate: Rate) -> Row:
    limit = f"{rate.burst:,} at once, then {rate.per_minute:,} a minute for {_SCOPES[rate.scope]}"
    return Row(rate.what, limit, _REFUSED, rate.why)


SIZES: Final = (
    Row("Request line", f"{REQUEST_LINE_BYTES_MAX:,} bytes", "400", "As much as proxies pass."),
    Row("One header", f"{HEADER_BYTES_MAX:,} bytes", "400", "As much as proxies pass."),
    Row("Headers of a request", f"{HEADERS_MAX}", "400", "Browsers and proxies send some forty."),
    Row("Body of a request", _kib(BODY_BYTES_MAX), "`too_large`", "An itemised bill of 200 lines fits."),
    Row(
        "A file to import",
        f"{IMPORT_BODY_BYTES_MAX // 1024 // 1024} MiB with all that is around it, {ROWS_MAX:,} rows, {PEOPLE_MAX} people; "
        f"of our own {EVENTS_MAX:,} events",
        "`too_large`, `import_refused`",
        "All of it is written in one go.",
    ),
    Row(
        "An attachment",
        f"{FILE_BYTES_MAX // 1024 // 1024} MiB; a picture {PIXELS_MAX // 1_000_000} million pixels",
        "`too_large`",
        "A photo of a phone has 12 million.",
    ),
    Row(
        "Attachments of an expense", f"{ATTACHMENTS_MAX}", "`limit_reached`", "A long bill in several photos."
    ),
    Row(
        "Attachments of a group, and of a person",
        f"{FILES_MAX:,} files and {GROUP_BYTES_MAX // 1024 // 1024 // 1024} GiB each",
        "`limit_reached`",
        "A photo for every day of three years.",
    ),
    Row(
        "An exported group",
        f"{EXPORTED_MAX:,} events",
        "`too_large`",
        "20 MB. A whole server is moved by a backup.",
    ),
    Row(
        "Time for a body",
        f"{BODY_SECONDS_MAX:g} seconds",
        "`malformed`",
        "Who sends a byte a minute holds nothing up.",
    ),
    Row(
        "Message to the socket",
        _kib(FRAME_BYTES_MAX),
        "the socket is closed",
        f"An outbox of {COMMANDS_MAX} commands fits.",
    ),
    Row("Nesting of JSON", f"{DEPTH_MAX} levels", "`malformed`", "Requests need four."),
    Row(
        "Commands in one push", f"{COMMANDS_MAX}", "`validation_failed`", "One push is carried out in one go."
    ),
    Row(
        "Events in one answer",
        f"{EVENTS_AT_ONCE_MAX}, and {_kib(PAGE_BYTES_MAX)} where there is more than one",
        "`more` is true, or there is a `nextCursor`: ask on",
        "A page that a slow network carries.",
    ),
    Row(
        "Expenses looked at for one answer",
        f"{LOOKED_AT_MAX:,}",
        "there is a `nextCursor`: ask on",
        "More would be looked for at everybody's cost.",
    ),
    Row(
        "What waits for a socket",
        f"{_kib(WAITING_BYTES_MAX)} or {WAITING_FRAMES_MAX} messages, one large one aside",
        "`session:closing {code: too_slow}`",
        "Who reads too slowly gets what it missed sooner by its `since`.",
    ),
    Row(
        "Time in which a socket takes something",
        f"{WRITE_SECONDS_MAX:g} seconds, {MESSAGE_SECONDS_MAX:g} for a whole message",
        "the connection is cut",
        "Nobody is there to be told.",
    ),
    Row(
        "Time to sign in on a socket",
        f"{HANDSHAKE_SECONDS:g} seconds",
        "the connection is cut",
        "A slow phone needs three.",
    ),
    Row("Members of a group", f"{MEMBERS_MAX}", "`limit_reached`", "A broadcast carries all balances."),
    Row(
        "Ledgers of the same two people",
        f"{CURRENCIES_OF_TWO_MAX} currencies",
        "`limit_reached`",
        "Nobody can leave one, and each is one of a person's groups.",
    ),
    Row(
        "Comments on an expense, deleted ones included",
        f"{COMMENTS_MAX} of {TEXT_LENGTH_MAX:,} characters",
        "`limit_reached`",
        "Whoever opens an expense gets all of them.",
    ),
    Row(
        "Reminders of one person to another in a group",
        f"one in {INTERVAL.total_seconds() / 3600:g} hours",
        "`reminded_recently`",
        "More often is nagging.",
    ),
    Row(
        "Webhooks of a person, or of a group",
        f"{WEBHOOKS_MAX}; {ATTEMPTS_MAX} attempts at a notice",
        "`limit_reached`; what waits for that webhook is given up",
        "Each costs a request an event. Who is away for three hours asks for the ledger.",
    ),
    Row("Devices with a push token", f"{DEVICES_MAX}", "the oldest is forgotten", "Nobody carries more."),
    Row(
        "Groups of a person, which each of their sockets hears",
        f"{GROUPS_PER_USER_MAX}",
        "`limit_reached`",
        "Each connection lists them all.",
    ),
)
"""Always in force."""

RATE_ROWS: Final = (
    *(_rate(rate) for rate in RATES.values()),
    Row(
        "Messages on one socket",
        f"{FRAMES_BURST} at once, then {FRAMES_PER_SECOND} a second",
        f"{_REFUSED}; ten times as many: the connection is cut",
        "An outbox goes out at once; nobody types as fast.",
    ),
    Row(
        "Sockets open at once",
        f"{OPEN_BY_USER_MAX} for a person, {OPEN_BY_ADDRESS_MAX:,} for an address",
        f"`connect_error` with {_REFUSED}; twice as many from an address: 429",
        "Every device and tab of a person; a campus behind one address.",
    ),
    Row(
        "Wrong passwords",
        f"{FREE_FAILURES} for an account, then one after a wait that doubles up to {DELAY_SECONDS_MAX} seconds",
        _REFUSED,
        "Never for good: whoever knows an address could lock its owner out.",
    ),
)
"""In force unless `PERSPLIT_RATE_LIMITS` is off, which is for load tests; wrong passwords are slowed down always."""
