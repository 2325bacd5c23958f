"""Long work leaves the loop to others after each slice."""

import asyncio

import pytest

from persplit.ledger.slices import Work
from persplit.service.turns import Turns


def counting(to: int, seen: list[str], name: str) -> Work[str]:
    for number in range(to):
        seen.append(f"{name}{number}")
        yield
    return name


async def test_what_is_over_in_one_slice_is_done_at_once() -> None:
    others = asyncio.ensure_future(asyncio.sleep(0))
    assert await Turns().finish(counting(0, [], "quick")) == "quick"
    assert not others.done()
    await others


async def test_others_are_served_between_two_slices() -> None:
    turns, seen = Turns(), list[str]()

    async def other() -> None:
        for _ in range(3):
            seen.append("other")
            await asyncio.sleep(0)

    answer, _ = await asyncio.gather(turns.finish(counting(3, seen, "long ")), other())
    assert answer == "long "
    assert seen == ["long 0", "other", "long 1", "other", "long 2", "other"]


async def test_one_turn_of_the_loop_has_one_slice_of_long_work() -> None:
    turns, seen = Turns(), list[str]()
    names = [f"long {name} " for name in "abc"]
    assert await asyncio.gather(*(turns.finish(counting(3, seen, name)) for name in names)) == names
    assert seen[:3] == ["long a 0", "long b 0", "long c 0"]  # the first slice is everybody's own
    assert seen[3:] == [f"long {name} {number}" for number in (1, 2) for name in "abc"]


async def test_work_that_fails_lets_the_next_one_go_on() -> None:
    turns, seen = Turns(), list[str]()

    def failing() -> Work[str]:
        yield
        raise ValueError("no plan")

    failed, done = await asyncio.gather(
        turns.finish(failing()), turns.finish(counting(2, seen, "next ")), return_exceptions=True
    )
    assert isinstance(failed, ValueError)
    assert done == "next "


async def test_who_is_cancelled_lets_the_next_one_go_on() -> None:
    turns, seen = Turns(), list[str]()
    first = asyncio.ensure_future(turns.finish(counting(1_000, seen, "first ")))
    await asyncio.sleep(0)
    second = asyncio.ensure_future(turns.finish(counting(2, seen, "second ")))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == "second "
    with pytest.raises(asyncio.CancelledError):
        await first
