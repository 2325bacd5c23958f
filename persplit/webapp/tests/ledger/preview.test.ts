import assert from "node:assert/strict";
import { test } from "node:test";
import { type Draft, type Preview, preview } from "../../src/ledger/preview.ts";
import { total } from "../../src/ledger/exact.ts";

const DRAFT: Draft = {
  expenseId: "0190",
  amount: 100_00,
  splitType: "EQUAL",
  sharers: ["asha", "ben", "gita"],
  splits: [],
  items: [],
};
const of = (more: Partial<Draft>): Preview => preview({ ...DRAFT, ...more });
const missing = (problem: string, left = 0): unknown => ({ ok: false, problem, left });
const splits = (...values: number[]): Draft["splits"] =>
  values.map((value, place) => ({ userId: DRAFT.sharers[place] ?? "", value }));

test("what is complete has shares that come to the amount", () => {
  const complete: readonly Partial<Draft>[] = [
    {},
    { splitType: "EXACT", splits: splits(5000, 4999, 1) },
    { splitType: "PERCENTAGE", splits: splits(33.3333, 33.3333, 33.3334) },
    { splitType: "SHARES", splits: splits(1, 2, 0.5) },
    { splitType: "ADJUSTMENT", splits: splits(-3333, 500) },
    { splitType: "ITEMIZED", items: [{ name: "Dosa", amount: 300, participants: ["asha", "ben"] }] },
    { payers: [{ userId: "asha", amount: 1 }, { userId: "ben", amount: 9999 }] },
  ];
  for (const more of complete) {
    const shown = of(more);
    assert.ok(shown.ok, JSON.stringify(more));
    assert.equal(shown.ok && total(shown.shares.map((share) => share.amount)), DRAFT.amount);
  }
});

test("what is missing is said, and by how much", () => {
  assert.deepEqual(of({ amount: undefined }), missing("no_amount"));
  assert.deepEqual(of({ amount: 0 }), missing("no_amount"));
  assert.deepEqual(of({ sharers: [] }), missing("nobody"));
  assert.deepEqual(of({ splitType: "EXACT", splits: splits(5000, 4000) }), missing("amounts_differ", 1000));
  assert.deepEqual(of({ splitType: "EXACT", splits: splits(10_050) }), missing("amounts_differ", -50));
  assert.deepEqual(of({ splitType: "PERCENTAGE", splits: splits(50, 49.5) }), missing("percent_differs", 0.5));
  assert.deepEqual(of({ splitType: "PERCENTAGE", splits: splits(0.1, 0.2, 99.8) }), missing("percent_differs", -0.1));
  assert.deepEqual(of({ splitType: "SHARES", splits: splits(0, 0) }), missing("no_weights"));
  assert.deepEqual(of({ splitType: "ADJUSTMENT", splits: splits(10_001) }), missing("amounts_differ", -1));
  assert.deepEqual(of({ splitType: "ADJUSTMENT", splits: splits(-9000) }), missing("below_zero", -2666));
  assert.deepEqual(of({ splitType: "ITEMIZED" }), missing("no_items"));
  assert.deepEqual(of({ splitType: "ITEMIZED", items: [{ name: "Tea", amount: 5, participants: [] }] }), missing("nobody"));
  assert.deepEqual(of({ splitType: "PERCENTAGE", splits: splits(33.33333) }), missing("bad_value"));
  assert.deepEqual(of({ splitType: "EXACT", splits: splits(0.5) }), missing("bad_value"));
  assert.deepEqual(of({ payers: [{ userId: "asha", amount: 9000 }] }), missing("payers_differ", 1000));
});

test("what a bill's lines leave over is said, and spread", () => {
  const items = [{ name: "Dosa", amount: 90_00, participants: ["asha", "ben"] }];
  const shown = of({ splitType: "ITEMIZED", items });
  assert.equal(shown.ok && shown.spread, 10_00);
});
