/** Whole numbers beyond 2^53, and decimals that were typed, without a float between. */

/** PERCENTAGE and SHARES values have up to four decimal places, and are reckoned as ten-thousandths. */
export const VALUE_SCALE = 10_000;
const DECIMAL = /^(-?)([0-9]+)(?:\.([0-9]{1,4}))?$/;

/** The number as ten-thousandths: what its decimal text says; undefined where it has more than four places. */
export function scaled(value: number): bigint | undefined {
  const [, sign, whole, decimals = ""] = DECIMAL.exec(String(value)) ?? [];
  if (whole === undefined) {
    return undefined;
  }
  const digits = BigInt(whole + decimals.padEnd(4, "0"));
  return sign ? -digits : digits;
}

/** Ten-thousandths as the number that they stand for. */
export function unscaled(value: bigint): number {
  return Number(value) / VALUE_SCALE;
}

/** The sum of whole numbers. */
export function total(numbers: Iterable<number>): number {
  let sum = 0;
  for (const number of numbers) {
    sum += number;
  }
  return sum;
}

export function sumOf(numbers: Iterable<bigint>): bigint {
  let sum = 0n;
  for (const number of numbers) {
    sum += number;
  }
  return sum;
}

function gcd(a: bigint, b: bigint): bigint {
  return b === 0n ? a : gcd(b, a % b);
}

/** The least common multiple. */
export function lcm(a: bigint, b: bigint): bigint {
  return (a / gcd(a, b)) * b;
}
