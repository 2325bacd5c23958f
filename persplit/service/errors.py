"""Refusals that no group's rules are behind: sign-in, rates, idempotency, the store.

PerSplitError
└── ServiceError
    ├── Malformed               malformed              not JSON, or not one object
    ├── TooLarge                too_large
    ├── TokenMissing            token_missing
    ├── TokenInvalid            token_invalid
    ├── TokenExpired            token_expired
    ├── TokenReused             token_reused
    ├── CredentialsInvalid      credentials_invalid
    ├── AccountDisabled         account_disabled       an admin of the platform did that
    ├── AccountNeeded           account_needed         a guest's token is for one group
    ├── ScopeInsufficient       scope_insufficient     the personal token is for less
    ├── EmailTaken              email_taken
    ├── RateLimited             rate_limited           `retry_after_ms` says when to come back
    ├── IdempotencyKeyReused    idempotency_key_reused
    ├── MethodNotAllowed        method_not_allowed
    ├── ImportRefused           import_refused         `errors` names the rows and people
    ├── ImportUnavailable       import_unavailable     the store has no transactions
    ├── UnsupportedMedia        unsupported_media      a file of a kind that isn't taken, or can't be read
    ├── StorageFull             storage_full           no room for attachments; nothing was kept
    ├── ReceiptUnreadable       receipt_unreadable     nothing in the picture reads like a receipt
    ├── ReceiptsUnavailable     receipts_unavailable   the extra that reads receipts isn't installed
    ├── StatementUnavailable    statement_unavailable  the extra that makes PDFs isn't installed
    ├── StoreUnavailable        store_unavailable      outcome unknown: retry with the same key
    ├── ServerRestarting        server_restarting
    └── InternalError           internal_error         a fault of ours; logged
"""

from persplit.ledger.errors import PerSplitError


class ServiceError(PerSplitError):
    """An answer that isn't the wished one, for a reason outside the ledger."""


class Malformed(ServiceError):
    """The request could not be read at all."""

    code = "malformed"


class TooLarge(ServiceError):
    """The request is over a size limit."""

    code = "too_large"


class TokenMissing(ServiceError):
    """The request needs a token and carries none."""

    code = "token_missing"


class TokenInvalid(ServiceError):
    """The token isn't one of ours, or its session has ended."""

    code = "token_invalid"


class TokenExpired(ServiceError):
    """The token was good once: refresh it."""

    code = "token_expired"


class TokenReused(ServiceError):
    """A spent refresh token was used again: its session has ended."""

    code = "token_reused"


class CredentialsInvalid(ServiceError):
    """E-mail and password don't go together. Never says which."""

    code = "credentials_invalid"


class AccountDisabled(ServiceError):
    """An admin has disabled the account: nobody signs in to it."""

    code = "account_disabled"


class AccountNeeded(ServiceError):
    """A guest's token opens one group, and this is about more."""

    code = "account_needed"


class ScopeInsufficient(ServiceError):
    """The personal token was made for less than this."""

    code = "scope_insufficient"


class EmailTaken(ServiceError):
    """An account with this e-mail address exists."""

    code = "email_taken"


class RateLimited(ServiceError):
    """Too many of these; `retry_after_ms` is when one will be taken again, in milliseconds."""

    code = "rate_limited"

    def __init__(self, detail: str, retry_after_ms: int) -> None:
        super().__init__(detail)
        self.retry_after_ms = retry_after_ms


class IdempotencyKeyReused(ServiceError):
    """The key was used before, for something else."""

    code = "idempotency_key_reused"


class MethodNotAllowed(ServiceError):
    """The path exists, but not with this method."""

    code = "method_not_allowed"


class ImportRefused(ServiceError):
    """Some of a file can't be imported, so nothing was: `errors` has `rows.13`, `members.Asha` or `file` as paths."""

    code = "import_refused"


class ImportUnavailable(ServiceError):
    """This server's database can't write several events at once."""

    code = "import_unavailable"


class StatementUnavailable(ServiceError):
    """This server makes no PDFs."""

    code = "statement_unavailable"


class UnsupportedMedia(ServiceError):
    """A file of a kind that isn't taken, or one that can't be read as what it says it is."""

    code = "unsupported_media"


class StorageFull(ServiceError):
    """There is no room for attachments on this server. Nothing was kept; all else works."""

    code = "storage_full"


class ReceiptUnreadable(ServiceError):
    """Nothing in the picture reads like a receipt, or it took too long."""

    code = "receipt_unreadable"


class ReceiptsUnavailable(ServiceError):
    """This server reads no receipts."""

    code = "receipts_unavailable"


class MailUnavailable(ServiceError):
    """This server sends no e-mail."""

    code = "mail_unavailable"


class StoreUnavailable(ServiceError):
    """The store did not answer in time. Whether a write happened is unknown: retry with the same key.

    `is_damaged`: it can't, for what it holds is garbled or cut short. Clients see no difference, operators do.
    """

    code = "store_unavailable"

    def __init__(self, detail: str, *, is_damaged: bool = False) -> None:
        super().__init__(detail)
        self.is_damaged = is_damaged


class ServerRestarting(ServiceError):
    """This server is stopping: come back in a moment."""

    code = "server_restarting"


class InternalError(ServiceError):
    """A fault of ours. Whether a write happened is unknown: retry with the same key."""

    code = "internal_error"


class StoreUnusable(Exception):
    """The store answers, but this release must not serve from it. For whoever runs the server, never for clients."""


class StoreDamaged(StoreUnusable):
    """It is damaged, or has lost events that were acknowledged; the text says what a person can do."""


class SchemaMismatch(StoreUnusable):
    """The store has another schema than this release works with."""


class RestoreUnfinished(StoreUnusable):
    """A backup was being restored into the store and isn't whole yet."""
