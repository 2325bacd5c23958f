"""Who of a file is who in the group."""

import pytest

from persplit.exchange.book import Person
from persplit.exchange.matching import MatchKind, folded, matched
from persplit.ledger.errors import Invalid
from tests.exchange.given import Target, text_of

MEMBERS = {"u1": "Asha Rao", "u2": "émile noël", "u3": "Ben", "u4": "ben"}


@pytest.mark.parametrize(
    ("name", "user_id"),
    [
        ("Asha Rao", "u1"),
        ("ASHA  RAO", "u1"),
        ("Asha Rao (removed)", "u1"),
        ("Émile Noël", "u2"),
        ("Emile Noel", "u2"),
        ("Ben", "u3"),
        ("ben", "u4"),
    ],
)
def test_a_name_is_found_whatever_its_case_accents_and_spaces(name: str, user_id: str) -> None:
    (match,) = matched([Person(name, name)], MEMBERS, {})
    assert (match.kind, match.user_id) == (MatchKind.MATCHED, user_id)


def test_a_name_that_several_have_is_not_guessed() -> None:
    (match,) = matched([Person("BEN", "BEN")], MEMBERS, {})
    assert (match.kind, match.user_id, match.candidates) == (MatchKind.AMBIGUOUS, None, ("u3", "u4"))


def test_a_name_that_nobody_has_becomes_somebody_new() -> None:
    (match,) = matched([Person("Asha", "Asha")], MEMBERS, {})
    assert (match.kind, match.user_id) == (MatchKind.NEW, None)


def test_what_is_told_counts_before_names() -> None:
    people = [Person("k1", "Ben"), Person("k2", "Asha Rao")]
    first, second = matched(people, MEMBERS, {"k1": "u2", "Asha Rao": None})
    assert (first.user_id, second.kind) == ("u2", MatchKind.NEW)


def test_two_of_the_file_are_one_member_only_if_that_is_told() -> None:
    people = [Person("Asha Rao", "Asha Rao"), Person("asha rao", "asha rao")]
    assert {match.kind for match in matched(people, MEMBERS, {})} == {MatchKind.AMBIGUOUS}
    half = matched(people, MEMBERS, {"Asha Rao": "u1"})
    assert [match.kind for match in half] == [MatchKind.MATCHED, MatchKind.AMBIGUOUS]
    told = matched(people, MEMBERS, {"Asha Rao": "u1", "asha rao": "u1"})
    assert [match.user_id for match in told] == ["u1", "u1"]


def test_what_two_were_in_the_file_one_is_in_the_group() -> None:
    target = Target.founded("INR")
    target.takes(text_of("splitwise_en.csv"), {"Asha Rao": "asha", "Ravi Iyer": "asha"})
    assert target.balances() == {"Asha": 2_269_083 - 711_917, "Meera Nair": -1_021_916, "Jon Hart": -535_250}


def test_who_is_told_has_to_be_there() -> None:
    target = Target.founded("INR")
    with pytest.raises(Invalid) as refused:
        target.looked_at(text_of("splitwise_en.csv"), {"Nobody": "asha", "Asha Rao": "nobody"})
    assert [error.path for error in refused.value.errors] == ["members.Nobody", "members.Asha Rao"]


def test_folding_leaves_other_letters_alone() -> None:
    assert folded("मीरा") != folded("मेरा")
    assert folded("ﬁona") == "fiona"
