"""UPI ids and payment links."""

import re
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from persplit.ledger.money import AMOUNT_MAX
from persplit.ledger.upi import (
    NAME_LENGTH_MAX,
    NOTE_LENGTH_MAX,
    P2P_LIMIT_PAISE,
    QR_GALLERY_LIMIT_PAISE,
    clean_text,
    normalise_vpa,
    payment_link,
)

VPAS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,60}@[A-Za-z][A-Za-z0-9]{1,20}", fullmatch=True)
AMOUNTS = st.integers(1, AMOUNT_MAX)
TEXTS = st.text(max_size=120) | st.text("ab&=+%#?/@ .-éअप्रिय", max_size=120)


def fields_of(link: str) -> dict[str, str]:
    """The link's fields, by a parser that isn't ours; a field that stands twice is a mistake."""
    pairs = parse_qsl(urlsplit(link).query, keep_blank_values=True, strict_parsing=True)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


@given(VPAS, TEXTS, AMOUNTS, TEXTS)
def test_a_link_parses_back_to_what_was_asked(vpa: str, name: str, amount: int, note: str) -> None:
    fields = fields_of(payment_link(vpa, name, amount, note))
    assert fields["pa"] == vpa.lower()
    assert fields["cu"] == "INR"
    rupees, paise = fields["am"].split(".")
    assert len(paise) == 2
    assert int(rupees) * 100 + int(paise) == amount
    assert not rupees.startswith("0") or rupees == "0"


@given(VPAS, TEXTS, AMOUNTS, TEXTS)
def test_a_link_carries_nothing_that_a_naive_parser_trips_over(
    vpa: str, name: str, amount: int, note: str
) -> None:
    link = payment_link(vpa, name, amount, note)
    assert "+" not in link
    assert set(re.findall("%..", link)) <= {"%20"}
    assert link.isascii()
    assert link.startswith("upi://pay?pa=")
    fields = fields_of(link)
    assert list(fields) == [key for key in ("pa", "pn", "am", "cu", "tn") if key in fields]
    assert re.fullmatch(r"[A-Za-z0-9 .-]{1,40}", fields["pn"])
    assert re.fullmatch(r"[A-Za-z0-9 .-]{1,50}", fields.get("tn", "-"))


def naive(link: str) -> dict[str, str]:
    """The fields as a payer app reads them that only replaces and splits."""
    text = link.replace("%20", " ").replace("%40", "@").replace("%", " ")
    return dict(part.split("=") for part in text.partition("?")[2].split("&"))


@given(VPAS, TEXTS, AMOUNTS, TEXTS)
def test_a_naive_app_reads_the_same_as_a_correct_one(vpa: str, name: str, amount: int, note: str) -> None:
    link = payment_link(vpa, name, amount, note)
    assert naive(link) == fields_of(link)


@given(VPAS, TEXTS, AMOUNTS, TEXTS)
def test_the_longest_link_still_makes_a_qr_that_a_phone_reads(
    vpa: str, name: str, amount: int, note: str
) -> None:
    assert len(payment_link(vpa, name, amount, note)) <= len(vpa) + 230


@given(TEXTS, st.integers(0, 60))
@example("- - - अ", 4)
@example("ab cd", 3)
@example("½ ﬁ Ⅷ Å", 60)
def test_cleaning_bounds_and_is_done_once(text: str, length_max: int) -> None:
    clean = clean_text(text, length_max)
    assert len(clean) <= length_max
    assert re.fullmatch(r"([A-Za-z0-9]([A-Za-z0-9 .-]*[A-Za-z0-9.])?)?", clean)
    assert "  " not in clean
    assert clean_text(clean, length_max) == clean


@given(st.text("abcXYZ019", min_size=1, max_size=40))
def test_cleaning_leaves_a_plain_word_alone(word: str) -> None:
    assert clean_text(f" {word}\n", 40) == word


@given(VPAS)
def test_a_upi_id_is_the_same_however_it_was_typed(vpa: str) -> None:
    stored = normalise_vpa(f"  {vpa.swapcase()}\n")
    assert stored == vpa.lower()
    assert normalise_vpa(stored) == stored


@given(st.text(max_size=30))
def test_whatever_is_typed_is_a_upi_id_or_a_helpful_refusal(text: str) -> None:
    assume(not re.fullmatch(r"\s*[\w.-]+@\w+\s*", text))
    with pytest.raises(ValueError, match="it looks like name@okhdfcbank"):
        normalise_vpa(text)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("asha@okhdfcbank", "asha@okhdfcbank"),
        ("Asha.K@OKICICI", "asha.k@okicici"),
        ("9876543210@ybl", "9876543210@ybl"),
        ("9876543210-2@ybl", "9876543210-2@ybl"),
        ("asha_k@kotak811", "asha_k@kotak811"),
        ("shop.17@kbl052", "shop.17@kbl052"),
        (" asha@upi\n", "asha@upi"),
        ("a@ab", "a@ab"),
        ("a" * 253 + "@x", None),
        ("a" * 252 + "@ab", "a" * 252 + "@ab"),
        ("a" * 253 + "@ab", None),
    ],
)
def test_upi_ids(typed: str, stored: str | None) -> None:
    if stored is not None:
        assert normalise_vpa(typed) == stored
        return
    with pytest.raises(ValueError, match="UPI id is letters"):
        normalise_vpa(typed)


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("", "is empty"),
        ("  ", "is empty"),
        ("asha", "handle is missing"),
        ("9876543210", "handle is missing"),
        ("asha@", "handle is missing"),
        ("@ybl", "name before the @ is missing"),
        ("asha@gmail.com", "e-mail address"),
        ("asha@ok.hdfc", "no dot after the @"),
        ("1234@HDFC0000001.ifsc.npci", "account number"),
        ("asha k@ybl", "no spaces"),
        ("asha@ybl\nx", "no spaces"),
        ("asha@ybl@ybl", "one @ only"),
        ("asha@1bank", "letters, digits"),
        ("asha@y", "letters, digits"),
        (".asha@ybl", "letters, digits"),
        ("asha+x@ybl", "letters, digits"),
        ("आशा@ybl", "letters, digits"),
        ("upi://pay?pa=asha@ybl", "letters, digits"),
    ],
)
def test_what_is_not_a_upi_id_is_refused_with_what_to_mend(typed: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        normalise_vpa(typed)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Goa/trip #1: 50% & more?", "Goa trip 1 50 more"),
        ("José Müller-Núñez Jr.", "Jose Muller-Nunez Jr."),
        ("अमित कुमार", ""),
        ("अमित - Amit", "Amit"),
        ("Amit (अमित)", "Amit"),
        ("...", ""),
        ("ﬁne ①", "fine 1"),
        ("Goa 🏖️ 2026", "Goa 2026"),
    ],
)
def test_cleaning_by_example(text: str, clean: str) -> None:
    assert clean_text(text, 50) == clean


def test_a_typical_link() -> None:
    link = payment_link("Asha.K@okhdfcbank", "Asha Krishnan", 1250_50, "Goa trip")
    assert link == "upi://pay?pa=asha.k@okhdfcbank&pn=Asha%20Krishnan&am=1250.50&cu=INR&tn=Goa%20trip"


def test_without_a_name_or_note_in_plain_letters() -> None:
    link = payment_link("amit_k@ybl", "अमित", 5, "गोवा")
    assert link == "upi://pay?pa=amit_k@ybl&pn=amit%20k&am=0.05&cu=INR"


def test_long_names_and_notes_are_cut() -> None:
    fields = fields_of(payment_link("a@ybl", "n" * 200, 1, "t" * 200))
    assert (len(fields["pn"]), len(fields["tn"])) == (NAME_LENGTH_MAX, NOTE_LENGTH_MAX)
    assert unquote(fields["pn"]) == "n" * 40


@pytest.mark.parametrize("amount", [0, -1, AMOUNT_MAX + 1])
def test_an_amount_outside_the_bounds_is_refused(amount: int) -> None:
    with pytest.raises(ValueError, match="paise"):
        payment_link("a@ybl", "A", amount, "")


def test_a_link_to_no_upi_id_is_refused() -> None:
    with pytest.raises(ValueError, match="e-mail"):
        payment_link("a@example.org", "A", 1, "")


def test_limits_are_in_paise() -> None:
    assert (QR_GALLERY_LIMIT_PAISE, P2P_LIMIT_PAISE) == (200_000, 10_000_000)
