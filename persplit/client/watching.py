"""Watching one's groups from a terminal: what a phone shows, as lines of text."""

import asyncio
import contextlib
import json
from typing import Any, Final, Protocol, TypeAlias

import aiohttp
import socketio
from rich.console import Console
from rich.text import Text

from persplit.client.connection import BROADCASTS
from persplit.client.terminal_qr import terminal
from persplit.ledger.money import decimal_text

Json: TypeAlias = dict[str, Any]

_OTHERS: Final = ("session:ready", "settlement:due", "auth:expiring", "session:closing")
_CONNECT_SECONDS: Final = 10
_SYMBOLS: Final = {"INR": "₹", "EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥"}


class WatchError(Exception):
    """The server can't be watched; the text says why."""


async def watch(
    server: str, token: str, *, draw_qr: bool = True, seconds: float | None = None, as_json: bool = False
) -> None:
    """Print everything that the server sends, until it disconnects us or `seconds` are over.

    Raises:
        WatchError: the server refuses us or isn't there.

    """
    shown: Watcher = JsonWatcher() if as_json else TextWatcher(server, token, draw_qr=draw_qr)
    # Our token isn't renewed here, so coming back with it after a refusal would be no use.
    client = socketio.AsyncClient(reconnection=False)
    for event in (*BROADCASTS, *_OTHERS):
        client.on(event, _handler(shown, event))
    refused: list[Json] = []
    gone = asyncio.Event()
    client.on("connect_error", refused.append)
    client.on("disconnect", lambda *_: gone.set())
    try:
        await client.connect(
            server, auth={"token": token}, transports=["websocket"], wait_timeout=_CONNECT_SECONDS
        )
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await gone.wait()
    except socketio.exceptions.ConnectionError as error:
        raise WatchError(_reason(refused) or f"no server answers at {server}: {error}") from None
    finally:
        await client.disconnect()
        await shown.close()


def _reason(refused: list[Json]) -> str | None:
    for answer in refused:
        if isinstance(answer, dict) and isinstance(answer.get("data"), dict):
            return f"{answer['data'].get('code')}: {answer.get('message')}"
    return None


def _handler(shown: "Watcher", event: str) -> Any:
    async def handle(payload: Json) -> None:
        await shown.show(event, payload)

    return handle


class Watcher(Protocol):
    """Shows messages of the server."""

    async def show(self, event: str, payload: Json) -> None:
        """Show one."""
        ...

    async def close(self) -> None:
        """Nothing more will come."""
        ...


class JsonWatcher(Watcher):
    """One line of JSON a message, for scripts."""

    async def close(self) -> None:
        """Nothing is held."""

    async def show(self, event: str, payload: Json) -> None:
        """Print it."""
        print(json.dumps({"event": event, **payload}, ensure_ascii=False), flush=True)  # noqa: T201 - its purpose


class TextWatcher(Watcher):
    """For people: names, amounts, and the QR of what is due."""

    def __init__(self, server: str, token: str, *, draw_qr: bool, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        self._draw_qr = draw_qr
        self._http = aiohttp.ClientSession(server, headers={"Authorization": f"Bearer {token}"})
        self._groups: dict[str, Json] = {}
        self._shown_due: dict[str, list[Json]] = {}

    async def close(self) -> None:
        """Let go of the connection."""
        await self._http.close()

    async def show(self, event: str, payload: Json) -> None:
        """Print the message as a few lines."""
        if event == "session:ready":
            await self._ready(payload)
        elif event == "settlement:due":
            await self._due(payload)
        elif event in BROADCASTS:
            await self._broadcast(event, payload)
        else:
            self._print(f"{event}: {payload.get('code', payload)}", "yellow")

    async def _ready(self, payload: Json) -> None:
        names = ", ".join(group["name"] for group in payload["groups"]) or "no groups yet"
        self._print(f"Connected as {payload['user']['name']}: {names}", "green")

    async def _broadcast(self, event: str, payload: Json) -> None:
        group = await self._group(payload["groupId"], refresh=event.startswith(("group:", "member:")))
        balances = (
            f"{_name(group, row['userId'])} {_money(row['amount'], group)}"
            for row in payload["updatedBalances"]
        )
        told = Text(f"{group['name']} #{payload['seq']}  {event}  {_what(payload, group)}", style="bold cyan")
        told.append("\n  balances: " + ", ".join(balances), style="not bold default")
        for row in payload["settleUp"]:
            told.append(f"\n  to settle: {_transfer(row, group)}", style="not bold default")
        # All of it at once: whoever follows the output never finds a change without its balances.
        self._console.print(told)

    async def _due(self, payload: Json) -> None:
        if self._shown_due.get(payload["groupId"]) == payload["settleUp"]:
            return
        self._shown_due[payload["groupId"]] = payload["settleUp"]
        group = await self._group(payload["groupId"])
        for row in payload["settleUp"]:
            paid = f"{_money(row['amount'], group)} to {_name(group, row['to'])}"
            self._print(f"{group['name']}: to settle up, pay {paid}", "bold magenta")
            if row["upiLink"] and self._draw_qr:
                self._console.print(Text.from_ansi(terminal(row["upiLink"])))
                self._print("  Scan it from another phone's screen: UPI apps decline such links when tapped.")

    async def _group(self, group_id: str, *, refresh: bool = False) -> Json:
        if refresh or group_id not in self._groups:
            async with self._http.get(f"/api/v1/groups/{group_id}") as response:
                if response.status == 200:
                    self._groups[group_id] = await response.json()
        return self._groups.get(group_id, {"name": group_id, "currency": "INR", "members": []})

    def _print(self, text: str, style: str = "") -> None:
        # As Text, so that nothing that somebody typed is taken for markup.
        self._console.print(Text(text, style=style))


def _what(payload: Json, group: Json) -> str:
    if "expense" in payload:
        expense = payload["expense"]
        return f"{expense['description']}, {_money(expense['amount'], group)}"
    if "settlement" in payload:
        row = payload["settlement"]
        return _transfer({"from": row["fromUserId"], "to": row["toUserId"], "amount": row["amount"]}, group)
    if "comment" in payload:
        return f"{_name(group, payload['by'])}: {payload['comment']['text']}"
    if "reminder" in payload:
        row = payload["reminder"]
        asked = f"{_name(group, row['fromUserId'])} reminds {_name(group, row['toUserId'])}"
        return f"{asked}: {_money(row['amount'], group)}"
    return str(payload["member"]["name"] if "member" in payload else payload["group"]["name"])


def _transfer(row: Json, group: Json) -> str:
    return f"{_name(group, row['from'])} pays {_name(group, row['to'])} {_money(row['amount'], group)}"


def _name(group: Json, user_id: str) -> str:
    return next((str(m["name"]) for m in group["members"] if m["userId"] == user_id), user_id)


def _money(amount: int, group: Json) -> str:
    currency = group["currency"]
    sign = "-" if amount < 0 else ""
    return f"{sign}{_SYMBOLS.get(currency, currency + ' ')}{decimal_text(abs(amount), currency)}"
