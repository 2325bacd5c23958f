"""What a store is filled with before somebody looks after it."""

import hashlib

from persplit.adapters.memory_store import MemoryDocuments, MemoryEvents, MemoryFiles
from persplit.adapters.memory_tallies import MemoryTallies
from persplit.ledger.commands import (
    Command,
    ConfirmSettlement,
    CreateSettlement,
    DeleteExpense,
    UpdateExpense,
)
from persplit.service import snapshots
from persplit.service.attachments import document_id
from persplit.service.check import Finding, Tally, check_store
from persplit.service.invites import Invites
from persplit.service.migrations import Migrations
from persplit.service.personal_tokens import PersonalTokens
from persplit.service.ports import Document, Stores
from persplit.service.sessions import Sessions
from persplit.service.users import UNIQUE_KEYS, User, Users
from tests.service.nodes import Clock, Node, draft, ledger, whole

SNAPSHOT_AT = 6
"""The seq that `a_group` leaves a snapshot at."""
EVENTS = 9
"""What `a_group` writes: 1 group, 2 and 3 members, 4 tea, 5 rice, 6 tea changed, 7 rice deleted, 8 and 9 a payment."""


def memory_stores() -> Stores:
    """A store in memory."""
    return Stores(
        events=MemoryEvents(),
        users=MemoryDocuments(UNIQUE_KEYS),
        sessions=MemoryDocuments(),
        personal_tokens=MemoryDocuments(),
        invites=MemoryDocuments(),
        group_passwords=MemoryDocuments(),
        erasures=MemoryDocuments(),
        attachments=MemoryDocuments(),
        files=MemoryFiles(),
        admins=MemoryDocuments(),
        suspensions=MemoryDocuments(),
        audit=MemoryDocuments(),
        read_marks=MemoryDocuments(),
        channels=MemoryDocuments(),
        deliveries=MemoryDocuments(),
        rates=MemoryDocuments(),
        schedules=MemoryDocuments(),
        meta=MemoryDocuments(),
        tallies=MemoryTallies(),
        is_shared=False,
        name="memory",
    )


async def a_group(stores: Stores, group_id: str = "goa") -> Node:
    """A group with three people, expenses, a payment and a snapshot; returns the node that it was written on."""
    node = Node(stores.events)

    async def then(actor: str, *commands: Command) -> None:
        for command in commands:
            node.clock.move(1)
            await node.does(actor, command, group_id=group_id)

    await node.makes("ben", "chitra", group_id=group_id)
    await node.spends("tea", group_id=group_id)
    await node.spends("rice", 1_000, group_id=group_id)
    await then("asha", UpdateExpense("tea", draft(1_200)))
    await snapshots.save(stores.events, await whole(stores.events, group_id))
    await then("asha", DeleteExpense("rice"))
    await then("ben", CreateSettlement("paid", "asha", 100))
    await then("asha", ConfirmSettlement("paid"))
    return node


async def a_file(stores: Stores, group_id: str = "goa", body: bytes = b"a bill") -> str:
    """A file that the group has; returns its hash."""
    hash_ = hashlib.sha256(body).hexdigest()
    keys = {"groupId": group_id, "userId": "asha", "hash": hash_}
    noted = {"type": "application/pdf", "bytes": len(body), "width": None, "height": None, "expenses": []}
    when = {"touchedAt": "2026-11-21T08:00:00.000Z"}
    await stores.files.put(hash_, body, Clock()())
    await stores.attachments.insert(Document(document_id(group_id, hash_), {**keys, **noted, **when}, keys))
    return hash_


async def people(stores: Stores, *names: str) -> None:
    """Accounts, each with a session, an invite to goa made by the first, and a password of goa."""
    clock = Clock()
    sessions = Sessions(stores.sessions, pepper=b"p" * 32, clock=clock)
    for name in names:
        user = User(
            name,
            name.title(),
            f"{name}@example.org",
            None,
            f"{name}@okaxis",
            None,
            "2026-11-21T08:00:00.000Z",
        )
        await Users(stores.users).insert(user, "hash")
        await sessions.start(name, "phone")
    tokens = PersonalTokens(stores.personal_tokens, clock)
    await Invites(stores.invites, tokens, clock).create("goa", names[0])
    await stores.group_passwords.insert(Document("goa", {"hash": "a hash"}))


async def a_store(stores: Stores) -> Stores:
    """A store with two groups and the three people in them, as a server would have left it."""
    await Migrations(stores, Clock()).version()
    await a_group(stores, "goa")
    await a_group(stores, "pune")
    await people(stores, "asha", "ben", "chitra")
    return stores


async def findings(stores: Stores) -> list[Finding]:
    """All that a check finds."""
    return [finding async for finding in check_store(stores, Tally())]


async def faults(stores: Stores) -> set[tuple[str, object]]:
    """What a check finds: the rule with the seq, or the id."""
    return {(finding.rule, finding.seq or finding.id) for finding in await findings(stores)}


async def contents(stores: Stores) -> dict[str, object]:
    """All that a backup keeps of a store."""
    kept: dict[str, object] = {}
    for group_id in await stores.events.groups("", 1_000):
        kept[group_id] = await ledger(stores.events, group_id)
    for name, documents in stores.collections().items():
        if name not in ("sessions", "personal_tokens"):
            kept[f"{name}:"] = list(await documents.scan("", 1_000))
    return kept
