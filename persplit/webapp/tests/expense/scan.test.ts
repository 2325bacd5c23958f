import assert from "node:assert/strict";
import { test } from "node:test";
import { doubtsOf, type ScannedReceipt, withReceipt } from "../../src/screens/expense/scan.ts";
import { form, PEOPLE } from "./fixtures.ts";

const scanned = (told: Partial<ScannedReceipt> = {}): ScannedReceipt => ({
  currency: "INR",
  merchant: { value: "Cafe Bhonsle", confidence: 0.95 },
  date: { value: "2026-11-18", confidence: 0.6 },
  items: [{ name: "Dosa", amount: 12_000, quantity: null, rate: null, confidence: 0.5 }],
  charges: [],
  tax: { value: null, confidence: 0 },
  tip: { value: null, confidence: 0 },
  total: { value: 18_000, confidence: 0.9 },
  difference: 6_000,
  addsUp: false,
  proposal: {
    description: "Cafe Bhonsle",
    amount: 18_000,
    splitType: "ITEMIZED",
    items: [{ name: "Dosa", amount: 12_000, participants: ["me", "asha", "gone"] }],
    date: "2026-11-18",
  },
  ...told,
});

test("a receipt fills in the form, and leaves who paid alone", () => {
  const filled = withReceipt(form({ payers: { isSeveral: false, single: "ravi", amounts: {} } }), scanned(), PEOPLE);
  assert.equal(filled.amount, "180");
  assert.equal(filled.description, "Cafe Bhonsle");
  assert.equal(filled.date, "2026-11-18");
  assert.equal(filled.payers.single, "ravi");
  assert.equal(filled.split.type, "ITEMIZED");
  assert.deepEqual(filled.split.items.map(({ name, amount, participants }) => ({ name, amount, participants })), [
    { name: "Dosa", amount: "120", participants: ["me", "asha"] },
  ]);
});

test("what a person typed stays where the receipt names nobody", () => {
  const nameless = scanned({ merchant: { value: null, confidence: 0 } });
  assert.equal(withReceipt(form({ description: "Breakfast" }), nameless, PEOPLE).description, "Breakfast");
});

test("what was read badly is pointed out, and by how much it doesn't add up", () => {
  assert.deepEqual(doubtsOf(scanned()), { date: { sure: 60 }, items: ["Dosa"], difference: 6_000 });
  assert.equal(doubtsOf(scanned({ addsUp: true, difference: 0 })).difference, 0);
});
