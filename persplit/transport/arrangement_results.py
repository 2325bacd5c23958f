"""What the server answers about presets and recurring expenses, as models."""

from typing import Annotated

from pydantic import Field

from persplit.ledger.expense import ExpenseKind, SplitType
from persplit.ledger.recurrence import Frequency
from persplit.transport.result import Item, Posting, Result, SplitValue, Time

Day = Annotated[str, Field(json_schema_extra={"format": "date"})]


class Preset(Result):
    """A named way to divide, for `participants`, or else all who are members when it is used."""

    id: str
    group_id: str
    seq: int
    name: str
    split_type: SplitType
    participants: list[str] | None = None
    splits: list[SplitValue]
    is_default: bool = Field(description="the one that clients offer first; one of a group at most")
    created_by: str
    created_at: Time
    updated_at: Time


class Presets(Result):
    """All presets of a group."""

    presets: list[Preset]


class Schedule(Result):
    """Every `interval` days, weeks, months or years from `start` on, up to `end` with it, or `count` times."""

    frequency: Frequency
    interval: int
    start: Day
    end: Day | None
    count: int | None


class TemplateExpense(Result):
    """The fields of `expense:create` that a recurring expense sends each time; what isn't told is left out."""

    description: str
    amount: int = Field(description="minor units of `currency`, or of the group's")
    split_type: SplitType | None = None
    preset_id: str | None = None
    paid_by: str | list[Posting] | None = None
    participants: list[str] | None = None
    splits: list[SplitValue] | None = None
    items: list[Item] | None = None
    include_payer: bool
    category: str | None = None
    notes: str | None = None
    kind: ExpenseKind | None = None
    currency: str | None = None
    rate: str | None = None


class Recurrence(Result):
    """A recurring expense, and how far it has come."""

    id: str
    group_id: str
    seq: int
    since: int = Field(description="the seq at which it was set up")
    schedule: Schedule
    expense: TemplateExpense
    made_through: Day | None = Field(description="those up to this day are made, or were passed over")
    paused: bool
    problem: str | None = Field(description="why the server paused it")
    created_by: str = Field(
        description="in whose name the expenses are made; it rests while they are no member"
    )
    created_at: Time
    updated_at: Time


class ListedRecurrence(Recurrence):
    """A recurring expense, and what comes next."""

    next_date: Day | None = Field(description="the day of its next expense; null where there is none to come")


class Recurrences(Result):
    """All recurring expenses of a group that have not been stopped."""

    recurrences: list[ListedRecurrence]
