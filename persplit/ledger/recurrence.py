"""Recurring expenses: on which days a template makes one.

Days, not instants: a template is due on a day of the group's own calendar from its midnight on, whatever the clocks
do in that night. Months and years are counted from the start: what starts on the 31st falls on the last day of a
shorter month, and on the 31st again in the next long one; what starts on 29 February falls on the 28th in other years.
"""

import calendar
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from persplit.ledger.expense import ExpenseDraft

RECURRENCES_MAX: Final = 50
"""Of one group: more than anybody's standing bills, and they are part of its state."""
INTERVAL_MAX: Final = 100
COUNT_MAX: Final = 10_000
"""A day each for 27 years."""
PAST_DAYS_MAX: Final = 366
"""How long ago the first one may be: what is missing since then is made at once."""
AHEAD_DAYS_MAX: Final = 3_660
"""How far ahead the first one may be: ten years."""
UTC_ZONE: Final = "UTC"


class Frequency(StrEnum):
    """How often."""

    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"
    YEARLY = "YEARLY"


_DAYS: Final = {Frequency.DAILY: 1, Frequency.WEEKLY: 7}
_MONTHS: Final = {Frequency.MONTHLY: 1, Frequency.YEARLY: 12}
_MONTHS_EVER: Final = 12 * date.max.year


@dataclass(frozen=True, slots=True)
class Schedule:
    """Every `interval` days, weeks, months or years from `start` on, up to `end` with it, or `count` times.

    Days are YYYY-MM-DD.
    """

    frequency: Frequency
    start: str
    interval: int = 1
    end: str | None = None
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A template as recorded, and how far it has come.

    `draft` has no date: each expense has that of its own. Those up to `made_through` are made, or were passed over
    while it was paused. `problem` says why it was paused where that was nobody's wish. `since` is the seq at which it
    was made: with the id and a day it names each expense that comes of it. Times are RFC 3339 UTC.
    """

    id: str
    seq: int
    since: int
    schedule: Schedule
    draft: ExpenseDraft
    made_through: str | None
    paused: bool
    problem: str | None
    created_by: str
    created_at: str
    updated_at: str


def next_day(schedule: Schedule, after: str | None) -> str | None:
    """The first day of the schedule after this one; of all where None. None where there is no more."""
    number = 0 if after is None else _number_after(schedule, date.fromisoformat(after))
    if schedule.count is not None and number >= schedule.count:
        return None
    day = _day(schedule, number)
    if day is None or (schedule.end is not None and day.isoformat() > schedule.end):
        return None
    return day.isoformat()


def due_day(recurrence: Recurrence, today: str) -> str | None:
    """The day for which it has to make an expense next, if that has come."""
    day = None if recurrence.paused else next_day(recurrence.schedule, recurrence.made_through)
    return None if day is None or day > today else day


def is_time_zone(name: str) -> bool:
    """Whether the name is one of the IANA time zone database."""
    return name in available_timezones()


def day_in(zone: str, at: str) -> str:
    """The day in the time zone at an instant, RFC 3339."""
    return datetime.fromisoformat(at).astimezone(ZoneInfo(zone)).date().isoformat()


def day_before(day: str) -> str:
    """The day before."""
    return (date.fromisoformat(day) - timedelta(days=1)).isoformat()


def day_after(day: str) -> str:
    """The day after. Somewhere to the east that is today already."""
    return (date.fromisoformat(day) + timedelta(days=1)).isoformat()


def _number_after(schedule: Schedule, after: date) -> int:
    """The place in the schedule, from 0, of its first day after that one."""
    start = date.fromisoformat(schedule.start)
    if after < start:
        return 0
    if schedule.frequency in _DAYS:
        return (after - start).days // (_DAYS[schedule.frequency] * schedule.interval) + 1
    months = 12 * (after.year - start.year) + after.month - start.month
    number = months // (_MONTHS[schedule.frequency] * schedule.interval)
    day = _day(schedule, number)
    return number if day is not None and day > after else number + 1


def _day(schedule: Schedule, number: int) -> date | None:
    """The day at this place; None beyond the end of the calendar."""
    start = date.fromisoformat(schedule.start)
    if schedule.frequency in _DAYS:
        ahead = number * _DAYS[schedule.frequency] * schedule.interval
        return start + timedelta(days=ahead) if ahead <= (date.max - start).days else None
    months = 12 * start.year + start.month - 1 + number * _MONTHS[schedule.frequency] * schedule.interval
    if months >= _MONTHS_EVER + 12:
        return None
    year, month = divmod(months, 12)
    return date(year, month + 1, min(start.day, calendar.monthrange(year, month + 1)[1]))
