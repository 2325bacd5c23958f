"""A group's settings and its members."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from persplit.ledger.expense import VALUE_SCALE
from persplit.ledger.recurrence import UTC_ZONE

MEMBERS_MAX: Final = 256
"""Active members of a group: every broadcast carries every balance, so this bounds its size."""
NAME_LENGTH_MAX: Final = 100
DESCRIPTION_LENGTH_MAX: Final = 500


class GroupKind(StrEnum):
    """GROUP: whoever is in it. DIRECT: the ledger of two people, who are in it for good; see `direct`."""

    GROUP = "GROUP"
    DIRECT = "DIRECT"


class Role(StrEnum):
    """What a member may do: an admin also changes settings, roles and who is in."""

    ADMIN = "ADMIN"
    MEMBER = "MEMBER"


@dataclass(frozen=True, slots=True)
class GroupSettings:
    """What an admin can change. `seq` is that of the last change; times are RFC 3339 UTC.

    `time_zone`, a name of the IANA database, says when a day begins for recurring expenses.
    """

    name: str
    description: str | None
    currency: str
    simplify: bool
    has_password: bool
    archived_at: str | None
    seq: int
    time_zone: str = UTC_ZONE
    kind: GroupKind = GroupKind.GROUP


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in the group, now or once.

    A placeholder is a name with no account, added by an admin. Who claims it on joining takes over all that
    stands under its id: the new member has it as `claimed`, the placeholder has left. So has who gave their account
    up: they are a placeholder from then on.

    Members with the same `unit`, a name such as "Rao family", settle together. Who is `blocked` has left, and doesn't
    come in again until an admin lets them. `weight`, in ten-thousandths, is what they bear unless told in what is
    divided by SHARES.
    """

    user_id: str
    name: str
    role: Role
    placeholder: bool
    joined_at: str
    left_at: str | None = None
    claimed: str | None = None
    unit: str | None = None
    blocked: bool = False
    weight: int = VALUE_SCALE

    @property
    def is_active(self) -> bool:
        """Whether they are in the group now."""
        return self.left_at is None
