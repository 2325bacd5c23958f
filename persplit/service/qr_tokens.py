"""Signed names of QR images, so that an image tag can load one without a header.

A token names what the QR says and carries a MAC over the exact text, but not the text: no UPI id stands in a
URL that proxies log. When the payee's UPI id or the group's name changes, the text changes and the old token
no longer fits; so the image behind a token never changes and may be cached for ever.
"""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias
from uuid import UUID

from persplit.ledger.errors import NotFound

_MAC_BYTES: Final = 12
"""96 bits: a forger would need 2**95 requests on average."""
_AMOUNT_BYTES: Final = 6
_TRANSFER: Final = b"t"
_INVITE: Final = b"i"
_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")
_TOKEN_LENGTH_MAX: Final = 100
PAYEES_REMEMBERED_MAX: Final = 16_384
"""Members whose part of a token is remembered: 4 MB, the longest unused goes first."""


@dataclass(frozen=True, slots=True)
class TransferQr:
    """The link to pay `amount` minor units to a member of a group."""

    group_id: str
    to_id: str
    amount: int


@dataclass(frozen=True, slots=True)
class InviteQr:
    """The link to join by an invite's code."""

    code: str


QrSubject: TypeAlias = TransferQr | InviteQr


@dataclass(frozen=True, slots=True)
class ReadToken:
    """What a token names, and the MAC that the text must prove."""

    subject: QrSubject
    payload: bytes
    mac: bytes


class QrTokens:
    """Makes and checks tokens with one secret key."""

    def __init__(self, key: bytes) -> None:
        self._key = hashlib.sha256(key).digest()  # of any length

    def issue(self, subject: QrSubject, text: str) -> str:
        """The token of the QR that says `text`."""
        return self._issued(_packed(subject), text)

    def issue_transfer(self, group_id: str, to_id: str, amount: int, link: str) -> str:
        """As `issue` for a `TransferQr`: each row of each broadcast has one."""
        return self._issued(_transfer(group_id, to_id, amount), link)

    def _issued(self, payload: bytes, text: str) -> str:
        return _spelt(payload + self._mac(payload, text))

    def read(self, token: str) -> ReadToken:
        """What the token names. It proves nothing until `matches` was asked.

        Raises:
            NotFound: no token of ours looks like this.

        """
        if len(token) > _TOKEN_LENGTH_MAX:
            raise NotFound("there is no such QR")
        try:
            raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
            if _spelt(raw) != token:  # base64 passes over foreign characters and spare bits
                raise ValueError("not a token")
            payload, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
            return ReadToken(_unpacked(payload), payload, mac)
        except ValueError:
            raise NotFound("there is no such QR") from None

    def matches(self, token: ReadToken, text: str) -> bool:
        """Whether we issued the token for exactly this text."""
        return hmac.compare_digest(token.mac, self._mac(token.payload, text))

    def _mac(self, payload: bytes, text: str) -> bytes:
        # Each row of each broadcast has one. HMAC hashes twice, and Python's lets go of the interpreter and has to
        # wait for it again.
        text_bytes = payload + b"\0" + text.encode()
        return hashlib.blake2b(text_bytes, key=self._key, digest_size=_MAC_BYTES).digest()


def _spelt(raw: bytes) -> str:
    """The one spelling of a token."""
    return binascii.b2a_base64(raw, newline=False).translate(_URL_SAFE, b"=").decode()


def _packed(subject: QrSubject) -> bytes:
    if isinstance(subject, InviteQr):
        return _INVITE + subject.code.encode()
    return _transfer(subject.group_id, subject.to_id, subject.amount)


def _transfer(group_id: str, to_id: str, amount: int) -> bytes:
    return _payee(group_id, to_id) + amount.to_bytes(_AMOUNT_BYTES, "big")


@lru_cache(PAYEES_REMEMBERED_MAX)
def _payee(group_id: str, to_id: str) -> bytes:
    return _TRANSFER + UUID(group_id).bytes + UUID(to_id).bytes


def _unpacked(payload: bytes) -> QrSubject:
    kind, rest = payload[:1], payload[1:]
    if kind == _INVITE:
        return InviteQr(rest.decode("ascii"))
    if kind != _TRANSFER or len(rest) != 32 + _AMOUNT_BYTES:
        raise ValueError("not a token")
    return TransferQr(
        str(UUID(bytes=rest[:16])), str(UUID(bytes=rest[16:32])), int.from_bytes(rest[32:], "big")
    )
