"""What admins do: who may, what it changes, and that all of it is in the log."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from persplit.adapters.memory_store import MemoryDocuments
from persplit.ledger.errors import Forbidden, NotFound
from persplit.service import administration as administration_module
from persplit.service.administration import Administration
from persplit.service.admins import Admins
from persplit.service.audit import AdminAction, AuditLog
from persplit.service.sessions import Sessions
from persplit.service.suspensions import Suspensions
from persplit.service.users import UNIQUE_KEYS, User, Users

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass
class House:
    administration: Administration
    admins: Admins
    users: Users
    sessions: Sessions
    audit: AuditLog
    now: datetime = START

    def clock(self) -> datetime:
        return self.now

    async def signs_up(self, name: str) -> str:
        user = User(name, name.title(), f"{name}@example.org", None, None, None, "2026-03-01T12:00:00.000Z")
        await self.users.insert(user, "hash")
        return name

    async def log(self) -> list[tuple[str, str | None, str | None]]:
        return [(one.action, one.by, one.on) for one in await self.audit.page("", 100)]


@pytest.fixture
def house() -> House:
    return a_house()


def a_house() -> House:
    made: list[House] = []

    def clock() -> datetime:
        return made[0].clock()

    users = Users(MemoryDocuments(UNIQUE_KEYS))
    suspensions = Suspensions(MemoryDocuments(), clock)
    admins = Admins(MemoryDocuments(), suspensions, clock)
    sessions = Sessions(MemoryDocuments(), pepper=b"p" * 32, clock=clock)
    audit = AuditLog(MemoryDocuments(), clock)
    made.append(
        House(Administration(users, admins, suspensions, sessions, audit), admins, users, sessions, audit)
    )
    return made[0]


async def test_the_role_is_given_and_taken_away_and_counts_at_once(house: House) -> None:
    asha = await house.signs_up("asha")
    with pytest.raises(Forbidden):
        await house.admins.require(asha)
    for _ in range(2):
        assert (await house.administration.grant("Asha@Example.org")).is_admin
    await house.admins.require(asha)
    assert [entry.user.id for entry in await house.administration.admins()] == [asha]
    for _ in range(2):
        assert not (await house.administration.revoke(asha)).is_admin
    with pytest.raises(Forbidden):
        await house.admins.require(asha)
    assert await house.administration.admins() == []


async def test_there_is_nothing_to_do_to_nobody(house: House) -> None:
    it = house.administration
    for attempt in (
        it.grant("x"),
        it.revoke("x"),
        it.disable("x", by="asha"),
        it.enable("x", by=None),
    ):
        with pytest.raises(NotFound):
            await attempt
    assert await house.log() == []


async def test_disabling_ends_every_session_and_enabling_brings_none_back(house: House) -> None:
    asha, ben = await house.signs_up("asha"), await house.signs_up("ben")
    grants = [await house.sessions.start(user) for user in (ben, ben, asha)]
    disabled = await house.administration.disable(ben, by=asha)
    assert disabled.disabled_at == "2026-03-01T12:00:00.000Z"
    assert [await house.sessions.is_live(grant.session.id) for grant in grants] == [False, False, True]
    house.now += timedelta(hours=1)
    assert (await house.administration.disable(ben, by=asha)).disabled_at == disabled.disabled_at
    assert (await house.administration.enable(ben, by=asha)).disabled_at is None
    assert await house.sessions.list_of(ben) == []


async def test_an_admin_who_is_disabled_is_none_and_no_admin_disables_another(house: House) -> None:
    asha, ben = await house.signs_up("asha"), await house.signs_up("ben")
    for user in (asha, ben):
        await house.administration.grant(user)
    for victim in (asha, ben):
        with pytest.raises(Forbidden):
            await house.administration.disable(victim, by=asha)
    await house.administration.disable(ben, by=None)
    with pytest.raises(Forbidden):
        await house.admins.require(ben)
    assert await house.admins.has(ben)


async def test_the_log_has_who_did_what_to_whom_newest_first_a_page_at_a_time(house: House) -> None:
    asha, ben = await house.signs_up("asha"), await house.signs_up("ben")
    await house.administration.grant(asha)
    for work in (house.administration.disable, house.administration.enable):
        house.now += timedelta(seconds=1)
        await work(ben, by=asha)
    house.now += timedelta(milliseconds=1)
    await house.administration.search("b", "", 10, by=asha)
    expected = [
        (AdminAction.SEARCH, asha, None),
        (AdminAction.ENABLE, asha, ben),
        (AdminAction.DISABLE, asha, ben),
        (AdminAction.GRANT, None, asha),
    ]
    assert await house.log() == expected
    paged, after = [], ""
    while page := await house.administration.audit(after, 1):
        paged.append((page[0].action, page[0].by, page[0].on))
        after = page[0].id
    assert paged == expected


@settings(max_examples=30, deadline=None)
@given(
    names=st.lists(st.text("abßÄ", min_size=1, max_size=3), max_size=12),
    words=st.text("aBsä", max_size=2),
    limit=st.integers(1, 5),
)
async def test_paging_through_a_search_finds_every_account_that_matches_once(
    names: list[str], words: str, limit: int
) -> None:
    house = a_house()
    for number, name in enumerate(names):
        await house.users.insert(
            User(f"{number:03}", name, f"{number}@x.org", None, None, None, "2026-03-01T12:00:00.000Z"), "h"
        )
    found: list[str] = []
    after: str | None = ""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(administration_module, "LOOKED_AT_MAX", 4)
        patched.setattr(administration_module, "LOOKED_AT_ONCE", 2)
        while after is not None:
            page = await house.administration.search(words, after, limit, by=None)
            assert len(page.entries) <= limit
            found += [entry.user.id for entry in page.entries]
            after = page.next_after
    matching = [f"{i:03}" for i, name in enumerate(names) if words.casefold() in name.casefold()]
    by_address = [
        f"{i:03}"
        for i, _ in enumerate(names)
        if words.casefold() in f"{i}@x.org" and f"{i:03}" not in matching
    ]
    assert found == sorted(matching + by_address)
