import assert from "node:assert/strict";
import { test } from "node:test";
import { presetFields, withPreset, withRestDivided, withType } from "../../src/screens/expense/carry.ts";
import { workOut } from "../../src/screens/expense/form_fields.ts";
import { emptySplit, type ExpenseForm } from "../../src/screens/expense/form_state.ts";
import type { Preset, SplitType } from "../../src/wire/types.ts";
import { form, numbers, PEOPLE } from "./fixtures.ts";

const TYPES: readonly SplitType[] = ["EQUAL", "EXACT", "PERCENTAGE", "SHARES", "ADJUSTMENT", "ITEMIZED"];

function changed(before: ExpenseForm, type: SplitType): ExpenseForm {
  const { divided } = workOut(before, PEOPLE, "INR");
  const { amount, description, currency } = before;
  return { ...before, split: withType(before.split, type, { divided, people: PEOPLE, currency, amount, description }) };
}

const shares = (of: ExpenseForm) =>
  Object.fromEntries(workOut(of, PEOPLE, "INR").divided.shares.map(({ userId, amount }) => [userId, amount]));

test("from equal to amounts, everybody's share stays to the last paisa", () => {
  for (const amount of numbers(40, 100_000, 3)) {
    const equal = form({ amount: String(amount + 1) });
    assert.deepEqual(shares(changed(equal, "EXACT")), shares(equal));
  }
});

test("whatever is changed to whatever adds up, if it did before", () => {
  for (const first of TYPES) {
    for (const second of TYPES) {
      const before = changed(form({ amount: "999.97" }), first);
      assert.equal(workOut(before, PEOPLE, "INR").divided.problem, null, `EQUAL → ${first}`);
      const after = workOut(changed(before, second), PEOPLE, "INR");
      assert.equal(after.divided.problem, null, `${first} → ${second}`);
      assert.equal(after.divided.shares.reduce((sum, share) => sum + share.amount, 0), 99_997);
    }
  }
});

test("from amounts to plus and minus, the shares stay", () => {
  const exact = { me: "500", asha: "300", ravi: "200" };
  const before = form({ split: { ...emptySplit(PEOPLE), type: "EXACT", exact } });
  assert.deepEqual(shares(changed(before, "ADJUSTMENT")), { me: 50_000, asha: 30_000, ravi: 20_000 });
});

test("who takes no part still doesn't in another type", () => {
  const before = form({ split: { ...emptySplit(PEOPLE), taking: ["me", "ravi"] } });
  for (const type of TYPES) assert.deepEqual(Object.keys(shares(changed(before, type))).sort(), ["me", "ravi"], type);
});

test("shares start from everybody's weight", () => {
  assert.deepEqual(changed(form(), "SHARES").split.weights, { me: "1", asha: "1", ravi: "2", meera: "0.5" });
});

test("a bill starts with its whole amount as its one line", () => {
  const [item, ...more] = changed(form(), "ITEMIZED").split.items;
  assert.deepEqual(more, []);
  assert.deepEqual({ name: item?.name, amount: item?.amount, who: item?.participants }, { name: "Dinner", amount: "1000", who: PEOPLE.ids });
});

test("what is left goes to those who have typed nothing", () => {
  const split = { ...emptySplit(PEOPLE), type: "EXACT" as const, exact: { me: "600", asha: "300" } };
  assert.deepEqual(withRestDivided(split, 10_000, PEOPLE, "INR").exact, { me: "600", asha: "300", ravi: "50", meera: "50" });
  const full = { ...split, type: "PERCENTAGE" as const, percent: { me: "24", asha: "24", ravi: "24", meera: "24" } };
  assert.deepEqual(withRestDivided(full, 4, PEOPLE, "INR").percent, { me: "25", asha: "25", ravi: "25", meera: "25" });
});

const preset = (told: Partial<Preset>): Preset => ({
  id: "p",
  groupId: "g",
  seq: 1,
  name: "Flat",
  splitType: "EQUAL",
  splits: [],
  isDefault: false,
  createdBy: "me",
  createdAt: "",
  updatedAt: "",
  ...told,
});

test("a preset that is used says the same when it is kept again", () => {
  const presets = [
    preset({}),
    preset({ participants: ["me", "ravi"] }),
    preset({ splitType: "SHARES", splits: [{ userId: "me", value: 2 }, { userId: "asha", value: 1.5 }] }),
    preset({ splitType: "PERCENTAGE", splits: [{ userId: "me", value: 33.3 }, { userId: "asha", value: 66.7 }] }),
  ];
  for (const one of presets) {
    const split = withPreset(emptySplit(PEOPLE), one, PEOPLE);
    const { divided } = workOut(form({ split }), PEOPLE, "INR");
    const { splitType, participants, splits } = one;
    assert.deepEqual(presetFields(split, divided, PEOPLE), {
      splitType,
      ...(participants ? { participants } : {}),
      ...(splits.length > 0 ? { splits } : {}),
    });
  }
});

test("a preset can't say amounts, nor leave out who paid", () => {
  const exact = changed(form(), "EXACT");
  assert.equal(presetFields(exact.split, workOut(exact, PEOPLE, "INR").divided, PEOPLE), null);
  const without = form({ split: { ...emptySplit(PEOPLE), leavesPayerOut: true } });
  assert.equal(presetFields(without.split, workOut(without, PEOPLE, "INR").divided, PEOPLE), null);
});
