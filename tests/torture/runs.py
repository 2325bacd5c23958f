"""What the long runs have in common: the people and their groups, the ledgers in the end, and what is printed."""

import asyncio
import random
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import aiohttp

from persplit.bootstrap import open_stores
from persplit.config import Settings
from persplit.ledger.codec import event_to_json
from persplit.service.ports import READ_LIMIT_MAX, EventStore
from tests.torture.checker import Finding
from tests.torture.clients import PATIENCE_SECONDS, Device, Ground, Group, Person, register, request
from tests.torture.fold import moments
from tests.torture.history import History, Json, Killed, Outcome, Recorder, load, now

FINDINGS_SHOWN_MAX: Final = 10
WORK_SECONDS_MAX: Final = 180.0
"""For a run that ends after so many commands."""
TEXT_SHOWN_MAX: Final = 3_000
"""Characters of one finding on the screen; its evidence may be a long read."""


@dataclass(slots=True)
class Party:
    """Clients at work, each with a file of its own in `home`."""

    home: Path
    ground: Ground
    http: aiohttp.ClientSession
    seed: int
    is_durable: bool
    people: list[Person] = field(default_factory=list)
    devices: list[Device] = field(default_factory=list)
    _notes: Recorder | None = None

    async def gather(self, *, people: int, wanderers: int, groups: int) -> None:
        """Make accounts and groups; everybody is in every group. The servers answer all along."""
        url = self.ground.urls[0]
        for number in range(people + wanderers):
            person = await register(self.http, url, f"person-{number}")
            person.wanders = number >= people
            self.people.append(person)
        founders = [self._device(person) for person in self.people]
        core = tuple(person.user_id for person in self.people if not person.wanders)
        for _ in range(groups):
            group_id = str(uuid.UUID(int=random.Random(f"{self.seed}/{_}").getrandbits(128), version=4))  # noqa: S311
            await founders[0].create_group(group_id)
            path = f"/groups/{group_id}/invites"
            invite = await request(self.http, url, "POST", path, {}, self.people[0].token)
            group = Group(group_id, invite["code"], core)
            self.ground.groups.append(group)
            for founder in founders[1:]:
                await founder.join(group)

    def add_devices(self, count: int) -> None:
        """More devices, until there are `count`, of one person after the other."""
        while len(self.devices) < count:
            self._device(self.people[len(self.devices) % len(self.people)])

    def _device(self, person: Person) -> Device:
        name = f"device-{len(self.devices)}"
        recorder = Recorder(self.home / f"{name}.jsonl", name, is_durable=self.is_durable)
        chance = random.Random(f"{self.seed}/{name}")  # noqa: S311 - of a test
        url = self.ground.urls[len(self.devices) % len(self.ground.urls)]
        device = Device(self.ground, person, recorder, self.http, chance, url)
        self.devices.append(device)
        return device

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """All devices at work while the block runs. What goes wrong in one is raised at the end."""
        is_over = asyncio.Event()
        working = [asyncio.create_task(device.live(is_over)) for device in self.devices]
        try:
            yield
        finally:
            is_over.set()
            await asyncio.gather(*working)

    async def settle(self, settings: Settings, patience_seconds: float = PATIENCE_SECONDS) -> None:
        """Everything is answered, everybody has heard everything, and says where they stand."""
        await asyncio.gather(*(device.settle() for device in self.devices))
        ledgers = await self.ledgers(settings)
        # Who has left is told nothing more, not even that they have.
        members = {group_id: moments(events).members[-1] for group_id, events in ledgers.items()}
        await asyncio.gather(
            *(
                device.stand(
                    {g: len(ledgers[g]) for g, there in members.items() if device.person.user_id in there},
                    patience_seconds,
                )
                for device in self.devices
            )
        )

    async def until_sent(self, commands: int) -> None:
        """Wait until the devices have sent so many commands."""
        async with asyncio.timeout(WORK_SECONDS_MAX):
            while sum(device.attempts for device in self.devices) < commands:  # noqa: ASYNC110 - many devices, one count
                await asyncio.sleep(0.01)

    def killed(self) -> None:
        """Note that all servers were killed just now."""
        if self._notes is None:
            self._notes = Recorder(self.home / "killed.jsonl", "killer", is_durable=False)
        self._notes.note(Killed(now()))

    def history(self) -> History:
        """What all have noted."""
        for device in self.devices:
            device.recorder.flush()
        if self._notes is not None:
            self._notes.flush()
        return load(sorted(self.home.glob("*.jsonl")))

    async def ledgers(self, settings: Settings) -> dict[str, list[Json]]:
        """What the store has of the groups."""
        return await ledgers_of(settings, [group.group_id for group in self.ground.groups])

    async def newcomers_without_account(self) -> list[str]:
        """Of the accounts that were acknowledged, those that aren't there."""
        missing = []
        for person in self.ground.registered:
            me = await request(self.http, self.ground.urls[0], "GET", "/auth/me", None, person.token)
            if me.get("id") != person.user_id and me.get("error", {}).get("code") != "token_expired":
                missing.append(f"{person.user_id}: {me}")
        return missing


@asynccontextmanager
async def party(
    home: Path, urls: Sequence[str], seed: int, *, is_durable: bool = False
) -> AsyncIterator[Party]:
    """A place for clients to meet, with their files in `home`."""
    home.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - nothing else runs yet
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=20)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as http:
        made = Party(home, Ground(list(urls)), http, seed, is_durable)
        yield made
        await asyncio.gather(*(device.close() for device in made.devices))


async def ledgers_of(settings: Settings, group_ids: Iterable[str]) -> dict[str, list[Json]]:
    """Every event of the groups, read from the store itself, as the wire shows it."""
    async with open_stores(settings) as stores:
        return {group_id: await _ledger(stores.events, group_id) for group_id in group_ids}


async def _ledger(store: EventStore, group_id: str) -> list[Json]:
    events: list[Json] = []
    while True:
        page = await store.read(group_id, len(events), READ_LIMIT_MAX)
        events += [event_to_json(recorded) for recorded in page]
        if len(page) < READ_LIMIT_MAX:
            return events


def summary(history: History, findings: Sequence[Finding], started: float) -> str:
    """What was done and what was found, for people."""
    outcomes = Counter(attempt.outcome for attempt in history.attempts)
    codes = Counter(attempt.code for attempt in history.attempts if attempt.code)
    classes = Counter(finding.anomaly for finding in findings)
    replayed = sum(attempt.is_replayed for attempt in history.attempts)
    lines = [
        f"{len(history.attempts)} commands sent: {outcomes[Outcome.OK]} acknowledged ({replayed} again), {outcomes[Outcome.REFUSED]} refused, {outcomes[Outcome.UNKNOWN]} unknown",
        f"codes: {', '.join(f'{code} {count}' for code, count in codes.most_common())}",
        f"{len(history.reads)} reads, {len(history.heard)} broadcasts heard in {len(history.ready)} sessions",
        f"{time.monotonic() - started:.0f} s, {len(findings)} anomalies",
        *(f"{count} of {anomaly.name}: {anomaly}" for anomaly, count in classes.most_common()),
    ]
    lines += [str(finding)[:TEXT_SHOWN_MAX] for finding in findings[:FINDINGS_SHOWN_MAX]]
    return "\n".join(lines)
