// Errors, and encodings (tiles/notes/encoding.py). Parsers accept one form only.

export const MAX_SIZE = 2n ** 63n - 1n; // entries

/** code: a class in tiles/errors.py; more: fields such as evidence (name → bytes). */
export class TlogError extends Error {
  constructor(code, message, more) {
    super(message);
    Object.assign(this, { code }, more);
  }
}

export function fail(code, message, more) {
  throw new TlogError(code, message, more);
}
export const usage = (message) => fail("UsageError", message);
export const malformed = (what, problem, found = "") => fail("Malformed", `${what}: ${problem} ${JSON.stringify(found).slice(0, 80)}`);

export const utf8 = (text) => new TextEncoder().encode(text);
export const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
export const equal = (one, other) => one.length === other.length && one.every((byte, at) => byte === other[at]);
export const concat = (...parts) => {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  parts.reduce((at, part) => (whole.set(part, at), at + part.length), 0);
  return whole;
};
export const uint64 = (number) => new Uint8Array(new BigUint64Array([number]).buffer).reverse();

// octets: text with one character for each byte
export const toOctets = (bytes) => Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
export const fromOctets = (text) => Uint8Array.from(text, (octet) => octet.charCodeAt(0));

export function decodeText(bytes, what) {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    if (!/[\0-\x09\x0b-\x1f]/.test(text)) return text;
  } catch {}
  return malformed(what, "not plain UTF-8");
}

export const encodeBase64 = (bytes) => btoa(toOctets(bytes));

export function decodeBase64(text, what) {
  try {
    const octets = atob(text);
    if (btoa(octets) === text) return fromOctets(octets);
  } catch {}
  return malformed(what, "not canonical base64", text);
}

export function decodeDecimal(text, what, most = MAX_SIZE) {
  if (!/^(0|[1-9][0-9]{0,18})$/.test(text)) malformed(what, "not a plain decimal number", text);
  return BigInt(text) > most ? malformed(what, `number above ${most}`, text) : BigInt(text);
}
