"""A scripted session with a real server, for the golden fixtures: every message that a client can get, by file name.

What differs between two runs (ids, tokens, times, pictures) is put in order: see `Normal`.
"""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, get_args
from unittest import mock

import socketio

from persplit.bootstrap import Node
from persplit.ledger.errors import FieldError, Invalid, PerSplitError
from persplit.service.accounts import Accounts
from persplit.service.errors import RateLimited
from persplit.transport import broadcast_results
from persplit.transport.broadcasts import BROADCASTS
from persplit.transport.problems import PROBLEMS
from tests.attachments.given import document
from tests.system.conftest import MakePhone, phones_of, serving, settings_for
from tests.system.phone import PASSWORD, PATIENCE_SECONDS, Json, Phone, key

AT: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
"""When all of it happens in the fixtures."""
CLOSING_CODES: Final[tuple[str, ...]] = get_args(
    broadcast_results.SessionClosing.model_fields["code"].annotation
)
REFUSED_AT_THE_DOOR: Final = (
    "token_missing",
    "token_expired",
    "token_invalid",
    "account_disabled",
    "validation_failed",
    "store_unavailable",
    "server_restarting",
    "internal_error",
)
"""Codes that `connect_error` can have."""
PIXEL: Final = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_FIXED: Final = {
    "accessToken": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJmaXh0dXJlIn0.c2lnbmF0dXJl",
    "refreshToken": "a-refresh-token-of-some-length-and-no-meaning",
    "token": "pst_00000000-0000-7000-8000-000000000000_a-secret-that-was-told-once-and-means-nothing",
    "qr": PIXEL,
}


class Normal:
    """Gives every id, token, time and picture a stable stand-in of the same shape; amounts and texts stay."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.days: dict[str, str] = {}
        self._known: dict[str, str] = {}
        self._counts: Counter[str] = Counter()

    def of(self, value: Any, name: str = "") -> Any:
        """The value, which stands in the field `name`, with stand-ins."""
        if isinstance(value, dict):
            return {self._text(field): self.of(part, field) for field, part in value.items()}
        if isinstance(value, list):
            return [self.of(part) for part in value]
        if name == "retryAfterMs" and value not in (0, 2000):
            return 1500
        if isinstance(value, str):
            return self._field(name, value)
        return value

    def _field(self, name: str, value: str) -> str:
        if name in _FIXED:
            return _FIXED[name]
        if name == "commandId":
            return self._stand_in(value, "00000000-0000-7000-9000-{:012}")
        if value in self.days:
            return self.days[value]
        if name == "date" and value == self.now.date().isoformat():
            return AT.date().isoformat()
        if name == "epoch":
            return self._stand_in(value, "{:016x}")
        if name == "nextCursor":
            return self._stand_in(value, "Y3Vyc29y{:04}")
        if name == "qrUrl":
            return self._stand_in(value, "/api/v1/qr/AAAAAAAAAAAAAAAA{:04}.png")
        return self._text(value)

    def _text(self, text: str) -> str:
        text = _UUID.sub(lambda it: self._stand_in(it[0], "00000000-0000-7000-8000-{:012}"), text)
        text = _TIME.sub(lambda it: self._time(it[0]), text)
        return re.sub(r"([a-z]+)\d+@example\.org", r"\1@example.org", text)

    def _stand_in(self, value: str, shape: str) -> str:
        if value not in self._known:
            self._counts[shape] += 1
            self._known[value] = shape.format(self._counts[shape])
        return self._known[value]

    def _time(self, text: str) -> str:
        """To the minute, so that the milliseconds of a run don't matter."""
        passed = datetime.fromisoformat(text) - self.now
        at = AT + timedelta(minutes=round(passed / timedelta(minutes=1)))
        return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Session:
    """Collects: `taken` maps a file's name without suffix to what is in it."""

    def __init__(self, node: Node, make: MakePhone, now: datetime) -> None:
        self.taken: dict[str, Json] = {}
        self._node = node
        self._make = make
        self._normal = Normal(now)

    def keep(self, name: str, message: Json) -> None:
        """Take a message for the file, unless there is one."""
        if name not in self.taken:
            self.taken[name] = self._normal.of(message)

    async def run(self) -> None:
        """Everything, in an order that never changes: ids are numbered as they come."""
        self.asha = await self._person("Asha", "asha@okaxis")
        self.ben = await self._person("Ben", "ben@okaxis")
        self.chitra = await self._person("Chitra", None)
        for phone in (self.asha, self.ben, self.chitra):
            await phone.connect()
        await self._history()
        await self._reading()
        await self._catching_up()
        await self._refusals()
        await self._any_refusal()
        await self._money()
        await self._ends()

    async def _person(self, name: str, vpa: str | None) -> Phone:
        # Ids are by time: in the next millisecond comes the next one.
        await asyncio.sleep(0.005)
        return await self._make(name, vpa)

    async def _ack(self, phone: Phone, event: str, **fields: Any) -> Json:
        ack = await phone.done(event, **fields)
        self.keep(f"acks/{_file(event)}", ack)
        return ack

    # --- what happens

    async def _history(self) -> None:
        asha, ben = self.asha, self.ben
        made = await self._ack(asha, "group:create", name="Goa trip", groupId=_id(1))
        self.group = made["group"]["id"]
        here = {"groupId": self.group}
        await self._ack(asha, "group:update", **here, description="Five days by the sea")
        await self._ack(asha, "member:add", **here, name="Uncle", id=_id(2))
        invite = await asha.ok("POST", f"/groups/{self.group}/invites")
        self.code = invite["code"]
        await self._ack(ben, "group:join", code=self.code)
        await self.chitra.done("group:join", code=self.code)
        await self._ack(asha, "member:remove", **here, userId=_id(2))
        dinner: Json = {"description": "Dinner", "amount": 90_000, "splitType": "EQUAL", "date": "2026-03-01"}
        await self._ack(asha, "expense:create", **here, **dinner, id=_id(3))
        self.due = await ben.hears("settlement:due")
        changed = {**dinner, "amount": 120_000, "category": "Food"}
        await self._ack(asha, "expense:update", **here, **changed, expenseId=_id(3))
        await self._ack(asha, "expense:delete", **here, expenseId=_id(3))
        await self._ack(asha, "expense:restore", **here, expenseId=_id(3))
        for number, (answer, phone) in enumerate(
            (("confirm", asha), ("decline", asha), ("cancel", ben)), start=4
        ):
            paid: Json = {"id": _id(number), "toUserId": asha.user_id, "amount": 10_000, "note": "by UPI"}
            await self._ack(ben, "settlement:create", **here, **paid)
            await self._ack(phone, f"settlement:{answer}", **here, settlementId=_id(number))
        await self._ack(ben, "settlement:qr", **here, toUserId=asha.user_id)
        await self._attachments(asha, here)
        said: Json = {"expenseId": _id(3), "id": _id(11), "text": "Was the wine in it?"}
        await self._ack(ben, "comment:add", **here, **said)
        await ben.done("comment:add", **here, expenseId=_id(3), id=_id(12), text="It was.")
        await self._ack(ben, "comment:delete", **here, expenseId=_id(3), commentId=_id(11))
        await self._ack(asha, "reminder:send", **here, toUserId=ben.user_id)
        await self._ack(asha, "group:read", **here, seq=3)
        self.keep("broadcasts/activity_read", await asha.hears("activity:read"))
        await self._arranged()
        await self._lent()
        await asha.done("group:create", name="For leaving", groupId=_id(7))
        code = (await asha.ok("POST", f"/groups/{_id(7)}/invites"))["code"]
        await ben.done("group:join", code=code)
        await self._ack(ben, "group:leave", groupId=_id(7))
        await asha.done("member:remove", groupId=_id(7), userId=ben.user_id, block=True)
        await self._ack(asha, "member:unblock", groupId=_id(7), userId=ben.user_id)
        await self._ack(asha, "member:unit", groupId=_id(7), userId=asha.user_id, unit="Rao family")
        last = await asha.done("group:update", groupId=_id(7), name="Left")
        await asha.hears(
            "group:updated", lambda it: bool(it["groupId"] == _id(7) and it["seq"] == last["seq"])
        )
        for broadcast in BROADCASTS:
            self.keep(f"broadcasts/{_file(broadcast.name)}", await asha.hears(broadcast.name))
        self.keep("broadcasts/settlement_due", self.due)
        self.keep("broadcasts/session_ready", await _ready(asha, {}))

    async def _attachments(self, asha: Phone, here: Json) -> None:
        bill = await asha.ok("POST", f"/groups/{self.group}/attachments", data=document("a bill"))
        self.keep("rest/attachment_uploaded", bill)
        attached = {"expenseId": _id(3), "attachmentId": bill["id"]}
        await self._ack(asha, "attachment:add", **here, **attached, name="bill.pdf")
        await self._ack(asha, "attachment:remove", **here, **attached)

    async def _arranged(self) -> None:
        asha, here = self.asha, {"groupId": self.group}
        flat: Json = {"name": "Flat", "splitType": "SHARES", "isDefault": True}
        flat["splits"] = [{"userId": asha.user_id, "value": 1.5}, {"userId": self.ben.user_id, "value": 1}]
        await self._ack(asha, "preset:create", **here, **flat, id=_id(20))
        await self._ack(asha, "preset:save", **here, **{**flat, "name": "The flat"}, presetId=_id(20))
        await self._ack(asha, "preset:delete", **here, presetId=_id(20))
        rent: Json = {
            "schedule": {"frequency": "MONTHLY", "start": "as below"},
            "expense": {"description": "Rent", "amount": 3_000_000, "splitType": "EQUAL"},
        }
        ahead = (self._normal.now + timedelta(days=300)).date().isoformat()
        rent["schedule"]["start"] = ahead
        self._normal.days[ahead] = "2026-12-26"
        await self._ack(asha, "recurrence:create", **here, **rent, id=_id(21))
        await self._ack(asha, "recurrence:save", **here, **rent, recurrenceId=_id(21))
        await self._ack(asha, "recurrence:pause", **here, recurrenceId=_id(21))
        self.keep("rest/recurrences", await asha.ok("GET", f"/groups/{self.group}/recurrences"))
        await self._ack(asha, "recurrence:stop", **here, recurrenceId=_id(21))

    async def _lent(self) -> None:
        asha, ben, here = self.asha, self.ben, {"groupId": self.group}
        today = self._normal.now.date()
        day, due = today.isoformat(), (today + timedelta(days=300)).isoformat()
        terms: Json = {"principal": 500_000, "date": day, "dueDate": due, "interestRate": "6.5"}
        await self._ack(asha, "loan:create", **here, **terms, borrowerId=ben.user_id, id=_id(30))
        await self._ack(ben, "loan:update", **here, **terms, loanId=_id(30), description="For the deposit")
        await self._ack(ben, "loan:delete", **here, loanId=_id(30))
        await self._ack(asha, "loan:restore", **here, loanId=_id(30))
        paid: Json = {"id": _id(31), "toUserId": asha.user_id, "amount": 100_000, "loanId": _id(30)}
        await ben.done("settlement:create", **here, **paid)
        self._normal.days[day] = AT.date().isoformat()
        confirmed = await asha.done("settlement:confirm", **here, settlementId=_id(31))
        self.keep("acks/settlement_confirm_repaying", confirmed)
        repaid = await asha.hears("settlement:completed", lambda it: it["seq"] == confirmed["seq"])
        self.keep("broadcasts/settlement_completed_repaying", repaid)
        self.keep("rest/loans", await asha.ok("GET", f"/groups/{self.group}/loans?on={day}"))
        await self._ack(asha, "direct:open", userId=ben.user_id)

    async def _reading(self) -> None:
        asha, ben = self.asha, self.ben
        for name, path in (
            ("groups", "/groups"),
            ("group", f"/groups/{self.group}"),
            ("expenses", f"/groups/{self.group}/expenses"),
            ("settlements", f"/groups/{self.group}/settlements"),
            ("balances", f"/groups/{self.group}/balances"),
            ("explain", f"/groups/{self.group}/explain?from={ben.user_id}&to={asha.user_id}"),
            ("events", f"/groups/{self.group}/events?limit=30"),
            ("balances_me", "/balances/me"),
            ("balances_friends", "/balances/friends"),
            ("profile", "/auth/me"),
            ("comments", f"/groups/{self.group}/expenses/{_id(3)}/comments"),
            ("categories", "/categories"),
            ("activity", "/activity?limit=2"),
            ("activity_unread", "/activity/unread"),
        ):
            self.keep(f"rest/{name}", await asha.ok("GET", path))
        self.keep("acks/balances_get", await asha.done("balances:get", groupId=self.group))
        phone = await self._make()
        account = {"name": "Dev", "email": "dev1@example.org", "password": PASSWORD}
        self.keep("rest/register", await phone.ok("POST", "/auth/register", account))
        signed_in = {"email": "dev1@example.org", "password": PASSWORD}
        self.keep("rest/login", await phone.ok("POST", "/auth/login", signed_in))
        token = {"name": "budget script", "scope": "read"}
        self.keep("rest/token", await asha.ok("POST", "/auth/tokens", token))
        code = (await asha.ok("POST", f"/groups/{_id(7)}/invites"))["code"]
        guest = {"key": _id(11), "name": "Gita", "code": code}
        self.keep("rest/guest", await phone.ok("POST", "/guests", guest))

    async def _catching_up(self) -> None:
        asha = self.asha
        head = (await asha.ok("GET", f"/groups/{self.group}"))["seq"]
        for name, after, limit in (("tail", head - 2, 200), ("snapshot", 0, 5), ("reset", head + 90, 200)):
            asked = {"groupId": self.group, "after": after, "limit": limit}
            ack = await asha.done("sync:pull", asked)
            self.keep(f"acks/sync_pull_{name}", ack)
            path = f"/groups/{self.group}/sync?after={after}&limit={limit}"
            self.keep(f"rest/sync_{name}", await asha.ok("GET", path))
        tea = {"groupId": self.group, "description": "Tea", "splitType": "EQUAL", "date": "2026-03-01"}
        commands = [
            {**tea, "type": "expense:create", "commandId": key(), "id": _id(8), "amount": 3_000},
            {**tea, "type": "expense:create", "commandId": key(), "id": _id(9), "amount": 0},
        ]
        await self._ack(asha, "sync:push", commands=commands)
        since = {self.group: {"seq": head, "epoch": None}}
        self.keep("broadcasts/session_ready_with_sync", await _ready(asha, since))
        await self._ack(asha, "auth:renew", token=asha.token)

    # --- what is refused

    async def _refusals(self) -> None:
        """By the rules: the same refusal as an ack and as a problem."""
        asha, ben = self.asha, self.ben
        here = f"/groups/{self.group}"
        tea: Json = {"description": "Tea", "amount": 3_000, "splitType": "EQUAL"}
        used = key()
        await asha.done("expense:create", **tea, groupId=self.group, commandId=used, id=_id(10))
        old: Json = {**tea, "expectedSeq": 1}
        refused: tuple[tuple[Phone, str, Json, str, str, Json], ...] = (
            (asha, "expense:create", tea | {"amount": -5}, "POST", f"{here}/expenses", tea | {"amount": -5}),
            (asha, "expense:delete", {"expenseId": _id(99)}, "DELETE", f"{here}/expenses/{_id(99)}", {}),
            (ben, "group:update", {"name": "Mine"}, "PATCH", here, {"name": "Mine"}),
            (asha, "expense:update", old | {"expenseId": _id(3)}, "PUT", f"{here}/expenses/{_id(3)}", old),
            (ben, "group:leave", {}, "DELETE", f"{here}/leave", {}),
            (ben, "group:join", {"code": self.code}, "POST", "/groups/join", {"code": self.code}),
            (
                asha,
                "settlement:confirm",
                {"settlementId": _id(4)},
                "POST",
                f"{here}/settlements/{_id(4)}/confirm",
                {},
            ),
        )
        for phone, event, fields, method, path, body in refused:
            error = await phone.refused(event, groupId=self.group, **fields)
            self._keep_refusal(error, (await phone.rest(method, path, body)).body)
        other = tea | {"amount": 1}
        error = await asha.refused("expense:create", **other, groupId=self.group, commandId=used)
        problem = await asha.rest("POST", f"{here}/expenses", other, idempotency_key=used)
        self._keep_refusal(error, problem.body)

    def _keep_refusal(self, error: Json, problem: Json) -> None:
        assert error["code"] == problem["code"], (error, problem)
        self.keep(f"errors/{error['code']}.ack", {"ok": False, "error": error})
        self.keep(f"errors/{error['code']}.rest", problem)

    async def _any_refusal(self) -> None:
        """The others, the server made to refuse whatever is asked."""
        for kind in PROBLEMS:
            if f"errors/{kind.code}.ack" not in self.taken:
                with refusing(kind):
                    error = await self.asha.refused("balances:get", groupId=self.group)
                    self._keep_refusal(error, (await self.asha.rest("GET", "/groups")).body)
            if kind.code in REFUSED_AT_THE_DOOR:
                with refusing(kind):
                    self.keep(f"broadcasts/connect_error_{kind.code}", await _connect_error(self.asha))

    # --- what an expense can be beside one in the group's own currency

    async def _money(self) -> None:
        path = f"/groups/{self.group}/expenses"
        museum = {"description": "Museum", "amount": 4_500, "splitType": "EQUAL", "date": "2026-03-01"}
        euros = {**museum, "currency": "EUR", "rate": "97.25", "id": _id(11)}
        self.keep("rest/expense_in_euros", await self.asha.ok("POST", path, euros))
        refund = {**museum, "description": "Deposit back", "kind": "REFUND", "id": _id(12)}
        self.keep("rest/expense_refund", await self.asha.ok("POST", path, refund))

    # --- how it ends

    async def _ends(self) -> None:
        (sid,) = (
            sid
            for sid, connection in self._node.sockets._connections.items()
            if connection.claims.user_id == self.asha.user_id
        )
        await self._node.sockets._warn(self._node.sockets._connections[sid])
        self.keep("broadcasts/auth_expiring", await self.asha.hears("auth:expiring"))
        for code in CLOSING_CODES:
            phone = await self.asha.another_device().connect()
            try:
                (sid,) = self._node.sockets._connections.keys() - {sid, *self._sids_of(self.ben, self.chitra)}
                wait_ms = 1500 if code in ("server_restarting", "too_slow") else 0
                await self._node.sockets.close(sid, code, wait_ms)
                self.keep(f"broadcasts/session_closing_{code}", await phone.hears("session:closing"))
                (sid,) = self._sids_of(self.asha)
            finally:
                await phone.disconnect()

    def _sids_of(self, *phones: Phone) -> list[str]:
        ids = {phone.user_id for phone in phones}
        connections = self._node.sockets._connections
        return [sid for sid, connection in connections.items() if connection.claims.user_id in ids]


def _file(name: str) -> str:
    """A file's name: a colon is none everywhere."""
    return name.replace(":", "_")


def _id(number: int) -> str:
    """An id that a client chose. What is left over of a division goes by it: the same in each run."""
    return f"0199aaaa-0000-7000-8000-{number:012}"


def error_of(kind: type[PerSplitError]) -> PerSplitError:
    """One of the kind."""
    if kind is RateLimited:
        return RateLimited("too many of these: wait a moment", 1500)
    if kind is Invalid:
        return Invalid(FieldError("since", "Input should be an object"))
    return kind(PROBLEMS[kind].title.lower())


@contextmanager
def refusing(kind: type[PerSplitError]) -> Iterator[None]:
    """Whoever asks for anything is refused so."""
    error = error_of(kind)
    with (
        mock.patch.object(Accounts, "authenticate", side_effect=error),
        mock.patch.object(Accounts, "check_session", side_effect=error),
    ):
        yield


async def _ready(phone: Phone, since: Json) -> Json:
    """Connect again with what is known, and return the greeting."""
    await phone.disconnect()
    phone.heard.clear()
    phone.socket = socketio.AsyncClient(reconnection=False)
    phone.socket.on("*", phone._hear)
    auth = {"token": phone.token, "since": since}
    await phone.socket.connect(phone.url, auth=auth, transports=["websocket"], wait_timeout=PATIENCE_SECONDS)
    return await phone.hears("session:ready")


async def _connect_error(phone: Phone) -> Json:
    told: asyncio.Queue[Json] = asyncio.Queue()
    client = socketio.AsyncClient(reconnection=False)
    client.on("connect_error", told.put_nowait)
    try:
        await client.connect(phone.url, auth={"token": phone.token}, transports=["websocket"])
    except socketio.exceptions.ConnectionError:
        return await told.get()
    raise AssertionError("the server took the connection")


@asynccontextmanager
async def recorded(data_dir: Path) -> AsyncIterator[dict[str, Json]]:
    """Everything that was taken, by file name."""
    now = datetime.now(UTC).replace(microsecond=0)
    async with serving(settings_for(data_dir), clock=lambda: now) as (node, url), phones_of(url) as make:
        session = Session(node, make, now)
        await session.run()
        yield session.taken
