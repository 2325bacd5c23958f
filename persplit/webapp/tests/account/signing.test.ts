import assert from "node:assert/strict";
import { test } from "node:test";
import { guestFaults, profileChanges, profileFaults, signInFaults, signUpFaults, upgradeFaults } from "../../src/screens/account/signing.ts";
import { vpaFault } from "../../src/screens/account/vpa.ts";

const ASHA = { name: "Asha", email: "asha@example.com", password: "long enough", vpa: "" };

test("somebody who fills everything in as asked can sign up, with and without a UPI id", () => {
  assert.deepEqual(signUpFaults(ASHA), {});
  assert.deepEqual(signUpFaults({ ...ASHA, vpa: " Asha@okhdfcbank " }), {});
});

test("each empty field that is needed is told, and only those", () => {
  assert.deepEqual(signUpFaults({ name: " ", email: "", password: "", vpa: "" }), {
    name: "required",
    email: "required",
    password: "required",
  });
  assert.deepEqual(signInFaults({ email: "", password: "" }), { email: "required", password: "required" });
  assert.deepEqual(guestFaults({ name: "  " }), { name: "required" });
});

test("an e-mail address has one @ and a dot behind it", () => {
  for (const email of ["asha", "asha@", "@example.com", "asha@example", "a b@example.com", "a@b@example.com"]) {
    assert.deepEqual(signUpFaults({ ...ASHA, email }), { email: "email" }, email);
  }
});

test("a new password is long enough and is neither the name nor the address", () => {
  assert.deepEqual(signUpFaults({ ...ASHA, password: "1234567" }), { password: "passwordShort" });
  assert.deepEqual(signUpFaults({ ...ASHA, password: "ASHA@example.com" }), { password: "passwordPersonal" });
  assert.deepEqual(upgradeFaults({ email: "a@b.in", password: "Dadi ji 1" }, "dadi ji 1"), { password: "passwordPersonal" });
  // Counted as the server does: by characters, of which an emoji is one.
  assert.deepEqual(signUpFaults({ ...ASHA, password: "🌴".repeat(7) }), { password: "passwordShort" });
  assert.deepEqual(signUpFaults({ ...ASHA, password: "🌴".repeat(8) }), {});
});

test("an old password is not judged by the rules for new ones", () => {
  assert.deepEqual(signInFaults({ email: "asha@example.com", password: "short" }), {});
});

test("UPI ids that banks give out are taken", () => {
  for (const vpa of ["name@okhdfcbank", "9876543210@ybl", "a.b-c_d@kotak811", "x1@kbl052", "NAME@OKAXIS"]) {
    assert.equal(vpaFault(vpa), undefined, vpa);
  }
});

test("what is wrong with a UPI id is told by the most likely mistake", () => {
  const faults = ["na me@ybl", "name", "name@", "a@b@ybl", "123@HDFC0001.ifsc.npci", "name@gmail.com", "@ybl", "näme@ybl"].map(vpaFault);
  assert.deepEqual(faults, [
    "vpaSpaces",
    "vpaNoHandle",
    "vpaNoHandle",
    "vpaTwoAts",
    "vpaNpci",
    "vpaEmail",
    "vpaNoName",
    "vpaLetters",
  ]);
});

test("of a profile only what changed is sent, and an emptied field is taken away", () => {
  const before = { name: "Asha", phone: "+91 98765 43210", vpa: "asha@ybl" };
  const same = { name: "Asha", phone: "+91 98765 43210", vpa: "asha@ybl" };
  assert.equal(profileChanges(before, same), undefined);
  assert.equal(profileChanges(before, { ...same, name: " Asha ", vpa: "ASHA@ybl" }), undefined);
  assert.deepEqual(profileChanges(before, { name: "Asha V", phone: " ", vpa: "" }), { name: "Asha V", phone: null, vpa: null });
  assert.equal(profileChanges({ name: "Asha", phone: null, vpa: null }, { name: "Asha", phone: "", vpa: "" }), undefined);
});

test("a phone number is digits, with what people write between them", () => {
  assert.deepEqual(profileFaults({ name: "Asha", phone: "+91 (98765) 432-10", vpa: "" }), {});
  assert.deepEqual(profileFaults({ name: "Asha", phone: "call me", vpa: "" }), { phone: "phone" });
});
