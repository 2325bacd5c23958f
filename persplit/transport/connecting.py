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
        "A token for each attempt, and what you have",
        "Give the library a function, not a value, for `auth`: it is asked at every attempt, and a token lives for "
        "ten minutes. It returns `{token, since}`; `since` is `{<groupId>: {seq, epoch}}` for the groups that you "
        "hold (at most 500; empty at first; an epoch that you do not know yet is null). On `auth:expiring` refresh "
        "over REST and send `auth:renew {token}`; the socket stays open.",
    ),
    Rule(
        "connect_error with a code",
        "The server refused, and the library does not try again by itself. `token_expired`: refresh, then connect. "
        "`token_missing`, `token_invalid`: sign in. `account_disabled`: don't come back, and tell your user. `rate_limited` (too many sockets, or too many "
        "opened lately), `server_restarting`, `store_unavailable`, `internal_error`: wait "
        "for `retryAfterMs` (some seconds where there is none), then connect. `validation_failed`: your `since` is "
        "not as above; connect without it. Without a code it was the network, and the library tries again by itself.",
    ),
    Rule(
        "disconnect",
        "Before the server ends a connection it says why with `session:closing {code, retryAfterMs}`. After an end "
        "by the server the library does not come back by itself: wait `retryAfterMs`, then connect. `token_expired`: "
        "refresh first. `signed_out`: sign in. `account_disabled`: don't; tell your user. `too_slow` (you read more slowly than the group writes, and what "
        "waited for you was dropped), `server_restarting`: connect again, with `since`. Whoever takes nothing at all "
        "for ten seconds is cut off without a word, which looks like a broken network: then the library comes back "
        "by itself.",
    ),
    Rule(
        "session:ready: what you missed",
        "After each connection comes `session:ready` with the `seq` and `epoch` of each group. A group that your "
        "`since` named and that you lack something of has `sync`, the same as the answer to `sync:pull`: no question "
        "needs to be asked. Where you still stand lower (`sync.more`, or a group that you do not hold) send "
        "`sync:pull {groupId, after, epoch}` until `more` is false or missing. Pull a group that you hold and that is not listed, "
        "too: `not_found` means that you are no longer in it, and it can go. Who is put out while connected hears no "
        "more of the group, and finds out in the same way.",
    ),
    Rule(
        "Events, snapshot, reset, epoch",
        "`sync` and a pull hold `events` (apply them in order, each only if its seq is yours plus one: you may have "
        "dropped the group while its greeting was under way) or a `snapshot` (the whole group). With `reset: true` "
        "drop what you hold of the group first: you were far behind, ahead of the server, or the ledger was "
        "replaced by a backup. `epoch` names the ledger that a seq belongs to: keep it with the seq and send both. "
        "There is no other repair. Events have no balances: after the last one ask `balances:get {groupId, seq}`. "
        "In an event `group` has the settings without `members`; a member with `claimed` has taken over that "
        "placeholder, which is gone since their `joinedAt`; `placeholder` can come later, to who gave their account up.",
    ),
    Rule(
        "Broadcasts, and holes in seq",
        "Apply a broadcast if its seq is yours plus one; drop it if it is not higher than yours; pull if there is a "
        "hole. Take one message at a time, in order: a pull is over before the next one counts. A group that you "
        "do not hold stands at 0.",
    ),
    Rule(
        "Why every write carries a commandId",
        "A phone loses the answer more often than the request, and libraries send again what they had buffered. "
        "Store the command with its `commandId` first, then send it until there is an ack. It is carried out once, "
        "whichever of the copies arrive. Without an ack nothing is known: never show it as failed.",
    ),
    Rule(
        "The outbox",
        "What was written offline goes out with `sync:push {commands}`, oldest first, at most 200 commands and 64 KiB "
        "at once; each has the fields of its event, the event's name as `type`, and ids of your own, so that later "
        "ones can name what earlier ones make. There is one ack for each. `ok`: done; drop it from the outbox when "
        "its `seq` has come. `internal_error`, `rate_limited`, `server_restarting`, `store_unavailable` are temporary: "
        "keep the command, wait `retryAfterMs`, and send it again with the same `commandId`. All that stand behind it "
        "in the batch were held back: not tried, because they may build on it, and answered with the same error. Any "
        "other code is final: keep the command with its error for its owner to mend, under a new `commandId`, or to "
        "drop. A refused push as a whole (`token_expired`, say) says nothing of the commands: send it again.",
    ),
    Rule(
        "An ack that is ahead",
        "The `seq` of an ack can be higher than yours plus one: others wrote before, and their broadcasts are under "
        "way. Show what the ack holds, but held ahead of the ledger, as pending: your seq moves only by broadcasts "
        "and pulls, which bring the same change again.",
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
            .setAuthFn((send) => send({'token': tokens.access, 'since': store.points}))
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
    socket.on('session:ready', (it) => _inTurn(() => _ready(it)));
    for (final event in broadcasts) {
      socket.on(event, (it) => _inTurn(() => _heard(event, it)));
    }
    socket.connect();
  }

  static const broadcasts = [
    'expense:created', 'expense:updated', 'expense:deleted', 'expense:restored',
    'attachment:added', 'attachment:removed',
    'settlement:created', 'settlement:completed', 'settlement:declined', 'settlement:cancelled',
    'loan:created', 'loan:updated', 'loan:deleted', 'loan:restored',
    'group:created', 'group:updated', 'member:joined', 'member:left',
    'comment:added', 'comment:deleted', 'reminder:sent',
    'preset:saved', 'preset:deleted', 'recurrence:saved', 'recurrence:stopped',
  ];

  final Tokens tokens; // yours: access, refresh(), signIn()
  final Store store; // yours: points {groupId: {seq, epoch}}, apply(event, it), put(groupId, pulled),
  late final io.Socket socket; // setBalances(it), drop(groupId)
  Map? _closing;
  Future<void> _turn = Future.value();

  int _seqOf(String groupId) => store.points[groupId]?['seq'] ?? 0;

  /// One message at a time. What goes wrong is mended by the next greeting or hole.
  void _inTurn(Future<void> Function() take) => _turn = _turn.then((_) => take()).catchError((_) {});

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
    if (code == 'account_disabled') return; // tell the user: there is no way back from here
    if (code == 'token_expired') await tokens.refresh();
    if (code == 'validation_failed') return; // a bug of ours in `since`: coming back would not help
    await Future.delayed(Duration(milliseconds: waitMs ?? 1000));
    socket.connect();
  }

  Future<void> _ready(Map it) async {
    final gone = store.points.keys.toSet();
    for (final group in it['groups']) {
      final id = group['id'];
      gone.remove(id);
      if (group['sync'] != null) await _put(id, group['sync']);
      if (group['seq'] > _seqOf(id)) await _pull(id);
    }
    for (final id in gone) await _pull(id);
  }

  Future<void> _heard(String event, Map it) async {
    final have = _seqOf(it['groupId']);
    if (it['seq'] == have + 1) store.apply(event, it);
    if (it['seq'] > have + 1) await _pull(it['groupId']);
  }

  Future<void> _pull(String id) async {
    Map pulled;
    do {
      final epoch = store.points[id]?['epoch'];
      pulled = await send('sync:pull', {'groupId': id, 'after': _seqOf(id), if (epoch != null) 'epoch': epoch});
      if (pulled['ok'] != true) {
        if (pulled['error']['code'] == 'not_found') store.drop(id); // no longer a member
        return;
      }
      await _put(id, pulled);
    } while (pulled['more'] == true);
  }

  Future<void> _put(String id, Map pulled) async {
    store.put(id, pulled); // drops the group first on `reset`; then a snapshot, or the events that follow on yours
    if (pulled['events'] == null || pulled['more'] == true) return;
    final balances = await send('balances:get', {'groupId': id, 'seq': _seqOf(id)});
    if (balances['ok'] == true) store.setBalances(balances);
  }
}
"""

JAVASCRIPT: Final = """\
import { io } from "socket.io-client";

// Yours: tokens {access, refresh(), signIn()}, and store {points: {groupId: {seq, epoch}}, apply(event, it),
// put(groupId, pulled), setBalances(it), drop(groupId)}.
export function connect(server, tokens, store) {
  const socket = io(server, {
    transports: ["websocket"],
    auth: (send) => send({ token: tokens.access, since: store.points }),
  });
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));
  const send = (event, it) => socket.timeout(10_000).emitWithAck(event, it);
  const seqOf = (id) => store.points[id]?.seq ?? 0;
  let closing = {};
  let turn = Promise.resolve();
  // One message at a time. What goes wrong is mended by the next greeting or hole.
  const inTurn = (take) => { turn = turn.then(take).catch(console.error); };

  async function comeBack({ code, status, retryAfterMs = 1000 }) {
    if (code === "signed_out" || (status === 401 && code !== "token_expired")) return tokens.signIn();
    if (code === "account_disabled") return; // tell the user: there is no way back from here
    if (code === "token_expired") await tokens.refresh();
    if (code === "validation_failed") return; // a bug of ours in `since`: coming back would not help
    await wait(retryAfterMs);
    socket.connect();
  }

  async function ready({ groups }) {
    const gone = new Set(Object.keys(store.points));
    for (const { id, seq, sync } of groups) {
      gone.delete(id);
      if (sync) await put(id, sync);
      if (seq > seqOf(id)) await pull(id);
    }
    for (const id of gone) await pull(id);
  }

  async function heard(event, it) {
    const have = seqOf(it.groupId);
    if (it.seq === have + 1) store.apply(event, it);
    if (it.seq > have + 1) await pull(it.groupId);
  }

  async function pull(groupId) {
    let pulled;
    do {
      const epoch = store.points[groupId]?.epoch ?? undefined;
      pulled = await send("sync:pull", { groupId, after: seqOf(groupId), epoch });
      if (!pulled.ok) {
        if (pulled.error.code === "not_found") store.drop(groupId); // no longer a member
        return;
      }
      await put(groupId, pulled);
    } while (pulled.more);
  }

  async function put(groupId, pulled) {
    store.put(groupId, pulled); // drops the group first on `reset`; then a snapshot, or the events that follow on yours
    if (!pulled.events || pulled.more) return;
    const balances = await send("balances:get", { groupId, seq: seqOf(groupId) });
    if (balances.ok) store.setBalances(balances);
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
    await send("auth:renew", { token: tokens.access });
  });
  socket.on("session:ready", (it) => inTurn(() => ready(it)));
  socket.onAny((event, it) => {
    if ("updatedBalances" in it) inTurn(() => heard(event, it)); // a broadcast
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
    # tokens: access, refresh(). store: points {group id: {"seq", "epoch"}}, apply(event, it),
    # put(group_id, pulled), set_balances(it), drop(group_id).
    def __init__(self, server, tokens, store):
        self.server, self.tokens, self.store = server, tokens, store
        self.turn = asyncio.Lock()  # one message at a time, in the order in which they came
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
        return {"token": self.tokens.access, "since": self.store.points}

    async def _refused(self, error):
        if isinstance(error, dict) and (error.get("data") or {}).get("code") == "token_expired":
            await self.tokens.refresh()

    async def _renew(self, _):
        await self.tokens.refresh()
        await self.send("auth:renew", {"token": self.tokens.access})

    def _seq_of(self, group_id):
        return self.store.points.get(group_id, {"seq": 0})["seq"]

    async def _ready(self, it):
        async with self.turn:
            gone = set(self.store.points) - {group["id"] for group in it["groups"]}
            for group in it["groups"]:
                if "sync" in group:
                    await self._put(group["id"], group["sync"])
                if group["seq"] > self._seq_of(group["id"]):
                    await self._pull(group["id"])
            for group_id in gone:
                await self._pull(group_id)

    async def _heard(self, event, it):
        if "updatedBalances" not in it:
            return  # not a broadcast
        async with self.turn:
            have = self._seq_of(it["groupId"])
            if it["seq"] == have + 1:
                self.store.apply(event, it)
            elif it["seq"] > have + 1:
                await self._pull(it["groupId"])

    async def _pull(self, group_id):
        more = True
        while more:
            point = self.store.points.get(group_id, {})
            epoch = {"epoch": point["epoch"]} if point.get("epoch") else {}
            asked = {"groupId": group_id, "after": self._seq_of(group_id), **epoch}
            pulled = await self.send("sync:pull", asked)
            if not pulled["ok"]:
                if pulled["error"]["code"] == "not_found":
                    self.store.drop(group_id)  # no longer a member
                return
            await self._put(group_id, pulled)
            more = pulled.get("more", False)

    async def _put(self, group_id, pulled):
        self.store.put(group_id, pulled)  # drops the group first on `reset`; then a snapshot, or events
        if "events" in pulled and not pulled["more"]:
            balances = await self.send("balances:get", {"groupId": group_id, "seq": self._seq_of(group_id)})
            if balances["ok"]:
                self.store.set_balances(balances)
"""

PROGRAMS: Final = (("Flutter (socket_io_client 3)", DART), ("JavaScript", JAVASCRIPT), ("Python", PYTHON))
"""The same client three times."""
