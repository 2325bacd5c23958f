"""What a token opens: a guest's one group, a personal token what it was made for. Asked before every operation."""

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from persplit.ledger.errors import NotFound
from persplit.service.errors import AccountNeeded, ScopeInsufficient
from persplit.service.ports import AccessClaims, TokenScope

if TYPE_CHECKING:
    from persplit.transport.operations import Operation


class Reach(StrEnum):
    """What an operation is about."""

    GROUP = "group"
    """The group that the request names."""
    PERSON = "person"
    """All groups of the caller."""
    ACCOUNT = "account"
    """The account itself, what it administers, and where it is told: not for personal tokens. One that leaks would make
    others of itself, or hear of everything long after it was taken back.
    """
    CALLER = "caller"
    """Who the caller is; what is about nobody; or what is looked at piece by piece. For every token."""


def check_reach(operation: "Operation", claims: AccessClaims, request: Any) -> None:
    """Return if the token that the claims are from opens the operation.

    Raises:
        AccountNeeded: not for guests.
        ScopeInsufficient: not for this personal token.
        NotFound: about another group than the token's: it is as if there were none.

    """
    if claims.scope is not None:
        _check_scope(operation, claims.scope)
    if claims.group_id is None or operation.reach is Reach.CALLER:
        return
    if claims.is_guest and not operation.for_guests:
        raise _refusal(claims)
    if operation.reach is Reach.GROUP:
        _check_group(claims, getattr(request, "group_id", None))
    elif not claims.is_guest:
        raise _refusal(claims)


def _check_group(claims: AccessClaims, named: str | None) -> None:
    if named is None:
        raise _refusal(claims)
    if named != claims.group_id:
        raise NotFound("there is no such group")


def _check_scope(operation: "Operation", scope: TokenScope) -> None:
    if operation.reach is Reach.ACCOUNT:
        raise ScopeInsufficient("personal tokens don't open the account itself: sign in for this")
    if operation.changes and scope is not TokenScope.WRITE:
        raise ScopeInsufficient("this token may only read")


def _refusal(claims: AccessClaims) -> AccountNeeded | ScopeInsufficient:
    if claims.is_guest:
        return AccountNeeded("guests have their one group: make an account of it with your e-mail address")
    return ScopeInsufficient("this token is for one group alone")
