// Looking for the entries that have a key: among all of a small log, through the index of a large one (docs/index-format.md).
// A hit is proven by its entry; that there are no others follows from the log's tree, or from its signed index head.

import { TlogError, equal, fail, malformed, utf8 } from "./encoding.js";
import { keysOf } from "./entries.js";
import { MAX_HEAD, headKeys, isLocal, keyPrefix, parseIndexHead } from "./index_format.js";
import { RunReader } from "./index_run.js";
import { afresh, parsed } from "./log.js";
import { SCAN_LIMIT } from "./lookup.js";
import { verifyNote } from "./signed_text.js";
import { parseNote } from "./tlog.js";

const KEPT = 64; // entries that are read before they are shown

async function visited(log) {
  return (log.accepted ?? (await log.visit())).signed;
}

/** Return {head, data, unsure} of the index of a kind: unsure says why it vouches for nothing, "" if it does. Throws NotFound. */
async function openIndex(log, kind) {
  const { origin } = await visited(log), path = `index/${kind}/head`;
  const keys = headKeys(log.policy, origin);
  const first = await log.fetchObject(path, MAX_HEAD); // most that is missing is not there, and is not asked for again
  let last;
  const read = async (past) => {
    const data = past ? await log.fetchObject(path, MAX_HEAD, past) : first;
    const [note, head] = parsed(path, data, () => {
      const whole = parseNote(data), it = parseIndexHead(utf8(whole.text));
      return it.kind === kind && it.origin === origin ? [whole, it] : malformed("index head", "of another log or kind", it.origin);
    });
    last = { head, data, unsure: keys.length ? "unsigned" : "no-key" };
    if (keys.length) await verifyNote(note, keys);
    return { ...last, unsure: keys.length ? "" : "no-key" };
  };
  try {
    return await afresh(read, log.fetchObject);
  } catch (error) {
    if (error.code === "SignatureError" && last) return last; // whoever built it, a hit is proven without it
    throw error;
  }
}

/**
 * Return a `Search` for the entries that have one of the keys `values`, all of one kind. A log of up to `limit` entries is looked
 * through, with `all` any log. Throws an error with `tooLarge`, the size, where neither can be done.
 */
export async function search(log, kind, values, { limit = SCAN_LIMIT, all = false } = {}) {
  const { tree } = await visited(log);
  if (tree.size <= limit || all) return new Search(log, kind, values, limit);
  try {
    return new Search(log, kind, values, limit, await openIndex(log, kind));
  } catch (error) {
    if (error.code !== "NotFound") throw error;
    return fail("UsageError", `there is no index of ${kind}, and ${tree.size} entries would have to be looked at`, { tooLarge: tree.size, kind });
  }
}

/** One search: `hits`, then `more` of them, and then `conclude` says whether these are all. */
export class Search {
  #found = new Map(); // index → whether its entry was looked at
  #read = new Map(); // index → entry, of some that were read already
  #errors = []; // of runs, and of the log
  #denied; // the error of an index that the log signed and contradicts
  #strange = []; // candidates with no key that such a record could be of
  #stated = new Set(); // indexes that the index states, proven
  #runs = [];
  #tail = true; // whether it was, or will be, looked through
  #ended = false; // whether all was read that is read
  #busy = Promise.resolve();

  constructor(log, kind, values, limit, index) {
    Object.assign(this, { log, kind, values, index });
    this.prefixes = values.map((value) => keyPrefix(kind, value));
    this.tree = log.accepted.signed.tree;
    this.covered = index?.head.tree.size ?? 0n;
    const runs = index?.head.runs ?? [];
    this.#runs = runs.filter(({ records }) => records).map((run) => new RunReader(log.fetchObject, kind, run));
    if (index && this.tree.size - this.covered > limit) this.#tail = false;
  }

  /** Run what reads the log, one after the other, so that no tile is fetched twice. */
  #alone(task) {
    const done = this.#busy.then(task);
    this.#busy = done.catch(() => {});
    return done;
  }

  /**
   * Yield {index, entry} of the entries that have the key, as they are found, the newest `most` of what is read. The largest
   * runs come first, and alone: most hits are there. The entries after the index come last, with the most to read. progress:
   * called with how many of these were looked at
   */
  async *hits(most, progress = () => {}) {
    const largest = Math.max(...this.#runs.map(({ run }) => Number(run.level)));
    const first = this.#runs.filter(({ run }) => Number(run.level) === largest), rest = this.#runs.filter((run) => !first.includes(run));
    for (const runs of [first, rest]) yield* this.#wave(runs.map((run) => this.#look(run)), most);
    if (this.#tail) yield* this.#wave([this.#scan(progress)], most);
    this.#ended = true;
  }

  async *#wave(tasks, most) {
    const left = new Map(tasks.map((task, at) => [at, task.then(() => at)]));
    while (left.size) {
      left.delete(await Promise.race(left.values()));
      yield* this.more(most);
    }
  }

  /** Find candidates in a run. */
  async #look(run) {
    try {
      await afresh((past) => this.#window(run, past), this.log.fetchObject);
    } catch (error) {
      this.#errors.push(error);
    }
    this.#add(run);
  }

  async #window(run, past) {
    if (past) run.forget();
    return Promise.all(this.prefixes.map((prefix) => run.window(prefix, past)));
  }

  #add(run) {
    for (const index of this.prefixes.flatMap((prefix) => run.indexes(prefix))) {
      if (index < this.tree.size && !this.#found.has(index)) this.#found.set(index, false);
    }
  }

  /** Find candidates among the entries that the index does not cover. */
  async #scan(progress) {
    try {
      const { log, covered, tree } = this, isLeaf = this.kind === "leaf/1";
      const reading = isLeaf ? log.leaves(covered) : covered < tree.size ? log.entries(covered, tree.size, true) : [].values();
      for (let one; !(one = await this.#alone(() => reading.next())).done; ) {
        const [index, what] = one.value;
        if (isLeaf) what.forEach((leaf, at) => this.#isWanted(leaf) && this.#found.set(index + BigInt(at), false));
        else if (await this.#has(what)) this.#keep(index, what);
        if (isLeaf || index % 256n === 255n) progress(index - covered);
      }
    } catch (error) {
      this.#errors.push(error);
    }
  }

  #keep(index, entry) {
    this.#found.set(index, false);
    this.#read.set(index, entry);
    if (this.#read.size > KEPT) this.#read.delete(this.#read.keys().next().value);
  }

  #isWanted = (value) => this.values.some((wanted) => equal(wanted, value));

  async #has(entry) {
    return (await keysOf(entry, this.kind)).some(([, value]) => this.#isWanted(value));
  }

  /** How many candidates were not looked at yet. */
  get left() {
    return [...this.#found.values()].filter((seen) => !seen).length;
  }

  /** Yield {index, entry} of the newest `most` candidates that were not looked at, if they have the key. */
  async *more(most) {
    const waiting = [...this.#found].filter(([, seen]) => !seen).map(([index]) => index);
    waiting.sort((one, other) => (one < other ? 1 : -1));
    for (const index of waiting.slice(0, most)) {
      if (this.#found.get(index)) continue;
      this.#found.set(index, true);
      try {
        const entry = this.#read.get(index) ?? (await this.#alone(() => this.log.entry(index, true)));
        if (await this.#has(entry)) yield { index, entry };
        else if (!(await this.#isNear(entry))) this.#strange.push(index);
      } catch (error) {
        this.#errors.push(error);
      }
    }
  }

  /** Whether an entry has a key whose records look like the ones that were looked for. */
  async #isNear(entry) {
    const near = (value) => this.prefixes.some((prefix) => equal(prefix, keyPrefix(this.kind, value)));
    return (await keysOf(entry, this.kind)).some(([, value]) => near(value));
  }

  /** Note that the index is wrong: of the log's own key that is evidence. */
  #deny(problem) {
    const evidence = { "index head": this.index.data, checkpoint: this.log.accepted.signed.data };
    this.#denied = new TlogError("ProofError", `the index says otherwise than the log: ${problem}`, { denied: true, evidence });
  }

  /**
   * Say whether the hits are all, once `hits` has ended: {proven, why, error}. why: "" if it is proven, by the log's tree alone or
   * by its signed index head; otherwise what is lacking.
   */
  async conclude() {
    if (this.index) await this.#prove();
    const error = this.#denied ?? this.#errors[0];
    const why = this.#denied ? "denied" : error?.many ? "many" : error ? "unread" : this.#lacking();
    return { proven: !why, why, error, covered: this.covered, size: this.tree.size };
  }

  #lacking() {
    if (this.left || !this.#ended) return "left";
    if (!this.index) return "";
    if (isLocal(this.kind)) return "local";
    return this.index.unsure || (this.covered > this.tree.size ? "ahead" : this.#tail ? "" : "tail");
  }

  /** Let the pages of each run follow from its root, and the head's tree be one with which the log's begins. */
  async #prove() {
    if (this.#errors.length || this.#lacking().replace("left", "")) return; // nothing would be proven all the same
    const { tree } = this.index.head;
    const begins = this.#alone(() => this.log.compare({ tree, data: this.index.data })).catch((error) => {
      if (error.code !== "ForkError") throw error;
      this.#deny(`its tree of ${tree.size} entries has another root`);
    });
    const runs = this.#runs.map((run) => afresh((past) => this.#proveRun(run, past), this.log.fetchObject));
    for (const { reason } of await Promise.allSettled([begins, ...runs])) {
      if (reason?.denied) this.#deny(reason.message);
      else if (reason) this.#errors.push(reason);
    }
    const wrong = this.#strange.find((index) => this.#stated.has(index));
    if (wrong !== undefined) this.#deny(`entry ${wrong} has no such key`);
  }

  async #proveRun(run, past) {
    const windows = await this.#window(run, past);
    for (const [at, window] of windows.entries()) {
      await run.prove(window, past);
      run.indexes(this.prefixes[at], window).forEach((index) => this.#stated.add(index));
    }
    this.#add(run);
  }
}
