// The same brief as a Node developer would do it: `node server.mjs PORT WORLD.json [--qr]`.
//
// Everything is kept in memory. Balances are kept up to date by each expense rather than summed up anew, which is
// the faster of the two usual ways; the settle-up plan is the usual one: the largest debtor pays the largest creditor.
// With --qr each row of the plan carries its QR as a data URL, as products that draw QRs on the server send them.
import { createHmac, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import express from "express";
import jwt from "jsonwebtoken";
import QRCode from "qrcode";
import { Server } from "socket.io";

const AMOUNT_MAX = 1e13;
const TEXT_MAX = 200;
const FIELDS = new Set([
  "commandId", "groupId", "description", "amount", "paidBy", "splitType", "participants", "splits", "date",
  "category", "notes",
]);

const [port, worldPath, ...flags] = process.argv.slice(2);
const withQr = flags.includes("--qr");
const world = JSON.parse(readFileSync(worldPath, "utf8"));
const key = Buffer.from(world.key, "hex");

const groups = new Map();
const groupsOf = new Map();
for (const { id, name, members } of world.groups) {
  const group = {
    id, name, members: new Map(members.map((each) => [each.id, each])), seq: 1 + members.length,
    balances: new Map(members.map((each) => [each.id, 0])), expenses: new Map(), commands: new Map(),
  };
  groups.set(id, group);
  for (const member of members) groupsOf.set(member.id, [...(groupsOf.get(member.id) ?? []), group]);
}
const names = new Map(world.groups.flatMap(({ members }) => members.map((each) => [each.id, each.name])));

// --- the rules

class Refused extends Error {
  constructor(status, code, detail) {
    super(detail);
    this.body = { ok: false, error: { code, status, title: code, detail, errors: [] } };
  }
}

const invalid = (detail) => new Refused(422, "validation_failed", detail);
const isAmount = (value) => Number.isSafeInteger(value) && value > 0 && value <= AMOUNT_MAX;
const isText = (value) => typeof value === "string" && value.length > 0 && value.length <= TEXT_MAX;

function checked(userId, body) {
  if (typeof body !== "object" || body === null) throw new Refused(400, "malformed", "send one object");
  for (const field of Object.keys(body)) if (!FIELDS.has(field)) throw invalid(`unknown field ${field}`);
  if (!isText(body.commandId)) throw invalid("commandId");
  const group = groups.get(body.groupId);
  if (!group?.members.has(userId)) throw new Refused(404, "not_found", "there is no such group");
  if (!isText(body.description)) throw invalid("description");
  if (!isAmount(body.amount)) throw invalid("amount: a whole number of minor units");
  if (body.paidBy !== undefined && !group.members.has(body.paidBy)) throw invalid("paidBy");
  return group;
}

function equalShares(amount, participants, rotation) {
  const each = Math.floor(amount / participants.length);
  const odd = amount - each * participants.length;
  const count = participants.length;
  return participants.map((userId, at) => ({ userId, amount: each + ((at + rotation) % count < odd ? 1 : 0) }));
}

function sharesOf(group, body, id) {
  if (body.splitType === "EQUAL") {
    const participants = body.participants ?? [...group.members.keys()];
    if (!Array.isArray(participants) || participants.length === 0) throw invalid("participants");
    if (new Set(participants).size !== participants.length) throw invalid("participants: somebody twice");
    for (const userId of participants) if (!group.members.has(userId)) throw invalid("participants");
    return equalShares(body.amount, participants, parseInt(id.slice(0, 8), 16) % participants.length);
  }
  if (body.splitType !== "EXACT") throw invalid("splitType");
  if (!Array.isArray(body.splits) || body.splits.length === 0) throw invalid("splits");
  let sum = 0;
  for (const { userId, value } of body.splits) {
    if (!group.members.has(userId) || !Number.isSafeInteger(value) || value < 0) throw invalid("splits");
    sum += value;
  }
  if (sum !== body.amount) throw invalid("splits don't sum to the amount");
  return body.splits.map(({ userId, value }) => ({ userId, amount: value }));
}

function plan(balances) {
  const debtors = [], creditors = [];
  for (const [userId, amount] of balances) {
    if (amount < 0) debtors.push({ userId, left: -amount });
    else if (amount > 0) creditors.push({ userId, left: amount });
  }
  debtors.sort((a, b) => b.left - a.left);
  creditors.sort((a, b) => b.left - a.left);
  const rows = [];
  for (let d = 0, c = 0; d < debtors.length && c < creditors.length;) {
    const amount = Math.min(debtors[d].left, creditors[c].left);
    rows.push({ from: debtors[d].userId, to: creditors[c].userId, amount });
    if ((debtors[d].left -= amount) === 0) d++;
    if ((creditors[c].left -= amount) === 0) c++;
  }
  return rows;
}

function upiLink(payee, amount, note) {
  const rupees = `${Math.floor(amount / 100)}.${String(amount % 100).padStart(2, "0")}`;
  const name = encodeURIComponent(payee.name.replace(/[^A-Za-z0-9 .-]/g, ""));
  return `upi://pay?pa=${payee.vpa}&pn=${name}&am=${rupees}&cu=INR&tn=${encodeURIComponent(note.slice(0, 50))}`;
}

// A link that an image tag can load: the group, whom to pay, how much, and our signature.
function qrUrl(groupId, userId, amount) {
  const subject = Buffer.alloc(40);
  subject.write(groupId.replaceAll("-", ""), 0, "hex");
  subject.write(userId.replaceAll("-", ""), 16, "hex");
  subject.writeBigUInt64BE(BigInt(amount), 32);
  const signature = createHmac("sha256", key).update(subject).digest().subarray(0, 11);
  return `/api/v1/qr/${Buffer.concat([subject, signature]).toString("base64url")}.png`;
}

async function settleUp(group) {
  const rows = plan(group.balances).map((row) => {
    const payee = group.members.get(row.to);
    return { ...row, upiLink: upiLink(payee, row.amount, group.name), qrUrl: qrUrl(group.id, row.to, row.amount) };
  });
  if (withQr) {
    for (const row of rows) {
      row.qr = await QRCode.toDataURL(row.upiLink, { errorCorrectionLevel: "M", margin: 4 });
    }
  }
  return rows;
}

function written(group, userId, body, shares, id) {
  const at = new Date().toISOString();
  const paidBy = body.paidBy ?? userId;
  const seq = ++group.seq;
  const expense = {
    id, groupId: group.id, seq, description: body.description, amount: body.amount, paidBy,
    splitType: body.splitType, participants: shares.map((share) => share.userId), splits: body.splits ?? [],
    items: [], includePayer: true, date: body.date ?? at.slice(0, 10), category: body.category ?? null,
    notes: body.notes ?? null, shares, createdBy: userId, createdAt: at, updatedAt: at, deletedAt: null,
  };
  group.expenses.set(expense.id, expense);
  group.balances.set(paidBy, group.balances.get(paidBy) + expense.amount);
  for (const share of shares) group.balances.set(share.userId, group.balances.get(share.userId) - share.amount);
  return expense;
}

async function createExpense(userId, body) {
  const group = checked(userId, body);
  const content = JSON.stringify([userId, body]);
  const known = group.commands.get(body.commandId);
  if (known !== undefined) {
    if (known.content !== content) throw new Refused(422, "idempotency_key_reused", "used for something else");
    return { ok: true, seq: known.expense.seq, replayed: true, expense: known.expense };
  }
  const id = randomUUID();
  const expense = written(group, userId, body, sharesOf(group, body, id), id);
  group.commands.set(body.commandId, { content, expense });
  const updatedBalances = Array.from(group.balances, ([member, amount]) => ({ userId: member, amount }));
  // Without QRs this is all one step; with them each command waits for its drawing, in turn for its group.
  const send = (rows) => io.to(`g:${group.id}`).emit("expense:created", {
    groupId: group.id, seq: expense.seq, at: expense.createdAt, by: userId, commandId: body.commandId, expense,
    updatedBalances, settleUp: rows,
  });
  if (withQr) {
    const rows = settleUp(group);
    group.turn = (group.turn ?? Promise.resolve()).then(async () => send(await rows));
    await group.turn;
  } else send(await settleUp(group));
  return { ok: true, seq: expense.seq, replayed: false, expense };
}

async function answered(work) {
  try {
    return await work();
  } catch (error) {
    return error instanceof Refused
      ? error.body
      : new Refused(500, "internal_error", "a fault of the server").body;
  }
}

// --- the edges

const userOf = (token) => jwt.verify(token, key, {
  algorithms: ["HS256"], issuer: "persplit", audience: "persplit-api",
}).sub;

const app = express();
app.disable("x-powered-by");
app.get("/readyz", (_, response) => response.json({ status: "ready" }));
app.post("/api/v1/groups/:groupId/expenses", express.json(), async (request, response) => {
  const ack = await answered(() => {
    let userId;
    try {
      userId = userOf((request.get("authorization") ?? "").replace(/^Bearer /, ""));
    } catch {
      throw new Refused(401, "token_invalid", "sign in first");
    }
    return createExpense(userId, { ...request.body, groupId: request.params.groupId });
  });
  response.status(ack.ok ? 201 : ack.error.status).json(ack);
});

const http = createServer(app);
const io = new Server(http, { transports: ["websocket"], perMessageDeflate: false, serveClient: false });

io.use((socket, next) => {
  try {
    socket.data.userId = userOf(socket.handshake.auth.token);
    next();
  } catch {
    next(Object.assign(new Error("sign in first"), { data: { code: "token_invalid" } }));
  }
});

io.on("connection", (socket) => {
  const { userId } = socket.data;
  const mine = groupsOf.get(userId) ?? [];
  socket.join([`u:${userId}`, ...mine.map((group) => `g:${group.id}`)]);
  socket.on("expense:create", async (body, ack) => {
    if (typeof ack === "function") ack(await answered(() => createExpense(userId, body)));
  });
  socket.emit("session:ready", {
    user: { id: userId, name: names.get(userId) },
    groups: mine.map(({ id, name, seq }) => ({ id, name, seq })),
    serverTime: new Date().toISOString(),
  });
});

// Started with --expose-gc: who looks at the memory sends this first.
process.on("SIGUSR2", () => globalThis.gc?.());
process.on("SIGTERM", () => process.exit(0));
http.listen(Number(port), "127.0.0.1", 4096);
