// Two tree heads of one log: whether they are of one history. Loaded where they differ.

import { encodeBase64, equal, fail, utf8 } from "./encoding.js";
import { verifyConsistency } from "./merkle.js";
import { consistencyNodes, foldRight, subtrees } from "./tiles.js";
import { acceptCheckpoint, policyFor } from "./tlog.js";

/**
 * Throw a ForkError, which holds both as evidence, unless the checkpoint that a log serves and another one are of one history;
 * it has `twoKeys` if no key of the policy has signed both. read: (tree, nodes) → a reader that knows these nodes.
 */
export async function compareHeads(policy, served, other, read) {
  if (other.tree.size <= served.tree.size) return checkExtends(policy, other, served, read);
  try {
    return await checkExtends(policy, served, other, read);
  } catch (error) {
    if (error.code !== "NotFound") throw error;
    return fail("AccessError", `nothing shows that the ${served.tree.size} entries served begin the ${other.tree.size} seen`, { oldCopy: true });
  }
}

const signs = ({ key, origin }, signed) => acceptCheckpoint(policyFor(key, origin), signed).then(() => true, () => false);

async function checkExtends({ logs }, older, newer, read) {
  const { size } = older.tree, evidence = { older: older.data, newer: newer.data };
  const fork = async () => {
    let one = false;
    for (const log of logs) one ||= (await signs(log, older)) && (await signs(log, newer));
    fail("ForkError", `the log ${newer.origin} shows two histories, of ${size} and ${newer.tree.size} entries`, { evidence, ...(one ? {} : { twoKeys: true }) });
  };
  if (size === newer.tree.size && !equal(older.tree.root, newer.tree.root)) await fork();
  if (size === 0n || size === newer.tree.size) return;
  const nodes = subtrees(0n, size), parts = consistencyNodes(size, newer.tree.size);
  const reader = await read(newer.tree, [...nodes, ...parts.flat()]);
  // the root is computed from hashes that are believed: a proof that fails would show only that the proof is wrong
  const [root, ...proof] = [nodes, ...parts].map((part) => foldRight(part.map((node) => reader.hash(node))));
  if (!equal(root, older.tree.root)) {
    evidence.prefix = utf8([root, ...proof].map((hash) => `${encodeBase64(hash)}\n`).join("")); // tiles/notes/fork_evidence.py
    await fork();
  }
  verifyConsistency(older.tree, newer.tree, proof);
}
