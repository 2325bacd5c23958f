"""Deadlines: one timer ends all the waits that last too long, and no other."""

import asyncio

import pytest

from persplit.adapters.deadlines import TIDY_MIN, Deadlines


class TooLateError(Exception):
    """It wasn't done in time."""


async def test_who_waits_too_long_is_told_and_who_is_answered_is_not() -> None:
    loop = asyncio.get_running_loop()
    deadlines = Deadlines(0.01, TooLateError)
    answered, never, also_never = (loop.create_future() for _ in range(3))
    for future in (answered, never, also_never):
        deadlines.watch(future)
    answered.set_result("in time")
    for future in (never, also_never):
        with pytest.raises(TooLateError):
            await future
    assert await answered == "in time"


async def test_whoever_comes_after_all_were_answered_is_watched_too() -> None:
    loop = asyncio.get_running_loop()
    deadlines = Deadlines(0.01, TooLateError)
    for _ in range(2):
        future = loop.create_future()
        deadlines.watch(future)
        with pytest.raises(TooLateError):
            await future


async def test_what_is_over_is_not_held_until_its_time_has_come() -> None:
    loop = asyncio.get_running_loop()
    deadlines = Deadlines(3600, TooLateError)
    waiting = loop.create_future()
    deadlines.watch(waiting)
    for _ in range(10 * TIDY_MIN):
        done = loop.create_future()
        deadlines.watch(done)
        done.set_result(None)
    assert len(deadlines._watched) <= TIDY_MIN
    assert not waiting.done()
    deadlines.close()


async def test_once_closed_it_ends_nothing() -> None:
    loop = asyncio.get_running_loop()
    deadlines, others = Deadlines(0.01, TooLateError), Deadlines(0.02, TooLateError)
    left, later = loop.create_future(), loop.create_future()
    deadlines.watch(left)
    others.watch(later)
    deadlines.close()
    with pytest.raises(TooLateError):
        await later
    assert not left.done()
