"""Where people want to be told of what happens while they aren't looking: webhooks, e-mail, and devices.

One document an owner, who is a person (`u:<id>`) or a group (`g:<id>`). Device tokens are kept for an adapter of a
later release; nothing is sent to them yet.
"""

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, Final

import uuid_utils

from persplit.ledger.errors import Conflict, LimitReached, NotFound
from persplit.service.errors import StoreUnavailable
from persplit.service.handler import rfc3339
from persplit.service.ports import Clock, Document, Documents, DuplicateKey, VersionChanged

WEBHOOKS_MAX: Final = 5
"""Of one owner: each costs a request an event."""
DEVICES_MAX: Final = 20
"""Device tokens of one person; the oldest makes room."""
SECRET_BYTES: Final = 32
FORGOTTEN_AT_ONCE: Final = 500
"""Documents that are looked up at once when a channel goes: one a group."""
ATTEMPTS_MAX: Final = 8
"""Times that a change is made anew after another one of the same owner came between."""


class Kind(StrEnum):
    """How a channel tells."""

    WEBHOOK = "webhook"
    EMAIL = "email"


@dataclass(frozen=True, slots=True)
class Channel:
    """One way of telling one owner. `by` is who made it; what happened before `created_at` isn't told.

    `url` and `secret` are a webhook's; the secret signs what it is sent.
    """

    id: str
    kind: Kind
    by: str
    created_at: str
    url: str = ""
    secret: str = ""


@dataclass(frozen=True, slots=True)
class Device:
    """A device's token at its platform's push service."""

    id: str
    platform: str
    token: str
    created_at: str


@dataclass(frozen=True, slots=True)
class Owned:
    """What one owner has."""

    owner: str
    channels: tuple[Channel, ...] = ()
    devices: tuple[Device, ...] = ()

    def webhooks(self) -> Sequence[Channel]:
        """Its webhooks, oldest first."""
        return [channel for channel in self.channels if channel.kind is Kind.WEBHOOK]

    @property
    def has_email(self) -> bool:
        """Whether it is told by e-mail."""
        return any(channel.kind is Kind.EMAIL for channel in self.channels)


def person(user_id: str) -> str:
    """A person as an owner."""
    return f"u:{user_id}"


def group(group_id: str) -> str:
    """A group as an owner."""
    return f"g:{group_id}"


class Channels:
    """Keeps them. Every method raises `StoreUnavailable` when the store doesn't answer."""

    def __init__(self, documents: Documents, deliveries: Documents, clock: Clock) -> None:
        """`deliveries`: how far each channel was told, which goes with it."""
        self._documents = documents
        self._deliveries = deliveries
        self._clock = clock
        self.on_added: list[Callable[[], None]] = []
        """Called when somebody is to be told from now on."""

    async def of(self, owner: str) -> Owned:
        """What the owner has."""
        return (await self.of_all([owner])).get(owner, Owned(owner))

    async def of_all(self, owners: Iterable[str]) -> Mapping[str, Owned]:
        """What these owners have; those with nothing are left out."""
        found = await self._documents.get(list(owners))
        return {owner: owned_of(document) for owner, document in found.items()}

    async def page(self, after: str, limit: int) -> Sequence[Owned]:
        """At most `limit` owners above `after`, in order."""
        return [owned_of(document) for document in await self._documents.scan(after, limit)]

    async def add_webhook(self, owner: str, by: str, url: str) -> Channel:
        """A new webhook, with a secret of its own.

        Raises:
            Conflict: the owner has one with this address.
            LimitReached: it has as many as it may.

        """
        made = Channel(
            str(uuid_utils.uuid7()), Kind.WEBHOOK, by, self._now(), url, secrets.token_urlsafe(SECRET_BYTES)
        )

        def add(owned: Owned) -> Owned:
            if any(channel.url == url for channel in owned.webhooks()):
                raise Conflict("there is a webhook with this address")
            if len(owned.webhooks()) >= WEBHOOKS_MAX:
                raise LimitReached(f"there are {WEBHOOKS_MAX} webhooks: delete one first")
            return replace(owned, channels=(*owned.channels, made))

        await self._change(owner, add)
        self._added()
        return made

    async def remove_webhook(self, owner: str, webhook_id: str) -> None:
        """Raises `NotFound`."""

        def remove(owned: Owned) -> Owned:
            left = tuple(channel for channel in owned.channels if channel.id != webhook_id)
            if len(left) == len(owned.channels):
                raise NotFound("there is no such webhook")
            return replace(owned, channels=left)

        await self._change(owner, remove)
        await self._forget(webhook_id)

    async def set_email(self, user_id: str, *, wanted: bool) -> Owned:
        """Whether the person is told by e-mail, from now on."""
        made = Channel(f"mail-{uuid_utils.uuid7()}", Kind.EMAIL, user_id, self._now())
        gone: list[Channel] = []

        def turn(owned: Owned) -> Owned:
            if owned.has_email == wanted:
                return owned
            others = tuple(owned.webhooks())
            gone[:] = [channel for channel in owned.channels if channel.kind is Kind.EMAIL]
            return replace(owned, channels=(*others, made) if wanted else others)

        owned = await self._change(person(user_id), turn)
        for channel in gone:
            await self._forget(channel.id)
        self._added()
        return owned

    async def add_device(self, user_id: str, platform: str, token: str) -> Device:
        """Keep a device's token; one that is there already is the same device."""
        made = Device(str(uuid_utils.uuid7()), platform, token, self._now())

        def add(owned: Owned) -> Owned:
            if any((it.platform, it.token) == (platform, token) for it in owned.devices):
                return owned
            return replace(owned, devices=(*owned.devices, made)[-DEVICES_MAX:])

        owned = await self._change(person(user_id), add)
        return next(it for it in owned.devices if (it.platform, it.token) == (platform, token))

    async def remove_device(self, user_id: str, device_id: str) -> None:
        """Raises `NotFound`."""

        def remove(owned: Owned) -> Owned:
            left = tuple(device for device in owned.devices if device.id != device_id)
            if len(left) == len(owned.devices):
                raise NotFound("there is no such device")
            return replace(owned, devices=left)

        await self._change(person(user_id), remove)

    async def _forget(self, channel_id: str) -> None:
        await _forget(self._deliveries, channel_id)

    def _added(self) -> None:
        for told in self.on_added:
            told()

    def _now(self) -> str:
        return rfc3339(self._clock())

    async def _change(self, owner: str, change: Callable[[Owned], Owned]) -> Owned:
        return await _change(self._documents, owner, change)


async def forget_made_by(documents: Documents, deliveries: Documents, user_id: str) -> None:
    """Remove all that the person has made, for themself and for groups, in which they may be no more."""

    def without(owned: Owned) -> Owned:
        return replace(owned, channels=tuple(it for it in owned.channels if it.by != user_id))

    while found := await documents.find(_made_by(user_id), "", FORGOTTEN_AT_ONCE):
        for document in found:
            await _change(documents, document.id, without)
            for channel in owned_of(document).channels:
                if channel.by == user_id:
                    await _forget(deliveries, channel.id)


async def _forget(deliveries: Documents, channel_id: str) -> None:
    """How far a channel was told goes with it."""
    while told := await deliveries.find("channel", channel_id, FORGOTTEN_AT_ONCE):
        for document in told:
            await deliveries.delete(document.id)


async def _change(documents: Documents, owner: str, change: Callable[[Owned], Owned]) -> Owned:
    for _ in range(ATTEMPTS_MAX):
        document = (await documents.get([owner])).get(owner)
        before = Owned(owner) if document is None else owned_of(document)
        after = change(before)
        try:
            if document is None:
                await documents.insert(Document(owner, _body(after), _keys(after)))
            elif after != before:
                await documents.replace(replace(document, body=_body(after), keys=_keys(after)))
        except (DuplicateKey, VersionChanged):
            continue
        return after
    raise StoreUnavailable("this is being changed from too many sides")


def owned_of(document: Document) -> Owned:
    """What the document says; nothing where it is damaged."""
    body: Mapping[str, Any] = document.body
    return Owned(
        document.id,
        tuple(Channel(**{**channel, "kind": Kind(channel["kind"])}) for channel in body.get("channels", ())),
        tuple(Device(**device) for device in body.get("devices", ())),
    )


def _body(owned: Owned) -> dict[str, Any]:
    return {
        "channels": [{**asdict(channel), "kind": channel.kind.value} for channel in owned.channels],
        "devices": [asdict(device) for device in owned.devices],
    }


def _made_by(user_id: str) -> str:
    """The key by which all is found that somebody has made."""
    return f"by {user_id}"


def _keys(owned: Owned) -> dict[str, str]:
    return {_made_by(channel.by): "" for channel in owned.channels}
