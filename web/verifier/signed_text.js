// Signed notes that are no checkpoints: https://c2sp.org/signed-note. Loaded with the first of them.

import { fail, usage } from "./encoding.js";
import { verified } from "./tlog.js";

const LAST = 2; // of the types of keys that sign a text as it is

/** Return the keys that signed a note's text, all verified, at least one. A checkpoint needs `acceptCheckpoint`. */
export async function verifyNote(note, keys) {
  if (keys.some(({ type }) => type > LAST)) usage("no key of a note");
  const signers = (await verified({ note }, keys.map((key) => ({ key })))).filter((one) => !one.unsupported);
  return signers.length ? signers.map(({ key }) => key) : fail("SignatureError", "no signature by a known key");
}
