import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { payeeOf, paymentsNeeded, rupees, utrOf, withAmount } from "../../src/screens/settle/upi.ts";

const LINK = "upi://pay?pa=9876543210@ybl&pn=Ravi%20Kumar&am=5426.55&cu=INR&tn=Goa%20am%201";

describe("a UPI link", () => {
  test("for another amount differs in the amount alone", () => {
    assert.equal(withAmount(LINK, 100000), LINK.replace("5426.55", "1000.00"));
  });

  test("for its own amount is itself", () => {
    assert.equal(withAmount(LINK, 542655), LINK);
  });

  test("says whom it pays", () => {
    assert.equal(payeeOf(LINK), "9876543210@ybl");
  });
});

test("rupees have two decimals, exactly, up to the largest amount", () => {
  const cases: readonly (readonly [number, string])[] = [
    [1, "0.01"],
    [10, "0.10"],
    [100, "1.00"],
    [10_050, "100.50"],
    [9_999_999_999_999, "99999999999.99"],
  ];
  for (const [paise, text] of cases) assert.equal(rupees(paise), text);
});

test("a payment above the limit takes as many as it takes", () => {
  assert.equal(paymentsNeeded(1_00_000_00), 1);
  assert.equal(paymentsNeeded(1_00_000_01), 2);
  assert.equal(paymentsNeeded(3_50_000_00), 4);
});

test("a UTR is twelve digits, however it was copied", () => {
  assert.equal(utrOf(" 6123 4567 8901 "), "612345678901");
  for (const wrong of ["", "61234567890", "6123456789012", "61234567890a"]) assert.equal(utrOf(wrong), undefined);
});
