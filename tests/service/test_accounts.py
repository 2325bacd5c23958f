"""Signing up, in and out, as a client meets it."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from persplit.adapters.memory_store import MemoryDocuments
from persplit.adapters.passwords import Argon2Passwords
from persplit.adapters.tokens import ACCESS_LIFETIME_SECONDS, JwtAccessTokens, derive_key
from persplit.ledger.errors import Invalid, NotFound
from persplit.service.accounts import (
    PASSWORD_LENGTH_MAX,
    PASSWORD_LENGTH_MIN,
    Accounts,
    SignedIn,
    password_fault,
)
from persplit.service.common_passwords import COMMON_PASSWORDS
from persplit.service.errors import (
    AccountDisabled,
    CredentialsInvalid,
    EmailTaken,
    RateLimited,
    StoreUnavailable,
    TokenExpired,
    TokenInvalid,
    TokenMissing,
    TokenReused,
)
from persplit.service.people import People
from persplit.service.personal_tokens import PersonalTokens
from persplit.service.ports import Document, PasswordHasher, VersionChanged
from persplit.service.sessions import Grant, Sessions
from persplit.service.suspensions import Suspensions
from persplit.service.throttle import FREE_FAILURES, SignInThrottle
from persplit.service.users import ATTEMPTS_MAX, UNIQUE_KEYS, ProfileChanges, User, Users

SECRET = "a secret for the tests, long enough"
EMAIL = "Asha@Example.org"
PASSWORD = "mango pickle 42"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class FakeClock:
    """One time for both clocks."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def monotonic(self) -> float:
        return (self.now - NOW).total_seconds()

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class WatchedPasswords(PasswordHasher):
    """Notes whether each verification had a hash to verify against."""

    def __init__(self, passwords: Argon2Passwords) -> None:
        self._passwords = passwords
        self.verified: list[bool] = []
        self.is_full = False

    async def hash(self, password: str) -> str:
        return await self._passwords.hash(password)

    async def verify(self, password: str, hashed: str | None) -> bool:
        if self.is_full:
            raise RateLimited("full", 1_000)
        self.verified.append(hashed is not None)
        return await self._passwords.verify(password, hashed)


class FlakyDocuments(MemoryDocuments):
    """Accounts whose store can fail after it has written, or let others be faster."""

    def __init__(self) -> None:
        super().__init__(unique_keys=UNIQUE_KEYS)
        self.loses_answers = False
        self.lost_races = 0

    async def replace(self, document: Document) -> Document:
        if self.lost_races:
            self.lost_races -= 1
            raise VersionChanged
        replaced = await super().replace(document)
        if self.loses_answers:
            raise StoreUnavailable("no answer in time")
        return replaced


@dataclass
class House:
    """The accounts of one node with all that stands behind them."""

    accounts: Accounts
    users: Users
    people: People
    user_documents: FlakyDocuments
    passwords: WatchedPasswords
    clock: FakeClock

    async def register(self, email: str = EMAIL, name: str = "Asha") -> SignedIn:
        return await self.accounts.register(name, email, PASSWORD, vpa="asha@okbank", device="phone")

    async def session_id(self, signed_in: SignedIn) -> str:
        return (await self.accounts.authenticate(signed_in.access_token)).session_id


@pytest.fixture
def argon2() -> Iterator[Argon2Passwords]:
    cheap = Argon2Passwords(memory_kib=8)
    yield cheap
    cheap.close()


@pytest.fixture
def house(argon2: Argon2Passwords) -> House:
    clock = FakeClock()
    user_documents = FlakyDocuments()
    users = Users(user_documents)
    people = People(users, monotonic=clock.monotonic)
    pepper = derive_key(SECRET, "refresh")
    passwords = WatchedPasswords(argon2)
    suspensions = Suspensions(MemoryDocuments(), clock)
    accounts = Accounts(
        users=users,
        people=people,
        sessions=Sessions(MemoryDocuments(), pepper=pepper, clock=clock, monotonic=clock.monotonic),
        personal_tokens=PersonalTokens(MemoryDocuments(), clock, monotonic=clock.monotonic),
        passwords=passwords,
        tokens=JwtAccessTokens(derive_key(SECRET, "access"), clock=clock),
        throttle=SignInThrottle(monotonic=clock.monotonic),
        suspensions=suspensions,
        clock=clock,
    )
    return House(accounts, users, people, user_documents, passwords, clock)


# Signing up


async def test_who_signs_up_is_signed_in(house: House) -> None:
    signed_in = await house.register()
    claims = await house.accounts.authenticate(signed_in.access_token)
    assert claims.user_id == signed_in.user.id
    assert signed_in.expires_in == ACCESS_LIFETIME_SECONDS
    assert [session.device for session in await house.accounts.sessions(claims.user_id)] == ["phone"]


async def test_the_profile_is_as_it_was_given(house: House) -> None:
    signed_in = await house.accounts.register(
        "Asha", EMAIL, PASSWORD, phone="+919800000000", vpa="asha@okbank", locale="hi-IN"
    )
    assert UUID(signed_in.user.id).version == 7
    assert await house.accounts.profile(signed_in.user.id) == signed_in.user
    assert signed_in.user == User(
        id=signed_in.user.id,
        name="Asha",
        email=EMAIL,
        phone="+919800000000",
        vpa="asha@okbank",
        locale="hi-IN",
        created_at="2026-03-01T12:00:00.000Z",
    )


async def test_an_address_is_taken_in_whatever_case(house: House) -> None:
    first = await house.register()
    with pytest.raises(EmailTaken):
        await house.register(EMAIL.upper())
    assert await house.users.by_email(EMAIL.lower()) == first.user
    assert await house.users.by_email("nobody@example.org") is None


async def test_of_two_who_sign_up_with_one_address_at_once_one_gets_it(house: House) -> None:
    answers = await asyncio.gather(house.register(), house.register(), return_exceptions=True)
    assert sorted(type(answer).__name__ for answer in answers) == ["EmailTaken", "SignedIn"]


@pytest.mark.parametrize(
    "password",
    [
        "x" * (PASSWORD_LENGTH_MIN - 1),
        "x" * (PASSWORD_LENGTH_MAX + 1),
        "Password123",
        "ASHA@example.org",
        "asha@example.org ",
        "asha of goa",
    ],
)
async def test_a_password_that_is_easy_to_guess_is_refused(house: House, password: str) -> None:
    with pytest.raises(Invalid) as refused:
        await house.accounts.register("Asha of Goa", EMAIL, password)
    assert [error.path for error in refused.value.errors] == ["password"]
    assert password not in str(refused.value)
    assert await house.users.by_email(EMAIL) is None


@pytest.mark.parametrize("length", [PASSWORD_LENGTH_MIN, PASSWORD_LENGTH_MAX])
async def test_a_password_of_any_allowed_length_signs_in_again(house: House, length: int) -> None:
    password = ("çरk7" * PASSWORD_LENGTH_MAX)[:length]
    await house.accounts.register("Asha", EMAIL, password)
    await house.accounts.login(EMAIL, password)


def test_every_common_password_is_one_that_would_be_allowed_otherwise() -> None:
    assert len(COMMON_PASSWORDS) >= 100
    for password in COMMON_PASSWORDS:
        assert PASSWORD_LENGTH_MIN <= len(password) <= PASSWORD_LENGTH_MAX
        assert password == password.casefold()
        assert password_fault(password.title(), "Asha", EMAIL) is not None
    assert password_fault(PASSWORD, "Asha", EMAIL) is None


# Signing in


async def test_who_knows_the_password_signs_in_on_another_device(house: House) -> None:
    registered = await house.register()
    signed_in = await house.accounts.login(EMAIL.lower(), PASSWORD, device="laptop")
    assert signed_in.user == registered.user
    devices = {session.device for session in await house.accounts.sessions(registered.user.id)}
    assert devices == {"phone", "laptop"}


async def test_a_wrong_password_and_an_unknown_address_get_the_same_answer_for_the_same_work(
    house: House,
) -> None:
    await house.register()
    details: list[str] = []
    for email in (EMAIL, "nobody@example.org"):
        with pytest.raises(CredentialsInvalid) as refused:
            await house.accounts.login(email, "wrong password")
        details.append(refused.value.detail)
    assert details[0] == details[1]
    assert house.passwords.verified == [True, False]


@pytest.mark.parametrize("email", [EMAIL, "nobody@example.org"])
async def test_guessing_is_slowed_down_whether_the_account_exists_or_not(house: House, email: str) -> None:
    await house.register()
    for _ in range(FREE_FAILURES):
        with pytest.raises(CredentialsInvalid):
            await house.accounts.login(email, "wrong password")
    with pytest.raises(RateLimited) as refused:
        await house.accounts.login(email, PASSWORD)
    assert refused.value.retry_after_ms == 1_000
    assert len(house.passwords.verified) == FREE_FAILURES


async def test_after_the_wait_the_right_password_signs_in_and_clears_the_account(house: House) -> None:
    await house.register()
    for _ in range(2):
        for _ in range(FREE_FAILURES):
            with pytest.raises(CredentialsInvalid):
                await house.accounts.login(EMAIL, "wrong password")
        house.clock.advance(1)
        await house.accounts.login(EMAIL, PASSWORD)


async def test_guesses_made_at_once_are_all_counted(house: House) -> None:
    await house.register()
    guesses = (house.accounts.login(EMAIL, f"wrong password {n}") for n in range(30))
    answers = await asyncio.gather(*guesses, return_exceptions=True)
    verified = [answer for answer in answers if isinstance(answer, CredentialsInvalid)]
    assert len(verified) == len(house.passwords.verified) == FREE_FAILURES


async def test_a_server_too_busy_to_verify_does_not_count_against_the_account(house: House) -> None:
    await house.register()
    house.passwords.is_full = True
    for _ in range(3 * FREE_FAILURES):
        with pytest.raises(RateLimited, match="full"):
            await house.accounts.login(EMAIL, PASSWORD)
    house.passwords.is_full = False
    await house.accounts.login(EMAIL, PASSWORD)


# Staying signed in


async def test_a_refresh_gives_a_new_pair_for_the_same_session(house: House) -> None:
    registered = await house.register()
    house.clock.advance(60)
    refreshed = await house.accounts.refresh(registered.refresh_token)
    assert refreshed.user == registered.user
    assert refreshed.refresh_token != registered.refresh_token
    assert refreshed.access_token != registered.access_token
    assert await house.session_id(refreshed) == await house.session_id(registered)


async def test_a_stolen_refresh_token_ends_the_session_and_its_access_tokens(house: House) -> None:
    registered = await house.register()
    stolen = registered.refresh_token
    refreshed = await house.accounts.refresh((await house.accounts.refresh(stolen)).refresh_token)
    with pytest.raises(TokenReused):
        await house.accounts.refresh(stolen)
    with pytest.raises(TokenInvalid):
        await house.accounts.authenticate(refreshed.access_token)


@pytest.mark.parametrize("nothing", [None, ""])
async def test_no_token_is_missing_rather_than_wrong(house: House, nothing: str | None) -> None:
    with pytest.raises(TokenMissing):
        await house.accounts.authenticate(nothing)
    with pytest.raises(TokenMissing):
        await house.accounts.refresh(nothing)


async def test_the_two_kinds_of_token_do_not_stand_in_for_each_other(house: House) -> None:
    registered = await house.register()
    with pytest.raises(TokenInvalid):
        await house.accounts.authenticate(registered.refresh_token)
    with pytest.raises(TokenInvalid):
        await house.accounts.refresh(registered.access_token)


async def test_an_access_token_runs_out(house: House) -> None:
    registered = await house.register()
    house.clock.advance(ACCESS_LIFETIME_SECONDS)
    with pytest.raises(TokenExpired):
        await house.accounts.authenticate(registered.access_token)


async def test_no_token_shows_in_a_repr(house: House) -> None:
    registered = await house.register()
    assert registered.access_token not in repr(registered)
    assert registered.refresh_token not in repr(registered)


# Signing out


async def test_who_signs_out_is_out_at_once(house: House) -> None:
    registered = await house.register()
    await house.accounts.logout(await house.session_id(registered))
    with pytest.raises(TokenInvalid):
        await house.accounts.authenticate(registered.access_token)
    with pytest.raises(TokenInvalid):
        await house.accounts.refresh(registered.refresh_token)


async def test_signing_out_everywhere_ends_every_session_of_the_user_only(house: House) -> None:
    asha, ravi = await house.register(), await house.register("ravi@example.org", "Ravi")
    laptop = await house.accounts.login(EMAIL, PASSWORD)
    await house.accounts.logout_all(asha.user.id)
    for signed_in in (asha, laptop):
        with pytest.raises(TokenInvalid):
            await house.accounts.authenticate(signed_in.access_token)
    await house.accounts.authenticate(ravi.access_token)


async def test_a_user_ends_one_of_their_own_sessions_only(house: House) -> None:
    asha, ravi = await house.register(), await house.register("ravi@example.org", "Ravi")
    session_id = await house.session_id(asha)
    with pytest.raises(NotFound):
        await house.accounts.end_session(ravi.user.id, session_id)
    await house.accounts.end_session(asha.user.id, session_id)
    assert await house.accounts.sessions(asha.user.id) == []


# Profiles


async def test_a_profile_changes_where_told_and_nowhere_else(house: House) -> None:
    user = (await house.register()).user
    changed = await house.accounts.update_profile(user.id, ProfileChanges(name="Asha R", phone="+91 98"))
    assert (changed.name, changed.phone, changed.vpa, changed.email) == ("Asha R", "+91 98", user.vpa, EMAIL)
    assert await house.accounts.profile(user.id) == changed


async def test_an_empty_field_is_removed(house: House) -> None:
    user = (await house.register()).user
    assert (await house.accounts.update_profile(user.id, ProfileChanges(vpa=""))).vpa is None


async def test_a_new_upi_id_is_in_the_next_payment_link(house: House) -> None:
    user = (await house.register()).user
    await house.people.get([user.id])
    await house.accounts.update_profile(user.id, ProfileChanges(vpa="asha@newbank"))
    known = (await house.people.get([user.id]))[user.id]
    assert known is not None
    assert known.vpa == "asha@newbank"


async def test_a_change_whose_outcome_is_unknown_is_looked_up_again(house: House) -> None:
    user = (await house.register()).user
    await house.people.get([user.id])
    house.user_documents.loses_answers = True
    with pytest.raises(StoreUnavailable):
        await house.accounts.update_profile(user.id, ProfileChanges(vpa="asha@newbank"))
    known = (await house.people.get([user.id]))[user.id]
    assert known is not None
    assert known.vpa == "asha@newbank"


async def test_who_changes_the_address_signs_in_with_the_new_one(house: House) -> None:
    user = (await house.register()).user
    await house.accounts.update_profile(user.id, ProfileChanges(email="asha.r@example.org"))
    await house.accounts.login("asha.r@example.org", PASSWORD)
    with pytest.raises(CredentialsInvalid):
        await house.accounts.login(EMAIL, PASSWORD)
    await house.register(EMAIL)


async def test_an_address_of_somebody_else_is_refused(house: House) -> None:
    user = (await house.register()).user
    await house.register("ravi@example.org", "Ravi")
    with pytest.raises(EmailTaken):
        await house.accounts.update_profile(user.id, ProfileChanges(email="RAVI@example.org"))
    assert await house.accounts.profile(user.id) == user


async def test_a_change_that_loses_a_race_is_made_again(house: House) -> None:
    user = (await house.register()).user
    house.user_documents.lost_races = ATTEMPTS_MAX - 1
    assert (await house.accounts.update_profile(user.id, ProfileChanges(locale="hi-IN"))).locale == "hi-IN"


async def test_a_change_that_loses_every_race_gives_up(house: House) -> None:
    user = (await house.register()).user
    house.user_documents.lost_races = ATTEMPTS_MAX
    with pytest.raises(StoreUnavailable):
        await house.accounts.update_profile(user.id, ProfileChanges(locale="hi-IN"))
    assert await house.accounts.profile(user.id) == user


async def test_an_account_that_is_gone_is_not_found(house: House) -> None:
    registered = await house.register()
    await house.user_documents.delete(registered.user.id)
    with pytest.raises(NotFound):
        await house.accounts.profile(registered.user.id)
    with pytest.raises(NotFound):
        await house.accounts.update_profile(registered.user.id, ProfileChanges(name="Asha R"))
    with pytest.raises(TokenInvalid):
        await house.accounts.refresh(registered.refresh_token)


async def test_the_password_is_kept_only_as_a_hash_that_no_profile_shows(house: House) -> None:
    user = (await house.register()).user
    body = (await house.user_documents.get([user.id]))[user.id].body
    assert body["passwordHash"].startswith("$argon2id$")
    assert PASSWORD not in repr(body)
    known = await house.users.credentials(EMAIL)
    assert known is not None
    assert body["passwordHash"] not in repr(known)


# Disabled accounts


async def test_who_is_disabled_while_signing_in_is_left_no_session(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_in = await house.register()
    suspensions = house.accounts._suspensions
    start = house.accounts._sessions.start

    async def disabled_meanwhile(user_id: str, device: str | None = None) -> Grant:
        await suspensions.disable(user_id)
        await house.accounts.logout_all(user_id)
        return await start(user_id, device)

    monkeypatch.setattr(house.accounts._sessions, "start", disabled_meanwhile)
    with pytest.raises(AccountDisabled):
        await house.accounts.login(EMAIL, PASSWORD)
    assert await house.accounts.sessions(signed_in.user.id) == []
    with pytest.raises(AccountDisabled):
        await house.accounts.authenticate(signed_in.access_token)


async def test_a_guest_who_is_disabled_is_not_signed_in_again(house: House) -> None:
    gita = User("gita", "Gita", None, None, None, None, "2026-03-01T12:00:00.000Z", guest_of="goa")
    await house.users.insert(gita, None)
    await house.accounts.admit_guest(gita)
    await house.accounts._suspensions.disable(gita.id)
    await house.accounts.logout_all(gita.id)
    with pytest.raises(AccountDisabled):
        await house.accounts.admit_guest(gita)
    assert await house.accounts.sessions(gita.id) == []


async def test_a_store_that_is_away_says_of_nobody_that_they_are_disabled(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_: str) -> bool:
        raise StoreUnavailable("away")

    monkeypatch.setattr(house.accounts._suspensions, "is_disabled", away)
    assert not await house.accounts.is_disabled("asha")
