// Finding an entry: what is logged for a file (tiles/entries/kinds.py), and where it is, by reading all leaf hashes of a log.

import { concat, equal, fail, hex } from "./encoding.js";
import { digestEntry, parseDigestEntry, spellings } from "./entries.js";
import { leafHash } from "./merkle.js";
import { Sha256 } from "./sha256.js";

export const SCAN_LIMIT = 16_384n; // entries: 64 tiles, 512 KiB; a larger log is looked through only when told to
const MAX_DATA = 1 << 20; // bytes of a file that are kept: entries of other people's logs are longer than ours

/**
 * Read a stream of bytes once, in constant memory; progress is called with the bytes so far. Returns {sha256, size,
 * candidates}: the entries as which a file of that name may have been logged, likeliest first, {how: "digest", "name" or
 * "raw", entry, leaf}.
 */
export async function readFile(stream, progress = () => {}, name = "") {
  const hash = new Sha256(), reader = stream.getReader();
  let size = 0, start = [];
  for (let part; !(part = await reader.read()).done; progress(size)) {
    hash.update(part.value);
    size += part.value.length;
    start = size > MAX_DATA ? [] : [...start, part.value];
  }
  const sha256 = hex(hash.digest()), candidates = [{ how: "digest", entry: digestEntry(sha256, size) }];
  for (const one of spellings(name)) {
    const entry = digestEntry(sha256, size, one);
    if (entry) candidates.push({ how: "name", entry });
  }
  if (size <= MAX_DATA) candidates.push({ how: "raw", entry: concat(...start) });
  return { sha256, size, candidates: candidates.map((one) => ({ ...one, leaf: leafHash(one.entry) })) };
}

async function sizeToScan(log, anySize) {
  const { size } = (log.accepted ?? (await log.visit())).signed.tree;
  if (size > SCAN_LIMIT && !anySize) fail("UsageError", `it would have to be looked for among ${size} entries, one by one`, { tooLarge: size });
  return size;
}

/**
 * Return {index, leaf} of every entry whose leaf hash is among `leaves`, lowest index first. All leaf hashes are read and
 * verified, so [] means that none of them is in the log. anySize: also in a log of more than SCAN_LIMIT entries.
 */
export async function find(log, leaves, { anySize, progress = () => {} } = {}) {
  await sizeToScan(log, anySize);
  const found = [];
  for await (const [first, hashes] of log.leaves()) {
    hashes.forEach((hash, at) => {
      const leaf = leaves.find((one) => equal(one, hash));
      if (leaf) found.push({ index: first + BigInt(at), leaf });
    });
    progress(first + BigInt(hashes.length));
  }
  return found;
}

/** Return the indexes of the digest entries with a SHA-256; their sizes and names are not known, so all entries are read. */
export async function findDigest(log, sha256, { anySize, progress = () => {} } = {}) {
  const size = await sizeToScan(log, anySize), found = [];
  for await (const [index, entry] of log.entries(0n, size)) {
    if (parseDigestEntry(entry)?.sha256 === sha256) found.push(index);
    if (index % 256n === 255n) progress(index + 1n);
  }
  return found;
}
