// Which of the files that are dropped are proofs: a .tlog-proof, or Sigstore bundles, one or a line each. Public keys and trusted
// roots, which say whom to trust, are told apart from files that may be in the log, too.

import { TlogError, utf8 } from "../verifier/encoding.js";
import { parseProof } from "../verifier/proof.js";

const SIGSTORE = "application/vnd.dev.sigstore."; // and what it is, and a version
const MOST = 50; // bundles in one file

/**
 * Return what a file holds, undefined if it is none of these: a list of {proof}, of {publicKey: text}, of {root: true}, or of
 * {bundle: bytes, at} and {error, at}, which `at` names a part of. A bundle is not parsed here.
 */
export function proofsIn(name, bytes) {
  const text = new TextDecoder().decode(bytes); // without the byte order mark that some editors write
  if (text.startsWith("c2sp.org/tlog-proof") || name.endsWith(".tlog-proof")) return [{ proof: parseProof(bytes) }];
  if (/^\s*-----BEGIN PUBLIC KEY-----/.test(text)) return [{ publicKey: text }];
  if (!/^\s*\{/.test(text)) return undefined;
  const whole = json(text);
  if (isOf(whole, "trustedroot") || isOf(whole, "clienttrustconfig")) return [{ root: true }];
  const lines = whole ? [text] : text.split("\n");
  if (!lines.some((line) => isOf(whole ?? json(line), "bundle"))) return undefined;
  const parts = lines.map((line, at) => ({ bundle: utf8(line), at: whole ? "" : `line ${at + 1}` })).filter(({ bundle }) => bundle.some((byte) => byte > 32));
  const rest = parts.splice(MOST);
  if (rest.length) parts.push({ error: new TlogError("UsageError", "too many bundles in one file", { unread: rest.length, most: MOST }), at: "" });
  return parts;
}

function json(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isOf = (value, what) => typeof value?.mediaType === "string" && value.mediaType.startsWith(`${SIGSTORE}${what}`);
