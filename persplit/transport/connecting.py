"""How to connect, for the reference: what a client has to do, and short programs that do it."""

from typing import Final

from persplit.transport.ground_rules import Rule

STEPS: Final = (
    Rule(
        "WebSocket only",
        "Ask for the transport `websocket`, and for nothing else. There is no polling to begin with, and so no "
        "sticky session that a load balancer would have to keep.",
    ),
    Rule(
        "A token for each attempt",
        "Give the library a function, not a value, for `auth`: it is asked at every attempt, and a token lives for "
        "ten minutes. On `auth:expiring` refresh over REST and send `auth:renew {token}`; the socket stays open.",
    ),
    Rule(
        "connect_error with a code",
        "The server refused, and the library does not try again by itself. `token_expired`: refresh, then connect. "
        "Another 401: sign in. Anything else: wait for `retryAfterMs`, then connect. Without a code it was the "
        "network, and the library tries again by itself.",
    ),
    Rule(
        "disconnect",
        "Before the server ends a connection it says why with `session:closing {code, retryAfterMs}`. After an end "
        "by the server the library does not come back by itself: wait `retryAfterMs`, then connect. `token_expired`: "
        "refresh first. `signed_out`: sign in. `too_slow`: you did not read fast enough; connect and pull. "
        "`server_restarting`: connect again. When the network broke, the library comes back by itself.",
    ),
    Rule(
        "session:ready, and holes in seq",
        "After each connection comes `session:ready` with the seq of each group. Where yours is lower, send "
        "`sync:pull {groupId, after}` until `more` is false; a `snapshot` replaces what you have. Apply a broadcast "
        "if its seq is yours plus one; drop it if it is lower; pull if it is higher.",
    ),
    Rule(
        "Why every write carries a commandId",
        "A phone loses the answer more often than the request, and libraries send again what they had buffered. "
        "Store the command with its `commandId` first, then send it until there is an ack. It is carried out once, "
        "whichever of the copies arrive. Without an ack nothing is known: never show it as failed.",
    ),
    Rule(
        "One object",
        "An event has one argument, a JSON object, and an ack is one. Lists as arguments are spread by some "
        "libraries, so there are none. Set no `retries` option: an outbox of your own with `commandId` is safer.",
    ),
)
"""What to do, and why."""

DART: Final = """\
import 'dart:async';
import 'package:socket_io_client/socket_io_client.dart' as io;

class GroupSocket {
  GroupSocket(String server, this.tokens, this.store) {
    socket = io.io(
        server,
        io.OptionBuilder()
            .setTransports(['websocket'])
            .setAuthFn((send) => send({'token': tokens.access}))
            .disableAutoConnect()
            .enableForceNew() // another account must not get this connection
            .build());
    socket.onConnectError((error) {
      final refusal = error is Map ? error['data'] : null;
      if (refusal is Map) _comeBack(refusal['code'], refusal['retryAfterMs'], refusal['status']);
    });
    socket.on('session:closing', (it) => _closing = it);
    socket.onDisconnect((reason) {
      final why = _closing ?? const {};
      _closing = null;
      if (reason == 'io server disconnect') _comeBack(why['code'], why['retryAfterMs'], null);
    });
    socket.on('auth:expiring', (_) async {
      await tokens.refresh();
      await send('auth:renew', {'token': tokens.access});
    });
    socket.on('session:ready', (it) {
      for (final group in it['groups']) {
        if (group['seq'] > store.seqOf(group['id'])) _pull(group['id']);
      }
    });
    for (final event in broadcasts) {
      socket.on(event, (it) => _heard(event, it));
    }
    socket.connect();
  }

  static const broadcasts = [
    'expense:created', 'expense:updated', 'expense:deleted', 'expense:restored',
    'settlement:created', 'settlement:completed', 'settlement:declined', 'settlement:cancelled',
    'group:created', 'group:updated', 'member:joined', 'member:left',
  ];

  final Tokens tokens; // yours: access, refresh(), signIn()
  final Store store; // yours: seqOf(groupId), apply(event, payload), put(pulled)
  late final io.Socket socket;
  Map? _closing;

  /// The ack of a command; throws TimeoutException where none came: send the same command again.
  Future<Map> send(String event, Map<String, dynamic> command) {
    final ack = Completer<Map>();
    socket.emitWithAck(event, command, ack: (it) {
      if (!ack.isCompleted) ack.complete(it as Map);
    });
    return ack.future.timeout(const Duration(seconds: 10));
  }

  Future<void> _comeBack(String? code, int? waitMs, int? status) async {
    if (code == 'signed_out' || (status == 401 && code != 'token_expired')) return tokens.signIn();
    if (code == 'token_expired') await tokens.refresh();
    await Future.delayed(Duration(milliseconds: waitMs ?? 1000));
    socket.connect();
  }

  void _heard(String event, Map it) {
    final have = store.seqOf(it['groupId']);
    if (it['seq'] == have + 1) store.apply(event, it);
    if (it['seq'] > have + 1) _pull(it['groupId']);
  }

  Future<void> _pull(String groupId) async {
    Map pulled;
    do {
      pulled = await send('sync:pull', {'groupId': groupId, 'after': store.seqOf(groupId)});
      if (pulled['ok'] != true) return;
      store.put(pulled); // events, oldest first, or a snapshot
    } while (pulled['more'] == true);
  }
}
"""

JAVASCRIPT: Final = """\
import { io } from "socket.io-client";

// Yours: tokens {access, refresh(), signIn()}, store {seqOf(groupId), apply(event, payload), put(pulled)}.
export function connect(server, tokens, store) {
  const socket = io(server, {
    transports: ["websocket"],
    auth: (send) => send({ token: tokens.access }),
  });
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));
  let closing = {};

  async function comeBack({ code, status, retryAfterMs = 1000 }) {
    if (code === "signed_out" || (status === 401 && code !== "token_expired")) return tokens.signIn();
    if (code === "token_expired") await tokens.refresh();
    await wait(retryAfterMs);
    socket.connect();
  }

  async function pull(groupId) {
    let pulled;
    do {
      pulled = await socket.timeout(10_000).emitWithAck("sync:pull", { groupId, after: store.seqOf(groupId) });
      if (!pulled.ok) return;
      store.put(pulled); // events, oldest first, or a snapshot
    } while (pulled.more);
  }

  socket.on("connect_error", (error) => {
    if (error.data?.code) comeBack(error.data);
  });
  socket.on("session:closing", (it) => { closing = it; });
  socket.on("disconnect", (reason) => {
    if (reason === "io server disconnect") comeBack(closing);
    closing = {};
  });
  socket.on("auth:expiring", async () => {
    await tokens.refresh();
    await socket.timeout(10_000).emitWithAck("auth:renew", { token: tokens.access });
  });
  socket.on("session:ready", ({ groups }) => {
    for (const { id, seq } of groups) if (seq > store.seqOf(id)) pull(id).catch(console.error);
  });
  socket.onAny((event, it) => {
    if (!("updatedBalances" in it)) return; // not a broadcast
    const have = store.seqOf(it.groupId);
    if (it.seq === have + 1) store.apply(event, it);
    if (it.seq > have + 1) pull(it.groupId).catch(console.error);
  });
  return socket;
}

// Store {event, command} before you call this. The key makes the repetitions harmless.
export async function write(socket, event, command) {
  for (;;) {
    try {
      const ack = await socket.timeout(10_000).emitWithAck(event, command);
      if (ack.ok || ![429, 500, 503].includes(ack.error.status)) return ack;
      await new Promise((done) => setTimeout(done, ack.error.retryAfterMs ?? 1000));
    } catch {
      // No ack in time: the outcome is unknown, so the same command goes out again.
    }
  }
}
"""

PYTHON: Final = """\
import asyncio
import random

import socketio  # python-socketio[asyncio_client]


class GroupSocket:
    # tokens: access, refresh(). store: seq_of(group_id), apply(event, payload), put(pulled).
    def __init__(self, server, tokens, store):
        self.server, self.tokens, self.store = server, tokens, store
        self.sio = socketio.AsyncClient()
        self.sio.on("connect_error", self._refused)
        self.sio.on("auth:expiring", self._renew)
        self.sio.on("session:ready", self._ready)
        self.sio.on("*", self._heard)

    async def run(self):
        while True:
            try:
                await self.sio.connect(self.server, transports=["websocket"], auth=self._auth)
                await self.sio.wait()
            except socketio.exceptions.ConnectionError:
                pass
            await asyncio.sleep(1 + 4 * random.random())

    async def send(self, event, command):
        \"\"\"The ack. Raises socketio.exceptions.TimeoutError where none came: send the same command again.\"\"\"
        return await self.sio.call(event, command, timeout=10)

    async def _auth(self):
        return {"token": self.tokens.access}

    async def _refused(self, error):
        if isinstance(error, dict) and (error.get("data") or {}).get("code") == "token_expired":
            await self.tokens.refresh()

    async def _renew(self, _):
        await self.tokens.refresh()
        await self.send("auth:renew", {"token": self.tokens.access})

    async def _ready(self, it):
        for group in it["groups"]:
            if group["seq"] > self.store.seq_of(group["id"]):
                await self._pull(group["id"])

    async def _heard(self, event, it):
        if "updatedBalances" not in it:
            return  # not a broadcast
        have = self.store.seq_of(it["groupId"])
        if it["seq"] == have + 1:
            self.store.apply(event, it)
        elif it["seq"] > have + 1:
            await self._pull(it["groupId"])

    async def _pull(self, group_id):
        more = True
        while more:
            pulled = await self.send("sync:pull", {"groupId": group_id, "after": self.store.seq_of(group_id)})
            if not pulled["ok"]:
                return
            self.store.put(pulled)  # events, oldest first, or a snapshot
            more = pulled.get("more", False)
"""

PROGRAMS: Final = (("Flutter (socket_io_client 3)", DART), ("JavaScript", JAVASCRIPT), ("Python", PYTHON))
"""The same client three times."""
