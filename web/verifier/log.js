// Reading a log made of tiles: what is read is believed once it leads to a signed root.
//
//     const log = new Log(httpFetcher(url), policyFor(parseVkey(vkey)));
//     const entry = await log.entry(0);

import { TlogError, concat, decodeText, encodeBase64, equal, fail, hex, usage, utf8 } from "./encoding.js";
import { verifyConsistency, verifyInclusion } from "./merkle.js";
import { sha256 } from "./sha256.js";
import { MAX_NOTE, acceptCheckpoint, parseCheckpoint, policyFor } from "./tlog.js";

const tiles = () => import("./tiles.js"); // once a tile is needed
const big = (number) => (typeof number === "bigint" || Number.isSafeInteger(number) ? BigInt(number) : usage(`${number} is no whole number`));

// ---- fetching

/** Return what reads a log's objects over fetch: (path, limit in bytes) → bytes. timeout: milliseconds for one. */
export function httpFetcher(url, { timeout = 20_000 } = {}) {
  const base = String(url).replace(/\/*$/, "/");
  return async (path, limit) => {
    const lost = (problem, more) => fail("AccessError", `${base}${path}: ${problem}`, more);
    const cache = path.startsWith("tile/") ? "default" : "no-cache";
    try {
      const signal = AbortSignal.timeout(timeout);
      const { status, body } = await fetch(base + path, { cache, credentials: "omit", referrerPolicy: "no-referrer", signal });
      // some storage answers 403 for what is not there
      if (status === 404 || status === 410 || (status === 403 && path !== "checkpoint")) fail("NotFound", `${base}${path}: not found (${status})`);
      if (status !== 200) lost(`the server answers ${status}`, { status });
      const parts = [], reader = body.getReader();
      for (let size = 0, part; !(part = await reader.read()).done; parts.push(part.value)) {
        if ((size += part.value.length) > limit) lost(`longer than ${limit} bytes`, { status });
      }
      return concat(...parts);
    } catch (error) {
      if (error instanceof TlogError) throw error;
      return lost(error.name === "TimeoutError" ? `no answer within ${timeout / 1000} seconds` : "no connection, or this page may not read it");
    }
  };
}

// ---- the log

/**
 * Reads one log, all of it from the checkpoint of the last `visit`. fetchObject: see `httpFetcher`; memory: {load(id) →
 * string or null, save(id, string)}, what was seen before; origin: if given, the only one that will do.
 */
export class Log {
  #reader;

  constructor(fetchObject, policy, { memory, origin } = {}) {
    Object.assign(this, { fetchObject, policy, memory, origin });
  }

  /**
   * Fetch the checkpoint, compare it with what was seen before, remember it; returns what `acceptCheckpoint` does.
   * `previous` is what was seen before, or null; `newer` too, if this is an old copy. A ForkError holds both, as evidence.
   */
  async visit() {
    const signed = parseCheckpoint(await this.fetchObject("checkpoint", MAX_NOTE));
    const accepted = await acceptCheckpoint(this.policy, signed, this.origin);
    let previous = null;
    // each key is compared: somebody who holds two of them could sign another tree with each
    for (const { key } of this.policy.logs.filter((log) => this.memory && log.key.name === signed.origin)) {
      const last = await this.#recall(key);
      if (!last) continue;
      if (last.tree.size <= signed.tree.size) await this.#checkExtends(last, signed);
      else await this.#checkOldCopy(signed, last);
      if (!previous || last.tree.size > previous.tree.size) previous = last;
    }
    const last = this.memory && (await this.#recall(accepted.log));
    if (this.memory && !(last?.tree.size >= signed.tree.size)) this.memory.save(memoryId(accepted.log), decodeText(signed.data));
    return Object.assign(this, { accepted, previous, newer: previous?.tree.size > signed.tree.size ? previous : null }).accepted;
  }

  /** Throw a ForkError unless an accepted checkpoint and the one visited are of one history. */
  async compare(signed) {
    const now = (this.accepted ?? (await this.visit())).signed;
    if (signed.tree.size <= now.tree.size) await this.#checkExtends(signed, now);
    else await this.#checkOldCopy(now, signed);
  }

  async #recall(key) {
    const text = this.memory.load(memoryId(key));
    try {
      return text && (await acceptCheckpoint(policyFor(key), parseCheckpoint(utf8(text)))).signed;
    } catch (error) {
      return fail("AccessError", `what was remembered is damaged: ${error.message}`, { damaged: memoryId(key) });
    }
  }

  async #checkOldCopy(served, last) {
    try {
      await this.#checkExtends(served, last);
    } catch (error) {
      if (error.code !== "NotFound") throw error;
      fail("AccessError", `nothing shows that the ${served.tree.size} entries served begin the ${last.tree.size} seen`, { oldCopy: true });
    }
  }

  async #checkExtends(older, newer) {
    const { size } = older.tree, evidence = { older: older.data, newer: newer.data };
    const fork = () => fail("ForkError", `the log ${newer.origin} shows two histories, of ${size} and ${newer.tree.size} entries`, { evidence });
    if (size === newer.tree.size && !equal(older.tree.root, newer.tree.root)) fork();
    if (size === 0n || size === newer.tree.size) return;
    const { consistencyNodes, foldRight, subtrees } = await tiles(), reader = await this.#readerOf(newer.tree);
    const nodes = subtrees(0n, size), parts = consistencyNodes(size, newer.tree.size);
    await this.#read(reader, [...nodes, ...parts.flat()]);
    // the root is computed from hashes that are believed: a proof that fails would show only that the proof is wrong
    const [root, ...proof] = [nodes, ...parts].map((part) => foldRight(part.map((node) => reader.hash(node))));
    if (!equal(root, older.tree.root)) {
      evidence.prefix = utf8([root, ...proof].map((hash) => `${encodeBase64(hash)}\n`).join("")); // tiles/notes/fork_evidence.py
      fork();
    }
    verifyConsistency(older.tree, newer.tree, proof);
  }

  async #read(reader, nodes, bundles = []) {
    const { fetchTiles } = await tiles(), wanted = reader.wanted(nodes);
    const contents = await fetchTiles(this.fetchObject, [...wanted, ...bundles]);
    reader.accept(wanted, contents);
    return contents;
  }

  async #readerOf(tree) {
    const { TreeReader } = await tiles();
    if (this.#reader?.tree !== tree) this.#reader = new TreeReader(tree);
    return this.#reader;
  }

  async #current() {
    return this.#readerOf((this.accepted ?? (await this.visit())).signed.tree);
  }

  /** Return the proof, verified, of entry `index`, with its `leaf`; `formatProof` makes a file of it. */
  async prove(index) {
    const { foldRight, inclusionNodes } = await tiles(), reader = await this.#current();
    const checkpoint = this.accepted.signed, leaf = { height: 0, index: big(index) };
    const parts = inclusionNodes(leaf.index, checkpoint.tree.size);
    await this.#read(reader, [leaf, ...parts.flat()]);
    const hashes = parts.map((part) => foldRight(part.map((node) => reader.hash(node))));
    verifyInclusion(reader.hash(leaf), leaf.index, checkpoint.tree, hashes);
    return { index: leaf.index, hashes, checkpoint, leaf: reader.hash(leaf) };
  }

  /** Return an entry. */
  async entry(index) {
    for await (const [, entry] of this.entries(index, big(index) + 1n)) return entry;
  }

  /** Yield [index, entry] for start ≤ index < stop. */
  async *entries(start, stop) {
    const reader = await this.#current(), { size } = reader.tree;
    [start, stop] = [big(start), big(stop)];
    if (start < 0n || start > stop || stop > size) usage(`a tree of size ${size} has no entries [${start}, ${stop})`);
    const { ENTRIES, believedEntries, tileAt } = await tiles();
    for (let at = start / 256n; at * 256n < stop && start < stop; at++) {
      const bundle = tileAt(size, ENTRIES, at), contents = await this.#read(reader, [{ height: 0, index: at * 256n }], [bundle]);
      const entries = believedEntries(bundle, contents.get(bundle.path), reader.leafHashes(at));
      for (const [position, entry] of entries.entries()) {
        const index = at * 256n + BigInt(position);
        if (index >= start && index < stop) yield [index, entry];
      }
    }
  }

  /** Yield [first index, leaf hashes] of each level-0 tile, left to right, read 64 at a time. */
  async *leaves() {
    const reader = await this.#current(), { size } = reader.tree;
    for (let first = 0n; first < size; first += 64n * 256n) {
      const starts = Array.from({ length: 64 }, (_, at) => first + 256n * BigInt(at)).filter((start) => start < size);
      await this.#read(reader, starts.map((index) => ({ height: 0, index })));
      for (const start of starts) yield [start, reader.leafHashes(start / 256n)];
    }
  }
}

/** Return the name under which a log's last checkpoint is remembered. */
export const memoryId = ({ vkey }) => hex(sha256(utf8(vkey)));
