// Search proofs: which entries of a log have a key, and that no others have it, as the log's signed index head states it.
// docs/index-format.md, "A search proof" (tiles/index/search_proof.py, search_verdict.py); the rules are numbered as there.

import { decodeBase64, decodeDecimal, decodeText, encodeBase64, equal, fail, malformed, utf8 } from "./encoding.js";
import { keysOf } from "./entries.js";
import { MAX_COVERED, MAX_HEAD, headKeys, isKind, isLocal, keyPrefix, parseIndexHead } from "./index_format.js";
import { PAGE, PREFIX, RECORDS, indexIn, order, recordsOf } from "./index_run.js";
import { leafHash, nodeHash, verifyInclusion } from "./merkle.js";
import { EMPTY_ROOT } from "./sha256.js";
import { foldRight, subtrees } from "./tiles.js";
import { verifyNote } from "./signed_text.js";
import { acceptCheckpoint, parseCheckpoint, parseNote, toHash } from "./tlog.js";

export const TITLE = "tiletree/search-proof/v1";
export const MAX_SEARCH_PROOF = 64 << 20; // bytes
const WHAT = "search proof", MAX_ENTRY = 65_535, MAX_HASHES = 63;

const tailWord = (kind) => (kind === "leaf/1" ? "leaf" : "entry");
const sized = (bytes, most, what) => (bytes.length <= most ? bytes : malformed(WHAT, `a ${what} of more than ${most} bytes`));

/** Return {kind, value, index, runs, edge, tail, candidates, checkpoint} of a search proof; index: null without one. */
export function parseSearchProof(bytes) {
  if (bytes.length > MAX_SEARCH_PROOF) malformed(WHAT, `more than ${MAX_SEARCH_PROOF} bytes`);
  const blank = bytes.findIndex((byte, at) => byte === 10 && bytes[at + 1] === 10);
  if (blank < 0) malformed(WHAT, "no empty line before the checkpoint");
  const lines = decodeText(bytes.subarray(0, blank), WHAT).split("\n");
  let at = 0;
  const next = (word) => lines[at]?.startsWith(`${word} `);
  const after = (word) => (next(word) ? lines[at++].slice(word.length + 1) : malformed(WHAT, `no ${word} line where one must be`, lines[at]));
  const data = (word) => decodeBase64(after(word), `${WHAT} ${word}`);
  const every = (word, read) => {
    const found = [];
    while (next(word)) found.push(read(word));
    return found;
  };
  const hash = (word) => toHash(data(word));
  const proof = () => {
    const hashes = every("hash", hash);
    return hashes.length <= MAX_HASHES ? hashes : malformed(WHAT, `more than ${MAX_HASHES} hashes in a proof`);
  };
  if (lines[at++] !== TITLE) malformed(WHAT, "another title", lines[0]);
  const kind = after("kind"), value = sized(data("value"), MAX_ENTRY, "value");
  if (!isKind(kind)) malformed(WHAT, "no kind of keys", kind);
  const index = next("index") ? sized(data("index"), MAX_HEAD, "head") : null;
  const runs = every("run", (word) => {
    const first = decodeDecimal(after(word), `${WHAT} page`, MAX_COVERED);
    const pages = every("page", (page) => ({ bytes: sized(data(page), PAGE, "page"), hashes: proof() }));
    return pages.length ? { first, pages } : malformed(WHAT, "a run without a page");
  });
  const edge = every("edge", hash), isLeaf = kind === "leaf/1";
  const tail = every(tailWord(kind), isLeaf ? hash : (word) => sized(data(word), MAX_ENTRY, "entry"));
  const candidates = every("candidate", (word) => {
    const number = decodeDecimal(after(word), `${WHAT} candidate`, MAX_COVERED);
    return { index: number, entry: sized(data("entry"), MAX_ENTRY, "entry"), hashes: proof() };
  });
  const found = { kind, value, index, runs, edge, tail, candidates, checkpoint: parseCheckpoint(bytes.subarray(blank + 2)) };
  return textOf(found) === lines.join("\n") ? found : malformed(WHAT, "a line that is not one where it stands, or not in canonical form", lines[at]);
}

/** Return the lines before the empty one. */
function textOf({ kind, value, index, runs, edge, tail, candidates }) {
  const line = (word) => (bytes) => `${word} ${encodeBase64(bytes)}`, hashes = (list) => list.map(line("hash"));
  return [
    TITLE, `kind ${kind}`, line("value")(value), ...(index?.length ? [line("index")(index)] : []),
    ...runs.flatMap(({ first, pages }) => [`run ${first}`, ...pages.flatMap((page) => [line("page")(page.bytes), ...hashes(page.hashes)])]),
    ...edge.map(line("edge")), ...tail.map(line(tailWord(kind))),
    ...candidates.flatMap((one) => [`candidate ${one.index}`, line("entry")(one.entry), ...hashes(one.hashes)]),
  ].join("\n");
}

const refuse = (problem) => fail("ProofError", `${WHAT}: ${problem}`);
const evidenceOf = ({ index, checkpoint }) => ({ "index head": index, checkpoint: checkpoint.data });

/**
 * Return {accepted, covered, hits: [{index, entry}]} if a search proof holds: these entries of the checkpoint's tree have the
 * key, and no others; oldest first; entry: null where the proof has its leaf hash only. An error with `denied` shows that the log
 * has signed a wrong index head.
 */
export async function verifySearchProof(proof, policy) {
  const { kind, value, tail, candidates, checkpoint } = proof, accepted = await acceptCheckpoint(policy, checkpoint);
  const head = await headOf(proof, policy), isLeaf = kind === "leaf/1"; // 1
  if (isLocal(kind)) refuse(`keys of the kind ${kind} are an application's own: no absence follows from them`);
  checkTree(proof, head?.tree ?? { size: 0n, root: EMPTY_ROOT }, isLeaf ? tail : tail.map(leafHash)); // 2
  const prefix = keyPrefix(kind, value), covered = head?.tree.size ?? 0n;
  const named = namedIn(proof, head, prefix); // 3
  if (String(named) !== String(candidates.map(({ index }) => index))) refuse("the candidates are not those that the records name, in their order"); // 4
  const hits = [];
  for (const { index, entry, hashes } of candidates) {
    verifyInclusion(leafHash(entry), index, checkpoint.tree, hashes);
    const keys = (await keysOf(entry, kind)).map(([, one]) => one);
    if (!keys.some((one) => equal(keyPrefix(kind, one), prefix)))
      fail("VerificationError", `the index head is wrong: a record says that entry ${index} has such a key`, { denied: true, evidence: evidenceOf(proof) });
    if (keys.some((one) => equal(one, value))) hits.push({ index, entry });
  }
  for (const [at, one] of tail.entries()) {
    const has = isLeaf ? equal(one, value) : (await keysOf(one, kind)).some(([, found]) => equal(found, value));
    if (has) hits.push({ index: covered + BigInt(at), entry: isLeaf ? null : one });
  }
  return { accepted, covered, hits };
}

async function headOf({ kind, index, checkpoint: { origin, tree } }, policy) {
  if (!index) return null;
  const keys = headKeys(policy, origin);
  const note = parseNote(index);
  if (!keys.length) fail("SignatureError", "no key that is trusted for this log signs index heads", { evidence: { note: index } });
  await verifyNote(note, keys);
  const head = parseIndexHead(utf8(note.text));
  if (head.kind !== kind || head.origin !== origin) refuse(`the index head is of ${head.origin} and ${head.kind}`);
  if (head.tree.size > tree.size) refuse(`the index head covers ${head.tree.size} entries, more than the checkpoint has`);
  return head.tree.size ? head : refuse("the index head covers nothing: it has to be left out");
}

function checkTree({ edge, checkpoint: { tree } }, covered, leaves) {
  const nodes = subtrees(0n, covered.size);
  if (edge.length !== nodes.length) refuse(`${edge.length} hashes of the edge instead of ${nodes.length}`);
  if (edge.length && !equal(foldRight(edge), covered.root)) refuse("the edge does not lead to the root in the index head");
  if (covered.size + BigInt(leaves.length) !== tree.size) refuse(`${leaves.length} entries in the tail, and the tree has ${tree.size - covered.size}`);
  const stack = nodes.map(({ height }, at) => ({ height, hash: edge[at] }));
  for (const leaf of leaves) {
    let top = { height: 0, hash: leaf };
    while (stack.at(-1)?.height === top.height) top = { height: top.height + 1, hash: nodeHash(stack.pop().hash, top.hash) };
    stack.push(top);
  }
  const root = stack.length ? foldRight(stack.map(({ hash }) => hash)) : EMPTY_ROOT;
  if (!equal(root, tree.root)) refuse("edge and tail do not lead to the root of the checkpoint");
}

function namedIn({ runs: shown }, head, prefix) {
  const runs = (head?.runs ?? []).filter(({ records }) => records);
  if (shown.length !== runs.length) refuse(`pages of ${shown.length} runs, and ${runs.length} have records`);
  return runs.flatMap((run, at) => {
    const { first, pages } = shown[at], what = `run ${run.level}/${run.number}`;
    const size = (run.records + BigInt(RECORDS) - 1n) / BigInt(RECORDS), stop = first + BigInt(pages.length);
    if (stop > size) refuse(`${what} has no page ${stop - 1n}`);
    pages.forEach(({ bytes, hashes }, page) => verifyInclusion(leafHash(bytes), first + BigInt(page), { size, root: run.root }, hashes));
    const records = recordsOf(run, Number(first), pages.map(({ bytes }) => bytes)), begin = (record) => order(record.subarray(0, PREFIX), prefix);
    if (first > 0n && begin(records[0]) >= 0) refuse(`the first page of ${what} does not begin before the key`);
    if (stop < size && begin(records.at(-1)) <= 0) refuse(`the last page of ${what} does not end after the key`);
    return records.filter((record) => !begin(record)).map(indexIn);
  });
}
