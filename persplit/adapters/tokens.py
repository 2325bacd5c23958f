"""Access tokens as JWTs, and the keys that one secret is stretched into."""

import hashlib
import hmac
from collections.abc import Sequence
from typing import Any, Final

import jwt

from persplit.service.errors import TokenExpired, TokenInvalid
from persplit.service.ports import AccessClaims, AccessTokens, Clock

ACCESS_LIFETIME_SECONDS: Final = 600
"""A stolen token works this long at most; ending its session makes it useless within seconds."""
LEEWAY_SECONDS: Final = 10
"""How far the clock of the node that issued a token may run ahead of ours. Expiry gets no leeway."""
KEY_BYTES_MIN: Final = 32
"""HMAC-SHA256 is as strong as its key, up to this length."""
TOKEN_LENGTH_MAX: Final = 1_024
"""Ours have under 400 characters; anything longer isn't worth decoding."""

# A constant, never taken from the token: a token can't choose how it is checked.
_ALGORITHM: Final = "HS256"
# RFC 9068. PyJWT doesn't look at it; without it any other JWT made with the key would pass for an access token.
_TYPE: Final = "at+jwt"
_ISSUER: Final = "persplit"
_AUDIENCE: Final = "persplit-api"
_KID_LENGTH: Final = 16
_GROUP: Final = "gid"
"""The claim of a guest's token: the one group that it opens."""


def derive_key(secret: bytes | str, purpose: str) -> bytes:
    """A key of 32 bytes for one purpose: what is made with it says nothing about the keys of other purposes.

    Raises:
        ValueError: the secret has under `KEY_BYTES_MIN` bytes; stretching would only hide that.

    """
    raw = secret.encode() if isinstance(secret, str) else secret
    return hmac.digest(_long_enough(raw), b"persplit/1/" + purpose.encode(), hashlib.sha256)


class JwtAccessTokens(AccessTokens):
    """HS256 JWTs. A token names its key, so keys can be changed while tokens are out."""

    def __init__(
        self,
        key: bytes,
        previous: Sequence[bytes] = (),
        *,
        clock: Clock,
        lifetime_seconds: int = ACCESS_LIFETIME_SECONDS,
    ) -> None:
        """`key` signs; it and the `previous` ones check.

        Raises:
            ValueError: a key has under `KEY_BYTES_MIN` bytes.

        """
        self._key = key
        self._keys = {_kid(_long_enough(each)): each for each in (key, *previous)}
        self._clock = clock
        self._lifetime_seconds = lifetime_seconds
        self._jwt = jwt.PyJWT(
            options={
                "require": ["exp", "iat", "iss", "aud", "sub", "sid"],
                # Otherwise a short key only makes a warning.
                "enforce_minimum_key_length": True,
                # PyJWT asks the system's clock; we ask ours, below.
                "verify_exp": False,
                "verify_iat": False,
            }
        )

    def issue(self, user_id: str, session_id: str, group_id: str | None = None) -> tuple[str, AccessClaims]:
        """See the port."""
        issued_at = int(self._clock().timestamp())
        claims = AccessClaims(user_id, session_id, issued_at + self._lifetime_seconds, group_id)
        payload = {
            "iss": _ISSUER,
            "aud": _AUDIENCE,
            "sub": user_id,
            "sid": session_id,
            "iat": issued_at,
            "exp": claims.expires_at,
            **({} if group_id is None else {_GROUP: group_id}),
        }
        headers = _header(_kid(self._key))
        return self._jwt.encode(payload, self._key, algorithm=_ALGORITHM, headers=headers), claims

    def read(self, token: str) -> AccessClaims:
        """See the port."""
        # Callers pass on what came from outside, so the type is a hope.
        if not isinstance(token, str) or len(token) > TOKEN_LENGTH_MAX or not token.isascii():
            raise _invalid()
        try:
            payload = self._payload(token)
        except jwt.PyJWTError:
            raise _invalid() from None
        return self._claims(payload)

    def _payload(self, token: str) -> dict[str, Any]:
        header = jwt.get_unverified_header(token)
        key = self._keys.get(header.get("kid", ""))
        # Ours have exactly this header: no `jku`, `jwk` or `crit` to be careful with.
        if key is None or header != _header(header["kid"]):
            raise _invalid()
        return self._jwt.decode(token, key, algorithms=[_ALGORITHM], audience=_AUDIENCE, issuer=_ISSUER)

    def _claims(self, payload: dict[str, Any]) -> AccessClaims:
        user_id, session_id = payload["sub"], payload["sid"]
        issued_at, expires_at = payload["iat"], payload["exp"]
        group_id = payload.get(_GROUP)
        now = self._clock().timestamp()
        if not (isinstance(session_id, str) and type(issued_at) is int and type(expires_at) is int):
            raise _invalid()
        if not (group_id is None or isinstance(group_id, str)):
            raise _invalid()
        if issued_at > now + LEEWAY_SECONDS:
            raise _invalid()
        if expires_at <= now:
            raise TokenExpired("the access token has run out: refresh it")
        return AccessClaims(user_id, session_id, expires_at, group_id)


def _long_enough(key: bytes) -> bytes:
    if len(key) < KEY_BYTES_MIN:
        raise ValueError(f"a secret key needs at least {KEY_BYTES_MIN} bytes")
    return key


def _kid(key: bytes) -> str:
    return hmac.new(key, b"kid", hashlib.sha256).hexdigest()[:_KID_LENGTH]


def _header(kid: str) -> dict[str, str]:
    return {"alg": _ALGORITHM, "kid": kid, "typ": _TYPE}


def _invalid() -> TokenInvalid:
    # Never why: that would only help who is trying things out.
    return TokenInvalid("the access token is not one of ours")
