// The tiles of a log (https://c2sp.org/tlog-tiles): which to fetch, and which hashes and entries to believe.

import { MAX_SIZE, concat, equal, fail, hex, malformed, usage } from "./encoding.js";
import { leafHash, nodeHash } from "./merkle.js";
import { EMPTY_ROOT } from "./sha256.js";

const MAX_TILE = 2 * 8192; // bytes, twice a tile: one that is too long is read, and then called wrong
const MAX_BUNDLE = 256 * (2 + 65_535) + 1;
const PARALLEL = 16; // objects at a time
const KEPT = 1024; // full tiles, 16 KiB each

// ---- nodes: {height, index} is the complete subtree D[index * 2^height : (index + 1) * 2^height]

const log2 = (number) => number.toString(2).length - 1; // rounded down
const middleOf = (start, end) => start + (1n << BigInt(log2(end - start - 1n))); // RFC 6962 §2.1, k < n ≤ 2k
export const foldRight = (hashes) => hashes.reduceRight((root, left) => nodeHash(left, root));

export function subtrees(start, end) { // D[start:end] as complete subtrees, largest first
  const nodes = [];
  while (start < end) {
    const height = log2(end - start);
    nodes.push({ height, index: start >> BigInt(height) });
    start += 1n << BigInt(height);
  }
  return nodes;
}

/** Return for each hash of an inclusion proof, in its order, the nodes of which it is the right fold (RFC 6962 §2.1.1). */
export function inclusionNodes(index, size) {
  if (index < 0n || index >= size || size > MAX_SIZE) usage(`there is no entry ${index} among ${size}`);
  const path = [];
  for (let start = 0n, end = size; end - start > 1n; ) {
    const middle = middleOf(start, end);
    path.unshift(index < middle ? subtrees(middle, end) : subtrees(start, middle));
    if (index < middle) end = middle;
    else start = middle;
  }
  return path;
}

/** Return the same for the consistency proof between two tree sizes (§2.1.2). */
export function consistencyNodes(old, size) {
  if (old < 0n || old > size || size > MAX_SIZE) usage(`${old} entries do not begin ${size}`);
  const path = [];
  let start = 0n, end = size;
  while (0n < old && old < end) {
    const middle = middleOf(start, end);
    path.unshift(old <= middle ? subtrees(middle, end) : subtrees(start, middle));
    if (old <= middle) end = middle;
    else start = middle;
  }
  return start > 0n ? [subtrees(start, end), ...path] : path;
}

// ---- tiles and entry bundles

export const ENTRIES = -1; // the level of an entry bundle

/** Return a number as path elements: 1234067 → "x001/x234/067". */
export const indexPath = (number) => {
  const groups = String(number).padStart(3 * Math.ceil(String(number).length / 3), "0").match(/.{3}/g);
  return groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join("/");
};

const pathOf = (level, index, width) => `tile/${level < 0 ? "entries" : level}/${indexPath(index)}${width < 256 ? `.p/${width}` : ""}`;

/** Return the tile {level, index, width, path} as a tree of `size` has it: full, or partial at the right edge. */
export function tileAt(size, level, index) {
  const rest = (size >> BigInt(8 * Math.max(level, 0))) - 256n * index;
  if (rest < 1n) usage(`no tile ${index} at level ${level}`);
  const width = rest < 256n ? Number(rest) : 256;
  return { level, index, width, path: pathOf(level, index, width) };
}

function edgeTiles(size) { // the partial tiles: the root follows from them alone
  const tiles = [];
  for (let level = 0, count = size; count > 0n; level++, count >>= 8n) if (count % 256n) tiles.push(tileAt(size, level, count / 256n));
  return tiles;
}

const parentOf = (size, { level, index }) => tileAt(size, level + 1, index / 256n);

function place({ height, index }, size) { // where a node stands
  if ((index + 1n) << BigInt(height) > size) usage(`no node ${index} of height ${height}`);
  const within = height % 8, count = 256n >> BigInt(within);
  return { tile: tileAt(size, (height - within) / 8, index / count), within, position: Number(index % count) };
}

function heightsOf({ width }, bytes) { // the hashes of a tile at each height
  const heights = [Array.from({ length: width }, (_, at) => bytes.subarray(32 * at, 32 * at + 32))];
  for (let below; (below = heights.at(-1)).length > 1; ) {
    heights.push(Array.from({ length: below.length >> 1 }, (_, at) => nodeHash(below[2 * at], below[2 * at + 1])));
  }
  return heights;
}

const tileError = (path, problem, evidence) => fail("TileError", `${path}: ${problem}`, { path, problem, evidence });

function checkLength(path, bytes, size) {
  if (bytes.length === size) return;
  tileError(path, `${bytes.length} bytes instead of ${size}`, { [path]: bytes });
}

/** Turns tiles that anyone may have written into hashes of one tree {size, root}. */
export class TreeReader {
  #edge = new Map(); // path → heights; empty until all of the edge is believed
  #full = new Map();
  #needed = new Set(); // paths, of the last `wanted`

  constructor(tree) {
    this.tree = tree;
    if (tree.size === 0n && !equal(tree.root, EMPTY_ROOT)) tileError("checkpoint", "the empty tree has another root");
  }

  /** Return the tiles to fetch before nodes can be believed: the edge, then parents before children. */
  wanted(nodes) {
    const { size } = this.tree, full = new Map();
    this.#needed = new Set();
    for (const node of nodes) {
      let { tile } = place(node, size);
      for (; tile.width === 256 && !full.has(tile.path) && !this.#full.has(tile.path); tile = parentOf(size, tile)) full.set(tile.path, tile);
      this.#needed.add(tile.path);
    }
    for (const path of full.keys()) this.#needed.add(path);
    const edge = this.#edge.size ? [] : edgeTiles(size);
    return [...edge, ...[...full.values()].sort((one, other) => other.level - one.level)];
  }

  /** Believe tiles that lead to the root: all that `wanted` returned, in its order; contents: path → bytes. */
  accept(tiles, contents) {
    this.#acceptEdge(tiles.filter((tile) => tile.width < 256), contents);
    for (const tile of tiles.filter(({ width }) => width === 256)) {
      const parent = parentOf(this.tree.size, tile), bytes = contents.get(tile.path);
      checkLength(tile.path, bytes, 8192);
      const heights = heightsOf(tile, bytes), expected = this.#heights(parent)[0][Number(tile.index % 256n)], computed = heights[8][0];
      if (!equal(computed, expected)) {
        tileError(tile.path, `hashes to ${hex(computed)}, and ${parent.path} says ${hex(expected)}`, { [tile.path]: bytes });
      }
      this.#full.set(tile.path, heights);
    }
    for (const path of this.#full.keys()) if (this.#full.size > KEPT && !this.#needed.has(path)) this.#full.delete(path);
  }

  #acceptEdge(tiles, contents) {
    if (!tiles.length) return;
    for (const { path, width } of tiles) checkLength(path, contents.get(path), 32 * width);
    const edge = new Map(tiles.map((tile) => [tile.path, heightsOf(tile, contents.get(tile.path))]));
    const hashes = subtrees(0n, this.tree.size).map((node) => {
      const { tile, within, position } = place(node, this.tree.size);
      return edge.get(tile.path)[within][position];
    });
    if (!equal(foldRight(hashes), this.tree.root)) {
      tileError([...edge.keys()].join(", "), "the right edge does not lead to the root", Object.fromEntries(contents));
    }
    this.#edge = edge;
  }

  #heights({ path }) {
    return this.#full.get(path) ?? this.#edge.get(path) ?? usage(`${path} is not known`);
  }

  /** Return the hash of a node. */
  hash(node) {
    const { tile, within, position } = place(node, this.tree.size);
    return this.#heights(tile)[within][position];
  }

  /** Return the leaf hashes of the bundle at an index. */
  leafHashes(index) {
    return this.#heights(tileAt(this.tree.size, 0, index))[0];
  }
}

/** Return the entries of a bundle of `width` entries: big-endian uint16 length-prefixed. */
export function parseBundle(bytes, width) {
  const entries = [];
  let at = 0;
  while (at + 2 <= bytes.length) entries.push(bytes.subarray(at + 2, (at += 2 + bytes[at] * 256 + bytes[at + 1])));
  if (at !== bytes.length || entries.length !== width) malformed("entry bundle", `${entries.length} entries in ${bytes.length} bytes`);
  return entries;
}

/** Return the entries of a bundle, if they hash to the leaves of the tree. */
export function believedEntries(bundle, bytes, leaves) {
  const { path, index, width } = bundle, entries = entriesOf(bundle, bytes, width), wrong = entries.findIndex((entry, at) => !equal(leafHash(entry), leaves[at]));
  if (wrong >= 0) tileError(path, `entry ${index * 256n + BigInt(wrong)} is not the one in the tree`, { [path]: bytes });
  return entries;
}

/** Return the entries of a bundle; format: of a log with another layout, see layouts.js. */
function entriesOf({ path, index, format }, bytes, width) {
  try {
    return format ? format.split(bytes, width, index * 256n).map(({ entry }) => entry) : parseBundle(bytes, width);
  } catch (error) {
    return tileError(path, error.message, { [path]: bytes });
  }
}

// ---- fetching

/** Return the first `width` entries or hashes of a tile that has `has`. */
function startOf(tile, bytes, has, width) {
  const { path, level, index, format } = tile;
  if (level < 0) {
    const entries = entriesOf(tile, bytes, has).slice(0, width);
    if (format) return bytes.subarray(0, format.split(bytes, has, index * 256n)[width - 1].end);
    return bytes.subarray(0, entries.reduce((size, entry) => size + 2 + entry.length, 0));
  }
  checkLength(path, bytes, 32 * has);
  return bytes.subarray(0, 32 * width);
}

/** Return the bytes of a tile. A partial one that is gone, or is something else, is cut from the full one. */
async function fetchTile(fetchObject, tile, past) {
  const { level, index, width, path } = tile;
  const get = (from) => fetchObject(from, level < 0 ? MAX_BUNDLE : MAX_TILE, past);
  if (width === 256) return get(path);
  const partial = async () => startOf(tile, await get(path), width, width), whole = pathOf(level, index, 256);
  const full = async () => startOf({ ...tile, path: whole }, await get(whole), 256, width);
  // one that has its length and still does not lead to the root was asked for twice by then
  const [first, second] = past > 1 ? [full, partial] : [partial, full];
  try {
    return await first();
  } catch (error) {
    if (error.code !== "NotFound" && error.code !== "TileError" && !error.tooLong) throw error;
    return second().catch((other) => {
      throw error.code === "NotFound" ? other : error; // most logs have no full one yet
    });
  }
}

/**
 * Return what a log has for tiles, path → bytes, NOT believed. fetchObject, past: see `httpFetcher`. With a bundle that is `alone`
 * its tile of level 0 is not read, but computed. If that does not lead to the root, both are read past caches, and show what is wrong.
 */
export async function fetchTiles(fetchObject, tiles, past) {
  const bundle = tiles.find(({ alone }) => alone), below = ({ level, index }) => !past && level === 0 && index === bundle?.index;
  const contents = new Map(), queue = tiles.filter((tile) => !below(tile)).values();
  const worker = async () => {
    for (const tile of queue) contents.set(tile.path, await fetchTile(fetchObject, tile, past));
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  for (const { path } of tiles.filter(below)) {
    contents.set(path, concat(...entriesOf(bundle, contents.get(bundle.path), bundle.width).map((entry) => leafHash(entry))));
  }
  return contents;
}

