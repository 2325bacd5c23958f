import "fake-indexeddb/auto";
import assert from "node:assert/strict";
import { test } from "node:test";
import { Failure } from "../../src/data/model.ts";
import { openChannel, type Platform } from "../../src/data/platform.ts";
import { Rest } from "../../src/data/rest.ts";
import { Session } from "../../src/data/session.ts";
import { newName, opened, person } from "./making.ts";

const json = (status: number, body: object): Response =>
  new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } });
const signedIn = (id: string, accessToken: string): object => ({ user: person(id), accessToken, expiresIn: 900 });

/** A session whose requests are answered here; who asks is seen by the token. */
async function session(answer: (path: string, token: string | null) => Promise<Response>, isEnding = false): Promise<Session> {
  const { replica } = await opened();
  if (isEnding) {
    await replica.forget(false);
    await replica.setEnding(true);
  }
  const fetch = (url: RequestInfo | URL, init?: RequestInit): Promise<Response> =>
    answer(new URL(String(url)).pathname.replace("/api/v1", ""), new Headers(init?.headers).get("Authorization"));
  const platform: Platform = {
    origin: "http://localhost",
    database: newName(),
    fetch: fetch as typeof globalThis.fetch,
    locks: undefined,
    now: () => Date.now(),
    random: () => crypto.getRandomValues(new Uint8Array(16)),
    isOnline: () => true,
    persist: () => undefined,
    channel: openChannel,
    onWake: () => () => undefined,
    onOffline: () => () => undefined,
  };
  const made = new Session(platform, new Rest(platform), async () => replica);
  await made.reload();
  return made;
}

test("what one has begun is not sent again with the token of who signs in meanwhile", async () => {
  const asked: (string | null)[] = [];
  const made = await session(async (path, token) => {
    if (path === "/auth/refresh") return json(200, signedIn("asha", "of-asha"));
    if (path === "/auth/login") return json(200, signedIn("ben", "of-ben"));
    asked.push(token);
    await made.enter("/auth/login", {}); // while the request is on its way
    return json(401, { code: "token_invalid", status: 401 });
  });
  await assert.rejects(
    made.ask({ method: "POST", path: "/sync/push", body: { commands: [] } }),
    (error: unknown) => error instanceof Failure && error.code === "token_missing",
  );
  assert.deepEqual(asked, ["Bearer of-asha"]);
  assert.equal(made.userId, "ben");
  assert.equal(await made.token(), "of-ben"); // the one that came with signing in, not a renewed one
});

test("a token that another tab tells of counts for its own person alone", async () => {
  const made = await session(async () => json(200, signedIn("asha", "renewed")));
  const until = Date.now() + 3_600_000;
  made.hear({ userId: "ben", text: "of-ben", until });
  assert.equal(await made.token(), "renewed");
  made.hear({ userId: "asha", text: "of-asha", until });
  assert.equal(await made.token(), "of-asha");
});

test("a session that was to be ended with no network is ended before somebody signs in", async () => {
  const asked: string[] = [];
  const made = await session(async (path) => {
    asked.push(path);
    return path === "/auth/logout" ? new Response(null, { status: 204 }) : json(200, signedIn(path === "/auth/login" ? "ben" : "asha", path));
  }, true);
  const ended = made.endEarlier();
  await made.enter("/auth/login", {});
  await ended;
  assert.deepEqual(asked, ["/auth/refresh", "/auth/logout", "/auth/login"]);
  await made.endEarlier();
  assert.equal(asked.length, 3);
  assert.equal(made.userId, "ben");
});
