import assert from "node:assert/strict";
import { test } from "node:test";
import { AMOUNT_MAX, digitsOf, formatMoney, type NoAmount, parseMoney, plainMoney } from "../../src/ledger/money.ts";

const typed = (text: string, currency = "INR"): number | NoAmount => {
  const parsed = parseMoney(text, currency);
  return parsed.ok ? parsed.minor : parsed.problem;
};

test("what people type is what they mean, to the paisa", () => {
  const cases: readonly (readonly [string, number | NoAmount, string?])[] = [
    ["1,234.5", 123_450],
    ["1.234,50", 123_450],
    ["1,23,456.50", 12_345_650],
    ["1234", 123_400],
    ["1,234", 123_400],
    ["1.234.567", 123_456_700],
    ["12,50", 1_250],
    [".5", 50],
    ["7.", 700],
    ["12k", 1_200_000],
    ["1.5 lakh", 15_000_000],
    ["2 crore", 2_000_000_000],
    ["१२३", 12_300],
    ["१,२३,४५६.७५", 12_345_675],
    ["٣٫٥", 350],
    ["300+45.50", 34_550],
    ["1k + 1", 100_100],
    ["₹ 1,000", 100_000],
    ["Rs. 250/-", 25_000],
    ["INR 99", 9_900],
    ["1 234,50", 123_450],
    ["1’234.50", 123_450],
    ["1.500", 150],
    ["0.1+0.2", 30],
    ["500", 500, "JPY"],
    ["1.234", 1_234, "KWD"],
    ["0", 0],
    ["", "empty"],
    ["  ", "empty"],
    ["abc", "not_an_amount"],
    ["-5", "not_an_amount"],
    ["1,2,3", "not_an_amount"],
    ["1.2.3", "not_an_amount"],
    ["12 dozen", "not_an_amount"],
    ["5+", "not_an_amount"],
    ["1e5", "not_an_amount"],
    ["1.234", "too_many_digits"],
    ["0.001", "too_many_digits"],
    ["1.5", "too_many_digits", "JPY"],
    ["100000000000", AMOUNT_MAX],
    ["100000000000.01", "too_large"],
    ["9".repeat(40), "too_large"],
    ["1+".repeat(60) + "1", "too_large"],
  ];
  for (const [text, expected, currency] of cases) {
    assert.deepEqual([text, typed(text, currency)], [text, expected]);
  }
});

test("what is written plainly is read back, whatever the amount and the currency", () => {
  for (const currency of ["INR", "JPY", "KWD", "CLF"]) {
    for (let minor = 1; minor <= AMOUNT_MAX; minor = minor * 7 + 3) {
      assert.equal(typed(plainMoney(minor, currency), currency), minor);
    }
  }
  assert.equal(plainMoney(-5, "INR"), "-0.05");
});

test("an amount is shown exactly, in the digits and groups of the reader", () => {
  assert.equal(formatMoney(12_345_650, "INR", "en-IN"), "₹1,23,456.50");
  assert.equal(formatMoney(-12_345_650, "INR", "hi-IN"), "−₹1,23,456.50");
  assert.equal(formatMoney(-7, "INR", "en-IN"), "−₹0.07");
  assert.equal(formatMoney(AMOUNT_MAX - 1, "INR", "en-IN"), "₹99,99,99,99,999.99");
  assert.equal(formatMoney(500, "JPY", "en-US"), "¥500");
  assert.equal(formatMoney(1_234, "KWD", "en-US").replace(/\s/g, " "), "KWD 1.234");
  assert.match(formatMoney(123_450, "EUR", "de-DE"), /^1\.234,50\s€$/);
  assert.match(formatMoney(12_345, "INR", "mr-IN-u-nu-deva"), /१२३\.४५/);
  for (const currency of ["IQD", "ISK", "UGX", "LAK"]) {
    const decimals = formatMoney(10 ** digitsOf(currency) + 1, currency, "en-US").split(".")[1] ?? "";
    assert.equal(decimals.length, digitsOf(currency), currency);
  }
});
