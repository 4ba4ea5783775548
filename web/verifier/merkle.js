// Merkle trees, {size, root}, and proofs: RFC 6962 §2.1.

import { MAX_SIZE, equal, fail, hex, usage } from "./encoding.js";
import { EMPTY_ROOT, sha256 } from "./sha256.js";

const [LEAF, NODE] = [Uint8Array.of(0), Uint8Array.of(1)];
export const leafHash = (entry) => sha256(LEAF, entry);
export const nodeHash = (left, right) => sha256(NODE, left, right);

function checkTree({ size, root }) {
  if (size < 0n || size > MAX_SIZE || root.length !== 32) usage(`no tree has this size, or root`);
}

function leftSides(first, last) { // RFC 9162 §2.1.3.2: of each hash of a proof, whether it stands on the left
  const sides = [];
  while (last > 0n) {
    const isLeft = (first & 1n) === 1n || first === last;
    sides.push(isLeft);
    while (isLeft && !(first & 1n)) [first, last] = [first >> 1n, last >> 1n];
    [first, last] = [first >> 1n, last >> 1n];
  }
  return sides;
}

function checkProof(proof, count) {
  if (proof.length !== count) fail("ProofError", `${proof.length} hashes instead of ${count}`);
  if (proof.some((hash) => hash.length !== 32)) fail("ProofError", "a hash is not 32 bytes long");
}

/** Return the way from a leaf hash up that a proof leads: {left, right, isLeft, hash} for each hash of it. */
export function inclusionPath(leaf, index, size, proof) {
  if (leaf.length !== 32) usage("no leaf hash");
  if (index < 0n || index >= size) fail("ProofError", `there is no entry ${index}`);
  const sides = leftSides(index, size - 1n);
  checkProof(proof, sides.length);
  let hash = leaf;
  return proof.map((other, at) => {
    const [left, right] = sides[at] ? [other, hash] : [hash, other];
    return { left, right, isLeft: sides[at], hash: (hash = nodeHash(left, right)) };
  });
}

/** Throw unless `leaf` is the leaf hash of entry `index` of the tree {size, root}. Returns `inclusionPath`. */
export function verifyInclusion(leaf, index, tree, proof) {
  checkTree(tree);
  const path = inclusionPath(leaf, index, tree.size, proof);
  const root = path.at(-1)?.hash ?? leaf;
  if (!equal(root, tree.root)) fail("ProofError", `the proof leads to root ${hex(root)}, not to ${hex(tree.root)}`, { path });
  return path;
}

/** Throw unless the tree `old` is a prefix of the tree `latest`, both {size, root} (RFC 9162 §2.1.4.2). */
export function verifyConsistency(old, latest, proof) {
  checkTree(old);
  checkTree(latest);
  if (old.size > latest.size) usage("the old tree is the larger one");
  let roots = [old.size ? old.root : EMPTY_ROOT, latest.root];
  if (old.size === 0n || old.size === latest.size) {
    checkProof(proof, 0);
    if (old.size === latest.size) roots[1] = roots[0];
  } else {
    let [first, last] = [old.size - 1n, latest.size - 1n];
    while (first & 1n) [first, last] = [first >> 1n, last >> 1n];
    const sides = leftSides(first, last);
    const known = old.size & (old.size - 1n) ? [] : [old.root];
    checkProof(proof, 1 + sides.length - known.length);
    const [start, ...rest] = [...known, ...proof];
    roots = [start, start];
    rest.forEach((hash, at) => {
      roots = sides[at] ? roots.map((root) => nodeHash(hash, root)) : [roots[0], nodeHash(roots[1], hash)];
    });
  }
  if (!equal(roots[0], old.root) || !equal(roots[1], latest.root)) fail("ProofError", "the proof leads to other roots");
}
