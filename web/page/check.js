// What is dropped, pasted or asked for, and the card that says what came of it.

import { $, ago, card, code, count, h } from "./dom.js";
import { errorCard, vouched } from "./error_card.js";
import { picture } from "./merkle_path.js";
import { button, opener } from "./parts.js";
import { verifiedCard } from "./proof_card.js";
import { proofsIn } from "./proof_files.js";
import { about, checking, context, put, whom, working } from "./results.js";
import { searchProofCard } from "./search_proof_card.js";
import { signers } from "./tree_head.js";
import { fail, utf8 } from "../verifier/encoding.js";
import { entryOf, parseDigestEntry } from "../verifier/entries.js";
import { readFile } from "../verifier/lookup.js";
import { leafHash, verifyInclusion } from "../verifier/merkle.js";
import { formatProof, parseProof, verifyProof } from "../verifier/proof.js";
import { TITLE } from "../verifier/search_proof.js";
import { parseSignatureEntry } from "../verifier/signature.js";
import { acceptCheckpoint, parseCheckpoint } from "../verifier/tlog.js";

const MAX_READ = 2 << 20; // bytes; a proof is shorter, and so is a bundle of another name than these have:
const MAX_BUNDLE = 16 << 20, BUNDLE = /\.sigstore(\.jsonl?)?$/;
const RECENT = 8; // files that a bundle may come for later
const MANY = 4; // files that are shown as a table
const SLOW = 10 << 20; // bytes; a longer file gets a progress bar
const UNDERSTOOD =
  "Type a file's name, an e-mail address, a URI, a SHA-256 or leaf hash (64 hexadecimal digits), a SHA-512 (128) or the number of an entry, or paste a .tlog-proof. Or drop your file.";
const pending = []; // proofs that wait for their file
const held = []; // files that wait for their proof, where there is no network
const recent = []; // files that were dropped last
let bundles; // bundle_files.js, once a bundle or key was dropped

// ---- asked by index or hash, or with a sample

/** Return the card of the entry at an index, read and proven; sabotaged: of a copy of it with one bit flipped. */
async function entryCard(index, sabotaged = false) {
  const opened = await context.opened;
  const { log, policy } = opened;
  const proof = parseProof(formatProof(await log.prove(index))); // what would be saved is what is verified
  const entry = await log.entry(index);
  if (!sabotaged) {
    const leaf = leafHash(entry);
    return verifiedCard(proof, await verifyProof(proof, leaf, policy), leaf, entry, opened);
  }
  const copy = entry.length ? entry.slice() : utf8("x");
  copy[copy.length >> 1] ^= entry.length ? 1 : 0;
  try {
    await verifyProof(proof, leafHash(copy), policy);
  } catch (error) {
    return errorCard(Object.assign(error, { sample: proof.index }), "entry", [opener("Show the path", picture(proof, leafHash(copy)))]);
  }
  return fail("Error", "a sabotaged copy verified"); // cannot happen: its leaf hash is another
}

/** Look up what was typed: an index, a digest, a leaf hash, a name, a proof. */
export async function ask(text) {
  if (/^[0-9]{1,19}$/.test(text)) return checking(`Reading entry ${text}`, "entry", () => entryCard(BigInt(text)), `entry ${text}`);
  if (/^((c2sp\.org|tiletree\/search-proof)\/|\{"|-----BEGIN )/.test(text)) return files([new File([utf8(text)], "what was pasted")]);
  const { lookup } = await whom();
  if (lookup) {
    const { log } = await context.opened.catch(() => ({})), index = log && lookup(log, text);
    if (index) return checking(`Looking up ${text}`, "entry", async () => entryCard(await index), text);
  }
  const { lookFor, wantedFrom } = await import("./search.js"), wanted = wantedFrom(text);
  return wanted ? lookFor(wanted) : put(about(card({ state: "call", mark: "–", headline: "Not understood", body: ["This is nothing that can be looked for."], next: [UNDERSTOOD] }), text.slice(0, 200)));
}

context.ask = ask;
context.clear.push(() => [pending, held, recent].forEach((list) => list.splice(0)), () => bundles?.clear());

/** Look up what a link asks for: {i}, {uuid}, or what is typed before a colon, such as {sha256}. */
export function follow(asked) {
  // Rekor's UUID of an entry is its leaf hash; an entry ID of Rekor v1 has the tree's 16 digits before it
  if (asked.uuid) return ask(`leaf:${asked.uuid.replace(/^[0-9a-f]{16}(?=[0-9a-f]{64}$)/i, "")}`);
  const word = ["sha256", "sha512", "leaf", "hash", "name", "key", "who", "identity", "issuer", "subject", "image"].find((one) => asked[one]);
  return asked.i ? ask(asked.i) : word && ask(`${word}:${asked[word]}`);
}

/** Prove the oldest entry, the newest, or a sabotaged copy of the newest. */
export const sample = (which) =>
  checking("Reading a sample", "entry", async () => {
    const { size } = (await context.opened).log.accepted.signed.tree;
    if (size === 0n) fail("UsageError", "the log has no entries yet", { empty: true });
    return entryCard(which === "oldest" ? 0n : size - 1n, which === "sabotaged");
  }, { oldest: "the oldest entry", newest: "the newest entry", sabotaged: "a sabotaged copy of the newest entry" }[which]);

/** Look for a file, {candidates, file, blob}; where there is no network, its proof may come. */
async function search(wanted) {
  try {
    await context.opened;
  } catch (error) {
    if (error.offline) held.push(wanted);
    return put(about(errorCard(error, "entry", [], await whom()), wanted.file.name), null, wanted.place);
  }
  return (await import("./search.js")).lookFor(wanted); // verify.html has none
}

// ---- files and proofs, in any order

/** Check files: proofs and bundles with the files they are for, whichever comes first; other files by looking for them in the log. */
export async function files(list) {
  const others = [];
  const signed = []; // bundles, and what is named to judge them by
  for (const file of list) {
    try {
      if ((await file.slice(0, TITLE.length).text()) === TITLE) {
        await checking(`Checking ${file.name}`, "search", () => searchProofCard(file, compare), file.name);
        continue;
      }
      const isBundle = BUNDLE.test(file.name), most = isBundle ? MAX_BUNDLE : MAX_READ;
      if (isBundle && file.size > most) {
        sort({ bundle: [], tooLarge: most, name: file.name }, signed);
        continue;
      }
      const bytes = file.size <= most ? new Uint8Array(await file.arrayBuffer()) : new Uint8Array();
      const found = proofsIn(file.name, bytes);
      const head = await headIn(bytes);
      if (head) await checking(`Comparing ${file.name}`, "proof", () => sameHistory(head), file.name);
      else if (!found) others.push(await read(file));
      else for (const one of found) sort({ ...one, blob: file, name: [file.name, one.at].filter(Boolean).join(", ") }, signed);
    } catch (error) {
      put(about(errorCard(error, "proof"), file.name));
    }
  }
  if (others.length >= MANY) (await import("./many.js")).tabulate(others);
  if (signed.length) bundles ??= await import("./bundle_files.js");
  await bundles?.take(signed, others, recent);
  recent.splice(0, 0, ...others.filter((one) => !recent.includes(one)));
  recent.splice(RECENT);
  // a file that waits, and is dropped again beside its proof, is one file
  if (pending.length) others.push(...held.splice(0).filter((one) => !others.some(({ file }) => file.sha256 === one.file.sha256)));
  const unmatched = await match(others.filter(({ used }) => !used));
  // where both a file and a bundle or proof are left, they were meant for each other: that it fails is the answer
  const left = bundles ? await bundles.meantFor(unmatched) : unmatched;
  const wrong = left.length ? pending.splice(0) : [];
  for (const one of left) {
    const { candidates, file } = one;
    if (wrong.length)
      await checking(`Checking ${file.name}`, "proof", () => proven(wrong[0].proof, candidates[0], file), file.name, one.place);
    else await search(one);
  }
  for (const { proof, name } of pending) await checking(`Checking ${name}`, "proof", () => waiting(proof), name);
  bundles?.waiting();
}

/** Look for a file in the log that was taken for something else. */
context.lookFor = async (blob) => search(await read(blob));

/** Keep a proof until its file comes, a bundle, a key or a trusted root among `signed`; say what is wrong with what is none. */
function sort(one, signed) {
  if (one.bundle || one.publicKey || one.root) signed.push(one);
  else if (one.proof) pending.push(one);
  else put(about(errorCard(one.error, "proof"), one.name));
}

/** Return the tree head of this log that a file is, if it is one. */
async function headIn(bytes) {
  try {
    const head = parseCheckpoint(bytes);
    const { policy } = await context.trusted;
    return policy.logs.some(({ origin }) => origin === head.origin) ? head : undefined;
  } catch {
    return undefined; // most files are something else
  }
}

async function sameHistory(head) {
  const trusted = await context.trusted;
  const accepted = await acceptCheckpoint(trusted.policy, head);
  const found = signers(trusted, accepted);
  const { log } = await context.opened;
  await log.compare(head);
  const now = log.accepted.signed.tree.size, [less, more] = head.tree.size < now ? [head.tree.size, now] : [now, head.tree.size];
  const body = [
    `What you dropped is a tree head, a signed state of this log, of ${count(head.tree.size)} entries. ${found.who}.`,
    `The log that is shown now has ${count(now)}. ${less === more ? "They are the same" : `The first ${count(less)} of the ${count(more)} are the same`}: nothing was changed or removed.`,
  ];
  const next = ["About the log, nothing more has to be checked. Keep what you dropped to compare the log with it again later.", "No other file was checked. If you have one, drop it."];
  const said = { state: "same-history", look: "good", mark: "✓", headline: "The same history", body, next };
  return card(vouched(trusted, "one history", said));
}

async function read(file) {
  const { made, progress } = file.size > SLOW ? working(`Reading ${file.name}`) : { progress() {} };
  try {
    const { sha256, size, candidates } = await readFile(file.stream(), (done) => progress(done / file.size), file.name);
    return { candidates, file: { name: file.name, sha256, size }, blob: file };
  } finally {
    made?.remove();
  }
}

/** Return the first waiting proof and the candidate of a file that belong together, by their hashes only. */
function pairOf({ candidates, file }) {
  for (const [at, { proof }] of pending.entries()) {
    const told = entryOf(proof.extra, file); // what the proof says of the entry, if it is one of exactly this file
    const how = told && (parseDigestEntry(told) ? "name" : parseSignatureEntry(told) ? "signature" : "blinded");
    const more = told ? [{ how, entry: told, leaf: leafHash(told) }] : [];
    for (const candidate of [...candidates, ...more]) {
      try {
        verifyInclusion(candidate.leaf, proof.index, proof.checkpoint.tree, proof.hashes);
        return { at, proof, candidate };
      } catch (error) {
        if (error.code !== "ProofError") throw error;
      }
    }
  }
  return undefined;
}

/** Check files with the proofs that wait; return those that belong to none of them. */
async function match(others) {
  const left = [];
  for (const one of others) {
    const pair = pairOf(one);
    if (!pair) left.push(one);
    else {
      pending.splice(pair.at, 1);
      document.querySelectorAll("[data-state^=needs-]").forEach((made) => made.remove());
      const name = { ...one.file, how: pair.candidate.how };
      await checking(`Checking ${one.file.name}`, "proof", () => proven(pair.proof, pair.candidate, name), name.name, one.place);
    }
  }
  return left;
}

/** Return the card of a proof that holds. It needs no network; where there is one, the histories are compared too. */
async function proven(proof, { leaf, entry }, name) {
  const trusted = await context.trusted;
  const accepted = await verifyProof(proof, leaf, trusted.policy);
  const compared = await compare(accepted.signed);
  return verifiedCard(proof, accepted, leaf, entry, trusted, { ...name, compared });
}

/** Return words for a tree head that has the history of the log's own, "" where the log cannot be read. */
async function compare(signed) {
  try {
    const { log } = await context.opened;
    if (log.accepted.signed.origin !== signed.origin) return "";
    await log.compare(signed);
    return `The log as it is now, of ${count(log.accepted.signed.tree.size)} entries, has the same history.`;
  } catch (error) {
    if (error.code === "ForkError") throw error;
    return "";
  }
}

context.compare = compare;

async function waiting(proof) {
  const trusted = await context.trusted;
  const accepted = await acceptCheckpoint(trusted.policy, proof.checkpoint);
  const found = signers(trusted, accepted);
  const body = [
    `This is a proof about entry ${count(proof.index)} of ${count(accepted.signed.tree.size)}. ${found.who}${found.last ? `, ${ago(found.last)}` : ""}. Whether it is about the file that you have is not known yet.`,
  ];
  const next = ["Drop the file that you got together with this proof."];
  return card({ state: "needs-file", look: "none", mark: "…", headline: "Now drop the file it is for", body, next });
}

// ---- the rest of the page

/** Say why the log could not be opened; again: opens it once more, with the key of the link if that is given. */
export async function noHead(error, again) {
  const { unknownKey, known } = error;
  const trusted = await whom();
  const buttons = error.damaged
    ? (await import("./browse.js")).forgetting(context.place, context.trusted)
    : unknownKey
    ? [
        known.length > 0 && button("Use the key that is known", () => (location.hash = "")),
        button("Use the link's key all the same", () => again(unknownKey)),
      ]
    : button("Try again", () => again());
  const asks = error.changed || error.code === "SignatureError"; // a key that was retired does not sign any more
  const news = asks && (await import("./key_history.js").then(({ refusalNews }) => refusalNews(error, trusted, context.place)).catch(() => null));
  $("#head").replaceChildren(errorCard(error, "log", [news, h("p", { class: "row" }, buttons)], trusted));
  if (error.code === "ForkError") error.above = true; // the evidence is offered once
}
