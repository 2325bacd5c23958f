"""Whatever one client sends without waiting for answers comes to the same as if it had waited for each."""

import asyncio
import random
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.system.conftest import MakePhone, phones_of, serving, settings_for
from tests.system.phone import Json, Phone, key

pytestmark = pytest.mark.asyncio(loop_scope="module")

COMMANDS_MAX = 30
PULLED_MAX = 200
APPEND_SECONDS_MAX = 0.01

Drawn: TypeAlias = tuple[str, int, int]
"""An event, or "again" for the same command once more; in which group; and about what."""

KINDS = [
    "expense:create",
    "expense:create",
    "expense:update",
    "expense:delete",
    "expense:restore",
    "settlement:create",
    "again",
    "sync:pull",
    "sync:pull",
]
rows = st.lists(
    st.tuples(st.sampled_from(KINDS), st.integers(0, 1), st.integers(0, 99)), max_size=COMMANDS_MAX
)


class LateStore:
    """The event store, with appends that are some milliseconds late: nothing is written when what follows could be begun."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self._dice = random.Random("late")  # noqa: S311 - milliseconds to wait, no secret

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def append(self, event: Any) -> Any:
        await asyncio.sleep(self._dice.uniform(0, APPEND_SECONDS_MAX))
        return await self._store.append(event)

    async def append_run(self, events: Any) -> Any:
        await asyncio.sleep(self._dice.uniform(0, APPEND_SECONDS_MAX))
        return await self._store.append_run(events)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def phones(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MakePhone]:
    async with serving(settings_for(tmp_path_factory.mktemp("pipelined"))) as (node, url):
        handler: Any = node.services.handler
        handler._store = LateStore(handler._store)
        async with phones_of(url) as make:
            yield make


@dataclass
class Sender:
    """Somebody who sends a row of commands to two groups, all at once."""

    phone: Phone
    other: Phone
    group_ids: list[str]
    sent: list[tuple[str, Json]] = field(default_factory=list)
    ids: list[str] = field(default_factory=lambda: [str(uuid.uuid4())])

    def made_of(self, drawn: Drawn) -> tuple[str, Json]:
        """The next command."""
        kind, group, number = drawn
        in_group = {"groupId": self.group_ids[group]}
        tea = {"description": "Tea", "splitType": "EQUAL", "amount": 100 + number}
        known = {**in_group, "expenseId": self.ids[number % len(self.ids)]}
        writes = [one for one in self.sent if one[0] != "sync:pull"]
        match kind:
            case "expense:create":
                self.ids.append(str(uuid.uuid4()))
                return kind, {"commandId": key(), **in_group, **tea, "id": self.ids[-1]}
            case "expense:update":
                return kind, {"commandId": key(), **known, **tea}
            case "expense:delete" | "expense:restore":
                return kind, {"commandId": key(), **known}
            case "settlement:create":
                return kind, {"commandId": key(), **in_group, "toUserId": self.other.user_id, "amount": 5}
            case "again" if writes:
                return writes[number % len(writes)]
            case _:
                return "sync:pull", {**in_group, "after": 0, "limit": PULLED_MAX}

    async def sends(self, row: list[Drawn]) -> list[Json]:
        """Send all, and return what was answered, in the order of sending."""
        for drawn in row:
            self.sent.append(self.made_of(drawn))
        return await asyncio.gather(*(self.phone.send(event, fields) for event, fields in self.sent))


def check(sent: list[tuple[str, Json]], acks: list[Json]) -> None:
    """Pass if each group's events are in the order of sending, repeats got the first outcome, and pulls saw all before."""
    newest: dict[str, int] = {}
    outcomes: dict[str, Json] = {}
    for (event, fields), ack in zip(sent, acks, strict=True):
        group_id = fields["groupId"]
        before = newest.get(group_id, 0)
        if event == "sync:pull":
            assert ack["events"][-1]["seq"] >= before
        elif fields["commandId"] in outcomes:
            first = outcomes[fields["commandId"]]
            assert (ack["ok"], ack.get("seq")) == (first["ok"], first.get("seq")) or not first["ok"]
        else:
            outcomes[fields["commandId"]] = ack
        if ack["ok"] and not ack.get("replayed") and event != "sync:pull":
            assert ack["seq"] > before
            newest[group_id] = ack["seq"]


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows, rows)
async def test_what_is_sent_at_once_is_done_in_order_and_once_and_seen_by_what_follows(
    phones: MakePhone, row: list[Drawn], other_row: list[Drawn]
) -> None:
    asha, ben = await phones("Asha"), await phones("Ben")
    group_ids = [await asha.makes_group(ben), await ben.makes_group(asha)]
    await asha.connect()
    await ben.connect()
    before = [await seqs_of(asha, group_id) for group_id in group_ids]
    senders = [Sender(asha, ben, group_ids), Sender(ben, asha, group_ids)]
    answered = await asyncio.gather(senders[0].sends(row), senders[1].sends(other_row))
    for sender, acks in zip(senders, answered, strict=True):
        check(sender.sent, acks)
    for group_id, old in zip(group_ids, before, strict=True):
        seqs = await seqs_of(asha, group_id)
        assert seqs == list(range(1, len(seqs) + 1))
        if seqs != old:
            await ben.hears_seq(seqs[-1])
        assert [payload["seq"] for _, payload in ben.broadcasts(group_id)] == seqs[len(old) :]


async def seqs_of(phone: Phone, group_id: str) -> list[int]:
    """The events of a group."""
    return [event["seq"] for event in (await phone.done("sync:pull", groupId=group_id, after=0))["events"]]
