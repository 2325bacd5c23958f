"""Tallies: what is known of all groups together without reading their ledgers. A projection that can be made anew.

Of each group there is one *group tally*, how it stands now, and any number of *cells*: how many things of a kind
there are on a day, and what they sum to. Both follow the group's events, and the group tally has the seq up to which
they do. Amounts are in minor units of a cell's currency; those of different currencies are never summed.

All of it belongs to a *generation*: making the projection anew fills another one, which then takes the place of the
first, so nobody ever sees half of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol, TypeAlias

FIRST_DAY: Final = "0001-01-01"
LAST_DAY: Final = "9999-12-31"


class CellKind(StrEnum):
    """What is counted. `expenses` and `paid` by the expense's own day, the others by that of the event, in UTC."""

    EXPENSES = "expenses"
    """Expenses that aren't deleted."""
    PAID = "paid"
    """The same, by who paid: the amount is what the person paid."""
    SETTLED = "settled"
    """Payments that were confirmed."""
    EVENTS = "events"
    """Events in the ledger, whatever they are about; they have no currency and no amount."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Where something is counted. `user_id` is "" where it is nobody's in particular."""

    kind: CellKind
    day: str
    user_id: str = ""
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Sums:
    """How many, and what they sum to. As a change of a cell both may be negative."""

    count: int
    amount: int = 0

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(self.count + other.count, self.amount + other.amount)


@dataclass(frozen=True, slots=True)
class GroupTally:
    """How a group stood after event `seq`, which was recorded at `at`.

    `outstanding` is what those who owe owe together, `debtors` how many they are, `pending` how many payments await
    an answer.
    """

    group_id: str
    seq: int
    at: str
    currency: str
    members: int
    outstanding: int
    debtors: int
    pending: int
    is_archived: bool


Step: TypeAlias = tuple[int, Mapping[Cell, Sums]]
"""An event's seq, and by how much it changes which cells."""


@dataclass(frozen=True, slots=True)
class Advance:
    """From `after` to `tally.seq`: one step for each event between, in order."""

    after: int
    steps: Sequence[Step]
    tally: GroupTally


class By(StrEnum):
    """What sums are asked for."""

    GROUP = "group"
    USER = "user"
    CURRENCY = "currency"


@dataclass(frozen=True, slots=True)
class Asked:
    """Sums of cells of one kind on the days from `since` to `until`, both included; of one currency, or some groups.

    Largest amount first, or largest count where `is_by_count`; equal ones by key. At most `limit` after `skipped`.
    """

    kind: CellKind
    by: By
    since: str = FIRST_DAY
    until: str = LAST_DAY
    currency: str | None = None
    group_ids: Sequence[str] | None = None
    is_by_count: bool = False
    skipped: int = 0
    limit: int = 100


class TallyMoved(Exception):
    """The group's tally isn't at the seq that the advance begins after: another node was quicker, or it is gone."""


class Tallies(Protocol):
    """Where tallies are kept. Every method raises `StoreUnavailable` when the store doesn't answer."""

    async def seqs(self, generation: str, group_ids: Sequence[str]) -> Mapping[str, int]:
        """Up to which seq the group tallies are; groups with none are left out."""
        ...

    async def advance(self, generation: str, advance: Advance) -> None:
        """Move a group on, durably: its tally and its cells, each step exactly once.

        That holds however often the same steps are tried, broken off in the middle, by however many nodes at once:
        what a group's steps are follows from its ledger alone.

        Raises:
            TallyMoved: the group isn't at `advance.after` (0: it has no tally).

        """
        ...

    async def sums(self, generation: str, asked: Asked) -> Sequence[tuple[str, Sums]]:
        """The sums that aren't over nothing: of each group, user or currency."""
        ...

    async def groups(self, generation: str, group_ids: Sequence[str]) -> Mapping[str, GroupTally]:
        """The tallies of these groups; those with none are left out."""
        ...

    async def unsettled(
        self, generation: str, currency: str, since: str, until: str, limit: int
    ) -> Sequence[GroupTally]:
        """At most `limit` groups in the currency with something outstanding, the largest first.

        Only those whose last event was on a day from `since` to `until`.
        """
        ...

    async def outstanding(self, generation: str) -> Mapping[str, Sums]:
        """By currency, how many groups have something outstanding, and how much that is."""
        ...

    async def count(self, generation: str) -> int:
        """How many groups have a tally."""
        ...

    async def active(self, generation: str, since: str, until: str) -> int:
        """How many groups had an event on a day from `since` to `until`."""
        ...

    async def forget(self, group_id: str) -> None:
        """Take everything of an erased group away, of all generations."""
        ...

    async def drop(self, generation: str) -> None:
        """Take a whole generation away. Can be done again."""
        ...
