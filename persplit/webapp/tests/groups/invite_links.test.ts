import assert from "node:assert/strict";
import { test } from "node:test";
import { addressOf, inviteIn, inviteOfAddress, inviteOfLink, linkFor } from "../../src/screens/groups/invite_links.ts";

const CODE = "c35pteyjySSc_e4DcB30YA";
const URL_OF_IT = `https://split.example/i/${CODE}`;

test("the bare code, the link and the page's own address all mean the same invite", () => {
  const ways = [CODE, ` ${CODE}\n`, URL_OF_IT, `${URL_OF_IT}/`, `split.example/i/${CODE}`, `http://127.0.0.1:8000/#/join/${CODE}`];
  for (const way of ways) assert.deepEqual(inviteIn(way), { code: CODE }, way);
});

test("what is no invite is none", () => {
  for (const text of ["", "hello", "two words", "https://split.example/", "https://split.example/g/x", "javascript:alert(1)", "<b>"]) {
    assert.equal(inviteIn(text), undefined, text);
  }
});

test("a link for one person says whose place they take, all the way to the page's address and back", () => {
  for (const name of ["Dadi ji", "A/B & C?", "ਦਾਦੀ", "100%", "<script>alert(1)</script>"]) {
    const link = new URL(linkFor(URL_OF_IT, "01a2-claim", name));
    const invite = inviteOfLink(link.pathname, link.search);
    assert.deepEqual(invite, { code: CODE, claim: "01a2-claim", name });
    assert.deepEqual(inviteOfAddress(`#${addressOf({ code: CODE, claim: "01a2-claim", name })}`), invite);
    assert.deepEqual(inviteIn(link.href), invite);
  }
});

test("a name without a place to take is left out, and an endless one is cut", () => {
  assert.deepEqual(inviteOfLink(`/i/${CODE}`, "?name=Priya"), { code: CODE });
  assert.equal(inviteOfLink(`/i/${CODE}`, `?claim=x&name=${"n".repeat(500)}`)?.name?.length, 100);
});

test("an address that is cut off in the middle of a letter is still an invite", () => {
  assert.deepEqual(inviteOfAddress(`#/join/${CODE}/%E0%A4`), { code: CODE });
});
