"""The guard, against a real server on a real port: good clients by their library, bad ones by hand."""

import asyncio
import contextlib
import json
import tracemalloc
from typing import Any

import aiohttp
import pytest
import socketio
import structlog
from aiohttp import WSMsgType
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from persplit.transport import engine, guard, links
from persplit.transport.engine import WireLink
from persplit.transport.guard import guarded_server
from tests.transport.guarded import (
    EVENTS,
    HALF_AN_EMOJI,
    ORIGIN,
    PATIENCE_SECONDS,
    PROMPT_SECONDS,
    UPGRADE,
    Served,
    by_hand,
    masked,
    refuse,
    serving,
)

pytestmark = pytest.mark.usefixtures("carried")

# --- the good path


async def test_a_library_client_signs_in_sends_commands_and_leaves(served: Served) -> None:
    client = socketio.AsyncClient(reconnection=False)
    heard: asyncio.Queue[Any] = asyncio.Queue()
    client.on("news", heard.put)
    await client.connect(served.url, auth={"token": "good"}, transports=["websocket"])
    assert await client.call("expense:create", {"a": [1, "₹", None]}) == {
        "ok": True,
        "body": {"a": [1, "₹", None]},
    }
    await served.server.emit("news", {"n": 1}, to=f"of {client.get_sid()}")
    assert await asyncio.wait_for(heard.get(), PATIENCE_SECONDS) == {"n": 1}
    await client.disconnect()
    await served.until(lambda: served.left == served.connected)
    assert served.ready == served.connected


async def test_a_client_without_an_ack_is_served_without_one(served: Served) -> None:
    client = await served.signed_in()
    await client.ws.send_str('42["expense:create",{"n":1}]')
    await client.is_served()
    assert [body for _, body in served.handled] == [{"n": 1}, {"amount": 1}]


async def test_one_clients_commands_run_in_order_and_another_client_does_not_wait_for_them(
    served: Served,
) -> None:
    first, second = await served.signed_in(), await served.signed_in()
    await first.ws.send_str('421["slow",{"n":1}]')
    await first.ws.send_str('422["expense:create",{"n":2}]')
    await served.until(lambda: bool(served.handled))
    await second.is_served()
    assert [body for sid, body in served.handled if sid == first.sid] == [{"n": 1}]
    served.release.set()
    assert [(await first.hears())[:3] for _ in "ab"] == ["431", "432"]
    assert [body for sid, body in served.handled if sid == first.sid] == [{"n": 1}, {"done": True}, {"n": 2}]
    served.release.clear()


async def test_pings_go_to_and_fro() -> None:
    async with serving(ping_interval_seconds=0.1, ping_timeout_seconds=5) as served:
        client = await served.signed_in()
        for _ in range(3):
            assert (await client.ws.receive(timeout=PATIENCE_SECONDS)).data == "2"
            await client.ws.send_str("3")
        await client.ws.ping()
        await client.ws.pong()
        await client.is_served()


async def test_a_client_that_no_longer_answers_is_let_go_with_its_connection() -> None:
    async with serving(ping_interval_seconds=0.2, ping_timeout_seconds=0.2) as served:
        client = await served.signed_in()
        await client.ends()
        await served.until(lambda: served.left == [client.sid])


# --- what no client sends ends the connection


HOSTILE = {
    "an empty frame": "",
    "a letter": "x",
    "a digit of another script": "²",
    "an engine ping": "2",
    "an upgrade": "5",
    "a pong with data that would be parsed": "3" + "[" * 1000,
    "a message that would be parsed as JSON": "4" + "[" * 50_000,
    "a message of base64": "bAAAA",
    "a message without a packet": "4",
    "an unknown packet type": '47["expense:create",{}]',
    "a type of another script": '4²["expense:create",{}]',
    "a CONNECT_ERROR": '44{"message":"no"}',
    "a binary event": '451-["expense:create",{"_placeholder":true,"num":0}]',
    "a binary event with endless attachments": '459999999999-["expense:create",{}]',
    "a binary ack": "461-1[]",
    "attachments on an event": '421-["expense:create",{}]',
    "another namespace": '42/admin,["expense:create",{}]',
    "connecting to another namespace": "40/admin,",
    "an event without data": "42",
    "an empty list": "42[]",
    "an object for a list": '42{"a":1}',
    "a name that is no string": '42[{"a":1}]',
    "a number for a name": "42[1,{}]",
    "not JSON": '42["expense:create",{]',
    "cut off": '42["expense:create",{"a":1}',
    "NaN": '42["expense:create",{"a":NaN}]',
    "Infinity": '42["expense:create",{"a":-Infinity}]',
    "50,000 arrays": '42["expense:create",' + "[" * 25_000 + "]" * 25_000 + "]",
    "an ack id that no client counts to": "42" + "1" * 101 + '["expense:create",{}]',
    "an ack id of another script": '42²["expense:create",{}]',
    "raw binary": b"\x00\x01",
    "empty binary": b"",
    "a frame over the limit": "42" + " " * engine.FRAME_BYTES_MAX,
}


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("frame", HOSTILE.values(), ids=HOSTILE)
async def test_what_no_client_sends_ends_the_connection_at_once_and_quietly(
    served: Served, lines: list[dict[str, Any]], frame: str | bytes
) -> None:
    good, bad = await served.signed_in(), await served.signed_in()
    if isinstance(frame, str):
        await bad.ws.send_str(frame)
    else:
        await bad.ws.send_bytes(frame)
    await bad.is_gone()
    await served.until(lambda: served.left == [bad.sid])
    await good.is_served()
    assert len(served.handled) == 1
    assert len(lines) <= 1
    assert all(len(json.dumps(line)) < 200 for line in lines)


@pytest.mark.usefixtures("quiet")
async def test_text_that_is_not_utf8_ends_the_connection(served: Served) -> None:
    bad = await served.signed_in()
    await bad.ws._writer.send_frame(b'42["expense:create",{"a":"\xed\xa0\xbd"}]', WSMsgType.TEXT)
    await bad.is_gone()
    await served.until(lambda: served.left == [bad.sid])


@pytest.mark.usefixtures("quiet", "lines")
async def test_the_same_before_signing_in_ends_it_too(served: Served) -> None:
    frames = ("", "40/admin,", "40[", '42["expense:create",{}]', '421["connect",{}]', "43", '431["x"]', "41")
    clients = [await served.opens() for _ in frames]
    for client, frame in zip(clients, frames, strict=True):
        await client.ws.send_str(frame)
    await asyncio.gather(*(client.is_gone() for client in clients))
    assert (served.handled, served.connected) == ([], [])


@pytest.mark.usefixtures("quiet")
async def test_a_frame_of_ten_megabytes_ends_the_connection_and_is_not_kept(served: Served) -> None:
    good = await served.signed_in()
    _, writer, sid = await by_hand(served)
    chunk, sent = b"x" * 100_000, 0
    tracemalloc.start()
    writer.write(b"\x81\xff" + (10_000_000).to_bytes(8) + bytes(4))
    with contextlib.suppress(ConnectionError):
        while sent < 10_000_000:
            writer.write(chunk)
            sent += len(chunk)
            await writer.drain()
    await served.until(lambda: served.left == [sid])
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()
    writer.transport.abort()
    await good.is_served()


async def test_a_frame_at_the_limit_is_taken(served: Served) -> None:
    client = await served.signed_in()
    frame = '421["expense:create",{"a":"%s"}]'
    filled = frame.replace("%s", "x" * (engine.FRAME_BYTES_MAX - len(frame) + 2))
    assert len(filled) == engine.FRAME_BYTES_MAX
    assert (await client.asks(filled))["ok"] is True


async def test_attachments_are_never_collected(served: Served) -> None:
    client = await served.signed_in()
    await client.ws.send_str('459999-["expense:create",{"_placeholder":true,"num":0}]')
    with contextlib.suppress(ConnectionError):
        for _ in range(20):
            await client.ws.send_bytes(b"x" * 60_000)
    await client.is_gone()
    assert served.server._binary_packet == {}


async def test_log_lines_about_many_bad_clients_are_few(served: Served, lines: list[dict[str, Any]]) -> None:
    for _ in range(guard.LOG_LINES_BURST * 2):
        client = await served.opens()
        await client.ws.send_str("x")
        await client.is_gone()
    assert len(lines) < guard.LOG_LINES_BURST * 2
    assert {line["event"] for line in lines} == {"socket_cut"}


# --- what a client sends by mistake is answered


REFUSED = {
    "an unknown event": ('42%s["expense:invent",{}]', "not_found"),
    "connect": ('42%s["connect",{"REMOTE_ADDR":"1.2.3.4"},{"token":"good"}]', "not_found"),
    "connect with one object": ('42%s["connect",{"token":"good"}]', "not_found"),
    "disconnect": ('42%s["disconnect","x"]', "not_found"),
    "disconnect with one object": ('42%s["disconnect",{}]', "not_found"),
    "message": ('42%s["message",{}]', "not_found"),
    "star": ('42%s["*",{}]', "not_found"),
    "a client's own": ('42%s["__disconnect_final",{}]', "not_found"),
    "an empty name": ('42%s["",{}]', "not_found"),
    "no argument": ('42%s["expense:create"]', "malformed"),
    "two arguments": ('42%s["expense:create",{},{}]', "malformed"),
    "a list": ('42%s["expense:create",[]]', "malformed"),
    "a text": ('42%s["expense:create","x"]', "malformed"),
    "null": ('42%s["expense:create",null]', "malformed"),
    "33 levels": ('42%s["expense:create",' + '{"a":' * 32 + "{}" + "}" * 32 + "]", "malformed"),
    "1,000 arrays in it": ('42%s["expense:create",{"a":' + "[" * 900 + "]" * 900 + "}]", "malformed"),
    "an integer over 64 bits": ('42%s["expense:create",{"a":18446744073709551616}]', "malformed"),
    "a negative one": ('42%s["expense:create",{"a":[-9223372036854775809]}]', "malformed"),
    "an integer of 5,000 digits": ('42%s["expense:create",{"a":' + "7" * 5_000 + "}]", "malformed"),
    "1e999": ('42%s["expense:create",{"a":1e999}]', "malformed"),
    "1e300": ('42%s["expense:create",{"a":1e300}]', "malformed"),
    "half an emoji": (HALF_AN_EMOJI, "malformed"),
}


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize(("frame", "code"), REFUSED.values(), ids=REFUSED)
async def test_what_is_sent_by_mistake_is_answered_with_a_code_and_the_connection_stays(
    served: Served, lines: list[dict[str, Any]], frame: str, code: str
) -> None:
    client = await served.signed_in()
    ack = await client.asks(frame, ack_id=7)
    assert (ack["ok"], ack["error"]["code"]) == (False, code)
    # The same without an ack id: nothing is answered, nothing happens.
    await client.ws.send_str(frame.replace("%s", ""))
    await client.is_served()
    assert len(served.handled) == 1
    assert (len(served.connected), served.left) == (1, [])
    assert lines == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("9007199254740993", 9007199254740993),
        ("18446744073709551615", 18446744073709551615),
        ("1.5", 1.5),
        ('"\\u0000\\u202e"', "\0\u202e"),
        ('"\\ud83d\\ude00"', "😀"),
        ('{"_placeholder":true,"num":0}', {"_placeholder": True, "num": 0}),
        ("[" * 30 + "]" * 30, json.loads("[" * 30 + "]" * 30)),
    ],
)
async def test_what_json_can_mean_reaches_the_handler_as_it_is(
    served: Served, text: str, value: object
) -> None:
    client = await served.signed_in()
    ack = await client.asks('42%s["expense:create",{"a":' + text + "}]")
    assert ack["body"] == {"a": value}
    assert type(served.handled[0][1]["a"]) is type(value)


async def test_the_default_namespace_may_be_spelled_out(served: Served) -> None:
    client = await served.opens()
    await client.ws.send_str('40/,{"token":"good"}')
    assert (await client.hears()).startswith("40{")
    assert (await client.asks('42/,%s["expense:create",{}]'))["ok"] is True


async def test_a_handler_that_fails_is_answered_and_logged_once(
    served: Served, lines: list[dict[str, Any]]
) -> None:
    client = await served.signed_in()
    ack = await client.asks('42%s["fails",{}]')
    assert ack["error"]["code"] == "internal_error"
    await client.is_served()
    assert [line["event"] for line in lines] == ["event_handler_failed"]


async def test_an_ack_from_a_client_is_dropped(served: Served) -> None:
    client = await served.signed_in()
    await served.server.emit("asked", {}, to=client.sid, callback=served.release.set)
    assert await client.hears() == '421["asked",{}]'
    for frame in ("430[]", "431[]", "43[1]", '4399["x",{}]', "43"):
        await client.ws.send_str(frame)
    await client.is_served()


# --- signing in


async def test_who_never_signs_in_is_let_go() -> None:
    async with serving(handshake_seconds=0.2) as served:
        client = await served.opens()
        assert await client.ends() == []


async def test_pings_do_not_put_the_deadline_off() -> None:
    async with serving(handshake_seconds=0.3) as served:
        client = await served.opens()
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(PROMPT_SECONDS):
                while not client.ws.closed:
                    await client.ws.ping()
                    await client.ws.send_str("3")
                    await asyncio.sleep(0.02)
        await client.is_gone()


async def test_who_has_signed_in_stays_beyond_the_deadline() -> None:
    async with serving(handshake_seconds=1.0) as served:
        client = await served.signed_in()
        await asyncio.sleep(1.2)
        await client.is_served()


async def test_who_is_refused_is_told_the_code_and_then_let_go(served: Served) -> None:
    client = await served.opens()
    await client.ws.send_str('40{"token":"bad"}')
    assert await client.ends() == ['44{"message":"no","data":{"code":"token_invalid"}}']
    assert served.connected == served.left == []


async def test_a_library_client_that_is_refused_sees_the_code(served: Served) -> None:
    client = socketio.AsyncClient(reconnection=False)
    told: asyncio.Queue[Any] = asyncio.Queue()
    client.on("connect_error", told.put)
    with pytest.raises(socketio.exceptions.ConnectionError):
        await client.connect(served.url, auth={"token": "bad"}, transports=["websocket"])
    assert (await asyncio.wait_for(told.get(), PATIENCE_SECONDS))["data"] == {"code": "token_invalid"}


@pytest.mark.parametrize("auth", ["", "{}", "[]", '{"token":7}', '["token"]'])
async def test_the_application_says_what_is_wrong_with_any_auth(served: Served, auth: str) -> None:
    client = await served.opens()
    await client.ws.send_str("40" + auth)
    assert (await client.hears()).startswith('44{"message":"no"')


async def test_who_is_refused_may_try_again_on_the_same_connection(served: Served) -> None:
    client = await served.opens()
    await client.ws.send_str('40{"token":"bad"}')
    await client.hears()
    await client.signs_in()
    await asyncio.sleep(guard.REFUSED_SECONDS + 0.2)
    await client.is_served()


async def test_trying_again_and_again_does_not_put_the_end_off(served: Served) -> None:
    client = await served.opens()
    tries = 0
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(PROMPT_SECONDS):
            while not client.ws.closed:
                await client.ws.send_str('40{"token":"bad"}')
                tries += 1
                await asyncio.sleep(0.05)
    await client.is_gone()
    assert tries > 1


async def test_connecting_twice_changes_nothing(served: Served) -> None:
    client = await served.signed_in()
    await client.ws.send_str('40{"token":"good"}')
    assert await client.hears() == '44"Unable to connect"'
    await asyncio.sleep(guard.REFUSED_SECONDS + 0.2)
    await client.is_served()
    assert served.connected == served.ready == [client.sid]


async def test_who_leaves_the_namespace_and_stays_is_let_go(served: Served) -> None:
    client = await served.signed_in()
    await client.ws.send_str("41")
    await served.until(lambda: served.left == [client.sid])
    await client.is_gone()


async def test_who_leaves_the_namespace_may_sign_in_again(served: Served) -> None:
    client = await served.signed_in()
    await client.ws.send_str("41")
    await client.ws.send_str('40{"token":"bad"}')
    assert (await client.hears()).startswith("44{")
    await (await client.signs_in()).is_served()


async def test_who_leaves_while_signing_in_is_forgotten(served: Served) -> None:
    client = await served.opens()
    await client.ws.send_str('40{"token":"slow"}')
    (link,) = served.server.eio.links.values()
    await served.until(lambda: link.handlers)
    if isinstance(link, WireLink):
        await link.socket.close(wait=False, abort=True)
    else:
        link.drop()
    await asyncio.sleep(0.05)
    assert served.left == []
    served.release.set()
    await served.until(lambda: served.is_empty)
    served.release.clear()
    assert (len(served.connected), served.ready) == (1, [])


async def test_a_sign_in_that_fails_on_our_side_ends_the_connection_and_leaves_nothing(
    served: Served, lines: list[dict[str, Any]]
) -> None:
    client = await served.opens()
    await client.ws.send_str('40{"token":"fault"}')
    await client.is_gone()
    await served.until(lambda: served.is_empty)
    assert [line["event"] for line in lines] == ["socket_handler_failed"]


async def test_a_disconnect_handler_that_fails_leaves_nothing_behind(
    served: Served, lines: list[dict[str, Any]]
) -> None:
    served.release.set()
    client = await served.signed_in()
    await client.ws.send_str("1")
    await served.until(lambda: served.left == [client.sid] and served.is_empty)
    assert [line["event"] for line in lines] == ["disconnect_handler_failed"]
    served.release.clear()


# --- the door


@pytest.mark.usefixtures("quiet")
async def test_polling_is_refused_in_plain_words(served: Served) -> None:
    for method in ("GET", "POST"):
        async with served.http.request(
            method, f"{served.url}/socket.io/?EIO=4&transport=polling"
        ) as response:
            assert response.status == 400
            assert (await response.json(content_type=None))["code"] == "malformed"


async def test_a_bad_websocket_handshake_is_refused_and_leaves_nothing(served: Served) -> None:
    url = f"{served.url}/socket.io/?EIO=4&transport=websocket"
    headers = {"Upgrade": "websocket", "Connection": "Upgrade"}
    async with served.http.get(url, headers=headers) as response:
        assert response.status == 400
    await served.until(lambda: served.is_empty)


@pytest.mark.usefixtures("quiet")
async def test_only_named_origins_and_native_apps_may_connect(served: Served) -> None:
    await (await served.signed_in(origin=ORIGIN)).is_served()
    await (await served.signed_in()).is_served()
    for origin in ("https://evil.example", served.url, "null"):
        with pytest.raises(aiohttp.WSServerHandshakeError) as raised:
            await served.opens(origin=origin)
        assert raised.value.status == 400


@pytest.mark.parametrize("origins", [[], ["*"], [ORIGIN, "*"]])
def test_a_server_without_named_origins_is_not_made(origins: list[str]) -> None:
    with pytest.raises(ValueError, match="origins"):
        guarded_server(EVENTS, refuse, origins)


@pytest.mark.parametrize("name", sorted(guard.RESERVED))
def test_a_server_whose_events_have_a_reserved_name_is_not_made(name: str) -> None:
    with pytest.raises(ValueError, match="reserved"):
        guarded_server([*EVENTS, name], refuse, [ORIGIN])


async def test_messages_are_not_compressed(served: Served) -> None:
    client = await served.signed_in(compress=15)
    assert client.ws.compress == 0


async def test_the_address_of_a_client_is_known_from_opening_to_end(served: Served) -> None:
    told: list[str] = []
    served.server.address_of = lambda request: f"{request.remote} {request.headers['X-Device']}"
    served.server.on_opened = lambda address: told.append(f"{address} opens")
    served.server.on_ended = lambda address: told.append(f"{address} ends")
    client = await served.signed_in(headers={"X-Device": "phone"})
    await client.ws.close()
    await served.until(lambda: served.is_empty)
    assert told == ["127.0.0.1 phone opens", "127.0.0.1 phone ends"]


async def test_a_request_with_a_body_opens_nothing_on_the_fast_path() -> None:
    async with serving(fast_path=True) as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(served.url.rsplit(":", 1)[1]))
        writer.write(UPGRADE.replace(b"Host: x", b"Host: x\r\nContent-Length: 5") + b"hello")
        assert b" 400 " in await reader.readline()
        writer.close()
        await writer.wait_closed()


async def test_a_client_that_sends_with_its_request_is_heard(served: Served) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(served.url.rsplit(":", 1)[1]))
    writer.write(UPGRADE + masked('40{"token":"good"}') + masked('421["expense:create",{"n":1}]'))
    assert (await reader.readuntil(b"}}]")).endswith(b'431[{"ok":true,"body":{"n":1}}]')
    writer.close()
    await writer.wait_closed()


# --- too fast


async def test_over_the_rate_an_event_is_refused_with_the_time_to_wait_and_served_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(links, "FRAMES_PER_SECOND", 5)
    async with serving(rate_limits=True) as served:
        client = await served.signed_in()
        for _ in range(links.FRAMES_BURST * 2):
            await client.ws.send_str('421["expense:create",{}]')
        acks = [json.loads((await client.hears())[3:])[0] for _ in range(links.FRAMES_BURST * 2)]
        refused = [ack["error"] for ack in acks if not ack["ok"]]
        assert len(served.handled) >= links.FRAMES_BURST - 1
        assert len(served.handled) + len(refused) == len(acks)
        assert refused[0]["code"] == "rate_limited"
        assert 0 < refused[0]["retryAfterMs"] <= 200
        await asyncio.sleep(refused[-1]["retryAfterMs"] / 1000)
        await client.is_served()


async def test_over_the_rate_nothing_but_an_event_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "FRAMES_PER_SECOND", 0.01)
    monkeypatch.setattr(links, "FRAMES_BURST", 2)
    async with serving(rate_limits=True) as served:
        client = await served.signed_in()
        await client.is_served()
        await client.ws.send_str('40{"token":"good"}')
        assert (await client.asks('42%s["expense:create",{}]'))["error"]["code"] == "rate_limited"


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("kind", ["events", "pings"])
async def test_a_flood_ends_the_connection(
    lines: list[dict[str, Any]], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "FLOOD_FACTOR", 2)
    async with serving(rate_limits=True) as served:
        client, other = await served.signed_in(), await served.signed_in()
        with contextlib.suppress(ConnectionError):
            for _ in range(links.FRAMES_BURST * links.FLOOD_FACTOR * 3):
                await (client.ws.ping() if kind == "pings" else client.ws.send_str('42["nothing",{}]'))
        await client.ends()
        await other.is_served()
    assert [line["reason"] for line in lines] == ["flood"]


async def test_without_rate_limits_a_flood_is_served(served: Served) -> None:
    client = await served.signed_in()
    for _ in range(links.FRAMES_BURST * links.FLOOD_FACTOR + 100):
        await client.ws.send_str('42["expense:create",{}]')
    await client.is_served()
    assert len(served.handled) == links.FRAMES_BURST * links.FLOOD_FACTOR + 101


# --- anything at all


FRAMES = st.one_of(
    st.text(max_size=40),
    st.binary(max_size=40),
    st.text(alphabet='0123456-/,[]{}":ab\\u\x1e', max_size=30).map(lambda text: "4" + text),
    st.tuples(
        st.sampled_from(["42", "421", "40", "41", "43", "451-", "42/a,"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
            ),
            max_leaves=5,
        ),
    ).map(lambda pair: pair[0] + json.dumps(pair[1])),
)


@pytest.mark.usefixtures("quiet")
@settings(deadline=None, max_examples=15, suppress_health_check=list(HealthCheck))
@given(batches=st.lists(st.lists(FRAMES, min_size=1, max_size=4), min_size=1, max_size=8))
def test_whatever_is_sent_others_are_served_and_nothing_escapes(batches: list[list[str | bytes]]) -> None:
    async def attack() -> None:
        async with serving(rate_limits=True) as served:
            good = await served.signed_in()
            for batch in batches:
                bad = await served.signed_in()
                with contextlib.suppress(ConnectionError):
                    for frame in batch:
                        await (bad.ws.send_str(frame) if isinstance(frame, str) else bad.ws.send_bytes(frame))
                await good.is_served()
            await good.is_served()

    with structlog.testing.capture_logs() as lines:
        asyncio.run(attack())
    assert {line["event"] for line in lines} <= {"socket_cut"}
