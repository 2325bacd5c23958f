"""A database that doesn't answer is spared, and asked again; an unknown outcome stays unknown."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from pymongo.errors import (
    AutoReconnect,
    DuplicateKeyError,
    ExecutionTimeout,
    NotPrimaryError,
    OperationFailure,
    ServerSelectionTimeoutError,
)

from persplit.adapters import mongo_store
from persplit.adapters.breaker import FAILURES_MAX, OPEN_SECONDS, Breaker
from persplit.adapters.mongo_store import Calls
from persplit.service.errors import StoreUnavailable
from persplit.service.ports import DuplicateKey


class Ticks:
    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
def calls(ticks: Ticks) -> Calls:
    calls = Calls()
    calls.breaker = Breaker(ticks)
    return calls


class Server:
    """Counts how often it is asked, and answers with an error or not at all."""

    def __init__(self, calls: Calls) -> None:
        self.calls = calls
        self.asked = 0
        self.error: Exception | None = None

    async def ask(self, answer: Callable[[], Awaitable[None]] | None = None) -> None:
        async with self.calls.answered():
            self.asked += 1
            if answer is not None:
                await answer()
            if self.error is not None:
                raise self.error

    async def fails(self, times: int = FAILURES_MAX) -> None:
        self.error = AutoReconnect()
        for _ in range(times):
            with pytest.raises(StoreUnavailable):
                await self.ask()
        self.error = None


@pytest.fixture
def server(calls: Calls) -> Server:
    return Server(calls)


async def test_after_some_failures_in_a_row_nothing_is_sent(server: Server) -> None:
    await server.fails()
    with pytest.raises(StoreUnavailable, match="nothing was sent"):
        await server.ask()
    assert server.asked == FAILURES_MAX


async def test_failures_with_an_answer_between_them_close_nothing(server: Server) -> None:
    for _ in range(3):
        await server.fails(FAILURES_MAX - 1)
        await server.ask()
    assert not server.calls.breaker.is_open


async def test_after_a_moment_one_call_tries_while_the_others_are_refused(
    server: Server, ticks: Ticks
) -> None:
    await server.fails()
    ticks.seconds += OPEN_SECONDS
    answers = asyncio.Event()

    async def wait() -> None:
        await answers.wait()

    trying = asyncio.create_task(server.ask(wait))
    await asyncio.sleep(0)
    with pytest.raises(StoreUnavailable, match="nothing was sent"):
        await server.ask()
    answers.set()
    await trying
    assert not server.calls.breaker.is_open
    await server.ask()


async def test_a_try_that_fails_leaves_it_spared_for_another_moment(server: Server, ticks: Ticks) -> None:
    await server.fails()
    ticks.seconds += OPEN_SECONDS
    await server.fails(1)
    asked = server.asked
    with pytest.raises(StoreUnavailable, match="nothing was sent"):
        await server.ask()
    assert server.asked == asked
    ticks.seconds += OPEN_SECONDS
    await server.ask()


async def test_a_try_whose_caller_goes_away_is_followed_by_another(server: Server, ticks: Ticks) -> None:
    await server.fails()
    ticks.seconds += OPEN_SECONDS
    never = asyncio.Event()

    async def wait() -> None:
        await never.wait()

    trying = asyncio.create_task(server.ask(wait))
    await asyncio.sleep(0)
    trying.cancel()
    await asyncio.gather(trying, return_exceptions=True)
    await server.ask()
    assert not server.calls.breaker.is_open


@pytest.mark.parametrize("error", [NotPrimaryError(), OperationFailure("no", 13), DuplicateKeyError("taken")])
async def test_a_database_that_says_no_is_there(server: Server, error: Exception) -> None:
    server.error = error
    for _ in range(2 * FAILURES_MAX):
        with pytest.raises((StoreUnavailable, DuplicateKey)):
            await server.ask()
    assert server.asked == 2 * FAILURES_MAX


@pytest.mark.parametrize("error", [ServerSelectionTimeoutError(), ExecutionTimeout("slow", 50)])
async def test_one_that_is_not_found_or_too_slow_is_not(server: Server, error: Exception) -> None:
    server.error = error
    for _ in range(2 * FAILURES_MAX):
        with pytest.raises(StoreUnavailable):
            await server.ask()
    assert server.asked == FAILURES_MAX


async def test_one_that_says_nothing_in_time_is_not(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mongo_store, "DEADLINE_S", 0.01)
    never = asyncio.Event()

    async def wait() -> None:
        await never.wait()

    for _ in range(FAILURES_MAX):
        with pytest.raises(StoreUnavailable, match="did not answer"):
            await server.ask(wait)
    assert server.calls.breaker.is_open
