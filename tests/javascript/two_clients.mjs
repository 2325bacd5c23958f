// Two people with the official JavaScript client: one adds an expense, both hear of it. Prints what they heard as JSON.
// Arguments: the server's URL, two access tokens, the group's id, a token that no longer works.
import { io } from "socket.io-client";

const [url, tokenA, tokenB, groupId, badToken] = process.argv.slice(2);
const give_up = setTimeout(() => { console.error("nothing came"); process.exit(1); }, 15000);

function connect(token) {
  const socket = io(url, {
    transports: ["websocket"],
    auth: (give) => give({ token }),
    reconnection: false,
    forceNew: true,
  });
  const heard = [];
  socket.onAny((event, ...payload) => heard.push({ event, payload }));
  const ready = new Promise((resolve, reject) => {
    socket.once("session:ready", resolve);
    socket.once("connect_error", reject);
  });
  const hears = (event) => new Promise((resolve) => socket.once(event, resolve));
  return { socket, heard, ready, hears };
}

const asha = connect(tokenA);
const ben = connect(tokenB);
await Promise.all([asha.ready, ben.ready]);
const told = Promise.all([asha.hears("expense:created"), ben.hears("expense:created"), ben.hears("settlement:due")]);
const command = { commandId: "from-javascript", groupId, description: "चाय", amount: 4001, splitType: "EQUAL" };
const ack = await asha.socket.timeout(5000).emitWithAck("expense:create", command);
const again = await asha.socket.timeout(5000).emitWithAck("expense:create", command);
const unknown = await asha.socket.timeout(5000).emitWithAck("expense:explode", {});
const empty = await asha.socket.timeout(5000).emitWithAck("balances:get");
const [byAsha, byBen, due] = await told;
const refused = await connect(badToken).ready.catch((error) => error.data);
console.log(JSON.stringify({ ack, again, unknown, empty, byAsha, byBen, due, refused, heard: ben.heard }));
asha.socket.disconnect();
ben.socket.disconnect();
clearTimeout(give_up);
