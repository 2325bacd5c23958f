"""Sessions, and refresh tokens that survive lost answers but not thieves."""

import asyncio
import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from persplit.adapters.memory_store import MemoryDocuments
from persplit.ledger.errors import NotFound
from persplit.service import session_sweep
from persplit.service.errors import (
    ServiceError,
    StoreUnavailable,
    TokenExpired,
    TokenInvalid,
    TokenReused,
)
from persplit.service.ports import Document, VersionChanged
from persplit.service.session_sweep import SessionSweep
from persplit.service.sessions import (
    ABSOLUTE_DAYS,
    ATTEMPTS_MAX,
    DEVICE_LENGTH_MAX,
    IDLE_DAYS,
    LIVE_SECONDS,
    REFRESH_GRACE_SECONDS,
    SESSIONS_PER_USER_MAX,
    Grant,
    Sessions,
)

PEPPER = b"p" * 32
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class FakeClock:
    """One time for both clocks."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def monotonic(self) -> float:
        return (self.now - NOW).total_seconds()

    def advance(self, seconds: float = 0, *, days: float = 0) -> None:
        self.now += timedelta(days=days, seconds=seconds)


class Network(MemoryDocuments):
    """A store behind a network: other tasks run before it is reached and, if held up, before it answers."""

    def __init__(self) -> None:
        super().__init__()
        self.hold: asyncio.Event | None = None
        self.reads = 0

    async def get(self, ids: Sequence[str]) -> Mapping[str, Document]:
        self.reads += 1
        await asyncio.sleep(0)
        found = await super().get(ids)
        if self.hold:
            await self.hold.wait()
        return found

    async def replace(self, document: Document) -> Document:
        await asyncio.sleep(0)
        return await super().replace(document)

    def bodies(self) -> str:
        return repr(self._documents)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def documents() -> Network:
    return Network()


def sessions_on(documents: MemoryDocuments, clock: FakeClock, pepper: bytes = PEPPER) -> Sessions:
    """A node on the store."""
    return Sessions(documents, pepper=pepper, clock=clock, monotonic=clock.monotonic, remembered_max=100)


@pytest.fixture
def sessions(documents: Network, clock: FakeClock) -> Sessions:
    return sessions_on(documents, clock)


@pytest.fixture
def ended(sessions: Sessions) -> list[str]:
    """The ids that the node's listener was told."""
    told: list[str] = []
    sessions.on_ended.append(told.append)
    return told


def forged(token: str) -> str:
    return token[:-2] + ("AA" if token[-2:] != "AA" else "BB")


# Rotation


async def test_a_refresh_gives_the_next_token_of_the_same_session(sessions: Sessions) -> None:
    first = await sessions.start("asha", "Asha's phone")
    second = await sessions.refresh(first.refresh_token)
    third = await sessions.refresh(second.refresh_token)
    assert first.session.id == second.session.id == third.session.id
    assert len({first.refresh_token, second.refresh_token, third.refresh_token}) == 3


async def test_a_client_that_lost_the_answer_gets_the_same_one_again(
    sessions: Sessions, clock: FakeClock
) -> None:
    held = (await sessions.start("asha")).refresh_token
    lost = await sessions.refresh(held)
    clock.advance(REFRESH_GRACE_SECONDS)
    assert await sessions.refresh(held) == lost


async def test_two_tabs_that_refresh_at_once_get_the_same_token(sessions: Sessions) -> None:
    held = (await sessions.start("asha")).refresh_token
    one, other = await asyncio.gather(sessions.refresh(held), sessions.refresh(held))
    assert one == other


async def test_many_nodes_that_refresh_at_once_give_the_same_token(
    documents: Network, clock: FakeClock
) -> None:
    nodes = [sessions_on(documents, clock) for _ in range(20)]
    first = await nodes[0].start("asha")
    second = await nodes[0].refresh(first.refresh_token)
    answers = await asyncio.gather(*(node.refresh(second.refresh_token) for node in nodes))
    assert len({answer.refresh_token for answer in answers}) == 1


async def test_the_parent_of_a_token_that_was_used_is_spent_even_within_the_grace(
    sessions: Sessions,
) -> None:
    first = (await sessions.start("asha")).refresh_token
    second = (await sessions.refresh(first)).refresh_token
    await sessions.refresh(second)
    with pytest.raises(TokenReused):
        await sessions.refresh(first)


async def test_a_token_used_again_after_the_grace_ends_the_session(
    sessions: Sessions, clock: FakeClock, ended: list[str]
) -> None:
    first = await sessions.start("asha")
    second = await sessions.refresh(first.refresh_token)
    clock.advance(REFRESH_GRACE_SECONDS + 0.001)
    with pytest.raises(TokenReused):
        await sessions.refresh(first.refresh_token)
    assert ended == [first.session.id]
    assert not await sessions.is_live(first.session.id)
    with pytest.raises(TokenInvalid):
        await sessions.refresh(second.refresh_token)


async def test_a_spent_token_stays_known_as_spent_after_its_session_ended(
    sessions: Sessions, ended: list[str]
) -> None:
    first = (await sessions.start("asha")).refresh_token
    second = (await sessions.refresh(first)).refresh_token
    await sessions.refresh(second)
    for _ in range(2):
        with pytest.raises(TokenReused):
            await sessions.refresh(first)
    assert len(ended) == 1


async def test_a_session_that_ended_by_reuse_is_listed_no_more(sessions: Sessions) -> None:
    first = (await sessions.start("asha")).refresh_token
    await sessions.refresh((await sessions.refresh(first)).refresh_token)
    with pytest.raises(TokenReused):
        await sessions.refresh(first)
    assert await sessions.list_of("asha") == []


@pytest.mark.parametrize(
    "garbage",
    ["", ".", "a.1.b", "x" * 10_000, "नमस्ते", "0" * 36 + ".1." + "A" * 43, "0" * 36 + ".0." + "A" * 43],
)
async def test_garbage_is_refused(sessions: Sessions, garbage: str) -> None:
    with pytest.raises(TokenInvalid):
        await sessions.refresh(garbage)


async def test_a_forged_token_is_refused_and_ends_nothing(sessions: Sessions, ended: list[str]) -> None:
    held = (await sessions.start("asha")).refresh_token
    session_id, _, secret = held.split(".")
    for guess in (forged(held), f"{session_id}.2.{secret}", f"{session_id}.999999999.{secret}"):
        with pytest.raises(TokenInvalid):
            await sessions.refresh(guess)
    assert ended == []
    await sessions.refresh(held)


async def test_the_store_alone_yields_no_token(sessions: Sessions, documents: Network) -> None:
    first = (await sessions.start("asha")).refresh_token
    second = (await sessions.refresh(first)).refresh_token
    for token in (first, second):
        assert token.split(".")[2] not in documents.bodies()


async def test_the_pepper_alone_yields_no_token(sessions: Sessions) -> None:
    session_id = (await sessions.start("asha")).session.id
    assert sessions._token(session_id, 1, "one salt") != sessions._token(session_id, 1, "another salt")


async def test_a_new_pepper_signs_nobody_out(
    sessions: Sessions, documents: Network, clock: FakeClock
) -> None:
    held = (await sessions.start("asha")).refresh_token
    with_new_pepper = sessions_on(documents, clock, b"q" * 32)
    held = (await with_new_pepper.refresh(held)).refresh_token
    await with_new_pepper.refresh(held)


async def test_a_pepper_that_changes_between_a_lost_answer_and_its_retry_signs_nobody_out(
    sessions: Sessions, documents: Network, clock: FakeClock
) -> None:
    held = (await sessions.start("asha")).refresh_token
    lost = (await sessions.refresh(held)).refresh_token
    with_new_pepper = sessions_on(documents, clock, b"q" * 32)
    answer = (await with_new_pepper.refresh(held)).refresh_token
    assert answer != lost
    with pytest.raises(TokenInvalid):
        await with_new_pepper.refresh(lost)
    await with_new_pepper.refresh(answer)


def test_a_short_pepper_is_refused_at_the_start(documents: Network, clock: FakeClock) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        sessions_on(documents, clock, b"short")


async def test_a_refresh_that_always_loses_the_race_gives_up(clock: FakeClock) -> None:
    class Contended(Network):
        tries = 0

        async def replace(self, document: Document) -> Document:
            self.tries += 1
            raise VersionChanged

    documents = Contended()
    sessions = sessions_on(documents, clock)
    held = (await sessions.start("asha")).refresh_token
    with pytest.raises(StoreUnavailable):
        await sessions.refresh(held)
    assert documents.tries == ATTEMPTS_MAX


async def test_a_sign_out_beats_a_refresh_under_way(sessions: Sessions, documents: Network) -> None:
    grant = await sessions.start("asha")
    slow = documents.hold = asyncio.Event()
    refreshing = asyncio.create_task(sessions.refresh(grant.refresh_token))
    await asyncio.sleep(0.001)
    documents.hold = None
    await sessions.end(grant.session.id)
    slow.set()
    with pytest.raises(TokenInvalid):
        await refreshing


# Time


async def test_a_session_unused_too_long_has_expired_and_leaves_the_store(
    sessions: Sessions, documents: Network, clock: FakeClock, ended: list[str]
) -> None:
    grant = await sessions.start("asha")
    clock.advance(days=IDLE_DAYS)
    with pytest.raises(TokenExpired):
        await sessions.refresh(grant.refresh_token)
    assert await documents.count() == 0
    assert ended == [grant.session.id]


async def test_use_keeps_a_session_alive_but_not_for_ever(sessions: Sessions, clock: FakeClock) -> None:
    held = (await sessions.start("asha")).refresh_token
    for _ in range(0, ABSOLUTE_DAYS - 10, 10):
        clock.advance(days=10)
        held = (await sessions.refresh(held)).refresh_token
    clock.advance(days=10)
    with pytest.raises(TokenExpired):
        await sessions.refresh(held)


async def test_a_forger_learns_nothing_of_an_expired_session(sessions: Sessions, clock: FakeClock) -> None:
    held = (await sessions.start("asha")).refresh_token
    clock.advance(days=IDLE_DAYS)
    with pytest.raises(TokenInvalid):
        await sessions.refresh(forged(held))


async def test_expired_sessions_are_not_listed_nor_live_nor_kept(
    sessions: Sessions, documents: Network, clock: FakeClock
) -> None:
    grant = await sessions.start("asha")
    await sessions.start("asha")
    clock.advance(days=IDLE_DAYS)
    assert not await sessions.is_live(grant.session.id)
    assert await documents.count() == 1
    assert await sessions.list_of("asha") == []
    assert await documents.count() == 0


# Devices


async def test_a_users_sessions_are_listed_the_last_used_first(sessions: Sessions, clock: FakeClock) -> None:
    phone = await sessions.start("asha", "phone")
    clock.advance(60)
    await sessions.start("asha", "laptop")
    await sessions.start("ravi", "tablet")
    clock.advance(60)
    await sessions.refresh(phone.refresh_token)
    listed = await sessions.list_of("asha")
    assert [session.device for session in listed] == ["phone", "laptop"]
    assert listed[0] == replace(phone.session, last_used_at="2026-03-01T12:02:00.000Z")
    assert listed[0].created_at == "2026-03-01T12:00:00.000Z"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (None, None),
        (" \n", None),
        ("Asha's phone", "Asha's phone"),
        ("two\nlines\x00 and\tmore", "two lines and more"),
        ("x" * 10_000, "x" * DEVICE_LENGTH_MAX),
    ],
)
async def test_a_device_is_named_in_one_short_line(
    sessions: Sessions, given: str | None, kept: str | None
) -> None:
    assert (await sessions.start("asha", given)).session.device == kept


async def test_a_session_too_many_ends_the_one_unused_longest(
    sessions: Sessions, clock: FakeClock, ended: list[str]
) -> None:
    grants: list[Grant] = []
    for _ in range(SESSIONS_PER_USER_MAX):
        clock.advance(1)
        grants.append(await sessions.start("asha"))
    await sessions.refresh(grants[0].refresh_token)
    assert ended == []
    newest = await sessions.start("asha")
    assert ended == [grants[1].session.id]
    listed = {session.id for session in await sessions.list_of("asha")}
    assert len(listed) == SESSIONS_PER_USER_MAX
    assert newest.session.id in listed


async def test_a_session_that_ended_by_reuse_makes_room_first(sessions: Sessions, ended: list[str]) -> None:
    grants = [await sessions.start("asha") for _ in range(SESSIONS_PER_USER_MAX)]
    stolen = grants[-1].refresh_token
    await sessions.refresh((await sessions.refresh(stolen)).refresh_token)
    with pytest.raises(TokenReused):
        await sessions.refresh(stolen)
    await sessions.start("asha")
    assert set(ended) == {grants[-1].session.id}
    assert len(await sessions.list_of("asha")) == SESSIONS_PER_USER_MAX


async def test_a_session_that_was_ended_gives_no_more_tokens(sessions: Sessions, ended: list[str]) -> None:
    grant = await sessions.start("asha")
    await sessions.end(grant.session.id)
    assert ended == [grant.session.id]
    with pytest.raises(TokenInvalid):
        await sessions.refresh(grant.refresh_token)


async def test_a_user_ends_only_their_own_sessions(sessions: Sessions) -> None:
    grant = await sessions.start("asha")
    for user_id, session_id in (("ravi", grant.session.id), ("asha", "no-such-session")):
        with pytest.raises(NotFound):
            await sessions.end_of(user_id, session_id)
    await sessions.end_of("asha", grant.session.id)
    assert await sessions.list_of("asha") == []


async def test_all_sessions_end_but_the_one_in_use(sessions: Sessions, ended: list[str]) -> None:
    kept, *others = [await sessions.start("asha") for _ in range(3)]
    await sessions.start("ravi")
    await sessions.end_all("asha", but=kept.session.id)
    assert ended == [other.session.id for other in others]
    await sessions.end_all("asha")
    assert await sessions.list_of("asha") == []
    assert len(await sessions.list_of("ravi")) == 1


# Being live


async def test_a_live_session_is_read_once_in_a_few_seconds(
    sessions: Sessions, documents: Network, clock: FakeClock
) -> None:
    grant = await sessions.start("asha")
    for _ in range(3):
        assert await sessions.is_live(grant.session.id)
    assert documents.reads == 1
    clock.advance(LIVE_SECONDS)
    assert await sessions.is_live(grant.session.id)
    assert documents.reads == 2


async def test_a_session_ended_here_is_dead_at_once(sessions: Sessions) -> None:
    grant = await sessions.start("asha")
    assert await sessions.is_live(grant.session.id)
    await sessions.end(grant.session.id)
    assert not await sessions.is_live(grant.session.id)


async def test_a_session_ended_elsewhere_is_dead_here_within_seconds(
    sessions: Sessions, documents: Network, clock: FakeClock, ended: list[str]
) -> None:
    grant = await sessions.start("asha")
    assert await sessions.is_live(grant.session.id)
    await sessions_on(documents, clock).end(grant.session.id)
    clock.advance(LIVE_SECONDS)
    assert not await sessions.is_live(grant.session.id)
    assert ended == [grant.session.id]


async def test_a_session_that_ends_while_it_is_looked_up_is_dead(
    sessions: Sessions, documents: Network
) -> None:
    grant = await sessions.start("asha")
    slow = documents.hold = asyncio.Event()
    looking = asyncio.create_task(sessions.is_live(grant.session.id))
    await asyncio.sleep(0.001)
    documents.hold = None
    await sessions.end(grant.session.id)
    slow.set()
    assert not await looking
    assert not await sessions.is_live(grant.session.id)


async def test_no_token_or_salt_shows_in_a_repr(sessions: Sessions) -> None:
    grant = await sessions.start("asha")
    assert grant.refresh_token.split(".")[2] not in repr(grant)


# Everything at once


@dataclass
class Model:
    """The rules of rotation on plain generation numbers. Times in seconds."""

    active: int = 1
    child_made_at: float | None = None
    revoked: bool = False

    def present(self, generation: int, now: float) -> int | type[ServiceError]:
        """The generation that a token is exchanged for, or why not."""
        in_grace = self.child_made_at is not None and now - self.child_made_at <= REFRESH_GRACE_SECONDS
        is_child = self.child_made_at is not None and generation == self.active + 1
        is_active = generation == self.active and (self.child_made_at is None or in_grace)
        if self.revoked:
            known = is_child or is_active
            return TokenInvalid if known else TokenReused
        if is_child:
            self.active, self.child_made_at = generation, now
        elif is_active:
            self.child_made_at = now if self.child_made_at is None else self.child_made_at
        else:
            self.revoked = True
            return TokenReused
        return self.active + 1


def generation_of(token: str) -> int:
    return int(token.split(".")[1])


class RefreshRotation(RuleBasedStateMachine):
    """A client that loses answers, retries and races itself; a thief that copies tokens; time."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.clock = FakeClock()
        self.documents = Network()
        self.sessions = sessions_on(self.documents, self.clock)
        self.model = Model()
        self.first_exchanged_at: dict[str, float] = {}
        self.newest_used = 0
        self.is_honest = True
        self.stolen: str | None = None

    @initialize()
    def the_client_signs_in(self) -> None:
        grant = self.runner.run(self.sessions.start("asha"))
        self.session_id = grant.session.id
        self.held = grant.refresh_token
        self.known = [self.held]

    @rule()
    def the_client_refreshes(self) -> None:
        self.held = self.present_honestly() or self.held

    @rule(pauses=st.lists(st.sampled_from([0, 10, 16, REFRESH_GRACE_SECONDS]), min_size=1, max_size=4))
    def the_client_refreshes_again_and_again_but_the_answers_are_lost(self, pauses: list[int]) -> None:
        for seconds in pauses:
            self.present_honestly()
            self.clock.advance(seconds)

    @precondition(lambda self: not self.model.revoked)
    @rule(times=st.integers(2, 4))
    def the_client_refreshes_in_several_tabs_at_once(self, times: int) -> None:
        self.note_a_late_retry()
        expected = self.expected(self.held)
        answers = self.runner.run(self.at_once(times))
        if isinstance(expected, int):
            tokens = {answer.refresh_token for answer in answers if isinstance(answer, Grant)}
            assert [generation_of(token) for token in tokens] == [expected]
            self.held = tokens.pop()
            self.known.append(self.held)
        else:
            assert not self.is_honest
            assert {type(answer) for answer in answers} == {TokenReused}

    @rule(data=st.data())
    def a_thief_copies_a_token(self, data: st.DataObject) -> None:
        self.stolen = data.draw(st.sampled_from([self.held, *self.known[-4:]]))

    @precondition(lambda self: self.stolen is not None)
    @rule()
    def the_thief_refreshes(self) -> None:
        assert self.stolen is not None
        self.is_honest = False
        self.stolen = self.present(self.stolen) or self.stolen

    @rule()
    def somebody_forges_a_token(self) -> None:
        before = self.documents.bodies()
        with pytest.raises(TokenInvalid):
            self.runner.run(self.sessions.refresh(forged(self.held)))
        assert self.documents.bodies() == before

    @rule(seconds=st.sampled_from([1, 16, REFRESH_GRACE_SECONDS, REFRESH_GRACE_SECONDS + 1]))
    def time_passes(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @invariant()
    def at_most_a_token_and_its_child_work_and_nothing_after_a_reuse(self) -> None:
        usable = sorted(generation_of(token) for token in dict.fromkeys(self.known) if self.would_work(token))
        if self.model.revoked:
            assert usable == []
        else:
            assert len(usable) <= 2
            assert usable == list(range(usable[0], usable[0] + len(usable)))

    @invariant()
    def the_session_is_live_until_a_reuse(self) -> None:
        assert self.runner.run(self.sessions.is_live(self.session_id)) is not self.model.revoked

    def note_a_late_retry(self) -> None:
        """After the grace a client that lost its answer can't be told from a thief."""
        first = self.first_exchanged_at.get(self.held)
        if first is not None and self.clock.monotonic() - first > REFRESH_GRACE_SECONDS:
            self.is_honest = False

    def present_honestly(self) -> str | None:
        """As `present`; a client alone with its session, retrying within the grace, is always answered."""
        self.note_a_late_retry()
        answer = self.present(self.held)
        assert answer is not None or not self.is_honest
        return answer

    def present(self, token: str) -> str | None:
        """The next token, as the model says, and never for one that was exchanged long ago or has been passed."""
        expected = self.expected(token)
        if not isinstance(expected, int):
            with pytest.raises(expected):
                self.runner.run(self.sessions.refresh(token))
            return None
        answer = self.runner.run(self.sessions.refresh(token)).refresh_token
        assert generation_of(answer) == expected
        assert self.clock.monotonic() - self.first_exchanged_at[token] <= REFRESH_GRACE_SECONDS
        assert generation_of(token) >= self.newest_used
        self.newest_used = generation_of(token)
        self.known.append(answer)
        return answer

    def expected(self, token: str) -> int | type[ServiceError]:
        """What the model says to the token; notes when it was first exchanged."""
        now = self.clock.monotonic()
        expected = self.model.present(generation_of(token), now)
        if isinstance(expected, int):
            self.first_exchanged_at.setdefault(token, now)
        return expected

    async def at_once(self, times: int) -> list[Grant | BaseException]:
        refreshing = (self.sessions.refresh(self.held) for _ in range(times))
        return await asyncio.gather(*refreshing, return_exceptions=True)

    def would_work(self, token: str) -> bool:
        """Whether the token would be exchanged now; tried on a copy of everything."""
        copied = sessions_on(copy.deepcopy(self.documents), self.clock)
        try:
            self.runner.run(copied.refresh(token))
        except (TokenInvalid, TokenReused):
            return False
        return True

    def teardown(self) -> None:
        self.runner.close()


RefreshRotation.TestCase.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
TestRefreshRotation = RefreshRotation.TestCase


# --- sweeps


async def test_a_sweep_finds_what_ended_elsewhere_and_leaves_the_others_alone(
    documents: Network, clock: FakeClock, sessions: Sessions, ended: list[str]
) -> None:
    grants = [await sessions.start(user) for user in ("asha", "ben", "chitra")]
    elsewhere = sessions_on(documents, clock)
    await elsewhere.end(grants[0].session.id)
    second = await elsewhere.refresh(grants[1].refresh_token)
    third = await elsewhere.refresh(second.refresh_token)
    await elsewhere.refresh(third.refresh_token)
    with pytest.raises(TokenReused):
        await elsewhere.refresh(grants[1].refresh_token)
    await SessionSweep(sessions, lambda: [grant.session.id for grant in grants]).sweep()
    assert ended == [grants[0].session.id, grants[1].session.id]


async def test_sweeps_take_turns_where_many_are_connected(
    documents: Network, sessions: Sessions, ended: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_sweep, "SESSIONS_PER_SWEEP_MAX", 2)
    sweep = SessionSweep(sessions, lambda: ["a", "b", "c"])
    for expected in (["a", "b"], ["a", "b", "c"], ["a", "b", "c", "a", "b"]):
        await sweep.sweep()
        assert ended == expected


async def test_sweeping_goes_on_when_the_store_has_failed(
    sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_sweep, "SWEEP_SECONDS", 0.0)
    looks: list[int] = []
    done = asyncio.Event()

    async def fail_first(session_ids: Sequence[str]) -> None:
        looks.append(len(session_ids))
        if len(looks) == 1:
            raise StoreUnavailable("the store did not answer")
        done.set()

    monkeypatch.setattr(sessions, "look_again", fail_first)
    running = asyncio.create_task(SessionSweep(sessions, lambda: ["a"]).run())
    await asyncio.wait_for(done.wait(), 10)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert len(looks) >= 2
