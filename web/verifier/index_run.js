// Where the records of one key stand in a run of an index: docs/index-format.md, "Objects". Pages are looked at before they are
// believed, because a hit is proven by its entry; `prove` shows that they are pages of the run.

import { equal, fail } from "./encoding.js";
import { coverage } from "./index_format.js";
import { leafHash } from "./merkle.js";
import { fetchRange, fetchWhole } from "./ranges.js";
import { TreeReader, indexPath } from "./tiles.js";

export const RECORD = 16; // bytes
export const PREFIX = 10;
export const PAGE = 4096;
export const RECORDS = PAGE / RECORD; // of a page
const FILE_PAGES = 256;
const WIDEST = 8; // pages on each side of a guess
const MISSES = 3; // guesses, then halves
const MOST = 64; // pages on which a key has records, 16,384 of them: no more are read

/** Compare bytes of one length: less than 0 if the first are smaller. */
export const order = (one, other) => {
  const at = one.findIndex((byte, position) => byte !== other[position]);
  return at < 0 ? 0 : one[at] - other[at];
};

/** Return the index that a record names, as BigInt. */
export const indexIn = (record) => BigInt(record.subarray(PREFIX).reduce((sum, byte) => sum * 256 + byte, 0));

/**
 * Return the records of the pages of a run that begin with page `first`. Pages that lead to the run's root, and that no run can
 * have, show that whoever signed the root is wrong: a ProofError.
 */
export function recordsOf(run, first, pages) {
  const wrong = (problem) => fail("ProofError", `run ${run.level}/${run.number}: ${problem}`, { denied: true });
  const records = pages.flatMap((page, at) => {
    const count = Math.min(RECORDS, Number(run.records) - (first + at) * RECORDS);
    if (page.length !== count * RECORD) wrong(`page ${first + at} has another number of records`);
    return Array.from({ length: count }, (_, number) => page.subarray(number * RECORD, (number + 1) * RECORD));
  });
  const [start, stop] = coverage(run);
  for (const [at, record] of records.entries()) {
    if (at && order(records[at - 1], record) >= 0) wrong("the records are not in order");
    if (indexIn(record) < start || indexIn(record) >= stop) wrong("a record names an entry that it does not cover");
  }
  return records;
}
/** Return where the key of a record stands among all, from 0 to 1. */
const share = (bytes) => bytes.subarray(0, 6).reduce((sum, byte) => sum * 256 + byte, 0) / 2 ** 48;
const least = (one, other) => (one < other ? one : other);

/** Return which pages to read next, [first, stop), of those between two that are known. key: its share; left, right: of records. */
export function guess(key, first, stop, left, right, misses) {
  if (misses >= MISSES || !(right > left)) { // somebody has ground the keys: half of what is left each time
    const middle = (first + stop) >> 1;
    return [Math.max(first, middle - 1), Math.min(stop, middle + 2)];
  }
  const part = Math.min(1, Math.max(0, (key - left) / (right - left))), records = (stop - first) * 256;
  // the place of a key among evenly spread ones is a binomial: within three deviations nearly always
  const at = part * records, side = Math.min(256 * WIDEST, 3 * Math.sqrt(records * part * (1 - part)) + 2);
  let from = Math.min(stop - 1, first + Math.floor(Math.max(0, at - side) / 256));
  let to = Math.max(from + 1, Math.min(stop, first + Math.ceil((at + side) / 256)));
  const border = Math.ceil((from + 1) / FILE_PAGES) * FILE_PAGES, over = (border - first) * 256 - at; // records to the next file
  if (border < to && Math.abs(over) > side / 2) { // most likely all is in one file, and one request does
    if (over > 0) to = border;
    else from = border;
  }
  return [from, to];
}

/** One run, {level, number, records, root} as an index head has it. fetchObject: see `httpFetcher` in log.js. */
export class RunReader {
  #known = new Map(); // page → bytes
  #tree;

  constructor(fetchObject, kind, run) {
    this.base = `index/${kind}/${run.level}/${indexPath(run.number)}/`;
    this.run = run;
    this.records = Number(run.records);
    this.pages = Math.ceil(this.records / 256);
    this.fetchObject = fetchObject;
    this.#tree = new TreeReader({ size: BigInt(this.pages), root: run.root });
  }

  #size(page) {
    return Math.min(PAGE, this.records * RECORD - page * PAGE);
  }

  /** Forget what was read, because it is read past caches now. */
  forget() {
    this.#known.clear();
  }

  /** Read the pages [first, stop). */
  async #read(first, stop, past) {
    const files = [];
    for (let at = first; at < stop; at = least(stop, (Math.floor(at / FILE_PAGES) + 1) * FILE_PAGES)) files.push(at);
    await Promise.all(files.map((from) => this.#readFile(from, stop, past)));
  }

  async #readFile(from, stop, past) {
    const file = Math.floor(from / FILE_PAGES), before = file * FILE_PAGES * PAGE; // bytes of the run before the file
    const size = least(this.records * RECORD - before, FILE_PAGES * PAGE), end = least(stop * PAGE - before, size);
    const { first, bytes } = await fetchRange(this.fetchObject, this.base + indexPath(file), from * PAGE - before, end, size, past);
    const start = (before + first) / PAGE;
    for (let at = 0; at * PAGE < bytes.length; at++) this.#known.set(start + at, bytes.subarray(at * PAGE, (at + 1) * PAGE));
  }

  #first = (page) => this.#known.get(page).subarray(0, PREFIX);
  #last = (page) => this.#known.get(page).subarray(-RECORD).subarray(0, PREFIX);

  /** Return the pages [first, stop) that have all records of a key, if the pages are right. Throws {many} where those are too many. */
  async window(prefix, past = 0) {
    const wrong = () => fail("TileError", `${this.base}: the records are not in order`, { path: this.base });
    for (let misses = 0, step = 1; this.pages; misses++) {
      let low = -1, high = this.pages; // a page with a record before the key, and one with a record after it
      const same = [];
      for (const page of this.#known.keys()) {
        if (order(this.#first(page), prefix) < 0) low = Math.max(low, page);
        if (order(this.#last(page), prefix) > 0) high = least(high, page);
      }
      if (low > high) wrong();
      for (const page of this.#known.keys()) if (page > low && page < high) same.push(page); // nothing but records of the key
      const [from, to] = same.length ? [Math.min(...same), Math.max(...same) + 1] : [];
      if (same.length && (to - from !== same.length || same.length > MOST)) same.length > MOST ? this.#many() : wrong();
      const missing = (same.length ? [[low + 1, from], [to, high]] : [[low + 1, high]]).filter(([first, stop]) => first < stop);
      if (!missing.length) return [Math.max(low, 0), Math.min(high, this.pages - 1) + 1];
      if (same.length) {
        await Promise.all(missing.map(([first, stop]) => (stop === from ? this.#read(Math.max(first, stop - step), stop, past) : this.#read(first, Math.min(stop, first + step), past))));
        step *= 2;
      } else {
        const left = low < 0 ? 0 : share(this.#last(low)), right = high === this.pages ? 1 : share(this.#first(high));
        await this.#read(...guess(share(prefix), low + 1, high, left, right, misses), past);
      }
    }
    return [0, 0];
  }

  #many() {
    fail("UsageError", `${this.base}: more than ${MOST * 256} entries have this key`, { many: MOST * 256 });
  }

  /** Return the indexes, as BigInt, of the entries that the pages [first, stop) name for a key, as far as they were read. */
  indexes(prefix, [first, stop] = [0, this.pages]) {
    const found = [];
    for (const [page, bytes] of this.#known) {
      if (page < first || page >= stop) continue;
      for (let at = 0; at < bytes.length; at += RECORD) {
        if (equal(bytes.subarray(at, at + PREFIX), prefix)) found.push(indexIn(bytes.subarray(at, at + RECORD)));
      }
    }
    return found;
  }

  /** Read the page tree; throw a TileError unless the pages [first, stop) are of the run's root, and what `recordsOf` throws. */
  async prove([first, stop], past = 0) {
    const pages = Array.from({ length: stop - first }, (_, at) => first + at);
    const wanted = this.#tree.wanted(pages.map((page) => ({ height: 0, index: BigInt(page) })));
    const contents = new Map();
    const read = async ({ path, width }) => {
      // a tree of one full subtree has its root for its edge
      const bytes = width === 1 && wanted.filter((tile) => tile.width < 256).length === 1 ? this.run.root : undefined;
      contents.set(path, bytes ?? (await fetchWhole(this.fetchObject, this.base + path, 32 * width, past)));
    };
    await Promise.all(wanted.map(read));
    try {
      this.#tree.accept(wanted, contents);
    } catch (error) {
      const evidence = Object.fromEntries([...contents].map(([path, bytes]) => [this.base + path, bytes]));
      fail("TileError", `${this.base}${error.message}`, { path: this.base + error.path, evidence });
    }
    for (const page of pages) {
      const bytes = this.#known.get(page);
      if (equal(leafHash(bytes), this.#tree.hash({ height: 0, index: BigInt(page) }))) continue;
      const path = this.base + indexPath(Math.floor(page / FILE_PAGES));
      fail("TileError", `${path}: page ${page} does not lead to the root of the run`, { path, evidence: { [path]: bytes } });
    }
    recordsOf(this.run, first, pages.map((page) => this.#known.get(page)));
  }
}
