"""Attachments over a real server, on either store: who gets them and who doesn't, what is heard, what is refused."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr

from persplit.adapters.local_files import LocalFiles
from persplit.ledger.attachment import ATTACHMENTS_MAX
from persplit.service.errors import StorageFull
from tests.attachments.given import PLACE, document, heic, opened, picture
from tests.servers import with_database
from tests.system.conftest import SECRET, MakePhone, phones_of, serving, settings_for
from tests.system.phone import Json, Phone, key


@pytest.fixture(params=["sqlite", "mongodb"])
async def phones(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[MakePhone]:
    """Phones of a server on either store: files in a directory, or in GridFS."""
    fields: dict[str, Any] = {}
    if request.param == "mongodb":
        uri = request.getfixturevalue("mongodb_uri")
        fields = {
            "mongodb_uri": SecretStr(with_database(uri, f"attachments-{uuid.uuid4().hex}")),
            "jwt_secret": SECRET,
        }
    async with serving(settings_for(tmp_path, **fields)) as (_, url), phones_of(url) as make:
        yield make


async def uploads(phone: Phone, group: str, body: bytes) -> Json:
    return await phone.ok("POST", f"/groups/{group}/attachments", data=body)


async def fetches(
    phone: Phone, group: str, id_: str, query: str = "", **headers: str
) -> tuple[aiohttp.ClientResponse, bytes]:
    url = f"{phone.url}/api/v1/groups/{group}/attachments/{id_}{query}"
    headers = {"Authorization": f"Bearer {phone.token}", **headers}
    async with phone.http.get(url, headers=headers) as response:
        return response, await response.read()


async def test_a_picture_is_uploaded_attached_heard_of_fetched_and_taken_off(phones: MakePhone) -> None:
    asha, ravi = await phones("Asha", online=True), await phones("Ravi", online=True)
    group = await asha.makes_group(ravi)
    expense = (await asha.spends(group, 900))["expense"]["id"]
    kept = await uploads(asha, group, picture("JPEG", (400, 200), orientation=6))
    assert (kept["type"], kept["width"], kept["height"]) == ("image/jpeg", 200, 400)
    path = f"/groups/{group}/expenses/{expense}/attachments"
    made = await asha.ok("POST", path, {"attachmentId": kept["id"], "name": "बिल.jpg"})
    wanted = {**kept, "name": "बिल.jpg"}
    assert (made["attachment"], made["expense"]["attachments"]) == (wanted, [wanted])
    heard = await ravi.hears("attachment:added")
    assert (heard["attachment"], heard["seq"], heard["by"]) == (wanted, made["seq"], asha.user_id)
    assert heard["expense"] == made["expense"]
    assert sum(row["amount"] for row in heard["updatedBalances"]) == 0

    response, body = await fetches(ravi, group, kept["id"])
    assert (response.status, response.content_type, len(body)) == (200, "image/jpeg", kept["bytes"])
    assert PLACE.encode() not in body
    small, thumbnail = await fetches(ravi, group, kept["id"], "?thumbnail=true")
    assert (small.content_type, opened(thumbnail).size) == ("image/jpeg", (160, 320))

    gone = await ravi.done("attachment:remove", groupId=group, expenseId=expense, attachmentId=kept["id"])
    assert (gone["attachment"], gone["expense"].get("attachments")) == (wanted, None)
    assert (await asha.hears("attachment:removed"))["seq"] == gone["seq"]
    kinds = [event["type"] for event in (await asha.ok("GET", f"/groups/{group}/events"))["events"]]
    assert kinds[-2:] == ["attachment:added", "attachment:removed"]
    pulled = await ravi.done("sync:pull", groupId=group, after=made["seq"] - 1)
    assert pulled["events"][0]["attachment"] == wanted


async def test_what_is_handed_out_is_to_save_and_runs_nowhere(phones: MakePhone) -> None:
    asha = await phones("Asha")
    group = await asha.makes_group()
    kept = await uploads(asha, group, document())
    response, body = await fetches(asha, group, kept["id"])
    assert (body, response.content_type) == (document(), "application/pdf")
    assert response.headers["Content-Disposition"] == f'attachment; filename="{kept["id"][:12]}.pdf"'
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert (
        response.headers["Content-Security-Policy"] == "default-src 'none'; sandbox; frame-ancestors 'none'"
    )
    assert response.headers["Cache-Control"] == "private, no-cache"
    known, nothing = await fetches(asha, group, kept["id"], **{"If-None-Match": response.headers["ETag"]})
    assert (known.status, nothing) == (304, b"")


async def test_strangers_get_the_same_answer_as_for_what_is_not_there(phones: MakePhone) -> None:
    asha, ravi, meera = await phones("Asha"), await phones("Ravi"), await phones("Meera")
    group, hers = await asha.makes_group(ravi), await meera.makes_group()
    id_ = (await uploads(asha, group, picture()))["id"]
    missing = await meera.rest("GET", f"/groups/{group}/attachments/{'0' * 64}")
    for where in (group, hers, str(uuid.uuid4())):
        answer = await meera.rest("GET", f"/groups/{where}/attachments/{id_}")
        assert (answer.status, answer.code) == (404, "not_found")
    assert missing.body == (await meera.rest("GET", f"/groups/{group}/attachments/{id_}")).body
    assert (await meera.rest("POST", f"/groups/{group}/attachments", data=picture())).status == 404
    # What is attached needs to have been uploaded to that very group.
    taxi = (await meera.spends(hers, 500))["expense"]["id"]
    error = await meera.rest("POST", f"/groups/{hers}/expenses/{taxi}/attachments", {"attachmentId": id_})
    assert (error.code, error.body["errors"][0]["path"]) == ("validation_failed", "attachmentId")
    # Who leaves can't fetch any more.
    await ravi.ok("DELETE", f"/groups/{group}/leave")
    assert (await fetches(ravi, group, id_))[0].status == 404
    assert (await phones()).token == ""
    async with asha.http.get(f"{asha.url}/api/v1/groups/{group}/attachments/{id_}") as response:
        assert response.status == 401


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"hello", 415, "unsupported_media"),
        (heic(), 415, "unsupported_media"),
        (picture()[:200], 415, "unsupported_media"),
    ],
    ids=["a text", "a HEIC", "half a picture"],
)
async def test_what_is_refused(server: tuple[object, str], body: bytes, status: int, code: str) -> None:
    async with phones_of(server[1]) as make:
        asha = await make("Asha")
        group = await asha.makes_group()
        answer = await asha.rest("POST", f"/groups/{group}/attachments", data=body)
        assert (answer.status, answer.code) == (status, code)


async def test_an_empty_body_a_field_too_many_and_an_id_that_is_none_are_refused(
    server: tuple[object, str],
) -> None:
    async with phones_of(server[1]) as make:
        asha = await make("Asha")
        group = await asha.makes_group()
        path = f"/groups/{group}/attachments"
        assert (await asha.rest("POST", path)).code == "validation_failed"
        assert (await asha.rest("POST", path, {"file": "text"})).code == "validation_failed"
        assert (await asha.rest("POST", f"{path}?name=x", data=picture())).code == "validation_failed"
        for id_ in ("short", "A" * 64, "..%2F..%2Fetc"):
            assert (await asha.rest("GET", f"{path}/{id_}")).status in (404, 422)


async def test_the_same_command_again_is_a_replay_though_the_file_is_gone(
    server: tuple[Any, str],
) -> None:
    node, url = server
    async with phones_of(url) as make:
        asha = await make("Asha")
        group = await asha.makes_group()
        expense = (await asha.spends(group, 900))["expense"]["id"]
        kept = await uploads(asha, group, picture())
        path, once = f"/groups/{group}/expenses/{expense}/attachments", key()
        first = await asha.ok("POST", path, {"attachmentId": kept["id"]}, idempotency_key=once)
        await asha.ok("DELETE", f"{path}/{kept['id']}")
        (found,) = await node.services.attachments._documents.scan("", 10)
        await node.services.attachments._documents.delete(found.id)
        again = await asha.rest("POST", path, {"attachmentId": kept["id"]}, idempotency_key=once)
        assert (again.body["seq"], again.body["replayed"]) == (first["seq"], True)
        error = await asha.rest("POST", path, {"attachmentId": kept["id"]})
        assert error.code == "validation_failed"


async def test_an_expense_has_only_so_many_and_one_that_is_deleted_gets_none(
    server: tuple[object, str],
) -> None:
    async with phones_of(server[1]) as make:
        asha = await make("Asha")
        group = await asha.makes_group()
        expense = (await asha.spends(group, 900))["expense"]["id"]
        path = f"/groups/{group}/expenses/{expense}/attachments"
        ids = [(await uploads(asha, group, document(str(n))))["id"] for n in range(ATTACHMENTS_MAX + 1)]
        for id_ in ids[:-1]:
            await asha.ok("POST", path, {"attachmentId": id_})
        assert (await asha.rest("POST", path, {"attachmentId": ids[-1]})).code == "limit_reached"
        assert (await asha.rest("POST", path, {"attachmentId": ids[0]})).code == "conflict"
        await asha.ok("DELETE", f"/groups/{group}/expenses/{expense}")
        assert (await asha.rest("DELETE", f"{path}/{ids[0]}")).code == "conflict"


async def test_where_the_disk_is_full_the_answer_has_a_code_and_all_else_works(
    server: tuple[object, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> None:
        raise StorageFull("there is no room for files on this server")

    async with phones_of(server[1]) as make:
        asha = await make("Asha")
        group = await asha.makes_group()
        with monkeypatch.context() as patched:
            patched.setattr(LocalFiles, "put", full)
            answer = await asha.rest("POST", f"/groups/{group}/attachments", data=picture())
        assert (answer.status, answer.code) == (507, "storage_full")
        await asha.spends(group, 900)
        assert (await uploads(asha, group, picture()))["id"]


async def test_two_who_upload_the_same_at_once_have_one_file(phones: MakePhone) -> None:
    asha, ravi = await phones("Asha"), await phones("Ravi")
    group = await asha.makes_group(ravi)
    first, second = await asyncio.gather(uploads(asha, group, picture()), uploads(ravi, group, picture()))
    assert first == second
    assert (await fetches(ravi, group, first["id"]))[0].status == 200
