/**
 * SHA-256 (FIPS 180-4) of a text's UTF-8 bytes, at once: the browser's own answers later, and only over HTTPS. It
 * breaks ties between equal remainders as the server does; it guards nothing.
 */

const WORDS = 64;
const BLOCK_BYTES = 64;
const LENGTH_BYTES = 8;

/** The first 32 bits of the fractional parts of a power of each of the first primes. */
function fractions(count: number, power: number): Uint32Array {
  const found = new Uint32Array(count);
  for (let candidate = 2, place = 0; place < count; candidate++) {
    if (isPrime(candidate)) {
      const root = candidate ** power;
      found[place++] = (root - Math.floor(root)) * 2 ** 32;
    }
  }
  return found;
}

function isPrime(candidate: number): boolean {
  for (let divisor = 2; divisor * divisor <= candidate; divisor++) {
    if (candidate % divisor === 0) {
      return false;
    }
  }
  return true;
}

const CONSTANTS = fractions(WORDS, 1 / 3);
const START = fractions(8, 1 / 2);

const rotated = (word: number, by: number): number => (word >>> by) | (word << (32 - by));

/** The word at a place that is always there. */
const at = (words: Uint32Array, place: number): number => words[place] as number;

function padded(bytes: Uint8Array): DataView {
  const blocks = Math.ceil((bytes.length + 1 + LENGTH_BYTES) / BLOCK_BYTES);
  const whole = new Uint8Array(blocks * BLOCK_BYTES);
  whole.set(bytes);
  whole[bytes.length] = 0x80;
  const view = new DataView(whole.buffer);
  view.setUint32(whole.length - 4, bytes.length * 8);
  return view;
}

function schedule(view: DataView, offset: number): Uint32Array {
  const words = new Uint32Array(WORDS);
  for (let i = 0; i < 16; i++) {
    words[i] = view.getUint32(offset + 4 * i);
  }
  for (let i = 16; i < WORDS; i++) {
    const early = at(words, i - 15);
    const late = at(words, i - 2);
    const low = rotated(early, 7) ^ rotated(early, 18) ^ (early >>> 3);
    const high = rotated(late, 17) ^ rotated(late, 19) ^ (late >>> 10);
    words[i] = at(words, i - 16) + low + at(words, i - 7) + high;
  }
  return words;
}

function compress(state: Uint32Array, words: Uint32Array): void {
  let [a, b, c, d, e, f, g, h] = state as unknown as [number, number, number, number, number, number, number, number];
  for (let i = 0; i < WORDS; i++) {
    const mixed = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25);
    const chosen = (e & f) ^ (~e & g);
    const first = (h + mixed + chosen + at(CONSTANTS, i) + at(words, i)) | 0;
    const turned = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22);
    const second = (turned + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((word, place) => {
    state[place] = at(state, place) + word;
  });
}

/** The digest in lower-case hexadecimal: texts in its order are digests in the order of their bytes. */
export function sha256Hex(text: string): string {
  const view = padded(new TextEncoder().encode(text));
  const state = START.slice();
  for (let offset = 0; offset < view.byteLength; offset += BLOCK_BYTES) {
    compress(state, schedule(view, offset));
  }
  return Array.from(state, (word) => word.toString(16).padStart(8, "0")).join("");
}
