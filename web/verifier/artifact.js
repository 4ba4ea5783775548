// Signatures over artifacts by the keys that Rekor v2 takes (https://github.com/sigstore/rekor-tiles, algorithmregistry.go;
// tiles/sigstore/public_key.py). Which hash a signature is over follows from the key alone.

import { decodeBase64, equal, fail, hex, malformed } from "./encoding.js";
import { rawSignature } from "./ecdsa.js";
import { sha256 } from "./sha256.js";

const WHAT = "public key", MAX_KEY = 16 << 10; // bytes
const rsa = (bits) => ({ hash: "SHA2_256", name: "RSASSA-PKCS1-v1_5", bits });
const ecdsa = (namedCurve, hash, width) => ({ hash, name: "ECDSA", namedCurve, width }); // width: bytes of r and s together

/** keyDetails → the algorithm of the digest that is signed, and what WebCrypto calls it */
export const DETAILS = {
  PKIX_RSA_PKCS1V15_2048_SHA256: rsa(2048),
  PKIX_RSA_PKCS1V15_3072_SHA256: rsa(3072),
  PKIX_RSA_PKCS1V15_4096_SHA256: rsa(4096),
  PKIX_ECDSA_P256_SHA_256: ecdsa("P-256", "SHA2_256", 64),
  PKIX_ECDSA_P384_SHA_384: ecdsa("P-384", "SHA2_384", 96),
  PKIX_ECDSA_P521_SHA_512: ecdsa("P-521", "SHA2_512", 132),
  PKIX_ED25519_PH: { hash: "SHA2_512" }, // WebCrypto has Ed25519 without a prehash only
};
const HASHES = { SHA2_256: "SHA-256", SHA2_384: "SHA-384", SHA2_512: "SHA-512" };

/** Return the digest of bytes; algorithm: as entries of Rekor name it */
export const digestOf = async (algorithm, data) => new Uint8Array(await crypto.subtle.digest(HASHES[algorithm], data));

/** Return SHA-256 of a DER SubjectPublicKeyInfo: by it bundles name the key that they do not hold. */
export const fingerprint = (spki) => sha256(spki);

/** Return the DER SubjectPublicKeyInfo in a PEM file (RFC 7468 §13), whose lines may have become one. */
export function parsePem(text) {
  const [, inside] = (text.length <= MAX_KEY && /^\s*-----BEGIN PUBLIC KEY-----([A-Za-z0-9+/=\s]+)-----END PUBLIC KEY-----\s*$/.exec(text)) || [];
  return inside ? decodeBase64(inside.replace(/\s+/g, ""), WHAT) : malformed(WHAT, "no public key in PEM", text);
}

const unsupported = (what) => fail("AccessError", `signatures of the kind ${what} cannot be checked here`, { part: "here" });

async function imported(spki, { hash, name, bits, namedCurve }) {
  let key;
  try {
    const algorithm = namedCurve ? { name, namedCurve } : { name, hash: HASHES[hash] };
    key = await crypto.subtle.importKey("spki", spki, algorithm, true, ["verify"]);
    if (!equal(new Uint8Array(await crypto.subtle.exportKey("spki", key)), spki)) malformed(WHAT, "not the canonical encoding of its key");
  } catch (error) { // engines differ where they lack it
    if (error.code === "Malformed") throw error;
    return error.name === "NotSupportedError" ? unsupported(namedCurve ?? name) : malformed(WHAT, `no key of ${namedCurve ?? name}`, hex(spki));
  }
  return !bits || key.algorithm.modulusLength === bits ? key : malformed(WHAT, `RSA of ${key.algorithm.modulusLength} bits, not ${bits}`);
}

/**
 * Throw unless a signature over these bytes is right. spki: the key; details: one of DETAILS, which the key has to be. An error
 * with `part: "here"` says nothing of the signature: this platform cannot check it.
 */
export async function verifyArtifact(spki, details, data, signature) {
  const algorithm = DETAILS[details] ?? malformed(WHAT, "keyDetails that Rekor does not take", details);
  if (!algorithm.name) unsupported(details);
  const key = await imported(spki, algorithm);
  const raw = algorithm.width ? rawSignature(signature, algorithm.width) : signature;
  const right = raw.length > 0 && (await crypto.subtle.verify({ name: algorithm.name, hash: HASHES[algorithm.hash] }, key, raw, data));
  if (!right) fail("SignatureError", `wrong signature by the key ${hex(fingerprint(spki))}`, { part: "signature" });
}
