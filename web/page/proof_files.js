// Which of the files that are dropped are proofs: a .tlog-proof, or Sigstore bundles, one or a line each, which hold some.

import { decodeDecimal, fail, fromOctets, utf8 } from "../verifier/encoding.js";
import { parseProof } from "../verifier/proof.js";
import { parseCheckpoint } from "../verifier/tlog.js";

const BUNDLE = "application/vnd.dev.sigstore.bundle"; // and a version
const MOST = 50; // entries of one file

/**
 * Return what a file holds, undefined if it is none of these: a list of {proof}, of {proof, entry, at}, and of {error, at} where
 * the part that `at` names is none. A part that is wrong changes nothing for the others.
 */
export function proofsIn(name, bytes) {
  const text = new TextDecoder().decode(bytes); // without the byte order mark that some editors write
  if (text.startsWith("c2sp.org/tlog-proof") || name.endsWith(".tlog-proof")) return [{ proof: parseProof(bytes) }];
  if (!/^\s*\{/.test(text)) return undefined;
  const whole = json(text);
  const lines = whole ? [text] : text.split("\n");
  const parts = lines.map((line, at) => [line.trim() && json(line), whole ? "" : `line ${at + 1}`]);
  if (!parts.some(([part]) => isBundle(part))) return undefined;
  const found = parts.filter(([part]) => part !== "").flatMap(([part, at]) => entriesOf(part, at));
  const rest = found.splice(MOST);
  if (rest.length) found.push(attempt("", () => fail("UsageError", "too many entries in one file", { unread: rest.length })));
  return found;
}

function json(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isBundle = (value) => typeof value?.mediaType === "string" && value.mediaType.startsWith(BUNDLE);
const wrong = (problem, more) => fail("Malformed", `Sigstore bundle: ${problem}`, more);

/** Return what `make` returns, or {error}, with the name of the part that it is about. */
function attempt(at, make) {
  try {
    return { ...make(), at };
  } catch (error) {
    return { error, at };
  }
}

function entriesOf(bundle, line) {
  const one = (entry, at, all) => attempt([line, all.length > 1 && `entry ${at + 1}`].filter(Boolean).join(", "), () => proven(entry));
  const entries = isBundle(bundle) ? bundle.verificationMaterial?.tlogEntries : undefined;
  if (!Array.isArray(entries) || !entries.length) return [attempt(line, () => wrong("no entry of a log is in it"))];
  return entries.map(one);
}

function proven(entry) {
  const { canonicalizedBody, inclusionProof } = entry ?? {};
  const { checkpoint, hashes = [], logIndex = "0" } = inclusionProof ?? {};
  const envelope = checkpoint?.envelope;
  if (!envelope) wrong("no checkpoint is in it, so it does not lead to a tree head that the log signed", { unproven: true });
  if (typeof envelope !== "string" || !Array.isArray(hashes)) wrong("its inclusion proof is none");
  const index = decodeDecimal(String(logIndex), "Sigstore bundle index");
  return {
    proof: { index, hashes: hashes.map(decode), checkpoint: parseCheckpoint(utf8(envelope)) },
    entry: decode(canonicalizedBody),
  };
}

function decode(base64) {
  try {
    return fromOctets(atob(typeof base64 === "string" ? base64 : "?"));
  } catch {
    return wrong("what should be base64 is not");
  }
}
