"""QR tokens: they name what a QR says, prove it, and give nothing away."""

import base64
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persplit.ledger.errors import NotFound
from persplit.ledger.money import AMOUNT_MAX
from persplit.service.qr_tokens import InviteQr, QrSubject, QrTokens, TransferQr

TOKENS = QrTokens(b"k" * 32)
URL_SAFE = set(string.ascii_letters + string.digits + "-_")

ids = st.uuids().map(str)
subjects: st.SearchStrategy[QrSubject] = st.one_of(
    st.builds(TransferQr, ids, ids, st.integers(1, AMOUNT_MAX)),
    st.builds(InviteQr, st.text(st.sampled_from(sorted(URL_SAFE)), min_size=22, max_size=22)),
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)


def is_proof(token: str, text: str, tokens: QrTokens = TOKENS) -> bool:
    """Whether the token is one of ours for the text, as the transport asks it."""
    try:
        return tokens.matches(tokens.read(token), text)
    except NotFound:
        return False


@given(subjects, texts)
def test_a_token_names_its_subject_and_proves_its_text(subject: QrSubject, text: str) -> None:
    token = TOKENS.issue(subject, text)
    assert TOKENS.read(token).subject == subject
    assert is_proof(token, text)
    assert set(token) <= URL_SAFE
    assert len(token) <= 100
    assert token == TOKENS.issue(subject, text)


@given(subjects, texts, texts)
def test_a_token_proves_no_other_text(subject: QrSubject, text: str, other: str) -> None:
    assert is_proof(TOKENS.issue(subject, text), other) == (text == other)


@given(subjects, subjects, texts)
def test_the_proof_of_one_subject_is_none_of_another(one: QrSubject, other: QrSubject, text: str) -> None:
    assert (TOKENS.issue(one, text) == TOKENS.issue(other, text)) == (one == other)


@given(subjects, texts, st.binary(min_size=32, max_size=32).filter(lambda key: key != b"k" * 32))
def test_another_key_proves_nothing(subject: QrSubject, text: str, key: bytes) -> None:
    assert not is_proof(TOKENS.issue(subject, text), text, QrTokens(key))


@given(subjects, texts, st.data())
def test_any_changed_bit_is_noticed(subject: QrSubject, text: str, data: st.DataObject) -> None:
    token = TOKENS.issue(subject, text)
    raw = bytearray(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert not is_proof(base64.urlsafe_b64encode(raw).rstrip(b"=").decode(), text)


@given(subjects, texts, st.data())
def test_any_changed_added_or_missing_character_is_noticed(
    subject: QrSubject, text: str, data: st.DataObject
) -> None:
    """Every QR has one address only, so that caches keep it once."""
    token = TOKENS.issue(subject, text)
    at = data.draw(st.integers(0, len(token) - 1))
    character = data.draw(st.sampled_from(sorted(URL_SAFE) + list("=!. é")))
    for other in (
        token[:at] + character + token[at + 1 :],
        token[:at] + character + token[at:],
        token + character,
        token[:at] + token[at + 1 :],
    ):
        assert other == token or not is_proof(other, text)


@given(st.text(max_size=120))
def test_garbage_is_not_found(garbage: str) -> None:
    with pytest.raises(NotFound):
        TOKENS.read(garbage)


@given(st.binary(max_size=75))
def test_garbage_that_looks_like_a_token_is_not_found_or_proves_nothing(raw: bytes) -> None:
    assert not is_proof(base64.urlsafe_b64encode(raw).rstrip(b"=").decode(), "text")


@pytest.mark.parametrize("garbage", ["", "A", "====", "a" * 101, "é", "/", "+", " "])
def test_what_no_token_looks_like_is_not_found(garbage: str) -> None:
    with pytest.raises(NotFound):
        TOKENS.read(garbage)


@given(ids, ids, st.integers(1, AMOUNT_MAX), st.from_regex(r"[a-z0-9]{3,20}@[a-z]{3,10}", fullmatch=True))
def test_no_upi_id_can_be_read_in_a_token(group_id: str, to_id: str, amount: int, vpa: str) -> None:
    token = TOKENS.issue(TransferQr(group_id, to_id, amount), f"upi://pay?pa={vpa}&am=1.00")
    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    assert vpa not in token
    for part in vpa.split("@"):
        assert part.encode() not in raw or len(part) < 4
