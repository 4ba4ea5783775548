// Which of the files that are dropped are proofs: a .tlog-proof, or a Sigstore bundle, which holds one.

import { fail, fromOctets, utf8 } from "../verifier/encoding.js";
import { parseProof } from "../verifier/proof.js";
import { parseCheckpoint } from "../verifier/tlog.js";

/** Return {proof, entry} of a proof file or Sigstore bundle, undefined for any other file. */
export function proofIn(name, bytes) {
  const start = new TextDecoder().decode(bytes.subarray(0, 4096));
  if (start.startsWith("c2sp.org/tlog-proof") || name.endsWith(".tlog-proof")) return { proof: parseProof(bytes) };
  if (!/^\s*\{/.test(start) || !start.includes("application/vnd.dev.sigstore.bundle")) return undefined;
  const text = new TextDecoder().decode(bytes), decode = (base64) => fromOctets(atob(base64));
  try {
    const { canonicalizedBody, inclusionProof } = JSON.parse(text).verificationMaterial.tlogEntries[0];
    const { checkpoint, hashes = [], logIndex = 0 } = inclusionProof;
    const proof = {
      index: BigInt(logIndex),
      hashes: hashes.map(decode),
      checkpoint: parseCheckpoint(utf8(checkpoint.envelope)),
    };
    return { proof, entry: decode(canonicalizedBody) };
  } catch (error) {
    return fail("Malformed", `Sigstore bundle: ${error.message}`);
  }
}
