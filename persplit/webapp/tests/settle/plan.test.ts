import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  amountLeft,
  awaitingMe,
  awaitingOthers,
  canAnswer,
  canCancel,
  canRecord,
  linkTo,
  paymentBetween,
  planOf,
  positionsOf,
} from "../../src/screens/settle/plan.ts";
import { groupOf, member, row, settlement } from "./making.ts";

const asha = member("asha");
const ravi = member("ravi");
const meera = member("meera");

describe("the plan", () => {
  const view = groupOf([asha, ravi, meera], {
    settleUp: [row("asha", "ravi", 500), row("meera", "asha", 300), row("meera", "ravi", 100)],
    settlements: [settlement("asha", "ravi", 200), settlement("asha", "ravi", 50, { status: "DECLINED" })],
  });

  test("says first what I pay, then what I get, then the rest", () => {
    const { mine, toMe, others } = planOf(view);
    assert.deepEqual(mine.map(({ to }) => to), ["ravi"]);
    assert.deepEqual(toMe.map(({ from }) => from), ["meera"]);
    assert.deepEqual(others.map(({ from, to }) => [from, to]), [["meera", "ravi"]]);
  });

  test("counts what was paid and waits for its receiver, and nothing else", () => {
    const [payment] = planOf(view).mine;
    assert.equal(payment?.waiting, 200);
    assert.equal(payment && amountLeft(payment), 300);
  });

  test("is not paid by what repays a loan", () => {
    const repaying = groupOf([asha, ravi], {
      settleUp: [row("asha", "ravi", 500)],
      settlements: [settlement("asha", "ravi", 200, { loanId: "scooter", paidOn: "2026-11-01" })],
    });
    const payment = paymentBetween(repaying, "asha", "ravi");
    assert.equal(payment && amountLeft(payment), 500);
  });

  test("asks for all of it again where more waits than is planned", () => {
    const paid = groupOf([asha, ravi], { settleUp: [row("asha", "ravi", 500)], settlements: [settlement("asha", "ravi", 600)] });
    const payment = paymentBetween(paid, "asha", "ravi");
    assert.equal(payment && amountLeft(payment), 500);
  });

  test("finds a link to somebody in another row to them", () => {
    const linked = groupOf([asha, ravi, meera], { settleUp: [row("meera", "ravi", 100, "upi://pay?pa=r@ybl&am=1.00")] });
    assert.equal(linkTo(linked, "ravi"), "upi://pay?pa=r@ybl&am=1.00");
    assert.equal(linkTo(linked, "meera"), null);
  });
});

describe("people who settle together", () => {
  const family = [member("asha", { unit: "Verma" }), member("ravi", { unit: "Verma" }), meera];
  const view = groupOf([family[1] ?? ravi, family[0] ?? asha, meera], {
    settleUp: [row("asha", "meera", 700)],
    settlements: [settlement("ravi", "meera", 200)],
    balances: [
      { userId: "ravi", amount: 100 },
      { userId: "asha", amount: -800 },
      { userId: "meera", amount: 700 },
    ],
  });

  test("pay as whoever looks at it, and what either paid counts", () => {
    assert.deepEqual(planOf(view).mine, [{ from: "ravi", to: "meera", amount: 700, upiLink: null, waiting: 200 }]);
  });

  test("stand as one among the balances, with their sum", () => {
    assert.deepEqual(
      positionsOf(view, view.balances).map(({ members, amount }) => [members.map(({ userId }) => userId), amount]),
      [
        [["ravi", "asha"], -700],
        [["meera"], 700],
      ],
    );
  });

  test("somebody alone in a unit is by themself", () => {
    const alone = groupOf([member("asha", { unit: "Verma" }), ravi], { balances: [{ userId: "asha", amount: 0 }, { userId: "ravi", amount: 0 }] });
    assert.equal(positionsOf(alone, alone.balances).length, 2);
  });
});

describe("a payment that waits", () => {
  const placeholder = member("baba", { placeholder: true });

  test("is for its receiver to answer, and for the payer to take back", () => {
    const toMe = settlement("ravi", "asha", 100);
    const byMe = settlement("asha", "ravi", 100);
    const view = groupOf([asha, ravi], { settlements: [byMe, toMe] });
    assert.deepEqual([canAnswer(view, toMe), canCancel(view, toMe)], [true, false]);
    assert.deepEqual([canAnswer(view, byMe), canCancel(view, byMe)], [false, true]);
    assert.deepEqual(awaitingMe(view), [toMe]);
    assert.deepEqual(awaitingOthers(view), [byMe]);
  });

  test("of somebody with no account is for an admin to answer", () => {
    const paid = settlement("ravi", "baba", 100);
    assert.equal(canAnswer(groupOf([asha, ravi, placeholder]), paid), false);
    assert.equal(canAnswer(groupOf([member("asha", { role: "ADMIN" }), ravi, placeholder]), paid), true);
  });

  test("to a placeholder that I took over is for me to answer", () => {
    const claimed = groupOf([member("asha", { claimed: "baba" }), ravi, member("baba", { placeholder: true, leftAt: "2026-11-02T10:00:00.000Z" })]);
    assert.equal(canAnswer(claimed, settlement("ravi", "baba", 100)), true);
  });

  test("is over once it was answered", () => {
    for (const status of ["COMPLETED", "DECLINED", "CANCELLED"] as const) {
      const over = settlement("ravi", "asha", 100, { status });
      const view = groupOf([asha, ravi]);
      assert.deepEqual([canAnswer(view, over), canCancel(view, over)], [false, false]);
    }
  });
});

test("a payment is recorded by the two concerned, or an admin", () => {
  assert.equal(canRecord(groupOf([asha, ravi, meera]), "asha", "ravi"), true);
  assert.equal(canRecord(groupOf([asha, ravi, meera]), "meera", "ravi"), false);
  assert.equal(canRecord(groupOf([member("asha", { role: "ADMIN" }), ravi, meera]), "meera", "ravi"), true);
});
