"""What can go wrong in a client: one tree.

ClientError
├── Offline            no answer that can be relied on: what was asked may or may not have happened
│   └── Busy           the server answered that it can't now; `retry_after_ms` says when to come back
├── SignedOut          nobody is signed in, or the session has ended: log in again; all that is held stays
├── Refused            the server's final no: `code`, `detail`, `errors`, and with a conflict `current`
├── OtherAccount       the replica holds somebody else's data
├── UnsentCommands     signing out would lose commands that the server doesn't have
├── UnknownCommand     there is no such command in the outbox
├── MaybeSent          a command may have reached the server already: it can't be taken back or changed here
├── OutboxFull         more commands wait than the outbox takes
├── ReplicaError       the file of the replica can't be read or written; what was stored before is intact
└── NewerServer        the server sent what this version doesn't understand: update the client

What the group's own rules refuse, with or without a network, is a `LedgerError` of `persplit.ledger.errors`, the
same that the server would answer. Nothing was stored then.
"""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from persplit.ledger.errors import FieldError

Json: TypeAlias = dict[str, Any]

TEMPORARY: Final = frozenset({"store_unavailable", "server_restarting", "internal_error", "rate_limited"})
"""Codes after which the same command, under the same key, may yet succeed."""
SIGN_IN: Final = frozenset(
    {"token_missing", "token_invalid", "token_reused", "token_expired", "account_disabled"}
)
"""Codes that ask for another token. Whose account is disabled gets none, and is told so on signing in."""


class ClientError(Exception):
    """Anything that a client raises for a reason outside the ledger's rules."""


class Offline(ClientError):
    """There is no network, no server at the address, or no answer in time."""


class Busy(Offline):
    """The server can't do it now."""

    def __init__(self, detail: str, retry_after_ms: int = 0) -> None:
        super().__init__(detail)
        self.retry_after_ms = retry_after_ms


class SignedOut(ClientError):
    """It takes an account that is signed in."""


class Refused(ClientError):
    """The server's final refusal."""

    def __init__(
        self, code: str, detail: str, errors: tuple[FieldError, ...] = (), current: Json | None = None
    ):
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.errors = errors
        self.current = current


class OtherAccount(ClientError):
    """One replica holds one person's data: take another file, or log the other person out first."""


class UnsentCommands(ClientError):
    """There are commands that the server doesn't have."""


class UnknownCommand(ClientError):
    """No command of this id is waiting or refused."""


class MaybeSent(ClientError):
    """Only the server knows whether the command was carried out: sync first."""


class OutboxFull(ClientError):
    """So many commands wait that something else must be wrong: sync first."""


class ReplicaError(ClientError):
    """The replica's file fails us. What was stored before is intact; what was being stored was not."""


class NewerServer(ClientError):
    """Events of a kind that this version doesn't know."""


def error_of(problem: Mapping[str, Any]) -> ClientError:
    """The server's problem (REST) or an ack's `error`, as what to raise."""
    code, detail = str(problem.get("code", "unknown")), str(problem.get("detail", ""))
    if code in TEMPORARY:
        return Busy(f"{code}: {detail}", int(problem.get("retryAfterMs") or 0))
    if code in SIGN_IN:
        return SignedOut(f"{code}: {detail}")
    errors = tuple(FieldError(str(e["path"]), str(e["message"])) for e in problem.get("errors") or ())
    return Refused(code, detail, errors, problem.get("current"))
