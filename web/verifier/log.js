// Reading a log made of tiles: what is read is believed once it leads to a signed root.

import { TlogError, concat, decodeText, equal, fail, hex, usage, utf8 } from "./encoding.js";
import { sha256 } from "./sha256.js";
import { MAX_NOTE, acceptCheckpoint, parseCheckpoint, policyFor } from "./tlog.js";

const tiles = () => import("./tiles.js");
const big = (number) => (typeof number === "bigint" || Number.isSafeInteger(number) ? BigInt(number) : usage(`${number} is no whole number`));

// ---- fetching

const ATTEMPTS = 4, FIRST = 250, LONGEST = 30_000; // milliseconds of a pause, as in http_fetcher.py
const wait = (time) => new Promise((done) => setTimeout(done, time));

/**
 * Return what reads objects over fetch: (path, limit in bytes, past, part) → bytes. past: 1 asks past this machine's cache, 2
 * past those on the way too; part: see ranges.js. timeout: milliseconds without a byte; whole: for one object, all attempts.
 */
export function httpFetcher(url, { timeout = 20_000, whole = 600_000 } = {}) {
  if (/[?#]|\/\/[^/]*@/.test(url)) usage("a log's address has no user, password or query here");
  const base = String(url).replace(/\/*$/, "/");
  const fetchObject = async (path, limit, past = 0, part) => {
    const until = Date.now() + whole;
    for (let attempt = 1; ; attempt++) {
      try {
        return await fetchOnce(base, path, limit, past, part, () => Math.min(timeout, until - Date.now()));
      } catch (error) {
        const asked = Math.max(0, error.busy); // NaN where the server asks for no pause
        const pause = Math.min(LONGEST, asked >= 0 ? asked : FIRST * 2 ** (attempt - 1) * (0.5 + Math.random()));
        if (!("busy" in error) || attempt === ATTEMPTS || Date.now() + pause > until) throw error;
        await wait(pause);
      }
    }
  };
  return Object.assign(fetchObject, { url: base });
}

/** Return an object after one attempt. An error that may pass has `busy`: milliseconds to wait, as the server asks, or NaN. */
async function fetchOnce(base, path, limit, past, part, patience) {
  const lost = (problem, more) => fail("AccessError", `${base}${path}: ${problem}`, more);
  const cache = past ? ["reload", "no-store"][past - 1] : path.startsWith("tile/") ? "default" : "no-cache";
  const stop = new AbortController(), { signal } = stop;
  let timer;
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => stop.abort(), patience());
  };
  try {
    heard();
    const where = base + path + (past > 1 ? `?past=${Date.now()}` : "");
    const how = { cache, credentials: "omit", referrerPolicy: "no-referrer", redirect: "manual", signal, ...part };
    let answer = await fetch(where, how);
    if (part || (answer.status < 400 && !/^200(gzip|br|null)$/.test(`${answer.status}${answer.headers.get("Content-Encoding")}`)))
      answer = await (await import("./answers.js")).plain(where, answer, how, lost);
    const { status, headers, body } = answer;
    // some storage answers 403 for what is not there
    if (status === 404 || status === 410 || (status === 403 && path !== "checkpoint")) fail("NotFound", `${base}${path}: not found (${status})`);
    if (status === 408 || status === 429 || status >= 500)
      lost(`the server answers ${status}`, { busy: await import("./answers.js").then(({ retryAfter }) => retryAfter(headers), () => NaN) });
    if (status !== 200) lost(`the server answers ${status}`);
    const parts = [], reader = body.getReader();
    for (let size = 0, part; !(part = await reader.read()).done; parts.push(part.value)) {
      heard();
      if ((size += part.value.length) > limit) lost(`longer than ${limit} bytes`, { tooLong: true });
    }
    return concat(...parts);
  } catch (error) {
    if (error instanceof TlogError) throw error;
    return lost(signal.aborted ? "no byte for too long" : "no connection, or this page may not read it", { busy: NaN });
  } finally {
    clearTimeout(timer);
    stop.abort(); // what is left of an answer is not wanted
  }
}

/** Return what `parse` makes of an object; an error holds the object as evidence. */
export function parsed(path, bytes, parse) {
  try {
    return parse(bytes);
  } catch (error) {
    throw Object.assign(error, { evidence: { [path]: bytes } });
  }
}

const DOUBTFUL = ["NotFound", "Malformed", "TileError", "SignatureError", "PolicyError"];

/** Return what `read` makes of what is fetched, past: 0, then 1 and 2 if it is missing or not right. */
export async function afresh(read, { url }) {
  let wrong;
  for (const past of [0, 1, 2]) {
    try {
      return await read(past);
    } catch (error) {
      if (past < 2) wrong = error; // the last may be of a server that takes no query
      if (!DOUBTFUL.includes(error.code) && !error.tooLong) break;
    }
  }
  throw DOUBTFUL.includes(wrong.code) ? await import("./answers.js").then(({ judged }) => judged(wrong, url), () => wrong) : wrong;
}

// ---- the log

/**
 * Reads one log, all of it from the checkpoint of the last `visit`. fetchObject: see `httpFetcher`; memory: {load(id) →
 * string or null, save(id, string)}; origin: if given, the only one that will do.
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
    const accepted = await afresh(async (past) => {
      const signed = parsed("checkpoint", await this.fetchObject("checkpoint", MAX_NOTE, past), parseCheckpoint);
      return acceptCheckpoint(this.policy, signed, this.origin);
    }, this.fetchObject);
    const { signed } = accepted;
    let previous = null;
    // each key is compared: somebody who holds two of them could sign another tree with each
    for (const { key } of this.policy.logs.filter((log) => this.memory && log.origin === signed.origin)) {
      const last = await this.#recall(key, signed.origin);
      if (!last) continue;
      await this.#compare(signed, last);
      if (!previous || last.tree.size > previous.tree.size) previous = last;
    }
    const last = this.memory && (await this.#recall(accepted.log, signed.origin));
    if (this.memory && !(last?.tree.size >= signed.tree.size)) this.memory.save(memoryId(accepted.log, signed.origin), decodeText(signed.data));
    return Object.assign(this, { accepted, previous, newer: previous?.tree.size > signed.tree.size ? previous : null }).accepted;
  }

  /** Throw a ForkError unless a checkpoint and the one visited are of one history. */
  async compare(signed) {
    await this.#compare((this.accepted ?? (await this.visit())).signed, signed);
  }

  async #compare(served, other) {
    if (served.tree.size === other.tree.size && equal(served.tree.root, other.tree.root)) return;
    const { compareHeads } = await import("./history.js");
    await compareHeads(this.policy, served, other, async (tree, nodes) => {
      const reader = await this.#readerOf(tree);
      await this.#read(reader, nodes);
      return reader;
    });
  }

  async #recall(key, origin) {
    const id = memoryId(key, origin), text = this.memory.load(id);
    try {
      return text && (await acceptCheckpoint(policyFor(key, origin), parseCheckpoint(utf8(text)))).signed;
    } catch (error) {
      return fail("AccessError", `what was remembered is damaged: ${error.message}`, { damaged: id });
    }
  }

  /** Let a reader know nodes, and return the entries of a bundle if one is given. */
  async #read(reader, nodes, bundle) {
    const { believedEntries, fetchTiles } = await tiles();
    return afresh(async (past) => {
      const wanted = reader.wanted(nodes), contents = await fetchTiles(this.fetchObject, bundle ? [...wanted, bundle] : wanted, past);
      reader.accept(wanted, contents);
      return bundle && believedEntries(bundle, contents.get(bundle.path), reader.leafHashes(bundle.index));
    }, this.fetchObject);
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
    const [{ foldRight, inclusionNodes }, { verifyInclusion }] = await Promise.all([tiles(), import("./merkle.js")]), reader = await this.#current();
    const checkpoint = this.accepted.signed, leaf = { height: 0, index: big(index) };
    const parts = inclusionNodes(leaf.index, checkpoint.tree.size);
    await this.#read(reader, [leaf, ...parts.flat()]);
    const hashes = parts.map((part) => foldRight(part.map((node) => reader.hash(node))));
    verifyInclusion(reader.hash(leaf), leaf.index, checkpoint.tree, hashes);
    return { index: leaf.index, hashes, checkpoint, leaf: reader.hash(leaf) };
  }

  async entry(index, alone) {
    for await (const [, entry] of this.entries(index, big(index) + 1n, alone)) return entry;
  }

  /** Yield [index, entry] for start ≤ index < stop. alone: see `fetchTiles` */
  async *entries(start, stop, alone) {
    const reader = await this.#current(), { size } = reader.tree;
    [start, stop] = [big(start), big(stop)];
    if (start < 0n || start > stop || stop > size) usage(`a tree of size ${size} has no entries [${start}, ${stop})`);
    const { ENTRIES, tileAt } = await tiles();
    for (let at = start / 256n; at * 256n < stop && start < stop; at++) {
      const entries = await this.#read(reader, [{ height: 0, index: at * 256n }], { ...tileAt(size, ENTRIES, at), alone, format: this.fetchObject.format });
      for (const [position, entry] of entries.entries()) {
        const index = at * 256n + BigInt(position);
        if (index >= start && index < stop) yield [index, entry];
      }
    }
  }

  /** Yield [first index, leaf hashes] of each level-0 tile from `first` on, a multiple of 256; 64 are read at a time. */
  async *leaves(first = 0n) {
    const reader = await this.#current(), { size } = reader.tree;
    for (; first < size; first += 64n * 256n) {
      const starts = Array.from({ length: 64 }, (_, at) => first + 256n * BigInt(at)).filter((start) => start < size);
      await this.#read(reader, starts.map((index) => ({ height: 0, index })));
      for (const start of starts) yield [start, reader.leafHashes(start / 256n)];
    }
  }
}

/** Return the name under which a log's last checkpoint is remembered. */
export const memoryId = ({ vkey, name }, origin = name) => hex(sha256(utf8(origin === name ? vkey : `${vkey}\n${origin}`)));
