"""A table of rates of exchange counts as a whole, or not at all."""

import pytest

from persplit.exchange import rate_table
from persplit.exchange.book import UnreadableFile
from persplit.exchange.rate_table import Rate

HEAD = "date,currency,into,rate\n"


def test_a_table_is_read() -> None:
    text = "\ufeff" + HEAD + "2026-11-25,EUR,INR,97.250\r\n2026-11-26,JPY,INR,0.5531\n"
    assert rate_table.read(text) == [
        Rate("2026-11-25", "EUR", "INR", "97.25"),
        Rate("2026-11-26", "JPY", "INR", "0.5531"),
    ]


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("2026-11-31,EUR,INR,97", "row 3: '2026-11-31' is not a da"),
        ("26-11-25,EUR,INR,97", "row 3: '26-11-25' is not a da"),
        ("2026-11-25,EUX,INR,97", "row 3: 'EUX' is not an ISO 4217 code"),
        ("2026-11-25,INR,INR,97", "row 3: both currencies are the same"),
        ("2026-11-25,EUR,INR,0", "row 3: '0' is not a rate: more than 0"),
        ('2026-11-25,EUR,INR,"97,25"', "row 3: '97,25' is not a rate"),
        ("2026-11-25,EUR,INR", "row 3: it has to have 4 columns"),
        ("2026-11-25,EUR,INR,97,1", "row 3: it has to have 4 columns"),
    ],
)
def test_a_bad_row_is_named_and_nothing_is_taken(row: str, fault: str) -> None:
    with pytest.raises(UnreadableFile) as refused:
        rate_table.read(f"{HEAD}2026-11-25,EUR,INR,97\n{row}\n")
    assert str(refused.value).startswith(fault)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "its first line"),
        ("EUR,INR,97\n", "its first line"),
        (HEAD, "it has no row"),
        (HEAD + 'x"\0"\n' * 2, "row 2"),
        (HEAD + "x" * 200_000, "it is no table"),
    ],
)
def test_what_is_no_table_is_refused(text: str, fault: str) -> None:
    with pytest.raises(UnreadableFile, match=fault):
        rate_table.read(text)


def test_only_the_first_bad_rows_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnreadableFile) as refused:
        rate_table.read(HEAD + "x,EUR,INR,1\n" * 50)
    assert str(refused.value).count("row ") == rate_table.FAULTS_MAX
    monkeypatch.setattr(rate_table, "ROWS_MAX", 2)
    with pytest.raises(UnreadableFile, match="more than 2"):
        rate_table.read(HEAD + "2026-11-25,EUR,INR,97\n" * 3)
