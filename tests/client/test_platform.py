"""What admins do with the Python client."""

import pytest

from persplit.bootstrap import Node
from persplit.client import Refused, SignedOut
from persplit.client.platform import ANALYTICS
from tests.client.devices import Devices
from tests.system.phone import PASSWORD


async def test_an_admin_looks_at_the_server_and_disables_and_enables_an_account(
    devices: Devices, server: tuple[Node, str]
) -> None:
    ada, ben = await devices.of("Ada"), await devices.of("Ben")
    accounts = [await device.account() for device in (ada, ben)]
    assert accounts[0] is not None
    assert accounts[1] is not None
    hers, his = accounts[0].user["id"], accounts[1].user["id"]
    for what in ANALYTICS:
        with pytest.raises(Refused, match="forbidden"):
            await ada.platform.analytics(what)
    await server[0].services.administration.grant(hers)
    assert (await ada.platform.analytics("summary", since="2026-01-01"))["users"] == 2
    assert (await ada.platform.analytics("top-spenders", until="2026-01-01", limit=1))["spenders"] == []
    assert [user["id"] for user in await ada.platform.users()] == sorted([hers, his])
    assert len(await ada.platform.users("example.org", limit=1)) == 1
    assert (await ada.platform.disable(his))["disabledAt"] is not None
    for attempt in (ben.platform.users(), ben.login(accounts[1].user["email"], PASSWORD)):
        with pytest.raises(SignedOut):
            await attempt
    assert (await ada.platform.enable(his))["disabledAt"] is None
    await ben.login(accounts[1].user["email"], PASSWORD)
    log = [(entry["action"], entry["on"]) for entry in await ada.platform.audit() if entry["on"]]
    assert log == [("user.enabled", his), ("user.disabled", his), ("admin.granted", hers)]
