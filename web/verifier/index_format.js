// The index: records, live runs and the index head, docs/index-format.md (tiles/index/, tiles/notes/index_head.py).

import { MAX_SIZE, decodeBase64, decodeDecimal, decodeText, encodeBase64, equal, malformed, usage, utf8 } from "./encoding.js";
import { EMPTY_ROOT, sha256 } from "./sha256.js";
import { toHash } from "./tlog.js";

const RUN_ENTRIES = 4096n;
export const MAX_COVERED = 2n ** 48n;
export const MAX_HEAD = 16 << 10; // bytes, signed
const FAN_OUT = 4n, MAX_LEVEL = 18n, MAX_KEYS = 64n, WHAT = "index head", TITLE = "tiletree/index/v1";
const SIGNS_NOTES = 2; // signature types up to this one
const KIND = /^(?=.{3,32}$)[a-z][a-z0-9]*(\.[a-z][a-z0-9]*)*\/[1-9][0-9]{0,2}$/;

/** Whether a kind of keys can be called so. */
export const isKind = (text) => KIND.test(text);

/** Whether an application made the kind: nobody else can recompute its keys, so it proves no absence. */
export const isLocal = (kind) => kind.includes(".");

/** Return the keys of a log that may sign an index head: those that sign notes, and not checkpoints only. */
export const headKeys = ({ logs }, origin) => logs.map(({ key }) => key).filter((key) => key.name === origin && key.type <= SIGNS_NOTES);

/** Return the 10 bytes with which the records of a key begin. */
// a leaf hash is a hash that nobody can choose already
export const keyPrefix = (kind, value) => (kind === "leaf/1" ? value : sha256(utf8(`${kind}\0`), value)).slice(0, 10);

/** Return the first entry that a run covers, and the one after its last. A run has one to three units of its level. */
export function coverage({ level, number }) {
  const unit = RUN_ENTRIES * FAN_OUT ** level;
  return [(number - (number % FAN_OUT)) * unit, (number + 1n) * unit];
}

/** Return level and number of the runs that cover the entries before `covered`, left to right. */
export function liveRuns(covered) {
  if (covered % RUN_ENTRIES || covered < 0n || covered > MAX_COVERED) usage(`no index covers ${covered} entries`);
  const runs = [];
  for (let units = covered / RUN_ENTRIES, level = 0n; units; units /= FAN_OUT, level++) {
    if (units % FAN_OUT) runs.unshift([level, units - 1n]);
  }
  return runs;
}

function parseRun(line) {
  const [level, number, records, root, ...more] = line.split(" ");
  if (root === undefined || more.length) malformed(WHAT, "a run is not <L> <N> <records> <root>", line);
  return {
    level: decodeDecimal(level, WHAT, MAX_LEVEL), number: decodeDecimal(number, WHAT), records: decodeDecimal(records, WHAT),
    root: toHash(decodeBase64(root, WHAT)),
  };
}

/** Return {origin, kind, tree: {size, root}, runs: [{level, number, records, root}]} of the text of an index head. */
export function parseIndexHead(bytes) {
  if (bytes.length > MAX_HEAD) malformed(WHAT, `more than ${MAX_HEAD} bytes`);
  const text = decodeText(bytes, WHAT), [title, origin, kind, covered, root, ...lines] = text.replace(/\n$/, "").split("\n");
  if (root === undefined || title !== TITLE || !origin || !isKind(kind)) malformed(WHAT, "not a title, an origin and a kind", title);
  const tree = { size: decodeDecimal(covered, WHAT, MAX_SIZE), root: toHash(decodeBase64(root, WHAT)) }, runs = lines.map(parseRun);
  if (tree.size % RUN_ENTRIES || tree.size > MAX_COVERED) malformed(WHAT, "no size that an index covers", covered);
  if (!tree.size && !equal(tree.root, EMPTY_ROOT)) malformed(WHAT, "the root hash is not one of the empty tree");
  if (String(runs.map(({ level, number }) => [level, number])) !== String(liveRuns(tree.size))) malformed(WHAT, "not the live runs");
  for (const run of runs) {
    const [first, stop] = coverage(run);
    if (run.records > (stop - first) * MAX_KEYS) malformed(WHAT, "a run with too many records");
    if (equal(run.root, EMPTY_ROOT) !== !run.records) malformed(WHAT, "records and root of a run do not fit");
  }
  const again = [title, origin, kind, tree.size, encodeBase64(tree.root),
    ...runs.map((run) => `${run.level} ${run.number} ${run.records} ${encodeBase64(run.root)}`)];
  return again.map((line) => `${line}\n`).join("") === text ? { origin, kind, tree, runs } : malformed(WHAT, "not in canonical form");
}
