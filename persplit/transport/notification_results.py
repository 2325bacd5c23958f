"""What the server answers about where people and groups are told."""

from persplit.transport.notification_operations import Platform
from persplit.transport.result import Result, Time


class Webhook(Result):
    """A webhook. What it is sent, and how to check it, is under *Webhooks* in the README."""

    id: str
    url: str
    created_by: str
    created_at: Time


class WebhookMade(Webhook):
    """A new webhook with its secret, which is shown this once."""

    secret: str


class Webhooks(Result):
    """A group's webhooks."""

    webhooks: list[Webhook]


class PushDevice(Result):
    """A device. Its token isn't shown. Nothing is sent to devices by this release."""

    id: str
    platform: Platform
    created_at: Time


class Notifications(Result):
    """Where the caller is told. `email`: of reminders, payments to confirm, and groups that they were added to."""

    email: bool
    email_available: bool
    webhooks: list[Webhook]
    devices: list[PushDevice]
