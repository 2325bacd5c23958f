"""Whatever one client sends without waiting for answers comes to the same as if it had waited for each."""

import asyncio
import random
import uuid
from dataclasses import dataclass, field

import pytest

from tests.system.conftest import MakePhone
from tests.system.phone import Json, Phone, key

COMMANDS = 40
PULLED_MAX = 200
SEEDS = 3


@dataclass
class Sender:
    """Somebody who sends a random row of commands to two groups, all at once."""

    phone: Phone
    other: Phone
    group_ids: list[str]
    dice: random.Random
    sent: list[tuple[str, Json]] = field(default_factory=list)
    ids: list[str] = field(default_factory=lambda: [str(uuid.uuid4())])

    def draws(self) -> tuple[str, Json]:
        """The next command."""
        in_group = {"groupId": self.dice.choice(self.group_ids)}
        tea = {"description": "Tea", "splitType": "EQUAL", "amount": self.dice.randrange(1, 10_000)}
        known = {**in_group, "expenseId": self.dice.choice(self.ids)}
        writes = [one for one in self.sent if one[0] != "sync:pull"]
        match self.dice.randrange(8):
            case 0 | 1:
                self.ids.append(str(uuid.uuid4()))
                return "expense:create", {**in_group, **tea, "id": self.ids[-1]}
            case 2:
                return "expense:update", {**known, **tea}
            case 3:
                return "expense:delete", known
            case 4:
                return "expense:restore", known
            case 5:
                return "settlement:create", {**in_group, "toUserId": self.other.user_id, "amount": 5}
            case 6 if writes:
                return self.dice.choice(writes)
            case _:
                return "sync:pull", {**in_group, "after": 0, "limit": PULLED_MAX}

    async def sends(self) -> list[Json]:
        """Send all, and return what was answered, in the order of sending."""
        for _ in range(COMMANDS):
            event, fields = self.draws()
            self.sent.append((event, fields if event == "sync:pull" else {"commandId": key(), **fields}))
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


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_what_is_sent_at_once_is_done_in_order_and_once_and_seen_by_what_follows(
    phones: MakePhone, seed: int
) -> None:
    asha, ben = await phones("Asha"), await phones("Ben")
    group_ids = [await asha.makes_group(ben), await ben.makes_group(asha)]
    await asha.connect()
    await ben.connect()
    senders = [
        Sender(me, other, group_ids, random.Random(f"{seed} {me.name}"))  # noqa: S311 - a row of commands
        for me, other in ((asha, ben), (ben, asha))
    ]
    answered = await asyncio.gather(*(sender.sends() for sender in senders))
    for sender, acks in zip(senders, answered, strict=True):
        check(sender.sent, acks)
    for group_id in group_ids:
        seqs = [event["seq"] for event in (await asha.done("sync:pull", groupId=group_id, after=0))["events"]]
        assert seqs == list(range(1, len(seqs) + 1))
        await ben.hears_seq(seqs[-1])
        heard = [payload["seq"] for _, payload in ben.broadcasts(group_id)]
        assert heard == list(range(heard[0], seqs[-1] + 1))
