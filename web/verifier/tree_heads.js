// Tree heads of logs of certificates, signed in a note (https://c2sp.org/static-ct-api, "Checkpoints"; RFC 6962 section 3.5):
// ECDSA on P-256, or RSA of 2048 to 8192 bits. What is signed is the timestamp, the tree size and the root: not the origin, and
// no extension lines. Loaded only for such keys.

import { rawSignature } from "./ecdsa.js";
import { concat, decodeBase64, decodeDecimal, decodeText, hex, uint64 } from "./encoding.js";

const SHA256 = 4, RSA = 1, ECDSA = 3; // RFC 5246 section 7.4.1.4.1
const HEAD = 12; // bytes before the signature: uint64 timestamp, two algorithms, uint16 length
const P256 = /^3059301306072a8648ce3d020106082a8648ce3d03010703420004.{128}$/;
// SubjectPublicKeyInfo of rsaEncryption, of a modulus whose length in bits is a multiple of eight: others are refused
const RSA_KEY = /^3082(....)300d06092a864886f70d01010105000382(....)003082(....)0282(....)00[89a-f]/;

/** Return name and parameters of the algorithm of a key; null for one that no log of certificates may have (RFC 6962 section 2.1.4). */
function algorithmOf(spki) {
  if (P256.test(hex(spki))) return { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const [, ...lengths] = RSA_KEY.exec(hex(spki)) ?? [], [outer, bits, inner, modulus] = lengths.map((digits) => parseInt(digits, 16));
  const fits = outer === spki.length - 4 && bits === outer - 19 && inner === bits - 5 && modulus >= 257 && modulus <= 1025;
  return fits ? { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" } : null;
}

/** Tell whether a signature, an RFC6962NoteSignature, of a checkpoint's text is right; undefined where this platform lacks the algorithm. */
export async function isTreeHead(key, message, signature) {
  const [origin, size, root, ...extensions] = decodeText(message, "checkpoint").slice(0, -1).split("\n");
  // "The key name of the signature line MUST match the checkpoint origin line"; it "MUST NOT include any extension lines"
  if (origin !== key.name || extensions.length) return false;
  const algorithm = algorithmOf(key.public), raw = signature.subarray(HEAD);
  const [hash, kind, high, low] = signature.subarray(8, HEAD);
  if (!algorithm || raw.length !== high * 256 + low) return false;
  if (hash !== SHA256 || kind !== (algorithm.namedCurve ? ECDSA : RSA)) return false;
  const said = concat([0, 1], signature.subarray(0, 8), uint64(decodeDecimal(size)), decodeBase64(root));
  try {
    const imported = await crypto.subtle.importKey("spki", key.public, algorithm, false, ["verify"]);
    return await crypto.subtle.verify(algorithm, imported, algorithm.namedCurve ? rawSignature(raw, 64) : raw, said);
  } catch (error) {
    return error.name === "NotSupportedError" ? undefined : false;
  }
}
