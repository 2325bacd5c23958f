"""Invites and group passwords."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from persplit.adapters.memory_store import MemoryDocuments
from persplit.ledger.errors import Forbidden, Invalid, LimitReached, NotFound
from persplit.service import invites as invites_module
from persplit.service.errors import RateLimited, ServiceError, StoreUnavailable
from persplit.service.invites import CODE_LENGTH, INVITE_HOURS, GroupPasswords, Invites
from persplit.service.personal_tokens import PersonalTokens
from persplit.service.ports import Document, DuplicateKey, PasswordHasher, VersionChanged
from persplit.service.throttle import FREE_FAILURES, SignInThrottle
from tests.service.nodes import Clock

DAY = 86_400


class Reversing(PasswordHasher):
    """A hash that tests can afford."""

    def __init__(self) -> None:
        self.fails_with: ServiceError | None = None
        self.verified = 0

    async def hash(self, password: str) -> str:
        await asyncio.sleep(0)
        return password[::-1]

    async def verify(self, password: str, hashed: str | None) -> bool:
        self.verified += 1
        if self.fails_with is not None:
            raise self.fails_with
        return hashed is not None and hashed == password[::-1]


class Seconds:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def documents() -> MemoryDocuments:
    return MemoryDocuments()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def invites(documents: MemoryDocuments, clock: Clock) -> Invites:
    return Invites(documents, PersonalTokens(MemoryDocuments(), clock), clock)


@pytest.fixture
def hasher() -> Reversing:
    return Reversing()


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def passwords(documents: MemoryDocuments, hasher: Reversing, seconds: Seconds) -> GroupPasswords:
    return GroupPasswords(documents, hasher, SignInThrottle(monotonic=seconds))


# --- invites


async def test_a_code_opens_its_group_as_often_as_wished(invites: Invites) -> None:
    code, _ = await invites.create("goa", "asha")
    other, _ = await invites.create("diu", "asha")
    assert len(code) == CODE_LENGTH
    assert code != other
    for _ in range(3):
        assert (await invites.find(code)).group_id == "goa"
    assert (await invites.find(other)).group_id == "diu"


@pytest.mark.parametrize("code", ["", "nonsense", "a" * CODE_LENGTH, "é"])
async def test_a_code_of_nobodys_opens_nothing(invites: Invites, code: str) -> None:
    await invites.create("goa", "asha")
    with pytest.raises(NotFound):
        await invites.find(code)


async def test_a_code_runs_out_when_it_says_and_is_gone_then(
    invites: Invites, clock: Clock, documents: MemoryDocuments
) -> None:
    code, invite = await invites.create("goa", "asha")
    assert invite.expires_at == "2026-11-28T08:00:00.000Z"
    clock.now += timedelta(hours=INVITE_HOURS) - timedelta(milliseconds=1)
    assert (await invites.find(code)).group_id == "goa"
    clock.move(0.001)
    with pytest.raises(NotFound):
        await invites.find(code)
    assert documents._documents == {}
    clock.move(-DAY)
    with pytest.raises(NotFound):
        await invites.find(code)


async def test_who_reads_the_store_cant_join_with_what_is_there(
    invites: Invites, documents: MemoryDocuments
) -> None:
    code, _ = await invites.create("goa", "asha")
    assert code not in repr(documents._documents)
    (id_,) = documents._documents
    with pytest.raises(NotFound):
        await invites.find(id_)


async def test_an_invite_for_two_lets_two_in_however_many_come_at_once(invites: Invites) -> None:
    code, _ = await invites.create("goa", "asha", uses_max=2)
    invite = await invites.find(code)
    came = await asyncio.gather(*(invites.take(invite) for _ in range(5)), return_exceptions=True)
    assert [type(it).__name__ for it in came].count("NoneType") == 2
    with pytest.raises(NotFound):
        await invites.take(invite)
    await invites.give_back(invite)
    assert (await invites.find(code)).uses == 1
    await invites.take(invite)


async def test_an_invite_that_was_taken_back_lets_nobody_in(invites: Invites) -> None:
    code, invite = await invites.create("goa", "asha")
    await invites.create("diu", "asha")
    assert list(await invites.list_of("goa")) == [invite]
    await invites.revoke(invite)
    await invites.give_back(invite)
    assert list(await invites.list_of("goa")) == []
    with pytest.raises(NotFound):
        await invites.find(code)
    with pytest.raises(NotFound):
        await invites.take(invite)


async def test_invites_that_run_out_make_room_for_others(
    invites: Invites, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invites_module, "INVITES_PER_GROUP_MAX", 2)
    await invites.create("goa", "asha", hours=1)
    await invites.create("goa", "asha", hours=2)
    with pytest.raises(LimitReached):
        await invites.create("goa", "asha")
    clock.now += timedelta(hours=1)
    await invites.create("goa", "asha")


async def test_an_invite_from_before_uses_were_counted_is_good_without_end(
    invites: Invites, documents: MemoryDocuments
) -> None:
    code, invite = await invites.create("goa", "asha")
    (document,) = (await documents.get([invite.id])).values()
    old = {name: value for name, value in document.body.items() if name not in ("uses", "usesMax")}
    await documents.replace(replace(document, body=old))
    await invites.take(invite)
    assert (await invites.find(code)).uses == 1


# --- group passwords


async def test_the_right_password_lets_in_and_another_doesnt(passwords: GroupPasswords) -> None:
    await passwords.set("goa", "sunset")
    await passwords.check("goa", "ben", "sunset")
    with pytest.raises(Forbidden):
        await passwords.check("goa", "ben", "sunrise")
    with pytest.raises(Invalid):
        await passwords.check("goa", "ben", None)


async def test_a_password_is_kept_hashed(passwords: GroupPasswords, documents: MemoryDocuments) -> None:
    await passwords.set("goa", "sunset")
    assert "sunset" not in repr(documents._documents)


async def test_a_new_password_takes_the_place_of_the_one_before(passwords: GroupPasswords) -> None:
    for password in ("sunset", "sunrise", "noon"):
        await passwords.set("goa", password)
    await passwords.check("goa", "ben", "noon")
    with pytest.raises(Forbidden):
        await passwords.check("goa", "ben", "sunset")


async def test_two_passwords_set_at_once_leave_one_of_the_two(passwords: GroupPasswords) -> None:
    await passwords.set("goa", "sunset")
    await asyncio.gather(passwords.set("goa", "sunrise"), passwords.set("goa", "noon"))
    right = 0
    for password in ("sunrise", "noon"):
        try:
            await passwords.check("goa", "ben", password)
            right += 1
        except Forbidden:
            continue
    assert right == 1


async def test_a_password_that_somebody_else_replaced_first_is_no_error(hasher: Reversing) -> None:
    class Contested(MemoryDocuments):
        async def replace(self, document: Document) -> Document:
            raise VersionChanged

    passwords = GroupPasswords(Contested(), hasher, SignInThrottle())
    await passwords.set("goa", "sunset")
    await passwords.set("goa", "sunrise")
    await passwords.check("goa", "ben", "sunset")


async def test_a_password_that_vanished_while_it_was_replaced_is_no_error(hasher: Reversing) -> None:
    class Vanishing(MemoryDocuments):
        async def insert(self, document: Document) -> None:
            raise DuplicateKey

    await GroupPasswords(Vanishing(), hasher, SignInThrottle()).set("goa", "sunset")


async def test_a_group_with_no_password_lets_nobody_in_by_one(
    passwords: GroupPasswords, hasher: Reversing
) -> None:
    with pytest.raises(Forbidden):
        await passwords.check("goa", "ben", "sunset")
    assert hasher.verified == 1  # it takes as long as with one


async def test_guessing_gets_slower_for_each_person_by_themself(
    passwords: GroupPasswords, seconds: Seconds
) -> None:
    await passwords.set("goa", "sunset")
    for _ in range(FREE_FAILURES):
        with pytest.raises(Forbidden):
            await passwords.check("goa", "eve", "guess")
    with pytest.raises(RateLimited):
        await passwords.check("goa", "eve", "sunset")
    await passwords.check("goa", "ben", "sunset")
    seconds.now += 2
    await passwords.check("goa", "eve", "sunset")
    with pytest.raises(Forbidden):
        await passwords.check("goa", "eve", "guess")


async def test_a_password_that_couldnt_be_looked_at_is_no_wrong_guess(
    passwords: GroupPasswords, hasher: Reversing
) -> None:
    await passwords.set("goa", "sunset")
    hasher.fails_with = StoreUnavailable("busy")
    for _ in range(FREE_FAILURES * 2):
        with pytest.raises(StoreUnavailable):
            await passwords.check("goa", "ben", "sunset")
    hasher.fails_with = None
    await passwords.check("goa", "ben", "sunset")
