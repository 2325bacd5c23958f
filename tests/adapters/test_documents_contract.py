"""What every collection of documents keeps to, real or not."""

import asyncio
from dataclasses import replace

import pytest

from persplit.service.ports import Document, Documents, DuplicateKey, VersionChanged
from tests.adapters.conftest import OpenDocuments


def account(id_: str, email: str = "", **keys: str) -> Document:
    """An account; `email` is a unique key, the others aren't."""
    return Document(id_, {"name": id_.title()}, {"email": email or f"{id_}@example.org", **keys})


async def test_an_inserted_document_comes_back_at_version_1(documents: Documents) -> None:
    body = {"name": "आशा", "limits": [1, 2.5, None, True], "deep": {"big": 2**53 - 1}}
    await documents.insert(Document("asha", body, {"email": "asha@example.org"}, version=7))
    expected = Document("asha", body, {"email": "asha@example.org"}, version=1)
    assert await documents.get(["asha"]) == {"asha": expected}


async def test_what_comes_back_is_a_copy(documents: Documents) -> None:
    mine = account("asha")
    await documents.insert(mine)
    mine.body["name"] = "changed after the fact"
    (await documents.get(["asha"]))["asha"].body["name"] = "changed by a reader"
    assert (await documents.get(["asha"]))["asha"].body == {"name": "Asha"}


async def test_an_id_is_taken_once(documents: Documents) -> None:
    await documents.insert(account("asha"))
    with pytest.raises(DuplicateKey):
        await documents.insert(account("asha", email="other@example.org"))
    assert (await documents.get(["asha"]))["asha"].keys == {"email": "asha@example.org"}


async def test_a_unique_key_is_taken_once(documents: Documents) -> None:
    await documents.insert(account("asha", email="same@example.org"))
    with pytest.raises(DuplicateKey):
        await documents.insert(account("ravi", email="same@example.org"))
    assert await documents.get(["ravi"]) == {}


async def test_a_unique_key_is_taken_once_on_replacing_too(documents: Documents) -> None:
    await documents.insert(account("asha"))
    await documents.insert(account("ravi"))
    with pytest.raises(DuplicateKey):
        await documents.replace(account("ravi", email="asha@example.org"))
    assert (await documents.get(["ravi"]))["ravi"] == account("ravi")


async def test_a_document_may_keep_its_unique_key_when_replaced(documents: Documents) -> None:
    await documents.insert(account("asha"))
    assert (await documents.replace(account("asha"))).version == 2


async def test_documents_with_no_keys_do_not_collide(documents: Documents) -> None:
    for id_ in ("a", "b"):
        await documents.insert(Document(id_, {}))
    assert set(await documents.get(["a", "b"])) == {"a", "b"}


async def test_other_keys_may_be_shared(documents: Documents) -> None:
    for id_ in ("c", "a", "b"):
        await documents.insert(account(id_, family="rao"))
    assert [document.id for document in await documents.find("family", "rao", 10)] == ["a", "b", "c"]
    assert [document.id for document in await documents.find("family", "rao", 2)] == ["a", "b"]
    assert list(await documents.find("family", "rao", 0)) == []


async def test_a_document_is_found_by_its_keys_and_nothing_else(documents: Documents) -> None:
    await documents.insert(account("asha", city="x=y"))
    assert list(await documents.find("email", "asha@example.org", 9)) == [account("asha", city="x=y")]
    assert list(await documents.find("city", "x=y", 9)) == [account("asha", city="x=y")]
    for key, value in [("email", "asha"), ("city", "asha@example.org"), ("name", "Asha"), ("city", "x")]:
        assert list(await documents.find(key, value, 9)) == []


async def test_no_find_returns_more_than_the_limit_of_all(
    documents: Documents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("persplit.adapters.recording.READ_LIMIT_MAX", 2)
    for id_ in ("a", "b", "c"):
        await documents.insert(account(id_, family="rao"))
    assert len(await documents.find("family", "rao", 1_000)) == 2


async def test_replacing_makes_the_next_version(documents: Documents) -> None:
    await documents.insert(account("asha", city="goa"))
    second = await documents.replace(replace(account("asha", city="pune"), body={"name": "A."}))
    assert second == Document("asha", {"name": "A."}, account("asha", city="pune").keys, version=2)
    assert await documents.get(["asha"]) == {"asha": second}
    assert (await documents.replace(second)).version == 3


async def test_replaced_keys_are_found_and_the_old_ones_free(documents: Documents) -> None:
    await documents.insert(account("asha", email="old@example.org"))
    await documents.replace(account("asha", email="new@example.org"))
    assert list(await documents.find("email", "old@example.org", 9)) == []
    assert [document.id for document in await documents.find("email", "new@example.org", 9)] == ["asha"]
    await documents.insert(account("ravi", email="old@example.org"))


async def test_a_document_that_has_changed_since_is_not_replaced(documents: Documents) -> None:
    await documents.insert(account("asha"))
    await documents.replace(account("asha"))
    with pytest.raises(VersionChanged):
        await documents.replace(account("asha"))
    with pytest.raises(VersionChanged):
        await documents.replace(account("nobody"))


async def test_of_many_that_replace_a_version_one_wins(open_documents: OpenDocuments) -> None:
    nodes = [await open_documents(), await open_documents()]
    await nodes[0].insert(account("asha"))
    outcomes = await asyncio.gather(
        *(nodes[n % 2].replace(account("asha")) for n in range(20)), return_exceptions=True
    )
    assert sum(isinstance(outcome, Document) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, VersionChanged) for outcome in outcomes) == 19


async def test_of_many_that_want_a_unique_key_one_gets_it(open_documents: OpenDocuments) -> None:
    nodes = [await open_documents(), await open_documents()]
    outcomes = await asyncio.gather(
        *(nodes[n % 2].insert(account(f"{n}", email="same@example.org")) for n in range(20)),
        return_exceptions=True,
    )
    assert outcomes.count(None) == 1
    assert sum(isinstance(outcome, DuplicateKey) for outcome in outcomes) == 19


async def test_deleting_frees_the_id_and_the_keys(documents: Documents) -> None:
    await documents.insert(account("asha"))
    await documents.delete("asha")
    await documents.delete("asha")
    assert await documents.get(["asha"]) == {}
    assert list(await documents.find("email", "asha@example.org", 9)) == []
    await documents.insert(account("asha"))


async def test_many_are_got_at_once_and_unknown_ids_left_out(documents: Documents) -> None:
    ids = [f"user-{n}" for n in range(30)]
    for id_ in ids:
        await documents.insert(account(id_))
    assert set(await documents.get([*ids, "nobody"])) == set(ids)
    assert await documents.get([]) == {}


async def test_two_handles_see_each_others_documents(open_documents: OpenDocuments) -> None:
    one, other = await open_documents(), await open_documents()
    await one.insert(account("asha"))
    await other.replace(account("asha", email="new@example.org"))
    assert [document.version for document in await one.find("email", "new@example.org", 1)] == [2]
    await one.delete("asha")
    assert await other.get(["asha"]) == {}


async def test_all_documents_are_paged_in_order_of_id(documents: Documents) -> None:
    for id_ in ("c", "a", "b"):
        await documents.insert(account(id_))
    assert list(await documents.scan("", 2)) == [account("a"), account("b")]
    assert list(await documents.scan("b", 2)) == [account("c")]
    assert list(await documents.scan("c", 2)) == []
    assert list(await documents.scan("", 0)) == []


async def test_documents_are_counted(documents: Documents) -> None:
    assert await documents.count() == 0
    for id_ in ("c", "a", "b"):
        await documents.insert(account(id_))
    await documents.delete("a")
    assert await documents.count() == 2


async def test_documents_that_are_put_keep_their_versions_and_leave_others_alone(
    documents: Documents,
) -> None:
    await documents.insert(account("asha"))
    ravi = replace(account("ravi", family="rao"), version=7)
    taken = account("other", email="asha@example.org")
    await documents.put([replace(account("asha"), version=9), ravi, taken])
    await documents.put([])
    assert list(await documents.scan("", 10)) == [account("asha"), ravi]
    assert list(await documents.find("family", "rao", 10)) == [ravi]
    assert list(await documents.find("email", "asha@example.org", 10)) == [account("asha")]
    assert (await documents.replace(ravi)).version == 8
