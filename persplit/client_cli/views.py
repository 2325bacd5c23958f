"""A group as the commands show it: the library's, with who is looking and what everybody's balance is."""

from collections.abc import Mapping
from dataclasses import dataclass

from persplit.client.reading import Balances, Group, Plan
from persplit.client_cli.names import Named
from persplit.ledger.group import GroupSettings, Member


@dataclass(frozen=True, slots=True)
class GroupView:
    """A group as it will be if the server takes what waits. `me` is the caller's user id."""

    group: Group
    me: str
    balances: Mapping[str, int]

    @property
    def id(self) -> str:
        """The group's id."""
        return self.group.id

    @property
    def title(self) -> str:
        """What the group is called."""
        return self.group.name

    @property
    def currency(self) -> str:
        """What it counts in."""
        return self.group.currency

    @property
    def settings(self) -> GroupSettings:
        """What an admin can change."""
        return self.group.settings

    @property
    def is_pending(self) -> bool:
        """Whether something in it still waits for the server."""
        return self.group.pending > 0

    @property
    def my_balance(self) -> int:
        """What the caller is owed, or owes."""
        return self.group.my_balance

    def active(self) -> list[Member]:
        """Who is in the group now."""
        return [member for member in self.group.members if member.is_active]

    def canonical(self, user_id: str) -> str:
        """The id itself, or that of who claimed the placeholder; of whoever claimed them, where they became one."""
        claimers = {member.claimed: member.user_id for member in self.group.members}
        while user_id in claimers:
            user_id = claimers[user_id]
        return user_id

    def is_me(self, user_id: str) -> bool:
        """Whether it is the caller, perhaps as the placeholder that they were."""
        return self.canonical(user_id) == self.me

    def name(self, user_id: str) -> str:
        """What somebody who is or was in the group is called."""
        return self.group.names.get(self.canonical(user_id), user_id)

    def shown_name(self, user_id: str) -> str:
        """The same, for people to read: the caller is `you`."""
        return "you" if self.is_me(user_id) else self.name(user_id)

    def people(self) -> list[Named]:
        """Who is in the group now, by name."""
        return [Named(member.user_id, self.name(member.user_id)) for member in self.active()]

    def former(self) -> list[Named]:
        """Who has left, and could come in again."""
        gone = [m for m in self.group.members if not m.is_active and not m.placeholder and not m.blocked]
        return [Named(member.user_id, self.name(member.user_id)) for member in gone]

    def blocked(self) -> list[Named]:
        """Who can't come in again."""
        gone = [member for member in self.group.members if member.blocked]
        return [Named(member.user_id, self.name(member.user_id)) for member in gone]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a group stands: now with what waits, or as it was. A past has no plan."""

    view: GroupView
    balances: Balances
    plan: Plan | None = None
