/** What the rules of a group say against a command. */

export interface FieldError {
  /** As on the wire, with dots: `splits.0.userId`. */
  readonly path: string;
  readonly message: string;
}

/** A command that the rules refuse: nothing was written. `code` is the server's. */
export class Refusal extends Error {
  readonly code: string;
  readonly errors: readonly FieldError[];

  constructor(code: string, detail: string, errors: readonly FieldError[] = []) {
    super(detail);
    this.code = code;
    this.errors = errors;
  }
}

/** One or more fields break a rule. */
export function invalid(...errors: readonly FieldError[]): Refusal {
  const said = errors.map((error) => (error.path ? `${error.path}: ${error.message}` : error.message));
  return new Refusal("validation_failed", said.join("; "), errors);
}

/** Throws if there is an error among these. */
export function check(errors: readonly FieldError[]): void {
  if (errors.length > 0) {
    throw invalid(...errors);
  }
}
