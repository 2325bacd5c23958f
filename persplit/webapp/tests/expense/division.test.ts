import assert from "node:assert/strict";
import { test } from "node:test";
import { divide, parseScaled, parseSigned, type ToDivide } from "../../src/screens/expense/division.ts";
import { emptySplit, itemRow, type SplitForm } from "../../src/screens/expense/form_state.ts";
import { numbers, PEOPLE } from "./fixtures.ts";

const what = (told: Partial<ToDivide> = {}): ToDivide => ({
  expenseId: "e-1",
  amount: 100_000,
  currency: "INR",
  ids: PEOPLE.ids,
  payerIds: ["me"],
  ...told,
});
const split = (told: Partial<SplitForm>): SplitForm => ({ ...emptySplit(PEOPLE), ...told });
const sum = (shares: readonly { amount: number }[]) => shares.reduce((all, one) => all + one.amount, 0);

test("whatever the amount, equal shares add up to the last paisa", () => {
  for (const amount of numbers(60, 10_000_000, 7)) {
    const { shares, problem } = divide(emptySplit(PEOPLE), what({ amount: amount + 1 }));
    assert.equal(problem, null);
    assert.equal(sum(shares), amount + 1);
    const amounts = shares.map((share) => share.amount);
    assert.ok(Math.max(...amounts) - Math.min(...amounts) <= 1);
  }
});

test("who paid can be left out of an equal split", () => {
  const { shares, asked } = divide(split({ leavesPayerOut: true }), what());
  assert.deepEqual(shares.map((share) => share.userId).sort(), ["asha", "meera", "ravi"]);
  assert.equal(asked?.includePayer, false);
});

test("nobody is named where nobody takes part", () => {
  assert.deepEqual(divide(split({ taking: [] }), what()).problem, { kind: "nobody", left: 0 });
});

test("amounts say what is left to divide, or what is too much", () => {
  const typed = (asha: string) => divide(split({ type: "EXACT", exact: { me: "600", asha } }), what());
  assert.deepEqual(typed("360").problem, { kind: "amounts_differ", left: 4_000 });
  assert.deepEqual(typed("450").problem, { kind: "amounts_differ", left: -5_000 });
  assert.deepEqual(typed("300+100").asked, {
    splitType: "EXACT",
    splits: [
      { userId: "me", value: 60_000 },
      { userId: "asha", value: 40_000 },
    ],
  });
  assert.deepEqual(divide(split({ type: "EXACT" }), what()).problem, { kind: "amounts_differ", left: 100_000 });
});

test("what isn't a number is told of the person who has it", () => {
  const { problem } = divide(split({ type: "PERCENTAGE", percent: { me: "50", ravi: "half" } }), what());
  assert.deepEqual(problem, { kind: "bad_value", at: "ravi" });
});

test("percents say what is left, and have up to four decimals", () => {
  const percent = { me: "33.3333", asha: "33,3333 %", ravi: "33.3334" };
  const whole = divide(split({ type: "PERCENTAGE", percent }), what());
  assert.equal(sum(whole.shares), 100_000);
  assert.deepEqual(whole.asked?.splits?.map(({ value }) => value), [33.3333, 33.3333, 33.3334]);
  const short = divide(split({ type: "PERCENTAGE", percent: { me: "95" } }), what());
  assert.deepEqual(short.problem, { kind: "percent_differs", left: 5 });
});

test("shares leave out who has none", () => {
  const { shares } = divide(split({ type: "SHARES", weights: { me: "2", asha: "1", ravi: "0", meera: "" } }), what({ amount: 300 }));
  assert.deepEqual(shares, [
    { userId: "me", amount: 200 },
    { userId: "asha", amount: 100 },
  ]);
});

test("a plus and a minus move shares, and nothing typed is an equal split", () => {
  const adjusted = divide(split({ type: "ADJUSTMENT", adjustments: { me: "-100", asha: "+300" } }), what());
  assert.equal(sum(adjusted.shares), 100_000);
  const byId = new Map(adjusted.shares.map((share) => [share.userId, share.amount]));
  assert.equal((byId.get("asha") ?? 0) - (byId.get("me") ?? 0), 40_000);
  assert.equal(divide(split({ type: "ADJUSTMENT" }), what()).asked?.splitType, "EQUAL");
  const below = divide(split({ type: "ADJUSTMENT", adjustments: { me: "-900" } }), what());
  assert.equal(below.problem?.kind, "below_zero");
});

test("items are shared by who had them, and what they leave is spread in proportion", () => {
  const items = [itemRow("Dosa", "600", ["me", "asha"]), itemRow("Coffee", "200", ["ravi"])];
  const { shares, spread, problem } = divide(split({ type: "ITEMIZED", items }), what());
  assert.equal(problem, null);
  assert.equal(spread, 20_000);
  assert.deepEqual(Object.fromEntries(shares.map((one) => [one.userId, one.amount])), { me: 37_500, asha: 37_500, ravi: 25_000 });
});

test("an item says what it lacks", () => {
  const lacking = (name: string, amount: string, people: string[]) =>
    divide(split({ type: "ITEMIZED", items: [itemRow(name, amount, people)] }), what()).problem?.kind;
  assert.equal(lacking("Dosa", "", ["me"]), "bad_value");
  assert.equal(lacking(" ", "20", ["me"]), "item_without_name");
  assert.equal(lacking("Dosa", "20", []), "item_without_people");
  assert.equal(divide(split({ type: "ITEMIZED" }), what()).problem?.kind, "no_items");
});

test("numbers are read as they are typed, in other digits, too", () => {
  assert.equal(parseScaled("३३.५ %"), 335_000);
  assert.equal(parseScaled(""), 0);
  assert.equal(parseScaled("x"), null);
  assert.equal(parseSigned("−12.5k", "INR"), -1_250_000);
  assert.equal(parseSigned("+50", "JPY"), 50);
  assert.equal(parseSigned("-", "INR"), 0);
});
