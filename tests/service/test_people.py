"""Profiles by id: mostly from memory, never long out of date."""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, TypeVar

import pytest

from persplit.adapters.memory_store import MemoryDocuments
from persplit.service.people import REMEMBERED_SECONDS, People
from persplit.service.ports import Document
from persplit.service.users import UNIQUE_KEYS, ProfileChanges, User, Users

T = TypeVar("T")

ASHA = User("asha", "Asha", "asha@example.org", None, "asha@okbank", None, "2026-03-01T12:00:00.000Z")
RAVI = User("ravi", "Ravi", "ravi@example.org", None, None, None, "2026-03-01T12:00:00.000Z")


class CountingDocuments(MemoryDocuments):
    """Counts reads; a read's answer is held up while `hold` isn't set."""

    def __init__(self) -> None:
        super().__init__(unique_keys=UNIQUE_KEYS)
        self.asked: list[list[str]] = []
        self.hold: asyncio.Event | None = None

    async def get(self, ids: Sequence[str]) -> Mapping[str, Document]:
        self.asked.append(list(ids))
        found = await super().get(ids)
        if self.hold:
            await self.hold.wait()
        return found


class Ticks:
    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def documents() -> CountingDocuments:
    return CountingDocuments()


@pytest.fixture
async def users(documents: CountingDocuments) -> Users:
    users = Users(documents)
    await users.insert(ASHA, "hash")
    await users.insert(RAVI, "hash")
    return users


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
def people(users: Users, ticks: Ticks) -> People:
    return People(users, monotonic=ticks, size_max=3)


def without_waiting(answer: Coroutine[Any, Any, T]) -> T:
    """The answer of a coroutine that never suspends."""
    with pytest.raises(StopIteration) as stopped:
        answer.send(None)
    value: T = stopped.value.value
    return value


async def test_those_with_an_account_are_found_and_placeholders_left_out(people: People) -> None:
    assert await people.get({"asha", "a-placeholder"}) == {"asha": ASHA}


async def test_asking_for_nobody_reads_nothing(people: People, documents: CountingDocuments) -> None:
    assert await people.get([]) == {}
    assert documents.asked == []


async def test_who_was_asked_for_before_is_known_without_waiting(people: People) -> None:
    await people.get(["asha", "a-placeholder"])
    assert without_waiting(people.get(["a-placeholder", "asha"])) == {"asha": ASHA}


async def test_only_those_not_remembered_are_read_and_each_once(
    people: People, documents: CountingDocuments
) -> None:
    await people.get(["asha"])
    assert await people.get(["asha", "ravi", "ravi"]) == {"asha": ASHA, "ravi": RAVI}
    assert documents.asked == [["asha"], ["ravi"]]


async def test_after_a_few_seconds_they_are_read_again(
    people: People, documents: CountingDocuments, ticks: Ticks
) -> None:
    await people.get(["asha"])
    ticks.seconds += REMEMBERED_SECONDS - 0.1
    await people.get(["asha"])
    assert len(documents.asked) == 1
    ticks.seconds += 0.1
    await people.get(["asha"])
    assert len(documents.asked) == 2


async def test_somebody_forgotten_is_read_again(people: People, users: Users) -> None:
    await people.get(["asha"])
    changed = await users.update("asha", ProfileChanges(vpa="asha@newbank"))
    people.forget("asha")
    assert await people.get(["asha"]) == {"asha": changed}


async def test_a_read_that_began_before_a_change_is_not_remembered_after_it(
    people: People, users: Users, documents: CountingDocuments
) -> None:
    slow = documents.hold = asyncio.Event()
    reading = asyncio.ensure_future(people.get(["asha"]))
    await asyncio.sleep(0)
    documents.hold = None
    changed = await users.update("asha", ProfileChanges(name="Asha R"))
    people.forget("asha")
    slow.set()
    assert await reading == {"asha": ASHA}
    assert await people.get(["asha"]) == {"asha": changed}


async def test_memory_is_bounded_and_the_longest_unused_goes_first(
    people: People, documents: CountingDocuments
) -> None:
    await people.get(["asha", "b", "c"])
    await people.get(["asha"])
    await people.get(["d"])
    assert len(people._remembered) == 3
    documents.asked.clear()
    await people.get(["asha", "c", "d"])
    assert documents.asked == []
    await people.get(["b"])
    assert documents.asked == [["b"]]


async def test_more_people_than_are_remembered_are_still_all_found(users: Users) -> None:
    people = People(users, size_max=1)
    assert await people.get(["asha", "ravi"]) == {"asha": ASHA, "ravi": RAVI}
