"""What the server answers about personal tokens."""

from persplit.service.ports import TokenScope
from persplit.transport.result import Result, Time


class TokenInfo(Result):
    """What is known of a personal token."""

    id: str
    name: str
    scope: TokenScope
    group_id: str | None
    created_at: Time
    expires_at: Time


class NewToken(TokenInfo):
    """A new personal token: `token` is told this once."""

    token: str


class Tokens(Result):
    """The caller's personal tokens that have not run out."""

    tokens: list[TokenInfo]
    next_cursor: str | None
