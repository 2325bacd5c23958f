"""Password hashing: its strength, its bound, and what it doesn't give away."""

import asyncio
import threading
from collections.abc import Iterator

import pytest
from argon2 import extract_parameters

from persplit.adapters import passwords as module
from persplit.adapters.passwords import RETRY_AFTER_MS, Argon2Passwords
from persplit.service.errors import RateLimited, ServerRestarting


@pytest.fixture
def passwords() -> Iterator[Argon2Passwords]:
    cheap = Argon2Passwords(memory_kib=8, threads=1, waiting_max=1)
    yield cheap
    cheap.close()


class Gate:
    """Holds the hashing threads up until it opens."""

    def __init__(self, passwords: Argon2Passwords, monkeypatch: pytest.MonkeyPatch) -> None:
        self._opened = threading.Event()
        self._matches = passwords._matches
        monkeypatch.setattr(passwords, "_matches", self._wait_and_match)

    def _wait_and_match(self, password: str, hashed: str) -> bool:
        assert self._opened.wait(5)
        return self._matches(password, hashed)

    def open(self) -> None:
        self._opened.set()


async def test_a_hash_fits_its_password_and_no_other(passwords: Argon2Passwords) -> None:
    hashed = await passwords.hash("correct horse")
    assert await passwords.verify("correct horse", hashed)
    assert not await passwords.verify("Correct horse", hashed)


async def test_the_same_password_hashes_differently_each_time(passwords: Argon2Passwords) -> None:
    assert await passwords.hash("correct horse") != await passwords.hash("correct horse")


async def test_with_the_real_parameters_it_is_argon2id_with_46_mib() -> None:
    passwords = Argon2Passwords()
    hashed = await passwords.hash("correct horse")
    passwords.close()
    assert hashed.startswith("$argon2id$")
    parameters = extract_parameters(hashed)
    assert (parameters.memory_cost, parameters.time_cost, parameters.parallelism) == (47_104, 1, 1)


async def test_nothing_matches_no_hash_and_it_costs_the_same_work(
    passwords: Argon2Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified: list[str] = []

    def matches(password: str, hashed: str) -> bool:
        verified.append(hashed)
        return True

    monkeypatch.setattr(passwords, "_matches", matches)
    assert not await passwords.verify("anything", None)
    assert extract_parameters(verified[0]) == extract_parameters(await passwords.hash("anything"))


async def test_a_password_of_any_characters_is_taken_as_it_came(passwords: Argon2Passwords) -> None:
    composed, decomposed, half_a_pair = "caf\u00e9-au-lait", "cafe\u0301-au-lait", "half \ud800 a pair"
    hashed = await passwords.hash(composed)
    assert not await passwords.verify(decomposed, hashed)
    assert await passwords.verify(half_a_pair, await passwords.hash(half_a_pair))


async def test_when_as_many_wait_as_may_the_next_is_told_to_come_back(
    passwords: Argon2Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(passwords, monkeypatch)
    taken = [asyncio.create_task(passwords.verify("anything", None)) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(RateLimited) as refused:
        await passwords.verify("anything", None)
    assert refused.value.retry_after_ms == RETRY_AFTER_MS
    gate.open()
    assert await asyncio.gather(*taken) == [False, False]
    assert not await passwords.verify("anything", None)


async def test_who_goes_away_keeps_the_place_until_the_thread_is_free(
    passwords: Argon2Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(passwords, monkeypatch)
    impatient = asyncio.create_task(passwords.verify("anything", None))
    patient = asyncio.create_task(passwords.verify("anything", None))
    await asyncio.sleep(0.05)
    impatient.cancel()
    await asyncio.sleep(0)
    with pytest.raises(RateLimited):
        await passwords.verify("anything", None)
    gate.open()
    assert await patient is False


async def test_closing_finishes_what_was_taken_and_takes_no_more(
    passwords: Argon2Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(passwords, monkeypatch)
    taken = asyncio.create_task(passwords.verify("anything", None))
    await asyncio.sleep(0)
    passwords.close()
    for _ in range(3):  # more than there are places: a refusal gives its place back
        with pytest.raises(ServerRestarting):
            await passwords.verify("anything", None)
    gate.open()
    assert await taken is False


async def test_the_event_loop_runs_on_while_a_password_is_hashed(
    passwords: Argon2Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(passwords, monkeypatch)
    verifying = asyncio.create_task(passwords.verify("anything", None))
    await asyncio.sleep(0.01)
    assert not verifying.done()
    gate.open()
    await verifying


def test_the_bounds_keep_the_memory_of_hashing_under_100_mib() -> None:
    assert module.THREADS * module.MEMORY_KIB < 100 * 1024
