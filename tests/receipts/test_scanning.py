"""Receipts read by the real thing, over a real server: a few, so that it is quick. `scripts/receipts` reads many."""

from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from persplit.adapters import receipt_reader
from tests.attachments.given import document, picture
from tests.receipts.rendering import receipt
from tests.system.conftest import MakePhone, phones_of, serving, settings_for
from tests.system.phone import Json, Phone

needs_ocr = pytest.mark.skipif(
    find_spec("onnxruntime") is None,
    reason="onnxruntime has no wheel for this system: receipts aren't read here",
)


@pytest.fixture
async def phones(tmp_path: Path) -> AsyncIterator[MakePhone]:
    async with serving(settings_for(tmp_path)) as (_, url), phones_of(url) as make:
        yield make


async def scans(phone: Phone, group: str, body: bytes) -> Json:
    return await phone.ok("POST", f"/groups/{group}/receipts", data=body)


@needs_ocr
async def test_receipts_are_read_and_booked_by_whoever_says_yes(phones: MakePhone) -> None:
    asha, ravi = await phones("Asha"), await phones("Ravi")
    group = await asha.makes_group(ravi)
    before = (await asha.ok("GET", f"/groups/{group}"))["seq"]
    for kind, seed, is_photo in (("restaurant", 2, False), ("fuel", 1, True)):
        truth, body = receipt(kind, seed, is_photo=is_photo)
        found = await scans(asha, group, body)
        assert found["merchant"]["value"] == truth.merchant
        assert found["date"]["value"] == truth.date
        assert found["total"]["value"] == truth.total
        assert (found["tax"]["value"] or 0) == truth.tax
        assert (found["addsUp"], found["difference"]) == (True, 0)
        assert [item["amount"] for item in found["items"]] == [amount for _, amount in truth.items]
        assert all(
            item["participants"] == [asha.user_id, ravi.user_id] for item in found["proposal"]["items"]
        )
    assert (await asha.ok("GET", f"/groups/{group}"))["seq"] == before, "nothing is booked by itself"
    booked = (await asha.ok("POST", f"/groups/{group}/expenses", found["proposal"]))["expense"]
    assert (booked["amount"], booked["splitType"], booked["date"]) == (truth.total, "ITEMIZED", truth.date)
    # One that the group has is read just so. Where there is nothing to read, or no picture, that is said.
    kept = await asha.ok("POST", f"/groups/{group}/attachments", data=picture("PNG", (300, 300)))
    nothing = await asha.rest("POST", f"/groups/{group}/receipts", {"attachmentId": kept["id"]})
    assert (nothing.status, nothing.code) == (422, "receipt_unreadable")
    paper = await asha.rest("POST", f"/groups/{group}/receipts", data=document())
    assert (paper.status, paper.code) == (415, "unsupported_media")


async def test_without_the_extra_the_rest_works(phones: MakePhone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receipt_reader, "_NEEDED", ("a_package_that_nobody_has",))
    asha, meera = await phones("Asha"), await phones("Meera")
    group = await asha.makes_group()
    path = f"/groups/{group}/receipts"
    refused = await asha.rest("POST", path, data=picture())
    assert (refused.status, refused.code) == (501, "receipts_unavailable")
    kept = await asha.ok("POST", f"/groups/{group}/attachments", data=picture())
    assert (await asha.rest("POST", path, {"attachmentId": kept["id"]})).code == "receipts_unavailable"
    assert (await meera.rest("POST", path, data=picture())).code == "not_found"
    for body in ({}, {"attachmentId": "x"}, {"attachmentId": kept["id"], "file": "x"}):
        assert (await asha.rest("POST", path, body)).code == "validation_failed"
