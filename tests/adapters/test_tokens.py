"""What an access token must be to be read."""

import base64
import json
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from persplit.adapters.tokens import (
    ACCESS_LIFETIME_SECONDS,
    KEY_BYTES_MIN,
    LEEWAY_SECONDS,
    TOKEN_LENGTH_MAX,
    JwtAccessTokens,
    derive_key,
)
from persplit.service.errors import TokenExpired, TokenInvalid
from persplit.service.ports import AccessClaims

NOW = datetime(2026, 3, 1, 12, 0, 0, 500_000, tzinfo=UTC)
KEY = b"k" * KEY_BYTES_MIN
OLD_KEY = b"o" * KEY_BYTES_MIN
STRANGE_KEY = b"s" * KEY_BYTES_MIN


class FakeClock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def tokens(clock: FakeClock) -> JwtAccessTokens:
    return JwtAccessTokens(KEY, [OLD_KEY], clock=clock)


def crafted(
    tokens: JwtAccessTokens,
    *,
    claims: dict[str, object] | None = None,
    drop: str = "",
    headers: dict[str, object] | None = None,
    algorithm: str = "HS256",
    key: bytes = KEY,
) -> str:
    """A token like ours except for what is given, signed with `key`."""
    ours, _ = tokens.issue("user", "session")
    payload = jwt.decode(ours, options={"verify_signature": False}) | (claims or {})
    payload.pop(drop, None)
    header = jwt.get_unverified_header(ours) | {"alg": algorithm} | (headers or {})
    return jwt.encode(payload, key if algorithm != "none" else None, algorithm=algorithm, headers=header)


def test_a_token_says_whom_it_was_issued_to_and_until_when(tokens: JwtAccessTokens) -> None:
    token, claims = tokens.issue("user", "session")
    assert tokens.read(token) == claims
    assert claims == AccessClaims("user", "session", int(NOW.timestamp()) + ACCESS_LIFETIME_SECONDS)


def test_what_is_crafted_like_ours_is_read(tokens: JwtAccessTokens) -> None:
    assert tokens.read(crafted(tokens)).user_id == "user"


def test_a_token_expires_at_its_second_without_leeway(tokens: JwtAccessTokens, clock: FakeClock) -> None:
    token, claims = tokens.issue("user", "session")
    clock.now = datetime.fromtimestamp(claims.expires_at, UTC) - timedelta(milliseconds=1)
    tokens.read(token)
    clock.now = datetime.fromtimestamp(claims.expires_at, UTC)
    with pytest.raises(TokenExpired):
        tokens.read(token)


def test_the_lifetime_can_be_chosen(clock: FakeClock) -> None:
    tokens = JwtAccessTokens(KEY, clock=clock, lifetime_seconds=5)
    token, _ = tokens.issue("user", "session")
    clock.advance(5)
    with pytest.raises(TokenExpired):
        tokens.read(token)


def test_a_node_whose_clock_runs_ahead_a_little_is_believed(
    tokens: JwtAccessTokens, clock: FakeClock
) -> None:
    token, _ = tokens.issue("user", "session")
    clock.advance(-LEEWAY_SECONDS)
    tokens.read(token)
    clock.advance(-1)
    with pytest.raises(TokenInvalid):
        tokens.read(token)


def test_a_token_made_with_the_previous_key_is_read(tokens: JwtAccessTokens, clock: FakeClock) -> None:
    token, claims = JwtAccessTokens(OLD_KEY, clock=clock).issue("user", "session")
    assert tokens.read(token) == claims


def test_a_token_of_a_key_that_was_dropped_is_refused(clock: FakeClock) -> None:
    token, _ = JwtAccessTokens(OLD_KEY, clock=clock).issue("user", "session")
    with pytest.raises(TokenInvalid):
        JwtAccessTokens(KEY, clock=clock).read(token)


def test_a_token_signed_with_another_key_under_our_kid_is_refused(tokens: JwtAccessTokens) -> None:
    with pytest.raises(TokenInvalid):
        tokens.read(crafted(tokens, key=STRANGE_KEY))


@pytest.mark.parametrize("claim", ["exp", "iat", "iss", "aud", "sub", "sid"])
def test_every_claim_is_required(tokens: JwtAccessTokens, claim: str) -> None:
    with pytest.raises(TokenInvalid):
        tokens.read(crafted(tokens, drop=claim))


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "somebody"},
        {"aud": "another-service"},
        {"aud": None},
        {"sub": 7},
        {"sid": 7},
        {"sid": ["session"]},
        {"exp": "soon"},
        {"exp": True},
        {"exp": 9e18},
        {"iat": "2026"},
        {"iat": 1.5},
    ],
    ids=str,
)
def test_a_claim_that_is_not_as_we_write_it_is_refused(
    tokens: JwtAccessTokens, claims: dict[str, object]
) -> None:
    with pytest.raises(TokenInvalid):
        tokens.read(crafted(tokens, claims=claims))


@pytest.mark.parametrize(
    "headers",
    [
        {"typ": "JWT"},
        {"typ": "reset+jwt"},
        {"typ": None},
        {"kid": "another"},
        {"jku": "https://example.org/keys"},
        {"x5u": "https://example.org/cert"},
        {"jwk": {"kty": "oct", "k": "AAAA"}},
    ],
    ids=str,
)
def test_a_header_that_is_not_as_we_write_it_is_refused(
    tokens: JwtAccessTokens, headers: dict[str, object]
) -> None:
    with pytest.raises(TokenInvalid):
        tokens.read(crafted(tokens, headers=headers))


@pytest.mark.parametrize("algorithm", ["none", "HS384", "HS512"])
def test_no_other_algorithm_is_accepted(tokens: JwtAccessTokens, algorithm: str) -> None:
    with pytest.raises(TokenInvalid):
        tokens.read(crafted(tokens, algorithm=algorithm, key=KEY * 2))


def test_a_token_whose_last_part_was_cut_off_is_refused(tokens: JwtAccessTokens) -> None:
    token, _ = tokens.issue("user", "session")
    with pytest.raises(TokenInvalid):
        tokens.read(token.rsplit(".", 1)[0] + ".")


@pytest.mark.parametrize("odd", [None, 7, b"a.b.c", ["a"], {}], ids=repr)
def test_what_is_not_text_is_refused(tokens: JwtAccessTokens, odd: object) -> None:
    with pytest.raises(TokenInvalid):
        tokens.read(odd)  # type: ignore[arg-type] # what a careless caller would pass on


def test_what_is_huge_is_refused_unread(tokens: JwtAccessTokens) -> None:
    token = crafted(tokens, claims={"padding": "x" * TOKEN_LENGTH_MAX})
    with pytest.raises(TokenInvalid):
        tokens.read(token)


@given(st.text(max_size=60) | st.from_regex(r"[\w-]{0,20}\.[\w-]{0,20}\.[\w-]{0,20}"))
def test_any_text_is_refused_with_the_one_error(text: str) -> None:
    with pytest.raises(TokenInvalid):
        JwtAccessTokens(KEY, clock=FakeClock()).read(text)


@given(
    st.dictionaries(
        st.sampled_from(["alg", "kid", "typ", "crit", "b64"]),
        st.none() | st.booleans() | st.integers() | st.text(max_size=9) | st.lists(st.text(max_size=3)),
    )
)
def test_any_header_but_ours_is_refused_with_the_one_error(header: dict[str, object]) -> None:
    part = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
    with pytest.raises(TokenInvalid):
        JwtAccessTokens(KEY, clock=FakeClock()).read(f"{part}.e30.AAAA")


@pytest.mark.parametrize("keys", [(b"short", []), (KEY, [b"short"])], ids=["current", "previous"])
def test_a_short_key_is_refused_at_the_start(keys: tuple[bytes, list[bytes]]) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        JwtAccessTokens(*keys, clock=FakeClock())


def test_every_purpose_has_its_own_key() -> None:
    secret = "a secret that is long enough to be one"
    keys = {derive_key(secret, purpose) for purpose in ("access", "refresh", "qr")}
    assert len(keys) == 3
    assert all(len(key) == KEY_BYTES_MIN for key in keys)
    assert derive_key(secret.encode(), "access") == derive_key(secret, "access")


def test_a_short_secret_makes_no_key() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        derive_key("short", "access")
