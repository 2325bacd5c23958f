"""What is kept, for how long, and how much of it: over stores in memory, with a clock that is told the time."""

import asyncio
import hashlib
from datetime import datetime, timedelta

import pytest

from persplit.adapters.memory_store import MemoryDocuments, MemoryEvents, MemoryFiles
from persplit.adapters.pictures import PillowPictures
from persplit.ledger.commands import AddAttachment, DeleteExpense, RemoveAttachment, UpdateGroup
from persplit.ledger.errors import GroupArchived, Invalid, LimitReached, NotFound
from persplit.service import attachment_sweep, attachments
from persplit.service.attachments import GRACE, Attachments
from persplit.service.errors import StorageFull
from tests.attachments.given import document, picture
from tests.service.nodes import Node

HOUR = 3600.0
LATER = (GRACE + timedelta(hours=1)).total_seconds()


class Desk:
    """A node with attachments, and members who use them."""

    def __init__(self) -> None:
        self.node = Node(MemoryEvents())
        self.documents = MemoryDocuments()
        self.files = MemoryFiles()
        self.attachments = Attachments(
            self.documents,
            self.files,
            self.node.wire,
            self.node.groups,
            PillowPictures(),
            self.node.clock,
        )

    async def attaches(self, body: bytes, expense: str = "tea", group: str = "goa", who: str = "asha") -> str:
        """Upload and attach; returns the id."""
        uploaded = await self.attachments.upload(group, who, body)
        kept = await self.attachments.claim(group, who, uploaded.id, expense)
        await self.node.does(who, AddAttachment(expense, kept), f"{expense} {uploaded.id}", group)
        return uploaded.id

    async def kept(self) -> int:
        """How many contents are kept."""
        return len(await self.files.scan("", 100))

    async def passes(self, seconds: float) -> int:
        """Time passes, and what is to go is collected; how many went."""
        self.node.clock.move(seconds)
        return await self.attachments.sweep()


@pytest.fixture
async def desk() -> Desk:
    """Asha and Ravi in the group goa, with an expense; Meera with a group of her own."""
    desk = Desk()
    await desk.node.makes("ravi")
    await desk.node.spends("tea")
    await desk.node.makes(group_id="pune", maker="meera")
    await desk.node.spends("taxi", actor="meera", group_id="pune")
    return desk


async def test_what_is_never_attached_is_collected_after_a_day(desk: Desk) -> None:
    uploaded = await desk.attachments.upload("goa", "asha", picture())
    assert await desk.passes(GRACE.total_seconds() - HOUR) == 0
    assert (await desk.attachments.fetch("goa", "ravi", uploaded.id)).attachment == uploaded
    assert await desk.passes(2 * HOUR) == 1
    assert await desk.kept() == 0
    with pytest.raises(NotFound):
        await desk.attachments.fetch("goa", "ravi", uploaded.id)


async def test_to_upload_it_again_starts_the_time_anew(desk: Desk) -> None:
    for _ in range(3):
        await desk.attachments.upload("goa", "asha", picture())
        assert await desk.passes(GRACE.total_seconds() - HOUR) == 0
    assert await desk.kept() == 1
    assert await desk.passes(2 * HOUR) == 1


async def test_what_an_expense_has_stays_whatever_becomes_of_the_expense(desk: Desk) -> None:
    id_ = await desk.attaches(picture())
    await desk.node.does("asha", DeleteExpense("tea"))
    for _ in range(3):
        assert await desk.passes(LATER) == 0
    assert (await desk.attachments.fetch("goa", "ravi", id_)).body


async def test_what_was_taken_off_goes_a_day_later(desk: Desk) -> None:
    id_ = await desk.attaches(picture())
    assert await desk.passes(LATER) == 0
    await desk.node.does("ravi", RemoveAttachment("tea", id_))
    assert await desk.passes(HOUR) == 0, "it was taken off just now"
    assert await desk.passes(LATER) == 1
    assert await desk.kept() == 0
    assert await desk.attachments.claim("goa", "asha", id_, "tea") is None


async def test_what_is_on_another_expense_stays(desk: Desk) -> None:
    await desk.node.spends("rice")
    id_ = await desk.attaches(picture())
    await desk.attaches(picture(), "rice")
    await desk.node.does("ravi", RemoveAttachment("tea", id_))
    assert await desk.passes(LATER) == 0
    await desk.node.does("ravi", RemoveAttachment("rice", id_))
    assert await desk.passes(LATER) == 1


async def test_an_expense_that_never_came_keeps_nothing(desk: Desk) -> None:
    """The claim is written first: whatever happens then, the file isn't collected under an expense that has it."""
    uploaded = await desk.attachments.upload("goa", "asha", picture())
    assert await desk.attachments.claim("goa", "asha", uploaded.id, "never") == uploaded
    assert await desk.passes(LATER) == 1


async def test_the_same_content_of_two_groups_is_kept_once_and_as_long_as_one_has_it(desk: Desk) -> None:
    id_ = await desk.attaches(picture())
    assert await desk.attaches(picture(), "taxi", "pune", "meera") == id_
    assert await desk.kept() == 1
    await desk.node.does("asha", RemoveAttachment("tea", id_))
    assert await desk.passes(LATER) == 1
    assert (await desk.attachments.fetch("pune", "meera", id_)).body
    with pytest.raises(NotFound):
        await desk.attachments.fetch("goa", "asha", id_)


async def test_to_know_a_hash_is_not_to_have_the_file(desk: Desk) -> None:
    id_ = await desk.attaches(picture())
    for group, who in (("pune", "meera"), ("goa", "meera"), ("nowhere", "asha")):
        with pytest.raises(NotFound):
            await desk.attachments.fetch(group, who, id_)
        assert await desk.attachments.claim(group, who, id_, "taxi") is None
    with pytest.raises(Invalid):
        await desk.node.does("meera", AddAttachment("taxi", None), group_id="pune")


async def test_a_content_that_nobody_has_a_document_of_goes(desk: Desk) -> None:
    """A server was killed between the two."""
    body = document()
    await desk.files.put(hashlib.sha256(body).hexdigest(), body, desk.node.clock())
    await desk.passes(HOUR)
    assert await desk.kept() == 1
    await desk.passes(LATER)
    assert await desk.kept() == 0


async def test_who_uploads_while_it_is_collected_loses_nothing(desk: Desk) -> None:
    uploaded = await desk.attachments.upload("goa", "asha", picture())
    desk.node.clock.move(LATER)
    (found,) = await desk.documents.scan("", 10)
    await desk.attachments.claim("goa", "asha", uploaded.id, "tea")
    assert not await desk.attachments._drop(found), "it isn't what was looked at any more"
    assert (await desk.attachments.fetch("goa", "asha", uploaded.id)).body


async def test_a_document_has_no_thumbnail(desk: Desk) -> None:
    paper = await desk.attachments.upload("goa", "asha", document())
    with pytest.raises(NotFound):
        await desk.attachments.thumbnail("goa", "asha", paper.id)


async def test_an_archived_group_takes_nothing(desk: Desk) -> None:
    await desk.node.does("asha", UpdateGroup(archived=True))
    with pytest.raises(GroupArchived):
        await desk.attachments.upload("goa", "asha", picture())


async def test_a_group_and_a_person_have_so_many_files(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachments, "FILES_MAX", 2)
    await desk.node.makes(group_id="agra")
    for number in range(2):
        await desk.attachments.upload("goa", "asha", document(str(number)))
    with pytest.raises(LimitReached, match="for the group"):
        await desk.attachments.upload("goa", "ravi", document("one more"))
    with pytest.raises(LimitReached, match="for you"):
        await desk.attachments.upload("agra", "asha", document("one more"))
    await desk.attachments.upload("goa", "ravi", document("1"))
    assert await desk.passes(LATER) == 2
    await desk.attachments.upload("goa", "ravi", document("one more"))


@pytest.mark.parametrize("whose", ["GROUP_BYTES_MAX", "PERSON_BYTES_MAX"])
async def test_a_group_and_a_person_have_so_many_bytes(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, whose: str
) -> None:
    monkeypatch.setattr(attachments, whose, 2 * len(document("1")))
    for number in range(2):
        await desk.attachments.upload("goa", "asha", document(str(number)))
    with pytest.raises(LimitReached):
        await desk.attachments.upload("goa", "asha", document("2"))
    assert await desk.kept() == 2


async def test_a_file_is_on_only_so_many_expenses(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachments, "EXPENSES_MAX", 2)
    uploaded = await desk.attachments.upload("goa", "asha", picture())
    for expense in ("tea", "rice", "tea"):
        await desk.attachments.claim("goa", "asha", uploaded.id, expense)
    with pytest.raises(LimitReached):
        await desk.attachments.claim("goa", "asha", uploaded.id, "bread")


async def test_where_there_is_no_room_nothing_is_kept(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*_: object) -> None:
        raise StorageFull("there is no room")

    monkeypatch.setattr(desk.files, "put", full)
    with pytest.raises(StorageFull):
        await desk.attachments.upload("goa", "asha", picture())
    assert await desk.documents.scan("", 10) == []


async def test_a_store_that_is_away_keeps_nothing_from_being_collected_later(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attachment_sweep, "SWEEP_SECONDS", 0.0)
    uploaded = await desk.attachments.upload("goa", "asha", picture())
    await desk.attachments.claim("goa", "asha", uploaded.id, "never")
    desk.node.clock.move(LATER)
    swept: list[object] = []
    sweep = desk.attachments.sweep

    async def sweeping() -> int:
        if len(swept) == 2:
            raise asyncio.CancelledError
        desk.node.wire.read_faults.extend([] if swept else ["away"])
        swept.append(None)
        return await sweep()

    monkeypatch.setattr(desk.attachments, "sweep", sweeping)
    with pytest.raises(asyncio.CancelledError):
        await attachment_sweep.sweep_on(desk.attachments)
    assert await desk.kept() == 0


async def test_what_a_kill_left_of_a_file_is_collected_when_nobody_can_be_at_it_any_more(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    tidied: list[datetime] = []

    async def tidy(begun_until: datetime) -> None:
        tidied.append(begun_until)

    monkeypatch.setattr(desk.files, "tidy", tidy)
    await desk.passes(0)
    assert tidied == [desk.node.clock.now - GRACE]
