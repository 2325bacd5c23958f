"""`persplit client attachment …` and `persplit client scan`."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.attachments.given import document, opened, picture
from tests.client_cli.conftest import Person
from tests.receipts.rendering import receipt


def test_a_file_is_attached_listed_fetched_and_taken_off(trip: tuple[Person, Person], tmp_path: Path) -> None:
    asha, ben = trip
    asha.says("expense", "add", "Dinner", "900")
    (photo := tmp_path / "bill.jpg").write_bytes(picture("JPEG", (640, 320)))
    (paper := tmp_path / "invoice.pdf").write_bytes(document())
    assert "bill.jpg is attached to Dinner" in asha.says("attachment", "add", "Dinner", str(photo))
    made = asha.gets("attachment", "add", "Dinner", str(paper))["attachment"]
    assert (made["name"], made["type"]) == ("invoice.pdf", "application/pdf")
    listed = ben.gets("attachment", "list", "Dinner")["attachments"]
    assert [one["name"] for one in listed] == ["bill.jpg", "invoice.pdf"]
    assert "640 x 320" in ben.says("attachment", "list", "Dinner")
    assert "attached: bill.jpg" in ben.says("expense", "show", "Dinner")
    target, small = tmp_path / "copy.jpg", tmp_path / "small.jpg"
    assert ben.gets("attachment", "fetch", "Dinner", "bill", "--output", str(target))["file"] == str(target)
    assert opened(target.read_bytes()).size == (640, 320)
    ben.says("attachment", "fetch", "Dinner", listed[0]["id"], "--thumbnail", "--output", str(small))
    assert opened(small.read_bytes()).size == (320, 160)
    assert (
        ben.fails(1, "attachment", "fetch", "Dinner", "bill", "-o", str(target))["code"] == "unwritable_file"
    )
    gone = ben.gets("attachment", "remove", "Dinner", "bill.jpg")["expense"]
    assert [one["name"] for one in gone["attachments"]] == ["invoice.pdf"]
    assert "Nothing is attached" not in asha.says("attachment", "list", "Dinner")
    told = asha.says("history")
    assert "attached bill.jpg to Dinner" in told
    assert "took bill.jpg off Dinner" in told


def test_a_file_comes_out_under_a_plain_name_of_its_own(
    trip: tuple[Person, Person], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asha, _ = trip
    monkeypatch.chdir(tmp_path)
    asha.says("expense", "add", "Dinner", "900")
    (tmp_path / "..\\..\\my bill.JPEG").write_bytes(picture())
    asha.says("attachment", "add", "Dinner", "..\\..\\my bill.JPEG")
    assert asha.gets("attachment", "fetch", "Dinner", "..\\..\\my bill.JPEG")["file"] == "my bill.jpg"


def test_what_cannot_be_attached_is_said(trip: tuple[Person, Person], tmp_path: Path) -> None:
    asha, _ = trip
    asha.says("expense", "add", "Dinner", "900")
    (text := tmp_path / "note.txt").write_text("hello")
    assert asha.fails(1, "attachment", "add", "Dinner", str(text))["code"] == "unsupported_media"
    missing = asha.fails(2, "attachment", "add", "Dinner", str(tmp_path / "none"))
    assert missing["code"] == "unreadable_file"
    assert asha.fails(2, "attachment", "fetch", "Dinner", "none")["code"] == "unknown_name"
    assert "Nothing is attached" in asha.says("attachment", "list", "Dinner")


def test_what_was_taken_off_offline_is_told_later(trip: tuple[Person, Person], tmp_path: Path) -> None:
    asha, ben = trip
    asha.says("expense", "add", "Dinner", "900")
    (photo := tmp_path / "bill.png").write_bytes(picture("PNG"))
    asha.says("attachment", "add", "Dinner", str(photo))
    waiting = asha.gets("attachment", "remove", "Dinner", "bill", PERSPLIT_OFFLINE="1")["expense"]
    assert (waiting.get("attachments", []), waiting["pending"]) == ([], True)
    asha.says("sync")
    assert ben.gets("attachment", "list", "Dinner")["attachments"] == []


@pytest.mark.skipif(
    find_spec("onnxruntime") is None,
    reason="onnxruntime has no wheel for this system: receipts aren't read here",
)
def test_a_receipt_is_shown_and_booked_only_after_a_yes(trip: tuple[Person, Person], tmp_path: Path) -> None:
    asha, ben = trip
    truth, body = receipt("fuel", 1, is_photo=False)
    (photo := tmp_path / "fuel.jpg").write_bytes(body)
    shown = asha.types("scan", str(photo), input="n\n")
    assert "2,000.00" in shown.output
    assert truth.merchant in shown.output
    assert "Nothing was booked." in shown.output
    assert ben.gets("expense", "list")["total"] == 0
    done = asha.types("scan", str(photo), input="y\n")
    assert f"Booked: {truth.merchant}" in done.output
    (booked,) = ben.gets("expense", "list")["expenses"]
    assert (booked["amount"], booked["splitType"], booked["date"]) == (truth.total, "ITEMIZED", truth.date)
    assert [one["name"] for one in booked["attachments"]] == ["fuel.jpg"]
