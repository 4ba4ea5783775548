// Which revocations of a log count for an entry: docs/entry-formats.md, "Which revocations count" (tiles/index/revocations.py).
// Anyone who can log can write them: those count whose signature is right, and who signed them may revoke this.

import { DETAILS, verifyArtifact } from "./artifact.js";
import { hex, utf8 } from "./encoding.js";
import { keysOf, parseRevocation } from "./entries.js";
import { search } from "./search.js";
import { sha256 } from "./sha256.js";
import { verifyNote } from "./signed_text.js";

const MOST = 4096; // revocations of one thing that are looked at

/** Return {key, lines}: SHA-256 of the key that signed, "" if nobody did, and what may be revoked; digest: of the file, in hex */
async function reliedOn(entry, digest) {
  const keys = await keysOf(entry), of = (kind) => keys.filter(([one]) => one === kind).map(([, value]) => value);
  const digests = new Set([...(digest ? [digest] : []), ...of("sha256/1").map(hex)]), [key = ""] = of("key/1").map(hex);
  const identities = of("identity/1").map((value) => `identity ${new TextDecoder().decode(value)}`);
  return { key, lines: [...[...digests].map((one) => `sha256 ${one}`), ...(key ? [`key ${key}`] : []), ...identities] };
}

/** Whether a signature is right; key: the log's, that is trusted. */
async function isSigned({ by, signer, signature, text }, key) {
  const checks = by === "log"
    ? signer === key.vkey ? [() => verifyNote({ text, signatures: [{ name: key.name, id: key.id, signature }] }, [key])] : []
    : Object.keys(DETAILS).map((details) => () => verifyArtifact(signer, details, utf8(text), signature));
  for (const check of checks) {
    try {
      await check();
      return true;
    } catch (error) {
      if (!["Malformed", "SignatureError", "AccessError", "UsageError"].includes(error.code)) throw error;
    }
  }
  return false;
}

function counts({ what, value, by, signer }, { key, lines }) {
  if (!lines.includes(`${what} ${value}`)) return false;
  const own = by === "log" ? "" : hex(sha256(signer));
  return by === "log" || (what === "sha256" && own === key) || (what === "key" && own === value);
}

/**
 * Return {found, why}: [{index, revocation}] that count for an entry, and why there may be others, "" if there are none.
 * digest: SHA-256 of the file that it is of, in hexadecimal, where that is known
 */
export async function revocationsOf(log, entry, digest) {
  const relied = await reliedOn(entry, digest), found = [];
  if (!relied.lines.length) return { found, why: "" };
  let looking;
  try {
    looking = await search(log, "revoked/1", relied.lines.map(utf8));
  } catch (error) {
    if (error.tooLarge) return { found, why: error.message };
    throw error;
  }
  for await (const { index, entry: hit } of looking.hits(MOST)) {
    const revocation = parseRevocation(hit);
    if (counts(revocation, relied) && (await isSigned(revocation, log.accepted.log))) found.push({ index, revocation });
  }
  const { why, error } = await looking.conclude();
  return { found, why: why && (error?.message ?? "not all of it was looked at") };
}
