"""What clients may send about presets and recurring expenses."""

from typing import Annotated

from pydantic import Field, StrictBool, StrictInt

from persplit.ledger.expense import SplitType
from persplit.ledger.preset import PresetDraft
from persplit.ledger.recurrence import COUNT_MAX, INTERVAL_MAX, Frequency, Schedule
from persplit.transport import fields as f
from persplit.transport.requests import PEOPLE_MAX, GroupWrite, Request, SplitIn, TemplateIn, split_values


class PresetIn(Request):
    """A way to divide, with a name."""

    name: f.Name
    split_type: SplitType = Field(description="EQUAL, SHARES or PERCENTAGE")
    participants: Annotated[list[f.Id], Field(max_length=PEOPLE_MAX)] | None = Field(
        None, description="EQUAL, SHARES: among whom; all who are members when it is used unless told"
    )
    splits: Annotated[list[SplitIn], Field(max_length=PEOPLE_MAX)] | None = Field(
        None, description="PERCENTAGE, SHARES: what is told of each; SHARES: everybody's weight unless told"
    )
    is_default: StrictBool = Field(
        default=False, description="clients offer it first; the one before no longer"
    )

    def draft(self) -> PresetDraft:
        """The draft for the ledger. Raises `Invalid`: a split's value isn't one of its type."""
        return PresetDraft(
            name=self.name,
            split_type=self.split_type,
            participants=None if self.participants is None else tuple(self.participants),
            splits=split_values(self.split_type, self.splits),
            is_default=self.is_default,
        )


class CreatePreset(GroupWrite, PresetIn):
    """A new preset. `id` may be chosen by the client: a new UUID, else `conflict`."""

    id: f.NewId | None = None


class SavePreset(GroupWrite, PresetIn):
    """A preset, new or in place of the one with this id."""

    preset_id: f.NewId
    expected_seq: f.ExpectedSeq | None = None


class DeletePreset(GroupWrite):
    """Which preset to delete."""

    preset_id: f.Id
    expected_seq: f.ExpectedSeq | None = None


class ScheduleIn(Request):
    """How often, from when to when."""

    frequency: Frequency
    interval: Annotated[StrictInt, Field(ge=1, le=INTERVAL_MAX)] = Field(
        default=1, description="every so many days, weeks, months or years"
    )
    start: f.Day = Field(
        description="the first day. What starts on the 31st falls on the last day of a shorter month"
    )
    end: f.Day | None = Field(None, description="the last day that counts")
    count: Annotated[StrictInt, Field(ge=1, le=COUNT_MAX)] | None = Field(
        None, description="so many expenses; either this or `end`"
    )

    def schedule(self) -> Schedule:
        """The same for the ledger."""
        return Schedule(self.frequency, self.start, self.interval, self.end, self.count)


class RecurrenceIn(Request):
    """A schedule, and the expense that it makes: the fields of `expense:create`, without a date."""

    schedule: ScheduleIn
    expense: TemplateIn


class CreateRecurrence(GroupWrite, RecurrenceIn):
    """A new recurring expense. `id` may be chosen by the client: a new UUID, else `conflict`."""

    id: f.NewId | None = None


class SaveRecurrence(GroupWrite, RecurrenceIn):
    """A recurring expense, new or in place of the one with this id; what it has made stays.

    One that was stopped is not set up anew under its id, which would make all of its expenses again: `conflict`.
    """

    recurrence_id: f.NewId
    expected_seq: f.ExpectedSeq | None = None


class PauseRecurrence(GroupWrite):
    """Make no more for now; with `paused: false` go on, without what would have been made meanwhile."""

    recurrence_id: f.Id
    paused: StrictBool = True
    expected_seq: f.ExpectedSeq | None = None


class StopRecurrence(GroupWrite):
    """Which recurring expense makes no more; what it has made stays."""

    recurrence_id: f.Id
    expected_seq: f.ExpectedSeq | None = None
