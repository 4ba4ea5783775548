// What an entry is, and by which keys it is found: docs/entry-formats.md, docs/index-format.md, "Keys" (tiles/entries/).
// Entries are hostile: an entry that breaks a rule of its kind is bytes, and nothing here throws because of one.

import { concat, decodeBase64, equal, hex, utf8 } from "./encoding.js";
import { leafHash } from "./merkle.js";
import { sha256 } from "./sha256.js";

const MAX_NAME = 255, MAX_EXTRA = 4096, BLINDING = 32, MAX_DIGEST_ENTRY = 1024; // bytes
const BLIND = utf8("tiletree/blind/v1\n");
const DIGEST_ENTRY = /^tiletree\/file\/v1\nsha256 ([0-9a-f]{64})\nsize (0|[1-9][0-9]{0,18})\n(?:name ([!-~]+)\n)?$/;
const BLINDED_ENTRY = /^tiletree\/blind\/v1\nsha256 ([0-9a-f]{64})\n$/;
const EXTRA = /^tiletree\/extra\/v1\nentry ([^\n]*)\n(?:blinding ([^\n]*)\n)?$/;

// of Rekor v2: one form to the byte, so no JSON is parsed
const BASE64 = "([A-Za-z0-9+/]+={0,2})";
const literal = (text) => text.replace(/[{}.]/g, "\\$&");
const REKOR_ENTRY = new RegExp([
  '^{"apiVersion":"0.0.2","kind":"hashedrekord","spec":{"hashedRekordV002":{"data":{"algorithm":"', '","digest":"',
  '"},"signature":{"content":"', '","verifier":{"keyDetails":"', '","', '":{"rawBytes":"', '"}}}}}}$',
].map(literal).reduce((left, right, at) => left + ["([A-Z0-9_]+)", BASE64, BASE64, "([A-Z0-9_]{1,64})", "(publicKey|x509Certificate)", BASE64][at - 1] + right));
const DIGEST_SIZES = { SHA2_256: 32, SHA2_384: 48, SHA2_512: 64 };

/** Return the bytes as text, null if they are not UTF-8. */
function decode(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

const orNull = (what) => {
  try {
    return what();
  } catch {
    return null;
  }
};

/** Return a file's name as a named digest entry has it, null for one that no such entry can hold. */
export function encodeName(name) {
  const data = utf8(name);
  if (decode(data) !== name || !data.length || data.length > MAX_NAME || /^\.{1,2}$|[/\0]/.test(name)) return null;
  return Array.from(data, (byte) => {
    const letter = String.fromCharCode(byte);
    return /[\w.~-]/.test(letter) ? letter : `%${hex([byte]).toUpperCase()}`;
  }).join("");
}

/** Return a name as it is, and in Unicode's normal form C, as others may have logged it. */
export const spellings = (name) => [...new Set([name, name.normalize("NFC")])];

/** Return the digest entry of a file; null if it has a name that no entry can hold. size: a number, or its digits */
export function digestEntry(sha256, size, name = null) {
  const encoded = name === null ? "" : encodeName(name);
  return encoded === null ? null : utf8(`tiletree/file/v1\nsha256 ${sha256}\nsize ${size}\n${name === null ? "" : `name ${encoded}\n`}`);
}

/** Return {sha256, size, name} of a digest entry, size as digits, name null without one; null for any other entry. */
export function parseDigestEntry(entry) {
  if (entry.length > MAX_DIGEST_ENTRY) return null; // before it is decoded: all entries of a log are asked
  const [, sha256, size, encoded] = DIGEST_ENTRY.exec(decode(entry) ?? "") ?? [];
  if (!sha256 || BigInt(size) >= 2n ** 63n) return null;
  const name = encoded === undefined ? null : orNull(() => decodeURIComponent(encoded));
  const again = encoded !== undefined && name === null ? null : digestEntry(sha256, size, name);
  return again && equal(again, entry) ? { sha256, size, name } : null;
}

/** Whether an entry is a blinded one: nothing follows from it for whoever was not told. */
export const isBlinded = (entry) => BLINDED_ENTRY.test(decode(entry) ?? "");

/** Return the blinded entry of a file. blinding: 32 bytes; file: {sha256, size} */
export const blindedEntry = (blinding, file) =>
  concat(BLIND, utf8(`sha256 ${hex(sha256(BLIND, blinding, digestEntry(file.sha256, file.size)))}\n`));

/** Return {algorithm, digest, keyDetails} of an entry of Rekor v2, null for any other, and for any other spelling. */
export function parseRekorEntry(entry) {
  const [, algorithm, digest, signature, keyDetails, , raw] = REKOR_ENTRY.exec(decode(entry) ?? "") ?? [];
  const decoded = algorithm && orNull(() => [digest, signature, raw].map((text) => decodeBase64(text, "entry")));
  return decoded && decoded[0].length === DIGEST_SIZES[algorithm] ? { algorithm, digest: decoded[0], keyDetails } : null;
}

/** Return the bytes of hexadecimal digits. */
export const fromHex = (digits) => Uint8Array.from(digits.match(/../g), (byte) => parseInt(byte, 16));

/** Return the keys of an entry, as [kind, value]; wanted: of this kind only, which saves hashing where many entries are asked. */
export async function keysOf(entry, wanted) {
  const found = [], file = parseDigestEntry(entry), rekor = file ? null : parseRekorEntry(entry);
  const add = async (kind, value) => (wanted ?? kind) === kind && found.push([kind, await value()]);
  await add("leaf/1", () => leafHash(entry));
  if (file) {
    await add("sha256/1", () => fromHex(file.sha256));
    if (file.name !== null) await add("name/1", () => utf8(file.name));
  } else if (rekor) {
    if (rekor.algorithm === "SHA2_256") await add("sha256/1", () => rekor.digest);
    if (rekor.algorithm === "SHA2_512") await add("sha512/1", () => rekor.digest);
  } else if (!isBlinded(entry)) {
    await add("sha256/1", () => sha256(entry));
    await add("sha512/1", async () => new Uint8Array(await crypto.subtle.digest("SHA-512", entry)));
  }
  return found;
}

/**
 * Return the entry that the extra data of a proof file leads to, if it is one of exactly this file; otherwise null,
 * whatever it says. file: {sha256, size}, computed from the file itself
 */
export function entryOf(extra, file) {
  const [, said, r] = (extra.length <= MAX_EXTRA && EXTRA.exec(decode(extra) ?? "")) || [];
  const entry = said && orNull(() => decodeBase64(said, "entry"));
  if (!entry) return null;
  if (r !== undefined) {
    const blinding = orNull(() => decodeBase64(r, "blinding"));
    return blinding?.length === BLINDING && equal(entry, blindedEntry(blinding, file)) ? entry : null;
  }
  const found = parseDigestEntry(entry);
  return found && found.sha256 === file.sha256 && found.size === String(file.size) ? entry : null;
}
