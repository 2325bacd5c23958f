"""The one table from refusals to the wire."""

from dataclasses import dataclass
from typing import Any, Final

from persplit.ledger import codec
from persplit.ledger import errors as ledger
from persplit.ledger.errors import PerSplitError
from persplit.ledger.expense import Expense
from persplit.ledger.group import GroupSettings
from persplit.ledger.loan import Loan
from persplit.ledger.loan_codec import loan_to_json
from persplit.ledger.settlement import Settlement
from persplit.service import errors as service
from persplit.service.errors import RateLimited


@dataclass(frozen=True, slots=True)
class Problem:
    """How one code looks: HTTP status, a title that never changes, and whether the same request may work later."""

    status: int
    title: str
    retry: str


_NO: Final = "No: change the request."
_SAME_KEY: Final = "Yes, with the same key: it is carried out at most once."

PROBLEMS: Final[dict[type[PerSplitError], Problem]] = {
    service.Malformed: Problem(400, "Not a readable request", _NO),
    service.TokenMissing: Problem(401, "Sign in first", "After signing in."),
    service.TokenInvalid: Problem(401, "The token is not valid", "After signing in again."),
    service.TokenExpired: Problem(401, "The token has expired", "After refreshing the token."),
    service.TokenReused: Problem(401, "The session has ended", "After signing in again."),
    service.CredentialsInvalid: Problem(401, "E-mail or password is wrong", _NO),
    service.AccountDisabled: Problem(403, "The account is disabled", "After an admin enabled it again."),
    ledger.Forbidden: Problem(403, "Not allowed", _NO),
    ledger.Blocked: Problem(403, "Blocked from the group", "After an admin unblocked the person."),
    service.AccountNeeded: Problem(403, "This takes an account", "After making an account of the guest."),
    service.ScopeInsufficient: Problem(403, "The token is for less than this", "With another token."),
    ledger.NotFound: Problem(404, "Not found", _NO),
    service.MethodNotAllowed: Problem(405, "Method not allowed", _NO),
    ledger.Conflict: Problem(409, "It has changed", "After looking at the current version."),
    ledger.BalanceNotZero: Problem(409, "The balance is not zero", "After settling up."),
    ledger.SettlementPending: Problem(409, "A payment awaits an answer", "After it was answered."),
    ledger.AlreadyMember: Problem(409, "Already a member", _NO),
    ledger.AlreadySettled: Problem(409, "Already settled", _NO),
    ledger.GroupArchived: Problem(409, "The group is archived", "After an admin brought it back."),
    ledger.LimitReached: Problem(409, "A limit is reached", "After making room."),
    ledger.NothingOwed: Problem(409, "Nothing is owed", "After the plan has changed."),
    ledger.RemindedRecently: Problem(409, "Reminded a short while ago", "A day after the last one."),
    service.EmailTaken: Problem(409, "The e-mail address is taken", _NO),
    service.TooLarge: Problem(413, "Too large", _NO),
    service.UnsupportedMedia: Problem(415, "This kind of file isn't taken", "With another file."),
    ledger.Invalid: Problem(422, "Some fields are wrong", _NO),
    ledger.RateUnknown: Problem(
        422, "No rate of exchange is known", "With a `rate`, or once the server has one."
    ),
    service.IdempotencyKeyReused: Problem(422, "The key was used for something else", "With a new key."),
    service.ImportRefused: Problem(
        422, "The file can't be imported as it is", "After mending it, or leaving rows out."
    ),
    service.ReceiptUnreadable: Problem(422, "No receipt could be read", "With a better picture."),
    service.RateLimited: Problem(429, "Too many requests", "After `retryAfterMs`."),
    service.InternalError: Problem(500, "A fault of the server", _SAME_KEY),
    service.ImportUnavailable: Problem(501, "This server can't import", _NO),
    service.ReceiptsUnavailable: Problem(501, "This server reads no receipts", _NO),
    service.StatementUnavailable: Problem(501, "This server makes no statements", _NO),
    service.MailUnavailable: Problem(501, "This server sends no e-mail", _NO),
    service.StoreUnavailable: Problem(503, "The store is not answering", _SAME_KEY),
    service.ServerRestarting: Problem(503, "The server is restarting", _SAME_KEY),
    service.StorageFull: Problem(507, "No room for files", "After whoever runs the server made room."),
}

STORE_RETRY_SECONDS: Final = 2
"""What a client is told to wait when the store or the server is away."""
ERRORS_MAX: Final = 100
PATH_LENGTH_MAX: Final = 200
DETAIL_LENGTH_MAX: Final = 1_000
"""A request can hold thousands of bad fields and names of any length: the answer stays shorter than it."""


def problem_of(error: PerSplitError) -> dict[str, Any]:
    """The error as members of an RFC 9457 problem: the same on REST and in an ack."""
    entry = PROBLEMS[type(error)]
    body: dict[str, Any] = {
        "status": entry.status,
        "code": error.code,
        "title": entry.title,
        "detail": error.detail[:DETAIL_LENGTH_MAX],
        "errors": [
            {"path": e.path[:PATH_LENGTH_MAX], "message": e.message} for e in error.errors[:ERRORS_MAX]
        ],
    }
    if isinstance(error, RateLimited):
        body["retryAfterMs"] = error.retry_after_ms
    elif entry.status == 503:
        body["retryAfterMs"] = STORE_RETRY_SECONDS * 1000
    if isinstance(error, ledger.Conflict) and error.current is not None:
        body["current"] = _current(error.current, error.group_id)
    return body


def refusal(error: PerSplitError) -> dict[str, Any]:
    """The error as a Socket.IO ack."""
    return {"ok": False, "error": problem_of(error)}


def _current(thing: Expense | Settlement | Loan | GroupSettings, group_id: str) -> dict[str, Any]:
    if isinstance(thing, Expense):
        return codec.expense_to_json(thing, group_id)
    if isinstance(thing, Settlement):
        return codec.settlement_to_json(thing, group_id)
    if isinstance(thing, Loan):
        return loan_to_json(thing, group_id)
    return codec.settings_to_json(thing)
