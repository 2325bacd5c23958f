"""A day at a server that logs everything, run by the tests of the logs in a process of its own.

`python -m tests.logged_session json`: logs to standard error; on standard output one JSON object, `secrets` that
must not be in the logs and `ids` that must.
"""

import asyncio
import contextlib
import json
import logging
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import structlog

from persplit.logs import set_up_logs
from persplit.transport import table
from tests.system.attacker import over_http
from tests.system.conftest import phones_of, serving, settings_for
from tests.system.phone import PASSWORD, Phone

NAME = "Ashalata"
EMAIL = "ashalata.rao@example.org"
VPA = "ashalata.rao@okaxis"
PHONE = "+91 98765 43210"
UTR = "412345678901"
GROUP_PASSWORD = "open sesame or so"
NOTE = "for the kachoris"
GIVEN = {"name": NAME, "email": EMAIL, "password": PASSWORD, "vpa": VPA, "phone": PHONE}


class Surprise(Exception):
    """Something that no code expects."""


def main(form: str) -> None:
    """Run it with the logs in this form."""
    set_up_logs("debug", form)
    print(json.dumps(asyncio.run(_day())))  # noqa: T201 - what the test reads


async def _day() -> dict[str, list[str]]:
    _fail_at("expense:restore")
    with tempfile.TemporaryDirectory() as directory:
        async with serving(settings_for(Path(directory))) as (_, url), phones_of(url) as make:
            return await _session(url, await make(), await make("Ben", "ben@ybl"))


def _fail_at(event: str) -> None:
    """From now on carrying out the event, or its REST twin, raises an error that quotes everything."""

    async def fail(_: object, call: Any, request: Any) -> NoReturn:
        try:
            raise ValueError(f"{VPA} {call!r} {NAME}")
        except ValueError as error:
            problem = Surprise(f"{NAME} <{EMAIL}> pays {VPA} with {PASSWORD}: {request!r}, call {PHONE}")
            problem.add_note(f"the note says {NOTE}")
            raise problem from error

    failing = replace(table.COMMANDS[event], run=fail)
    rest = tuple(failing if it.event == event else it for it in table.OPERATIONS)
    for module in [module for name, module in sys.modules.items() if name.startswith("persplit.")]:
        if getattr(module, "OPERATIONS", None) is table.OPERATIONS and module is not table:
            module.OPERATIONS = rest  # type: ignore[attr-defined]
    table.COMMANDS[event] = failing


async def _session(url: str, asha: Phone, ben: Phone) -> dict[str, list[str]]:
    asha.take(await asha.ok("POST", "/auth/register", GIVEN))
    tokens = [asha.token, asha.refresh_token]
    wrong = await asha.rest("POST", "/auth/login", {"email": EMAIL, "password": "not the right one"})
    assert wrong.code == "credentials_invalid"
    asha.take(await asha.ok("POST", "/auth/login", {"email": EMAIL, "password": PASSWORD}))
    tokens += [asha.token, asha.refresh_token]
    await asha.connect()
    group_id = await asha.makes_group(name="Goa of the Raos", joinPassword=GROUP_PASSWORD)
    invite = await asha.ok("POST", f"/groups/{group_id}/invites")
    await ben.rest("POST", "/groups/join", {"code": invite["code"], "password": "open barley"})
    await ben.ok("POST", "/groups/join", {"code": invite["code"], "password": GROUP_PASSWORD})
    expense = await asha.spends(group_id, 5000, description="Kachoris", notes=NOTE)
    paid = {"toUserId": asha.user_id, "amount": 2500, "note": NOTE, "utr": UTR}
    await ben.ok("POST", f"/groups/{group_id}/settlements", paid)
    due = await ben.ok("GET", f"/groups/{group_id}/balances")
    qr_url = due["settleUp"][0]["qrUrl"]
    async with asha.http.get(url + qr_url) as image:
        assert image.status == 200
    await _attack(url, asha, ben)
    await _fail(asha, group_id, expense["expense"]["id"])
    session_id = await _reuse(asha)
    return {
        "secrets": [
            *(
                NAME,
                EMAIL,
                VPA,
                PHONE,
                UTR,
                NOTE,
                PASSWORD,
                GROUP_PASSWORD,
                "not the right one",
                "open barley",
            ),
            *("Kachoris", "Goa of the Raos", "ashalata", "ben@ybl", "98765", invite["code"]),
            *(
                qr_url.removeprefix("/api/v1/qr/").removesuffix(".png"),
                *tokens,
                asha.token,
                asha.refresh_token,
            ),
        ],
        "ids": [session_id, asha.user_id, group_id],
    }


async def _attack(url: str, asha: Phone, ben: Phone) -> None:
    """Requests with secrets in all the wrong places."""
    for token in (f"{asha.token}x", asha.refresh_token, EMAIL):
        assert (
            await asha.rest("GET", "/auth/me", headers={"Authorization": f"Bearer {token}"})
        ).status == 401
        await asha.rest("GET", f"/groups/{token}?vpa={VPA}&token={token}")
        with contextlib.suppress(Exception):
            await asha.another_device().connect(token)
    for line in (
        f"{asha.token}",
        f"Authorization Bearer {asha.token}",
        f"X: {EMAIL}\x01",
        f"X: {VPA * 1_000}",
    ):
        answer = await over_http(url, f"GET /api/v1/auth/me HTTP/1.1\r\nHost: x\r\n{line}\r\n\r\n".encode())
        assert answer.status == 400
    await ben.rest("POST", "/auth/login", {"email": EMAIL, "password": PASSWORD, NAME: VPA})


async def _fail(asha: Phone, group_id: str, expense_id: str) -> None:
    """An error of ours, over both, in a task that nobody waits for, and from a library."""
    error = await asha.refused("expense:restore", groupId=group_id, expenseId=expense_id)
    assert error["code"] == "internal_error"
    answer = await asha.rest("POST", f"/groups/{group_id}/expenses/{expense_id}/restore")
    assert answer.code == "internal_error"
    assert NAME not in str(answer.body)

    async def forgotten() -> NoReturn:
        raise Surprise(f"{NAME} and {NOTE}")

    task = asyncio.create_task(forgotten())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    del task
    logging.getLogger("library").error("no row for %s\nwith the name %s", EMAIL, NAME)
    logging.getLogger("pymongo.command").debug("insert %s", GIVEN)
    log = structlog.get_logger("ours")
    log.info("nested", group_id=group_id, body={"user": GIVEN, "links": [f"upi://pay?pa={VPA}&pn={NAME}"]})
    log.info("thing", thing=Phone("", asha.http, NAME, token=asha.token), error=Surprise(NAME))


async def _reuse(asha: Phone) -> str:
    """Use a spent refresh token: the server logs whose session that was."""
    first = asha.refresh_token
    for _ in range(2):
        asha.take(await asha.ok("POST", "/auth/refresh", {"refreshToken": asha.refresh_token}))
    assert (await asha.rest("POST", "/auth/refresh", {"refreshToken": first})).code == "token_reused"
    return first.partition(".")[0]


if __name__ == "__main__":
    main(sys.argv[1])
