"""How people and groups are named on the command line."""

import pytest

from persplit.client_cli.errors import UsageFault
from persplit.client_cli.names import Named, choose, choose_person, short

ASHA = Named("019a7c1e-1d00-7b20-9a41-6e0f7c2d4b02", "Asha Rao")
ANIL = Named("019a7c1e-2e00-7c30-a5d7-91b84f3e6c03", "Anil")
ASH = Named("019a7c1e-2e00-7c30-a5d7-91b84f3e6c04", "Ash")
EVERYONE = [ASHA, ANIL, ASH]


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("Asha Rao", ASHA),
        ("asha rao", ASHA),
        ("rao", ASHA),
        ("ash", ASH),
        ("Asha", ASHA),
        (" an ", ANIL),
        (ANIL.id, ANIL),
        ("4f3e6c03", ANIL),
        ("019a7c1e-1d", ASHA),
    ],
)
def test_who_is_meant(said: str, meant: Named) -> None:
    assert choose(said, EVERYONE, "member") == meant.id


def test_several_are_listed() -> None:
    with pytest.raises(UsageFault, match="several") as fault:
        choose("a", EVERYONE, "member")
    assert [line.split("  ")[0] for line in fault.value.lines] == ["Asha Rao", "Anil", "Ash"]
    with pytest.raises(UsageFault, match="several"):
        choose("019a7c1e", EVERYONE, "member")


@pytest.mark.parametrize("said", ["", "zoe", "b02"])
def test_nobody_is_said_with_everybody_there_is(said: str) -> None:
    with pytest.raises(UsageFault, match="there is no member") as fault:
        choose(said, EVERYONE, "member")
    assert fault.value.lines == ("Asha Rao", "Anil", "Ash")
    assert fault.value.code == "unknown_name"


def test_me() -> None:
    assert choose_person("Me", EVERYONE, ANIL.id) == ANIL.id
    assert choose_person("ash", EVERYONE, ANIL.id) == ASH.id
    assert short(ASHA.id) == "7c2d4b02"
