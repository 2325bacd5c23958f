"""The ledger of two people, outside of any group: one for each pair and currency, found by its id."""

import hashlib
from uuid import UUID

from persplit.ledger.commands import (
    AddMember,
    ChangeRole,
    ChangeUnit,
    Command,
    JoinGroup,
    LeaveGroup,
    RemoveMember,
    UnblockMember,
    UpdateGroup,
)
from persplit.ledger.errors import Forbidden, NotFound
from persplit.ledger.state import GroupState

_VERSION = 8
"""RFC 9562's for what one makes up oneself: no random id has it, so nobody has the ledger of two others by chance."""


def direct_ledger_id(one: str, other: str, currency: str) -> str:
    """The id of the ledger of these two in this currency: a UUID, the same whoever asks."""
    named = "\0".join(("direct", *sorted((one, other)), currency))
    raw = bytearray(hashlib.sha256(named.encode()).digest()[:16])
    raw[6] = raw[6] & 0x0F | _VERSION << 4
    raw[8] = raw[8] & 0x3F | 0x80
    return str(UUID(bytes=bytes(raw)))


def is_direct_id(group_id: str) -> bool:
    """Whether the id, a UUID, is one that only the ledger of two people can have."""
    return UUID(group_id).version == _VERSION


def check_direct(state: GroupState, command: Command, actor_id: str) -> None:
    """Return if the command can be carried out in a ledger of two people, which these two are in for good.

    Raises:
        NotFound: a stranger wants to come in.
        Forbidden: it would change who is in it, or what its id stands for.

    """
    match command:
        case JoinGroup():
            if not _is_other(state, actor_id):
                raise NotFound("there is no such group")
        case AddMember(user_id=user_id, placeholder=False) if _is_other(state, user_id):
            return
        case UpdateGroup(name=None, currency=None, has_password=None):
            return
        case AddMember() | ChangeRole() | ChangeUnit() | LeaveGroup() | RemoveMember() | UnblockMember():
            raise Forbidden("this is a ledger of two people, who stay in it")
        case UpdateGroup():
            raise Forbidden("a ledger of two people has neither another name or currency nor a password")


def _is_other(state: GroupState, user_id: str) -> bool:
    return state.group_id == direct_ledger_id(state.created_by, user_id, state.settings.currency)
