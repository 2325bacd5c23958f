import assert from "node:assert/strict";
import { test } from "node:test";
import { Failure } from "../../src/data/model.ts";
import { failedFields, fieldFailure } from "../../src/ui/failures.ts";

const refused = (code: string, errors: { path: string; message: string }[] = []) =>
  new Failure({ code, status: 422, detail: "", errors });

test("an address that is taken is told at the address, though the server names no field", () => {
  const taken = refused("email_taken");
  assert.match(fieldFailure(taken, "email") ?? "", /account/u);
  assert.equal(fieldFailure(taken, "name"), undefined);
  assert.deepEqual(failedFields(taken), ["email"]);
});

test("what the server says of a field is told there, and of nothing else", () => {
  const wrong = refused("validation_failed", [{ path: "vpa", message: "No such ID" }]);
  assert.equal(fieldFailure(wrong, "vpa"), "No such ID");
  assert.equal(fieldFailure(wrong, "email"), undefined);
  assert.deepEqual(failedFields(wrong), ["vpa"]);
  assert.deepEqual(failedFields(new Error("odd")), []);
});
