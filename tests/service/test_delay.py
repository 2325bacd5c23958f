"""Many waits with one timer."""

import asyncio

from persplit.service.delay import Delay

SECONDS = 0.02


async def test_each_is_called_once_in_the_order_in_which_they_began() -> None:
    called: list[str] = []
    delay = Delay[str](SECONDS, called.append)
    for item in ("a", "b", "c", "a"):
        delay.start(item)
    assert delay.stop("b")
    assert not delay.stop("b")
    while len(delay):  # noqa: ASYNC110 - nothing else tells
        await asyncio.sleep(SECONDS)
    assert called == ["c", "a"]


async def test_one_that_begins_anew_when_it_is_called_holds_up_nobody() -> None:
    called: list[str] = []

    def act(item: str) -> None:
        called.append(item)
        if called == ["a"]:
            delay.start("a")

    delay = Delay[str](SECONDS, act)
    delay.start("a")
    await asyncio.sleep(SECONDS / 2)
    delay.start("b")
    while not called:  # noqa: ASYNC110 - as above
        await asyncio.sleep(0)
    assert delay._timer is not None
    assert called[1:] or delay._timer.when() == delay._due["b"], "the soonest is waited for"
    while len(called) < 3:  # noqa: ASYNC110 - as above
        await asyncio.sleep(SECONDS)
    assert called == ["a", "b", "a"]


async def test_nothing_is_called_after_the_end() -> None:
    called: list[str] = []
    delay = Delay[str](SECONDS, called.append)
    delay.start("a")
    delay.close()
    await asyncio.sleep(2 * SECONDS)
    assert (called, len(delay)) == ([], 0)
