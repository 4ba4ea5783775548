// Proof files: https://c2sp.org/tlog-proof

import { MAX_SIZE, concat, decodeBase64, decodeDecimal, decodeText, encodeBase64, equal, malformed, utf8 } from "./encoding.js";
import { verifyInclusion } from "./merkle.js";
import { MAX_NOTE, acceptCheckpoint, parseCheckpoint, toHash } from "./tlog.js";

const HEADER = "c2sp.org/tlog-proof@v1";

/** Return {index, hashes, checkpoint, extra} of a proof file. */
export function parseProof(bytes) {
  const what = "tlog-proof";
  if (bytes.length > MAX_NOTE + 8192) malformed(what, "too many bytes");
  const blank = bytes.findIndex((byte, at) => byte === 10 && bytes[at + 1] === 10);
  if (blank < 0) malformed(what, "no empty line before the checkpoint");
  const [header, ...lines] = decodeText(bytes.subarray(0, blank), what).split("\n");
  if (header !== HEADER) malformed(what, "another header", header);
  const extra = lines[0]?.startsWith("extra ") ? decodeBase64(lines.shift().slice(6), what) : [];
  if (!lines[0]?.startsWith("index ")) malformed(what, 'expected "index"', lines[0]);
  const index = decodeDecimal(lines.shift().slice(6), `${what} index`, MAX_SIZE - 1n);
  if (lines.length > 63) malformed(what, "more than 63 hashes");
  const hashes = lines.map((line) => toHash(decodeBase64(line, `${what} hash`)));
  const proof = { index, hashes, checkpoint: parseCheckpoint(bytes.subarray(blank + 2)), extra };
  return equal(formatProof(proof), bytes) ? proof : malformed(what, "not in canonical form"); // an empty "extra" line, for one
}

/** Return the bytes of a proof file. */
export function formatProof({ index, hashes, checkpoint, extra = [] }) {
  const lines = [HEADER, ...(extra.length ? [`extra ${encodeBase64(extra)}`] : []), `index ${index}`, ...hashes.map(encodeBase64)];
  return concat(utf8(`${lines.join("\n")}\n\n`), checkpoint.data);
}

/** Return what `acceptCheckpoint` does, and `path`, if `leaf` (a leaf hash) is in the tree. */
export async function verifyProof(proof, leaf, policy) {
  const accepted = await acceptCheckpoint(policy, proof.checkpoint);
  return { ...accepted, path: verifyInclusion(leaf, proof.index, accepted.signed.tree, proof.hashes) };
}
