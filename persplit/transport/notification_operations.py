"""Where people and groups want to be told of what happens: webhooks, e-mail, devices."""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field, StrictBool, StringConstraints

from persplit.ledger.errors import FieldError, Forbidden, Invalid
from persplit.service import channels as owners
from persplit.service.channels import Channel, Device, Owned
from persplit.service.errors import MailUnavailable
from persplit.service.webhook_urls import LENGTH_MAX, checked_url
from persplit.transport import fields as f
from persplit.transport.operations import Answers, Call, Operation, Services
from persplit.transport.reach import Reach
from persplit.transport.requests import Nothing, OneGroup, Request
from persplit.transport.views import Json

results: Final = Answers("notification_results")

PUSH_TOKEN_LENGTH_MAX: Final = 1_000
"""Of a web push subscription; those of phones are shorter."""


class Platform(StrEnum):
    """Whose push service a device's token is for."""

    FCM = "fcm"
    APNS = "apns"
    WEB = "web"


WebhookUrl = Annotated[
    str,
    StringConstraints(
        strict=True, strip_whitespace=True, min_length=1, max_length=LENGTH_MAX, pattern=r"^[!-~]+$"
    ),
]


class WebhookIn(Request):
    """A webhook of one's own."""

    url: WebhookUrl = Field(description="https://…, on the internet")


class GroupWebhookIn(OneGroup):
    """A webhook of a group."""

    url: WebhookUrl = Field(description="https://…, on the internet")


class WebhookMeant(Request):
    """Which webhook of one's own."""

    webhook_id: f.Id


class GroupWebhookMeant(OneGroup):
    """Which webhook of a group."""

    webhook_id: f.Id


class EmailWanted(Request):
    """Whether to be told by e-mail."""

    email: StrictBool


class DeviceIn(Request):
    """A device's token at its platform's push service."""

    platform: Platform
    token: Annotated[
        str,
        StringConstraints(strict=True, min_length=1, max_length=PUSH_TOKEN_LENGTH_MAX, pattern=r"^[ -~]+$"),
    ]


class DeviceMeant(Request):
    """Which device."""

    device_id: f.Id


def _webhook(channel: Channel) -> Json:
    return {
        "id": channel.id,
        "url": channel.url,
        "createdBy": channel.by,
        "createdAt": channel.created_at,
    }


def _device(device: Device) -> Json:
    return {"id": device.id, "platform": device.platform, "createdAt": device.created_at}


def _notifications(services: Services, owned: Owned) -> Json:
    return {
        "email": owned.has_email,
        "emailAvailable": services.sends_mail,
        "webhooks": [_webhook(channel) for channel in owned.webhooks()],
        "devices": [_device(device) for device in owned.devices],
    }


async def _get(services: Services, call: Call, _: Nothing) -> Json:
    return _notifications(services, await services.channels.of(owners.person(call.user_id)))


async def _set_email(services: Services, call: Call, request: EmailWanted) -> Json:
    if request.email and not services.sends_mail:
        raise MailUnavailable("this server has no mail server to hand e-mail to")
    return _notifications(services, await services.channels.set_email(call.user_id, wanted=request.email))


async def _add(services: Services, call: Call, request: WebhookIn) -> Json:
    return await _made(services, call, owners.person(call.user_id), request.url)


async def _made(services: Services, call: Call, owner: str, url: str) -> Json:
    try:
        checked_url(url, private_too=services.private_webhooks)
    except ValueError as error:
        raise Invalid(FieldError("url", str(error))) from None
    channel = await services.channels.add_webhook(owner, call.user_id, url)
    return {**_webhook(channel), "secret": channel.secret}


async def _remove(services: Services, call: Call, request: WebhookMeant) -> Json:
    await services.channels.remove_webhook(owners.person(call.user_id), request.webhook_id)
    return {}


async def _administered(services: Services, call: Call, request: OneGroup) -> str:
    """The group as an owner. Raises `NotFound`, `Forbidden`."""
    state = await services.groups.state_for(request.group_id, call.user_id, for_sure=True)
    if not state.is_admin(call.user_id):
        raise Forbidden("only an admin of the group can do this")
    return owners.group(state.group_id)


async def _add_to_group(services: Services, call: Call, request: GroupWebhookIn) -> Json:
    return await _made(services, call, await _administered(services, call, request), request.url)


async def _of_group(services: Services, call: Call, request: OneGroup) -> Json:
    owned = await services.channels.of(await _administered(services, call, request))
    return {"webhooks": [_webhook(channel) for channel in owned.webhooks()]}


async def _remove_from_group(services: Services, call: Call, request: GroupWebhookMeant) -> Json:
    await services.channels.remove_webhook(await _administered(services, call, request), request.webhook_id)
    return {}


async def _add_device(services: Services, call: Call, request: DeviceIn) -> Json:
    return _device(await services.channels.add_device(call.user_id, request.platform.value, request.token))


async def _remove_device(services: Services, call: Call, request: DeviceMeant) -> Json:
    await services.channels.remove_device(call.user_id, request.device_id)
    return {}


OPERATIONS: Final = (
    Operation(
        "getNotifications", "Where I am told", Nothing, results.Notifications, _get, "GET /notifications"
    ),
    Operation(
        "setEmail",
        "Be told by e-mail, or no longer",
        EmailWanted,
        results.Notifications,
        _set_email,
        "PATCH /notifications",
        about=Reach.ACCOUNT,
    ),
    Operation(
        "addWebhook",
        "Have a program told of all my groups",
        WebhookIn,
        results.WebhookMade,
        _add,
        "POST /notifications/webhooks",
        status=201,
        # It would go on to tell when a token that made it has been taken back.
        about=Reach.ACCOUNT,
    ),
    Operation(
        "removeWebhook",
        "Have it told no longer",
        WebhookMeant,
        None,
        _remove,
        "DELETE /notifications/webhooks/{webhookId}",
        status=204,
        about=Reach.ACCOUNT,
    ),
    Operation(
        "addGroupWebhook",
        "Have a program told of a group (admin)",
        GroupWebhookIn,
        results.WebhookMade,
        _add_to_group,
        "POST /groups/{groupId}/webhooks",
        status=201,
        about=Reach.ACCOUNT,
    ),
    Operation(
        "listGroupWebhooks",
        "A group's webhooks (admin)",
        OneGroup,
        results.Webhooks,
        _of_group,
        "GET /groups/{groupId}/webhooks",
    ),
    Operation(
        "removeGroupWebhook",
        "Have it told no longer (admin)",
        GroupWebhookMeant,
        None,
        _remove_from_group,
        "DELETE /groups/{groupId}/webhooks/{webhookId}",
        status=204,
    ),
    Operation(
        "addDevice",
        "Keep a device's push token, for a later release",
        DeviceIn,
        results.PushDevice,
        _add_device,
        "POST /notifications/devices",
        status=201,
        about=Reach.ACCOUNT,
    ),
    Operation(
        "removeDevice",
        "Forget a device's push token",
        DeviceMeant,
        None,
        _remove_device,
        "DELETE /notifications/devices/{deviceId}",
        status=204,
        about=Reach.ACCOUNT,
    ),
)
