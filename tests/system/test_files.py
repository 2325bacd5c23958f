"""Files in and out over a real server: looked at, taken in whole or not at all, taken back, and exported."""

import csv
import io
import json
import sys
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
import zxingcpp
from pydantic import SecretStr

from persplit.exchange.book import ROWS_MAX
from persplit.service.groups import TOLD_ONE_BY_ONE_MAX
from persplit.transport.exchange_operations import IMPORT_BODY_BYTES_MAX
from tests.exchange.given import text_of
from tests.servers import with_database
from tests.system.conftest import SECRET, MakePhone, phones_of, serving, settings_for
from tests.system.phone import Json, Phone

SPLITWISE = text_of("splitwise_en.csv")


@pytest.fixture(params=["sqlite", "mongodb"])
async def phones(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[MakePhone]:
    """Phones of a server on either store."""
    fields: dict[str, Any] = {}
    if request.param == "mongodb":
        uri = request.getfixturevalue("mongodb_uri")
        fields = {
            "mongodb_uri": SecretStr(with_database(uri, f"files-{uuid.uuid4().hex}")),
            "jwt_secret": SECRET,
        }
    async with serving(settings_for(tmp_path, **fields)) as (_, url), phones_of(url) as make:
        yield make


async def group_of(phone: Phone, currency: str = "INR") -> str:
    """A new group of the phone's owner."""
    made = await phone.ok("POST", "/groups", {"name": "Goa, 2026", "currency": currency})
    return str(made["group"]["id"])


async def imports(phone: Phone, group: str, text: str, **fields: Any) -> Json:
    return await phone.ok("POST", f"/groups/{group}/import", {"file": text, **fields})


async def balances(phone: Phone, group: str) -> dict[str, int]:
    """By name, those that aren't zero."""
    names = {m["userId"]: m["name"] for m in (await phone.ok("GET", f"/groups/{group}"))["members"]}
    found = (await phone.ok("GET", f"/groups/{group}/balances"))["balances"]
    return {names[one["userId"]]: one["amount"] for one in found if one["amount"]}


WANTED = {"Asha": 2_269_083, "Ravi Iyer": -711_917, "Meera Nair": -1_021_916, "Jon Hart": -535_250}


async def test_a_file_is_looked_at_taken_in_once_taken_back_and_taken_in_again(phones: MakePhone) -> None:
    asha = await phones("Asha")
    group = await group_of(asha)
    me = [{"key": "Asha Rao", "userId": asha.user_id}]
    seen = await imports(asha, group, SPLITWISE, members=me, dryRun=True)
    assert (seen["possible"], seen["seq"], seen["format"]) == (True, 1, "splitwise")
    assert await balances(asha, group) == {}
    done = await imports(asha, group, SPLITWISE, members=me)
    assert done["counts"] == {"new": 8, "present": 0, "refused": 0, "skipped": 0, "ignored": 1}
    assert done["seq"] == 1 + 3 + 7 + 2
    assert await balances(asha, group) == WANTED
    again = await imports(asha, group, SPLITWISE, members=me)
    assert (again["replayed"], again["seq"], again["importId"]) == (True, done["seq"], done["importId"])
    undone = await asha.ok("POST", f"/groups/{group}/imports/{done['importId']}/undo")
    assert undone["replayed"] is False
    assert await balances(asha, group) == {}
    assert [m["name"] for m in (await asha.ok("GET", f"/groups/{group}"))["members"] if not m["leftAt"]] == [
        "Asha"
    ]
    undone_again = await asha.ok("POST", f"/groups/{group}/imports/{done['importId']}/undo")
    assert (undone_again["replayed"], undone_again["seq"]) == (True, undone["seq"])
    third = await imports(asha, group, SPLITWISE, members=me)
    assert third["importId"] != done["importId"]
    assert await balances(asha, group) == WANTED
    pages = [await asha.ok("GET", f"/groups/{group}/imports?limit=1")]
    pages.append(await asha.ok("GET", f"/groups/{group}/imports?cursor={pages[0]['nextCursor']}"))
    listed = [one for page in pages for one in page["imports"]]
    assert [(one["importId"], one["by"], one["undoneBy"]) for one in listed] == [
        (third["importId"], asha.user_id, None),
        (done["importId"], asha.user_id, asha.user_id),
    ]
    assert listed[1]["undoneAt"] >= listed[1]["at"]
    assert pages[1]["nextCursor"] is None


async def test_a_table_of_ours_comes_in_again_with_the_same_balances(phones: MakePhone) -> None:
    asha, ben = await phones("Asha"), await phones("Ben")
    group = await asha.makes_group(ben)
    tea = {
        "amount": 1001,
        "splitType": "EQUAL",
        "date": "2026-03-01",
        "notes": "two\nlines",
        "category": "Food",
    }
    await asha.ok("POST", f"/groups/{group}/expenses", {**tea, "description": "=Tea"})
    both = [{"userId": asha.user_id, "amount": 300}, {"userId": ben.user_id, "amount": 701}]
    exact = [{"userId": asha.user_id, "value": 1}, {"userId": ben.user_id, "value": 1000}]
    rice = {**tea, "description": "Rice", "paidBy": both, "splitType": "EXACT", "splits": exact}
    await asha.ok("POST", f"/groups/{group}/expenses", rice)
    paid = await ben.ok("POST", f"/groups/{group}/settlements", {"toUserId": asha.user_id, "amount": 42})
    await asha.ok("POST", f"/groups/{group}/settlements/{paid['settlement']['id']}/confirm")
    table = await download(asha, f"/groups/{group}/export.csv?bom=true")
    other = await group_of(asha)
    me = [{"key": "Asha", "userId": asha.user_id}]
    done = await imports(asha, other, table, members=me)
    assert (done["format"], done["counts"]["new"], done["remarks"]) == ("persplit-csv", 3, [])
    assert await balances(asha, other) == await balances(asha, group)
    found = (await asha.ok("GET", f"/groups/{other}/expenses"))["expenses"]
    assert [(one["description"], one["notes"], one["category"], one["date"]) for one in found] == [
        ("Rice", "two\nlines", "Food", "2026-03-01"),
        ("=Tea", "two\nlines", "Food", "2026-03-01"),
    ]
    assert (await imports(asha, other, table, members=me))["replayed"] is True


async def test_a_file_of_which_one_row_is_wrong_changes_nothing(phones: MakePhone) -> None:
    asha = await phones("Asha")
    group = await group_of(asha)
    wrong = SPLITWISE.replace("-352.50,1057.50", "-352.50,1057.49")
    refused = await asha.rest("POST", f"/groups/{group}/import", {"file": wrong})
    assert (refused.status, refused.code) == (422, "import_refused")
    paths = [error["path"] for error in refused.body["errors"]]
    assert paths[0] == "rows.6"
    assert set(paths[1:]) == {"rows.15"}  # and so the total of the file isn't met
    assert "sum to -1" in refused.body["errors"][0]["message"]
    assert (await asha.ok("GET", f"/groups/{group}"))["seq"] == 1
    left_out = await imports(asha, group, wrong, skip=[6, 15])
    assert left_out["counts"]["skipped"] == 1


async def test_what_is_no_file_of_a_known_product_is_refused(phones: MakePhone) -> None:
    asha = await phones("Asha")
    group = await group_of(asha)
    for text in ("hello", "{}", "[1]", "a,b,c\n1,2,3\n", '{"format": "persplit", "version": 7}'):
        refused = await asha.rest("POST", f"/groups/{group}/import", {"file": text, "dryRun": True})
        assert (refused.status, refused.code) == (422, "import_refused")
        assert refused.body["errors"][0]["path"] == "file"


async def test_only_admins_import_and_strangers_see_no_group(phones: MakePhone) -> None:
    asha, ben, chitra = await phones("Asha"), await phones("Ben"), await phones("Chitra")
    group = await group_of(asha)
    code = (await asha.ok("POST", f"/groups/{group}/invites"))["code"]
    await ben.ok("POST", "/groups/join", {"code": code})
    done = await imports(asha, group, SPLITWISE)
    undo = f"/groups/{group}/imports/{done['importId']}/undo"
    for phone, status in ((ben, 403), (chitra, 404)):
        assert (await phone.rest("POST", f"/groups/{group}/import", {"file": SPLITWISE})).status == status
        assert (await phone.rest("POST", undo)).status == status
    assert (await ben.rest("GET", f"/groups/{group}/export.csv")).status == 200
    assert len((await ben.ok("GET", f"/groups/{group}/imports"))["imports"]) == 1
    assert (await chitra.rest("GET", f"/groups/{group}/imports")).status == 404
    for kind in ("csv", "json"):
        assert (await chitra.rest("GET", f"/groups/{group}/export.{kind}")).status == 404
    assert (await asha.rest("POST", f"/groups/{group}/imports/nothing/undo")).status == 404


async def test_a_whole_group_goes_out_and_comes_in_again_elsewhere(phones: MakePhone) -> None:
    asha = await phones("Asha")
    group = await group_of(asha)
    await imports(asha, group, SPLITWISE)
    document = await asha.ok("GET", f"/groups/{group}/export.json")
    other = await group_of(asha)
    done = await imports(asha, other, json.dumps(document))
    assert done["format"] == "persplit"
    assert await balances(asha, other) == await balances(asha, group)
    ours = (await asha.ok("GET", f"/groups/{other}/expenses"))["expenses"]
    theirs = (await asha.ok("GET", f"/groups/{group}/expenses"))["expenses"]
    for mine, yours in zip(ours, theirs, strict=True):
        assert {k: v for k, v in mine.items() if k not in ("groupId", "seq")} == {
            k: v for k, v in yours.items() if k not in ("groupId", "seq")
        }
    assert (await imports(asha, group, json.dumps(document)))["replayed"] is True


async def test_a_table_is_safe_and_adds_up(phones: MakePhone) -> None:
    asha = await phones("Asha")
    await asha.ok("PATCH", "/auth/me", {"name": "=cmd|' /C calc'!A0"})
    group = await group_of(asha)
    await imports(asha, group, SPLITWISE)
    evil: Json = {"description": "=1+1", "amount": 1_001, "splitType": "EQUAL", "notes": "+SUM(A1)"}
    await asha.ok("POST", f"/groups/{group}/expenses", evil)
    made = await asha.ok("POST", f"/groups/{group}/expenses", {**evil, "description": "Deleted"})
    await asha.ok("DELETE", f"/groups/{group}/expenses/{made['expense']['id']}")
    text = await download(asha, f"/groups/{group}/export.csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["Description"] for row in rows][-1] == "'=1+1"
    assert rows[-1]["Notes"] == "'+SUM(A1)"
    assert not any(cell.startswith(("=", "+", "@")) for row in rows for cell in row.values())
    found = await balances(asha, group)
    for name, amount in found.items():
        column = f"'{name}" if name.startswith("=") else name
        paid, borne = (
            sum(round(100 * float(row[f"Paid {way} {column}"] or 0)) for row in rows) for way in ("by", "for")
        )
        assert paid - borne == amount
    assert (await download(asha, f"/groups/{group}/export.csv?bom=true")) == "\ufeff" + text


async def download(phone: Phone, path: str) -> str:
    headers = {"Authorization": f"Bearer {phone.token}"}
    async with phone.http.get(f"{phone.url}/api/v1{path}", headers=headers) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Disposition"].startswith('attachment; filename="goa-')
        assert answer.headers["Cache-Control"] == "no-store"
        return (await answer.read()).decode()


async def test_a_statement_has_balances_payments_with_qrs_and_what_it_was_for(phones: MakePhone) -> None:
    asha, ravi = await phones("Asha", "asha@okaxis"), await phones("Ravi")
    await asha.ok("PATCH", "/auth/me", {"name": "आशा राव"})
    group = await asha.makes_group(ravi)
    await asha.spends(group, 123_450, description="Fish & rice")
    terms = {"principal": 987_600, "borrowerId": ravi.user_id, "dueDate": "2090-01-31", "interestRate": "6.5"}
    await asha.ok("POST", f"/groups/{group}/loans", terms)
    await asha.ok("PATCH", f"/groups/{group}", {"name": "Goa 2026"})
    headers = {"Authorization": f"Bearer {asha.token}"}
    async with asha.http.get(f"{asha.url}/api/v1/groups/{group}/export.pdf", headers=headers) as answer:
        assert answer.content_type == "application/pdf"
        body = await answer.read()
    document = pypdfium2.PdfDocument(body)
    text = "".join(page.get_textpage().get_text_bounded() for page in document)
    assert "Goa 2026" in text
    assert "₹617.25" in text
    assert "Fish & rice" in text
    assert "राव" in text
    assert "₹9876.00" in text
    assert "6.5% a year, due 2090-01-31" in text
    (found,) = zxingcpp.read_barcodes(document[0].render(scale=3).to_pil())
    (row,) = (await asha.ok("GET", f"/groups/{group}/balances"))["settleUp"]
    assert found.text == row["upiLink"]


async def test_without_the_extra_there_is_no_statement_and_all_else(
    phones: MakePhone, monkeypatch: pytest.MonkeyPatch
) -> None:
    asha = await phones("Asha")
    group = await group_of(asha)
    monkeypatch.setitem(sys.modules, "fpdf", None)
    refused = await asha.rest("GET", f"/groups/{group}/export.pdf")
    assert (refused.status, refused.code) == (501, "statement_unavailable")
    assert (await asha.rest("GET", f"/groups/{group}/export.csv")).status == 200


async def test_who_listens_hears_the_end_of_a_large_import_and_pulls_the_rest(phones: MakePhone) -> None:
    asha = await phones("Asha", online=True)
    group = await group_of(asha)
    await asha.hears("group:created")
    lines = [f"2026-01-01,Tea {n},Food,1.00,INR,0.50,-0.50\n" for n in range(TOLD_ONE_BY_ONE_MAX + 1)]
    text = "Date,Description,Category,Cost,Currency,Asha,Ravi\n" + "".join(lines)
    done = await imports(asha, group, text)
    heard = await asha.hears("expense:created")
    assert heard["seq"] == done["seq"]
    assert heard["updatedBalances"] == done["balances"]
    pulled = await asha.done("sync:pull", {"groupId": group, "after": 1})
    assert pulled["seq"] == done["seq"]
    assert len(pulled["snapshot"]["expenses"]) == TOLD_ONE_BY_ONE_MAX + 1
    assert sum(1 for name, _ in asha.heard if name == "expense:created") == 1


async def test_a_file_may_be_as_large_as_its_rows_and_no_larger(phones: MakePhone) -> None:
    asha = await phones("Asha")
    group = await group_of(asha)
    header = "Date,Description,Category,Cost,Currency,Asha,Ravi\n"
    line = "2026-01-01,{},Food,1.00,INR,0.50,-0.50\n"
    long = header + "".join(line.format(f"{n} " + "tea " * 60) for n in range(ROWS_MAX))
    assert len(long) > 500_000
    assert (await imports(asha, group, long, dryRun=True))["counts"]["new"] == ROWS_MAX
    refused = await asha.rest("POST", f"/groups/{group}/import", {"file": long + line.format("one more")})
    assert refused.body["errors"] == [{"path": "file", "message": f"a file has at most {ROWS_MAX} rows"}]
    refused = await asha.rest("POST", f"/groups/{group}/import", {"file": "x" * IMPORT_BODY_BYTES_MAX})
    assert (refused.status, refused.code) == (413, "too_large")
