"""Recurring expenses fall on the days of the calendar: those of another library, over twenty years."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Final

import pytest
from dateutil import tz
from dateutil.relativedelta import relativedelta
from hypothesis import given
from hypothesis import strategies as st

from persplit.ledger.recurrence import Frequency, Schedule, day_before, day_in, is_time_zone, next_day
from tests.ledger.given import PROPERTY

YEARS: Final = relativedelta(years=20)
STEPS: Final = {
    Frequency.DAILY: lambda many: relativedelta(days=many),
    Frequency.WEEKLY: lambda many: relativedelta(weeks=many),
    Frequency.MONTHLY: lambda many: relativedelta(months=many),
    Frequency.YEARLY: lambda many: relativedelta(years=many),
}
ZONES: Final = ("Asia/Kolkata", "Europe/Berlin", "America/Sao_Paulo", "Pacific/Apia", "Africa/Cairo", "UTC")
"""In São Paulo and Cairo clocks were put forward at midnight: that day began at one. Apia left out a whole day."""

starts = st.dates(date(2000, 1, 1), date(2030, 12, 31)) | st.sampled_from(
    [date(2024, 1, 31), date(2024, 2, 29), date(2023, 12, 30), date(2026, 2, 28)]
)


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    start = draw(starts)
    ends = st.integers(0, 7_000).map(lambda days: (start + timedelta(days)).isoformat())
    end, count = draw(st.sampled_from([(True, False), (False, True), (False, False)]))
    return Schedule(
        frequency=draw(st.sampled_from(Frequency)),
        start=start.isoformat(),
        interval=draw(st.integers(1, 5)),
        end=draw(ends) if end else None,
        count=draw(st.integers(1, 40)) if count else None,
    )


def calendar_days(schedule: Schedule, until: date) -> Iterator[str]:
    """The days of the schedule, by the other library."""
    start, number = date.fromisoformat(schedule.start), 0
    while schedule.count is None or number < schedule.count:
        day = start + STEPS[schedule.frequency](number * schedule.interval)
        if day > until or (schedule.end is not None and day.isoformat() > schedule.end):
            return
        yield day.isoformat()
        number += 1


def our_days(schedule: Schedule, until: str) -> Iterator[str]:
    day = next_day(schedule, None)
    while day is not None and day <= until:
        yield day
        day = next_day(schedule, day)


@PROPERTY
@given(schedules())
def test_days_are_those_of_the_calendar_over_twenty_years(schedule: Schedule) -> None:
    until = date.fromisoformat(schedule.start) + YEARS
    assert list(our_days(schedule, until.isoformat())) == list(calendar_days(schedule, until))


@PROPERTY
@given(schedules(), st.integers(-400, 7_300))
def test_the_next_day_is_the_first_after_any_day(schedule: Schedule, days: int) -> None:
    after = date.fromisoformat(schedule.start) + timedelta(days)
    until = after + relativedelta(years=6)
    later = (day for day in calendar_days(schedule, until) if day > after.isoformat())
    assert next_day(schedule, after.isoformat()) == next(later, None)


@PROPERTY
@given(st.sampled_from(ZONES), st.integers(0, 20 * 366 * 24))
def test_a_day_begins_when_the_clocks_of_the_place_say(zone: str, hours: int) -> None:
    instant = datetime(2005, 1, 1, tzinfo=UTC) + timedelta(hours=hours)
    there = instant.astimezone(tz.gettz(zone))
    assert day_in(zone, instant.isoformat()) == there.date().isoformat()


@pytest.mark.parametrize(
    ("zone", "before", "midnight"),
    [
        ("America/Sao_Paulo", "2018-11-04T02:59:59.999Z", "2018-11-04T03:00:00.000Z"),  # the clock shows 1:00
        ("Europe/Berlin", "2026-03-28T22:59:59.999Z", "2026-03-28T23:00:00.000Z"),
        ("Europe/Berlin", "2026-10-24T21:59:59.999Z", "2026-10-24T22:00:00.000Z"),
        ("Asia/Kolkata", "2026-11-25T18:29:59.999Z", "2026-11-25T18:30:00.000Z"),
    ],
)
def test_midnight_is_where_the_day_changes(zone: str, before: str, midnight: str) -> None:
    assert day_in(zone, before) == day_before(day_in(zone, midnight))


def test_what_starts_on_the_31st_falls_on_the_last_day_of_shorter_months() -> None:
    monthly = Schedule(Frequency.MONTHLY, "2026-01-31")
    assert list(islice(our_days(monthly, "9999"), 4)) == [
        "2026-01-31",
        "2026-02-28",
        "2026-03-31",
        "2026-04-30",
    ]
    leap = Schedule(Frequency.YEARLY, "2024-02-29")
    assert list(islice(our_days(leap, "9999"), 5)) == [
        f"{year}-02-{29 if year % 4 == 0 else 28}" for year in range(2024, 2029)
    ]


@pytest.mark.parametrize("frequency", Frequency)
def test_the_calendar_ends(frequency: Frequency) -> None:
    assert next_day(Schedule(frequency, "9999-12-01", interval=100), "9999-12-01") is None


def test_time_zones_have_names() -> None:
    assert all(map(is_time_zone, ZONES))
    assert not any(map(is_time_zone, ("", "Mars/Base", "../etc/passwd", "IST ")))
