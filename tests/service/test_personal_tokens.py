"""Personal tokens as they are kept: hashed, with an end, and found out when they are gone."""

import pytest

from persplit.adapters.memory_store import MemoryDocuments
from persplit.ledger.errors import NotFound
from persplit.service.errors import StoreUnavailable, TokenInvalid
from persplit.service.people import OUTAGE_SECONDS_MAX
from persplit.service.personal_tokens import LIVE_SECONDS, PersonalTokens
from persplit.service.ports import Document, TokenScope
from tests.service.test_sessions import FakeClock


class Away(MemoryDocuments):
    """A store that may be away."""

    is_away = False

    async def get(self, ids: object) -> dict[str, Document]:
        if self.is_away:
            raise StoreUnavailable("no answer in time")
        return dict(await super().get(ids))  # type: ignore[arg-type]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def documents() -> Away:
    return Away()


@pytest.fixture
def tokens(documents: Away, clock: FakeClock) -> PersonalTokens:
    return PersonalTokens(documents, clock, monotonic=clock.monotonic)


async def test_who_reads_the_store_has_no_token(tokens: PersonalTokens, documents: Away) -> None:
    text, token = await tokens.create("asha", "script", TokenScope.READ, group_id="goa")
    assert text not in repr(documents._documents)
    assert text.rpartition("_")[2] not in repr(documents._documents)
    claims = await tokens.claims_of(text)
    assert (claims.user_id, claims.session_id, claims.group_id) == ("asha", token.id, "goa")
    assert not claims.is_guest
    for other in (text[:-1] + ("A" if text[-1] != "A" else "B"), text[4:], f"pst_{token.id}_{token.id}"):
        with pytest.raises(TokenInvalid):
            await tokens.claims_of(other)


async def test_a_token_that_was_taken_back_elsewhere_works_for_seconds(
    tokens: PersonalTokens, documents: Away, clock: FakeClock
) -> None:
    text, token = await tokens.create("asha", "script", TokenScope.READ)
    with pytest.raises(NotFound):
        await tokens.revoke("ben", token.id)
    await tokens.check(token.id)
    await PersonalTokens(documents, clock).revoke("asha", token.id)
    await tokens.claims_of(text)
    clock.advance(LIVE_SECONDS)
    with pytest.raises(TokenInvalid):
        await tokens.check(token.id)


async def test_those_who_listen_hear_which_tokens_are_gone(tokens: PersonalTokens) -> None:
    ended: list[str] = []
    tokens.on_ended.append(ended.append)
    _, kept = await tokens.create("asha", "script", TokenScope.READ)
    await tokens.look_again([kept.id, "gone"])
    assert ended == ["gone"]
    await tokens.revoke("asha", kept.id)
    assert ended == ["gone", kept.id]


async def test_a_token_reads_on_while_the_store_is_away_but_not_for_ever(
    tokens: PersonalTokens, documents: Away, clock: FakeClock
) -> None:
    text, token = await tokens.create("asha", "script", TokenScope.READ)
    await tokens.check(token.id)
    documents.is_away = True
    clock.advance(LIVE_SECONDS + 1)
    await tokens.claims_of(text)
    with pytest.raises(StoreUnavailable):
        await tokens.check("another")
    clock.advance(OUTAGE_SECONDS_MAX)
    with pytest.raises(StoreUnavailable):
        await tokens.claims_of(text)
