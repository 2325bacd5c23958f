"""Groups with a history for benchmarks: the same ones each time, with texts and ids as long as real ones."""

from collections.abc import Iterable, Iterator, Sequence
from random import Random
from typing import Final
from uuid import UUID

from persplit.ledger.events import Event, ExpenseCreated, GroupCreated, MemberJoined, RecordedEvent
from persplit.ledger.expense import Expense, Posting, SplitType
from persplit.ledger.group import GroupSettings, Member, Role
from persplit.ledger.split import shares_of
from persplit.service.ports import EventStore

NOW: Final = "2026-11-21T08:00:00.000Z"
PUT_AT_ONCE: Final = 200
"""Events that are put at once: few enough for a store's deadline on a slow disk."""
_DESCRIPTIONS: Final = (
    *(
        "Dinner by the sea",
        "Taxi to the airport",
        "Groceries",
        "Petrol",
        "Tickets for the ferry",
        "Hotel, second night",
    ),
    *("Breakfast", "Chai and samosas", "Electricity bill", "Museum"),
)


def person(number: int) -> str:
    """The id of somebody."""
    return str(UUID(int=0x0190_0000_0000_7000_8000_0000_0000_0000 + number))


def group_id(number: int) -> str:
    """The id of a group."""
    return str(UUID(int=0x0191_0000_0000_7000_8000_0000_0000_0000 + number))


def history(number: int, people: Sequence[str], events: int) -> Iterator[RecordedEvent]:
    """So many events of group `number`: its making, everybody's joining, then equal expenses of theirs in turn."""
    random = Random(number)  # noqa: S311 - no secret
    members = [
        Member(id_, f"Person {place}", Role.MEMBER if place else Role.ADMIN, placeholder=False, joined_at=NOW)
        for place, id_ in enumerate(people)
    ]
    settings = GroupSettings(
        f"Trip {number}", None, "INR", simplify=True, has_password=False, archived_at=None, seq=1
    )
    begun: list[Event] = [GroupCreated(settings, members[0]), *map(MemberJoined, members[1:])]
    for seq in range(1, events + 1):
        event = begun[seq - 1] if seq <= len(begun) else ExpenseCreated(_expense(number, people, seq, random))
        command_id = str(UUID(int=random.getrandbits(128)))
        content_hash = f"{random.getrandbits(128):032x}"
        yield RecordedEvent(
            group_id(number), seq, NOW, people[seq % len(people)], command_id, content_hash, event
        )


def _expense(number: int, people: Sequence[str], seq: int, random: Random) -> Expense:
    amount = random.randint(5_000, 500_000)
    payer = random.choice(people)
    id_ = str(UUID(int=(number << 64) + seq))
    return Expense(
        id=id_,
        seq=seq,
        description=random.choice(_DESCRIPTIONS),
        amount=amount,
        payers=(Posting(payer, amount),),
        split_type=SplitType.EQUAL,
        participants=tuple(people),
        splits=(),
        items=(),
        include_payer=True,
        date=NOW[:10],
        category=None,
        notes=None,
        shares=shares_of(id_, amount, SplitType.EQUAL, people, (), ()),
        created_by=payer,
        created_at=NOW,
        updated_at=NOW,
    )


async def put(store: EventStore, groups: Iterable[Iterable[RecordedEvent]]) -> None:
    """Keep them in the store as a backup's events are kept."""
    waiting: list[RecordedEvent] = []
    for events in groups:
        waiting += events
        if len(waiting) >= PUT_AT_ONCE:
            await store.put(waiting)
            waiting = []
    await store.put(waiting)
