// Logs that are laid out otherwise than https://c2sp.org/tlog-tiles has it, read as if they were not: Go's checksum database
// (https://go.dev/design/25530-sumdb) and logs of certificates (https://c2sp.org/static-ct-api). What is common to all of them is
// in tiles.js and log.js; the rules here are those of tiles/read/go_sumdb.py and tiles/read/static_ct.py. Loaded only for such logs.

import { MAX_SIZE, concat, decodeDecimal, decodeText, equal, fail, malformed, usage } from "./encoding.js";
import { parseCheckpoint, policyFor } from "./tlog.js";

const MAX_DATA = 256 << 17; // bytes of a data tile of a log of certificates
const MAX_LOOKUP = 1 << 20;
const SIGNS_TEXT = 2; // the last type of a key that signs texts as they are
const WHAT = "data tile";

// ---- logs of certificates

/** Reads bytes from their beginning to their end (RFC 8446 section 3). */
class Bytes {
  at = 0;

  constructor(data, what) {
    Object.assign(this, { data, what });
  }

  take(count) {
    if (count > this.data.length - this.at) malformed(this.what, "cut short");
    return this.data.subarray(this.at, (this.at += count));
  }

  number(size) {
    return this.take(size).reduce((number, byte) => number * 256 + byte, 0);
  }

  opaque(size) {
    return this.take(this.number(size));
  }
}

/** Return the index that an entry's extensions hold, undefined if there is none. */
function leafIndex(extensions) {
  const source = new Bytes(extensions, "extensions"), found = new Map();
  while (source.at < extensions.length) {
    const kind = source.number(1);
    if (found.has(kind)) malformed("extensions", "one type twice", kind);
    found.set(kind, source.opaque(2));
  }
  const index = found.get(0);
  if (index && index.length !== 5) malformed("extensions", "a leaf_index has 5 bytes");
  return index?.reduce((number, byte) => number * 256 + byte, 0);
}

/** Return what the next TimestampedEntry (RFC 6962 section 3.4) says: {timestamp, isPrecert, issuerKey, certificate, index}. */
function timestamped(source, expected) {
  const timestamp = source.number(8), kind = source.number(2);
  if (kind > 1) malformed(WHAT, "an entry that is neither of a certificate nor of a precertificate", kind);
  const issuerKey = kind ? source.take(32) : null, certificate = source.opaque(3);
  if (!certificate.length) malformed(WHAT, "an empty certificate");
  const index = leafIndex(source.opaque(2));
  if (index !== undefined && expected !== undefined && BigInt(index) !== expected) malformed(WHAT, `entry ${expected} says that it is entry ${index}`);
  return { timestamp, isPrecert: kind === 1, issuerKey, certificate, index };
}

/** Return what a MerkleTreeLeaf says, null for other bytes. */
export function parseCtEntry(entry) {
  const source = new Bytes(entry, WHAT);
  try {
    if (source.number(2)) return null; // version v1, timestamped_entry
    const found = timestamped(source);
    return source.at === entry.length ? found : null;
  } catch (error) {
    if (error.code === "Malformed") return null;
    throw error;
  }
}

const staticCt = {
  pathOf: (path) => path.replace(/^tile\/entries\//, "tile/data/"),
  most: MAX_DATA,
  /** Return {entry, end} of each TileLeaf; an entry is its MerkleTreeLeaf: the rest of a TileLeaf is in no tree. */
  split(bytes, width, first) {
    const source = new Bytes(bytes, WHAT), found = [];
    for (let number = 0; number < width; number++) {
      const start = source.at, { isPrecert } = timestamped(source, first + BigInt(number)), entry = concat([0, 0], bytes.subarray(start, source.at));
      if (isPrecert) source.opaque(3); // as it was submitted
      if (source.opaque(2).length % 32) malformed(WHAT, "a chain that is not of fingerprints");
      found.push({ entry, end: source.at });
    }
    return source.at === bytes.length ? found : malformed(WHAT, `more than ${width} entries`);
  },
};

/** Return a data tile as it is in the tree: a log may keep it gzip-encoded. */
async function plain(bytes, path) {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes; // no timestamp of the next 70 million years begins so
  const parts = [], reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip")).getReader();
  try {
    for (let size = 0, part; !(part = await reader.read()).done; parts.push(part.value)) {
      if ((size += part.value.length) > MAX_DATA) throw new RangeError();
    }
  } catch (error) {
    const problem = error instanceof RangeError ? `gzip of more than ${MAX_DATA} bytes` : "broken gzip";
    fail("TileError", `${path}: ${problem}`, { path, problem, evidence: { [path]: bytes } });
  }
  return concat(...parts);
}

// ---- Go's checksum database

/** Return a record, which ends in newline, if it is lines of text, none of them empty, as golang.org/x/mod/sumdb/tlog demands. */
function checkRecord(record) {
  decodeText(record, "record");
  if (record[0] === 10 || record.some((byte, at) => byte === 10 && record[at + 1] === 10)) {
    malformed("record of a checksum database", "not lines of text, none of them empty");
  }
  return record;
}

const sumdb = {
  pathOf: (path) =>
    path === "checkpoint" ? "latest" : path.replace(/^tile\/entries\//, "tile/data/").replace(/^tile\//, "tile/8/"),
  /** Return {entry, end} of each record; each is followed by a blank line. */
  split(bytes, width) {
    const found = [];
    for (let at = 0, end = 0; end < bytes.length; end++) {
      if (bytes[end] !== 10 || bytes[end + 1] !== 10) continue;
      found.push({ entry: checkRecord(bytes.subarray(at, end + 1)), end: end + 2 });
      at = end += 2;
      end--;
    }
    if (found.length !== width || (found.at(-1)?.end ?? 0) !== bytes.length) malformed(WHAT, `${found.length} records instead of ${width}`);
    return found;
  },
};

/** Return where a checksum database answers for a module@version; null for what is none. */
export function lookupPath(text) {
  const [module, ...versions] = text.split("@"), elements = module.split("/");
  const isOne = /^[!-~]+@v[!-~]+$/.test(text) && versions.length === 1 && text.length <= 1024 && !/[!?#%\\]/.test(text);
  if (!isOne || !elements.every((each) => /[^.]/.test(each))) return null;
  // golang.org/x/mod/module, "Escaped Paths": a capital letter is an exclamation mark and the small one
  return `lookup/${text.replace(/[A-Z]/g, (letter) => `!${letter.toLowerCase()}`)}`;
}

/** Return {index, record} that the answer of a lookup names. It is believed only as the entry at that index. */
export function parseLookup(bytes) {
  const blank = bytes.findIndex((byte, at) => byte === 10 && bytes[at + 1] === 10), newline = bytes.indexOf(10);
  if (blank < 0 || newline >= blank) malformed("lookup", "not a number, a record, a blank line and a checkpoint");
  const index = decodeDecimal(decodeText(bytes.subarray(0, newline), "lookup"), "lookup", MAX_SIZE - 1n);
  const record = checkRecord(bytes.subarray(newline + 1, blank + 1));
  parseCheckpoint(bytes.subarray(blank + 2));
  return { index, record };
}

/** Return the index of the entry about a module@version in a log that is read with the layout sumdb. */
export async function lookedUp(log, text) {
  const path = lookupPath(text) ?? usage(`${text.slice(0, 80)} is no module and version, such as golang.org/x/mod@v0.36.0`);
  const { index, record } = parseLookup(await log.fetchObject.other(path, MAX_LOOKUP));
  if (index >= (log.accepted ?? (await log.visit())).signed.tree.size) await log.visit(); // the lookup may know of a newer tree
  if (!equal(await log.entry(index), record)) fail("TileError", `${path}: entry ${index} is another one`, { path, problem: "entry", evidence: { [path]: record } });
  return index;
}

// ---- all of them

const LAYOUTS = { "tlog-tiles": { pathOf: (path) => path }, sumdb, "static-ct": staticCt };
export const NAMES = Object.keys(LAYOUTS);

/** Return the policy that accepts what a log key signs under an origin, which whoever pins the key says where it is not its name. */
export function policyAs(key, origin = key.name) {
  if (!origin || /[\0-\x1f]/.test(origin)) usage("an origin is one line, not empty, without control characters");
  if (origin !== key.name && key.type > SIGNS_TEXT) usage(`the origin of a log with such a key is always its name, ${key.name}`);
  return policyFor(key, origin);
}

/** Return what reads the objects of a log with a layout, named as tlog-tiles names them; `other` reads what is in no layout. */
export function readAs(name, fetchObject) {
  const layout = Object.hasOwn(LAYOUTS, name) ? LAYOUTS[name] : usage(`${name.slice(0, 40)} is no layout that is read here: ${NAMES.join(", ")}`);
  const read = async (path, limit, past, part) => {
    const isData = path.startsWith("tile/entries/"), at = layout.pathOf(path);
    const bytes = await fetchObject(at, isData && layout.most ? layout.most : limit, past, part);
    return isData && layout === staticCt ? plain(bytes, at) : bytes;
  };
  return Object.assign(read, { url: fetchObject.url, format: layout.split && layout, other: fetchObject, pathOf: layout.pathOf });
}

/** Return an error in which the objects of a log have the names that its layout gives them. */
export function inItsNames(error, { pathOf }) {
  const rename = (text) => text?.replace(/\b(tile\/[\w./]+|checkpoint)/g, (path) => pathOf(path));
  const evidence = error.evidence && Object.fromEntries(Object.entries(error.evidence).map(([name, bytes]) => [rename(name), bytes]));
  if (error.code === "TileError" && !error.renamed) Object.assign(error, { renamed: true, message: rename(error.message), path: rename(error.path), evidence });
  return error;
}
