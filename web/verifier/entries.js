// What an entry is, and by which keys it is found: docs/entry-formats.md, docs/index-format.md, "Keys" (tiles/entries/).
// Entries are hostile: an entry that breaks a rule of its kind is bytes, and nothing here throws because of one.

import { concat, decodeBase64, equal, hex, utf8 } from "./encoding.js";
import { leafHash } from "./merkle.js";
import { sha256 } from "./sha256.js";
import { parseSignatureEntry, signerValue } from "./signature.js";
import { subjectsIn } from "./subjects.js";
import { parseCheckpoint } from "./tlog.js";
import { identityKeys, parseCertificate, spelled } from "./x509.js";

const MAX_ENTRY = 65_535, MAX_NAME = 255, MAX_EXTRA = 4096, BLINDING = 32, MAX_DIGEST_ENTRY = 1024; // bytes
const BLIND = utf8("tiletree/blind/v1\n");
const DIGEST_ENTRY = /^tiletree\/file\/v1\nsha256 ([0-9a-f]{64})\nsize (0|[1-9][0-9]{0,18})\n(?:name ([!-~]+)\n)?$/;
const BLINDED_ENTRY = /^tiletree\/blind\/v1\nsha256 ([0-9a-f]{64})\n$/;
const REVOCATION = /^tiletree\/revocation\/v1\n(sha256|key|identity) ([!-~]{1,1024})\nreason ([!-~]{1,3072})\nby (key|log) ([!-~]{1,2732})\nsignature ([!-~]{1,2732})\n$/;
const MAX_REASON = 1024, MAX_SIGNATURE = 2048, MAX_VKEY = 1024, MAX_REVOCATION = 16_384; // bytes
const MAX_KEYS = 64; // of one kind that count of one entry
const EXTRA = /^tiletree\/extra\/v1\nentry ([^\n]*)\n(?:blinding ([^\n]*)\n)?$/;

// of Rekor v2: one form to the byte, so no JSON is parsed
const BASE64 = "([A-Za-z0-9+/]+={0,2})";
const literal = (text) => text.replace(/[{}.]/g, "\\$&");
const REKOR_ENTRY = new RegExp([
  '^{"apiVersion":"0.0.2","kind":"hashedrekord","spec":{"hashedRekordV002":{"data":{"algorithm":"', '","digest":"',
  '"},"signature":{"content":"', '","verifier":{"keyDetails":"', '","', '":{"rawBytes":"', '"}}}}}}$',
].map(literal).reduce((left, right, at) => left + ["([A-Z0-9_]+)", BASE64, BASE64, "([A-Z0-9_]{1,64})", "(publicKey|x509Certificate)", BASE64][at - 1] + right));
export const DIGEST_SIZES = { SHA2_256: 32, SHA2_384: 48, SHA2_512: 64 }; // bytes

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
  return percentEncoded(data);
}

/** Return bytes as entries have them that may be anything: letters, digits, `-._~` as they are, every other one as %XX. */
function percentEncoded(data) {
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

/**
 * Return {algorithm, digest, signature, keyDetails, verifier, raw} of an entry of Rekor v2, null for any other, and for any other
 * spelling. verifier: "publicKey" or "x509Certificate"; raw: the key or certificate, DER as written: it may be anything
 */
export function parseRekorEntry(entry) {
  const [, algorithm, ...texts] = REKOR_ENTRY.exec(decode(entry) ?? "") ?? [], [, , keyDetails, verifier] = texts;
  const decoded = algorithm && orNull(() => [texts[0], texts[1], texts[4]].map((text) => decodeBase64(text, "entry")));
  if (!decoded || decoded[0].length !== DIGEST_SIZES[algorithm]) return null;
  return { algorithm, digest: decoded[0], signature: decoded[1], keyDetails, verifier, raw: decoded[2] };
}

/**
 * Return {what, value, reason, by: "key" or "log", signer, signature, text} of a revocation, null for any other entry.
 * what: "sha256", "key" or "identity"; signer: the key in DER, or the log's verifier key; text: what is signed. Nothing is
 * verified: anyone can write that they revoke anything.
 */
export function parseRevocation(entry) {
  if (entry.length > MAX_REVOCATION) return null;
  const whole = decode(entry) ?? "", [, what, value, encoded, by, named, signed] = REVOCATION.exec(whole) ?? [];
  if (!what || (what === "identity" ? spelled(value) !== value : !/^[0-9a-f]{64}$/.test(value))) return null;
  const reason = orNull(() => decodeURIComponent(encoded)), data = reason !== null && utf8(reason);
  if (!data || data.length > MAX_REASON || /[\0-\x1f]/.test(reason) || percentEncoded(data) !== encoded) return null;
  const [signature, signer] = [signed, by === "key" && named].map((text) => text && orNull(() => decodeBase64(text, "entry")));
  if (!signature || signature.length > MAX_SIGNATURE || (by === "key" ? !signer || signer.length > MAX_SIGNATURE : named.length > MAX_VKEY)) return null;
  return { what, value, reason, by, signer: by === "key" ? signer : named, signature, text: whole.slice(0, whole.lastIndexOf("signature ")) };
}

/** Return the checkpoint that an entry endorses, null for any other entry. Nothing is verified: anyone can log such bytes. */
export function parseEndorsement(entry) {
  const text = entry.length <= MAX_ENTRY ? decode(entry) : null;
  const found = text?.includes("\n\n\u2014 ") ? orNull(() => parseCheckpoint(entry)) : null;
  return found && found.note.signatures.every(({ name }) => name === found.origin) ? found : null;
}

/** Return the bytes of hexadecimal digits. */
export const fromHex = (digits) => Uint8Array.from(digits.match(/../g), (byte) => parseInt(byte, 16));

/** Add the keys that tell who signed an entry of Rekor, as it claims. */
async function addSigner({ verifier, raw }, add) {
  const claims = verifier === "x509Certificate" ? parseCertificate(raw) : { spki: raw, identities: [], issuer: null };
  if (!claims) return;
  await add("key/1", () => sha256(claims.spki));
  for (const text of identityKeys(claims.identities).slice(0, MAX_KEYS)) await add("identity/1", () => utf8(text));
  if (claims.issuer !== null) await add("issuer/1", () => utf8(spelled(claims.issuer)));
}

/** Return the keys of an entry, as [kind, value]; wanted: of this kind only, which saves hashing where many entries are asked. */
export async function keysOf(entry, wanted) {
  const found = [], file = parseDigestEntry(entry), rekor = file ? null : parseRekorEntry(entry);
  const revocation = file || rekor ? null : parseRevocation(entry), signed = parseSignatureEntry(entry);
  const add = async (kind, value) => (wanted ?? kind) === kind && found.push([kind, await value()]);
  await add("leaf/1", () => leafHash(entry));
  if (file) {
    await add("sha256/1", () => fromHex(file.sha256));
    if (file.name !== null) await add("name/1", () => utf8(file.name));
  } else if (rekor) {
    if (rekor.algorithm === "SHA2_256") await add("sha256/1", () => rekor.digest);
    if (rekor.algorithm === "SHA2_512") await add("sha512/1", () => rekor.digest);
    await addSigner(rekor, add);
  } else if (revocation) {
    await add("revoked/1", () => utf8(`${revocation.what} ${revocation.value}`));
  } else if (signed) {
    await add("sha256/1", () => fromHex(signed.sha256));
    if (signed.second === "sha512") await add("sha512/1", () => fromHex(signed.digest));
    if (signerValue(signed)) await add("key/1", () => signerValue(signed));
  } else if (!isBlinded(entry)) {
    await add("sha256/1", () => sha256(entry));
    await add("sha512/1", async () => new Uint8Array(await crypto.subtle.digest("SHA-512", entry)));
    for (const digest of subjectsIn(entry)) await add("subject/1", () => fromHex(digest));
    const endorsed = (wanted ?? "origin/1") === "origin/1" ? parseEndorsement(entry) : null;
    if (endorsed) await add("origin/1", () => utf8(endorsed.origin));
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
  if (parseSignatureEntry(entry)?.sha256 === file.sha256) return entry;
  const found = parseDigestEntry(entry);
  return found && found.sha256 === file.sha256 && found.size === String(file.size) ? entry : null;
}
