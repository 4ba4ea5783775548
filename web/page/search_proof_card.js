// The card of a search proof: which entries have a key, that there are no others, and whose word that is.

import { card, code, count, h } from "./dom.js";
import { entryRow } from "./entry_row.js";
import { unchecked, vouched } from "./error_card.js";
import { button, opener } from "./parts.js";
import { context } from "./results.js";
import { signers } from "./tree_head.js";
import { fail, hex } from "../verifier/encoding.js";
import { MAX_SEARCH_PROOF, parseSearchProof, verifySearchProof } from "../verifier/search_proof.js";

const SHOWN = 10; // hits at a time

const WHAT = { "name/1": "the name", "sha256/1": "the SHA-256", "sha512/1": "the SHA-512", "leaf/1": "the leaf hash", "key/1": "the signing key", "subject/1": "the subject", "identity/1": "the identity", "issuer/1": "the issuer" };

const TEXTS = ["name/1", "identity/1", "issuer/1", "revoked/1", "origin/1"];
const textOf = ({ kind, value }) => (TEXTS.includes(kind) ? new TextDecoder().decode(value) : hex(value));

/** Return the words for whose statement a search proof is; it is no mathematics where an index vouches. */
function based(covered, size) {
  if (covered === 0n) return `All ${count(size)} entries are in this file and were checked here: that there are no others follows from the signed tree head.`;
  const rest = size > covered ? `The ${count(size - covered)} entries after them are in this file, and were checked here.` : "";
  return `That there are no others among the first ${count(covered)} entries is the log's signed statement, and no mathematical proof: whoever recomputes the log's index sees whether it is true, and if not, this file is the evidence. ${rest}`;
}

/** Return the card of a dropped search proof, verified. compare: (signed) → words, see check.js */
export async function searchProofCard(file, compare) {
  if (file.size > MAX_SEARCH_PROOF) fail("UsageError", `a search proof has at most ${count(MAX_SEARCH_PROOF)} bytes`, { unread: 0 });
  const trusted = await context.trusted, data = new Uint8Array(await file.arrayBuffer()), proof = parseSearchProof(data);
  const { accepted, covered, hits } = await verifySearchProof(proof, trusted.policy).catch((error) => {
    throw error.denied ? Object.assign(error, { evidence: { "search proof": data } }) : error; // all of it is in there
  });
  const { size } = accepted.signed.tree, compared = await compare(accepted.signed), number = hits.length;
  const headline = !number ? "None: no entry has it" : number === 1 ? "This is the only entry" : `These are all ${count(number)} entries`;
  const found = signers(trusted, accepted), among = `${found.who}: ${count(size)} entries. ${unchecked(accepted)}`;
  const what = [`It is about ${WHAT[proof.kind] ?? proof.kind} `, code(textOf(proof)), "."];
  const said = { state: "search-proof", look: "good", mark: "✓", headline, body: [what, among, based(covered, size), compared] };
  const list = h("div");
  const row = ({ index, entry }) =>
    entry ? entryRow(index, entry, "in the tree", null) : h("p", {}, `Entry ${count(index)}: the proof has its leaf hash only.`);
  const waiting = hits.reverse(), more = h("p");
  const show = () => {
    list.append(...waiting.splice(0, SHOWN).map(row));
    more.replaceChildren(...(waiting.length ? [button(`Show more (${count(waiting.length)})`, show)] : []));
  };
  show();
  return card({ ...vouched(trusted, headline, said), more: [list, more, opener("The signed tree head", h("pre", { tabindex: "0" }, accepted.signed.note.text))] });
}
