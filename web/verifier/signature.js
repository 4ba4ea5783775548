// What is logged of a signature by SSH, minisign or OpenPGP: docs/entry-formats.md, "Signature" (tiles/signatures/entry.py).
// No signature is verified here. Entries are hostile: whatever stands in one, nothing here throws.

import { decodeBase64, encodeBase64, equal, hex, utf8 } from "./encoding.js";
import { sha256 } from "./sha256.js";

const BEGINS = utf8("tiletree/signature/v1\n");
const ENTRY = /^tiletree\/signature\/v1\nformat (ssh|minisign|pgp)\nsha256 ([0-9a-f]{64})\n(?:(sha512|blake2b512) ([0-9a-f]{128})\n)?key ([!-~]{1,43692})\nsignature ([!-~]{1,16384})\n$/;
const SECOND = { ssh: "sha512", minisign: "blake2b512" }; // the digest that a format signs and is not SHA-256
const MAX_KEY = 32_768, MAX_SIGNATURE = 12_288; // bytes

export const TITLES = { ssh: "SSH", minisign: "minisign", pgp: "OpenPGP" };

function decoded(text, most) {
  try {
    const bytes = decodeBase64(text, "entry");
    return bytes.length <= most ? bytes : null;
  } catch {
    return null;
  }
}

/**
 * Return {format, sha256, second, digest, key, signature} of an entry, null for any other. sha256, digest: hexadecimal;
 * second: what the digest is, if one is there
 */
export function parseSignatureEntry(entry) {
  if (!equal(entry.subarray(0, BEGINS.length), BEGINS)) return null; // before it is decoded: all entries of a log are asked
  const [, format, sha, second, digest, ...texts] = ENTRY.exec(new TextDecoder().decode(entry)) ?? [];
  if (!format || (second && second !== SECOND[format])) return null;
  const key = decoded(texts[0], MAX_KEY), signature = decoded(texts[1], MAX_SIGNATURE);
  return key && signature && { format, sha256: sha, second, digest, key, signature };
}

/** Return the body of the first packet of a certificate if it is a public key (RFC 9580 section 4.2.1), null otherwise. */
function primaryKey(key) {
  const [tag, one, two] = key, isLong = one >= 192;
  if (tag !== 0xc6 || !one || one >= 224 || (isLong && key.length < 3)) return null;
  const start = isLong ? 3 : 2, size = isLong ? ((one - 192) << 8) + two + 192 : one, body = key.subarray(start, start + size);
  return body.length === size ? body : null;
}

/** Return the value of key/1, null if there is none: SHA-256 of an SSH or minisign key, or of the primary key of OpenPGP. */
export function signerValue({ format, key }) {
  const body = format === "pgp" ? primaryKey(key) : key;
  return body && sha256(body);
}

/** Return how people name the key, as `ssh-keygen -l` and minisign show it; by OpenPGP's fingerprint only Python does. */
export function signerName({ format, key }) {
  if (format === "ssh") return `SHA256:${encodeBase64(sha256(key)).replace(/=+$/, "")}`;
  if (format === "minisign") return hex(key.slice(2, 10).reverse()).toUpperCase();
  const value = signerValue({ format, key });
  return value ? `with SHA-256 ${hex(value)}` : "a key that cannot be read";
}
