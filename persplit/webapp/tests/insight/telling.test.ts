import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { formatMoney } from "../../src/ledger/money.ts";
import { placeOf, tellChanges, tellEvent, type Telling } from "../../src/screens/insight/telling.ts";
import type { LedgerEvent } from "../../src/wire/types.ts";
import { loan } from "../groups/making.ts";
import { expense, member, settlement } from "../settle/making.ts";

const TELLING: Telling = {
  me: "asha",
  nameOf: (userId) => member(userId).name,
  money: (minor) => formatMoney(minor, "INR", "en-IN"),
};
const BASE = { groupId: "goa", seq: 7, at: "2026-11-03T10:00:00.000Z", commandId: "c", v: 1 } as const;
const told = (event: LedgerEvent) => tellEvent(event, TELLING);

describe("an event in words", () => {
  test("says who added what", () => {
    const dinner = expense("ravi", 90000, { asha: 45000, ravi: 45000 });
    assert.equal(told({ ...BASE, by: "ravi", type: "expense:created", expense: dinner }), "Ravi added Dinner, ₹900.00");
    assert.equal(told({ ...BASE, by: "asha", type: "expense:deleted", expense: dinner }), "You deleted Dinner, ₹900.00");
  });

  test("says what an edit made of the amount", () => {
    const [before, after] = [expense("ravi", 90000, {}), expense("ravi", 80000, {})];
    assert.equal(told({ ...BASE, by: "ravi", type: "expense:updated", expense: after, before }), "Ravi changed Dinner from ₹900.00 to ₹800.00");
  });

  test("tells a payment from who recorded it", () => {
    const paid = settlement("ravi", "asha", 50000);
    assert.equal(told({ ...BASE, by: "ravi", type: "settlement:created", settlement: paid }), "Ravi noted paying you ₹500.00");
    assert.equal(told({ ...BASE, by: "meera", type: "settlement:created", settlement: paid }), "Meera noted that Ravi paid you ₹500.00");
    assert.equal(told({ ...BASE, by: "asha", type: "settlement:completed", settlement: paid }), "You confirmed ₹500.00 from Ravi");
    const mine = settlement("asha", "ravi", 50000);
    assert.equal(told({ ...BASE, by: "ravi", type: "settlement:completed", settlement: mine }), "Ravi confirmed your payment of ₹500.00");
  });

  test("tells a loan from who lent or borrowed, and a payment that repays one as such", () => {
    const lent = loan({ lenderId: "asha", borrowerId: "ravi", principal: 500_000 });
    assert.equal(told({ ...BASE, by: "asha", type: "loan:created", loan: lent }), "You lent Ravi ₹5,000.00");
    assert.equal(told({ ...BASE, by: "ravi", type: "loan:created", loan: lent }), "Ravi borrowed ₹5,000.00 from you");
    assert.equal(told({ ...BASE, by: "meera", type: "loan:created", loan: lent }), "Meera noted a loan of ₹5,000.00 from you to Ravi");
    assert.equal(told({ ...BASE, by: "ravi", type: "loan:deleted", loan: lent }), "Ravi deleted the loan of ₹5,000.00 from you to Ravi");
    const paid = { ...settlement("ravi", "asha", 50000), loanId: lent.id, paidOn: "2026-11-03" };
    assert.equal(told({ ...BASE, by: "asha", type: "settlement:completed", settlement: paid }), "You confirmed ₹500.00 from Ravi, for a loan");
  });

  test("tells joining from being added", () => {
    assert.equal(told({ ...BASE, by: "ravi", type: "member:joined", member: member("ravi") }), "Ravi joined");
    assert.equal(told({ ...BASE, by: "asha", type: "member:joined", member: member("baba") }), "You added Baba");
  });

  test("says what it changed for whom", () => {
    const changed = [{ userId: "asha", amount: -30000 }, { userId: "ravi", amount: 30000 }];
    assert.equal(tellChanges(changed, TELLING), "you −₹300.00, Ravi +₹300.00");
    assert.equal(tellChanges([], TELLING), "");
  });

  test("leads to the thing", () => {
    const paid = settlement("ravi", "asha", 50000);
    assert.equal(placeOf("goa", { ...BASE, by: "ravi", type: "settlement:created", settlement: paid }), `/g/goa/s/${paid.id}`);
    assert.equal(placeOf("goa", { ...BASE, by: "ravi", type: "loan:updated", loan: loan({ id: "l1" }) }), "/g/goa/loans/l1");
    assert.equal(placeOf("goa", { ...BASE, by: "ravi", type: "member:joined", member: member("ravi") }), "/g/goa");
  });
});
