import assert from "node:assert/strict";
import { test } from "node:test";
import { Failure } from "../../src/data/model.ts";
import { currencyChoices, draftOf, groupChanges, groupFaults, newGroup, zoneChoices } from "../../src/screens/groups/group_form.ts";
import { joinTrouble, passwordWanted } from "../../src/screens/groups/joining.ts";
import { viewOf } from "./making.ts";

const GROUP = viewOf().group;

test("a group needs a name, and a password only if one is given", () => {
  const draft = { ...draftOf(GROUP), name: " ", password: "" };
  assert.deepEqual(groupFaults(draft), { name: "required" });
  assert.deepEqual(groupFaults({ ...draft, name: "Goa", password: "short" }), { password: "passwordShort" });
  assert.deepEqual(groupFaults({ ...draft, name: "Goa", password: "open sesame" }), {});
});

test("what is empty is left out of a new group", () => {
  const made = newGroup({ name: " Goa ", description: " ", currency: "INR", timeZone: "Asia/Kolkata", simplify: true, password: "" });
  assert.deepEqual(made, { name: "Goa", currency: "INR", timeZone: "Asia/Kolkata", simplify: true });
});

test("only what changed of a group is sent", () => {
  const same = draftOf(GROUP);
  assert.equal(groupChanges(GROUP, same), undefined);
  assert.deepEqual(groupChanges(GROUP, { ...same, name: "Goa 2", simplify: false }), { name: "Goa 2", simplify: false });
  assert.deepEqual(groupChanges({ ...GROUP, description: "Beach" }, { ...same, description: "" }), { description: "" });
  assert.deepEqual(groupChanges(GROUP, { ...same, password: "open sesame" }), { joinPassword: "open sesame" });
});

test("a time zone's name of before is no change, and is on the list under its name of today", () => {
  const group = { ...GROUP, timeZone: "Asia/Calcutta" };
  assert.equal(groupChanges(group, draftOf(group)), undefined);
  const zones = zoneChoices("Asia/Kolkata").map(({ value }) => value);
  assert.ok(zones.includes("Asia/Kolkata") && zones.includes("UTC") && !zones.includes("Asia/Calcutta"));
  assert.equal(new Set(zones).size, zones.length);
});

test("the currencies begin with the rupee, and each is there once", () => {
  const codes = currencyChoices("en").map(({ value }) => value);
  assert.equal(codes[0], "INR");
  assert.equal(new Set(codes).size, codes.length);
});

function failure(code: string, path?: string): Failure {
  return new Failure({ code, status: 400, detail: "", errors: path === undefined ? [] : [{ path, message: "" }] });
}

test("who joins is asked for the password only once the group wants it", () => {
  assert.equal(passwordWanted(undefined), "no");
  assert.equal(passwordWanted(failure("validation_failed", "password")), "missing");
  assert.equal(passwordWanted(failure("forbidden")), "wrong");
  assert.equal(passwordWanted(failure("not_found")), "no");
});

test("why an invite let nobody in is told apart", () => {
  assert.equal(joinTrouble(failure("not_found")), "gone");
  assert.equal(joinTrouble(failure("already_member")), "member");
  assert.equal(joinTrouble(failure("validation_failed", "claim")), "claimed");
  assert.equal(joinTrouble(failure("offline")), undefined);
});
