"""Where the user is told of what happens while no device of theirs looks: webhooks, e-mail, devices (online)."""

from dataclasses import dataclass, field

from persplit.client.errors import Json
from persplit.client.signing_in import SigningIn


@dataclass(frozen=True, slots=True)
class Webhook:
    """A program that is told. `secret` is there when it is made, and never again: it signs what is sent."""

    id: str
    url: str
    created_at: str
    secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class PushDevice:
    """A device's token at its platform's push service (`fcm`, `apns`, `web`); nothing is sent to it yet."""

    id: str
    platform: str
    created_at: str


@dataclass(frozen=True, slots=True)
class Notifications:
    """Where the user is told. `is_email_available`: the server can send any."""

    email: bool
    is_email_available: bool
    webhooks: tuple[Webhook, ...]
    devices: tuple[PushDevice, ...]


class NotificationSettings:
    """Asks the server. Every method raises `Offline`, `Refused`."""

    def __init__(self, signing_in: SigningIn) -> None:
        self._signing_in = signing_in

    async def get(self) -> Notifications:
        """Where the user is told."""
        return _notifications(await self._signing_in.ask("GET", "/notifications"))

    async def set_email(self, *, wanted: bool) -> Notifications:
        """Be told by e-mail or not. Raises `Refused` with `mail_unavailable`."""
        return _notifications(await self._signing_in.ask("PATCH", "/notifications", {"email": wanted}))

    async def add_webhook(self, url: str, group_id: str | None = None) -> Webhook:
        """Have a program told of all the user's groups, or of one group (its admin)."""
        return _webhook(await self._signing_in.ask("POST", _path(group_id), {"url": url}))

    async def group_webhooks(self, group_id: str) -> list[Webhook]:
        """A group's webhooks (its admin)."""
        told = await self._signing_in.ask("GET", _path(group_id))
        return [_webhook(it) for it in told["webhooks"]]

    async def remove_webhook(self, webhook_id: str, group_id: str | None = None) -> None:
        """Have it told no longer."""
        await self._signing_in.ask("DELETE", f"{_path(group_id)}/{webhook_id}")

    async def add_device(self, platform: str, token: str) -> PushDevice:
        """Keep a device's push token."""
        body = {"platform": platform, "token": token}
        return _device(await self._signing_in.ask("POST", "/notifications/devices", body))

    async def remove_device(self, device_id: str) -> None:
        """Forget it."""
        await self._signing_in.ask("DELETE", f"/notifications/devices/{device_id}")


def _path(group_id: str | None) -> str:
    return "/notifications/webhooks" if group_id is None else f"/groups/{group_id}/webhooks"


def _webhook(told: Json) -> Webhook:
    return Webhook(told["id"], told["url"], told["createdAt"], told.get("secret"))


def _device(told: Json) -> PushDevice:
    return PushDevice(told["id"], told["platform"], told["createdAt"])


def _notifications(told: Json) -> Notifications:
    return Notifications(
        told["email"],
        told["emailAvailable"],
        tuple(_webhook(it) for it in told["webhooks"]),
        tuple(_device(it) for it in told["devices"]),
    )
