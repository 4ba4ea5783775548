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
  if (covered === 0n) return `All ${count(size)} entries are in this file, and were checked here.`;
  const rest = size > covered ? ` The ${count(size - covered)} entries after these were checked here.` : "";
  return `Of the first ${count(covered)} entries the log says so in an index that it has signed.${rest} If the index were wrong, everybody who reads the whole log would see it, and this file would be the evidence.`;
}

/** Return the card of a dropped search proof, verified. compare: (signed) → words, see check.js */
export async function searchProofCard(file, compare) {
  if (file.size > MAX_SEARCH_PROOF) fail("UsageError", `a search proof has at most ${count(MAX_SEARCH_PROOF)} bytes`, { longProof: true });
  const trusted = await context.trusted, data = new Uint8Array(await file.arrayBuffer()), proof = parseSearchProof(data);
  const { accepted, covered, hits } = await verifySearchProof(proof, trusted.policy).catch((error) => {
    throw error.denied ? Object.assign(error, { evidence: { "search proof": data } }) : error; // all of it is in there
  });
  const { size } = accepted.signed.tree, compared = await compare(accepted.signed), number = hits.length;
  const headline = !number ? "None: no entry has it" : number === 1 ? "This is the only entry" : `These are all ${count(number)} entries`;
  const found = signers(trusted, accepted), among = `${found.who}: ${count(size)} entries. ${unchecked(accepted)}`;
  const what = ["What was looked for: ", WHAT[proof.kind] ?? proof.kind, " ", code(textOf(proof)), `. ${number ? "No other" : "No"} entry of the ${count(size)} has it.`];
  const next = [number ? "Open an entry to see what it says." : "What was logged later is not in this search proof: ask for a newer one, or search in the log.", "No file was checked yet. If you have one, drop it."];
  const said = { state: "search-proof", look: "good", mark: "✓", headline, body: [what, among, compared], next };
  const list = h("div");
  const row = ({ index, entry }) =>
    entry ? entryRow(index, entry, "in the tree", null) : h("p", {}, `Entry ${count(index)}: the proof has its leaf hash only.`);
  const waiting = hits.reverse(), more = h("p");
  const show = () => {
    list.append(...waiting.splice(0, SHOWN).map(row));
    more.replaceChildren(...(waiting.length ? [button(`Show more (${count(waiting.length)})`, show)] : []));
  };
  show();
  return card({ ...vouched(trusted, headline, said), more: [list, more, opener("How it is known that there are no others", based(covered, size)), opener("The signed tree head", h("pre", { tabindex: "0" }, accepted.signed.note.text))] });
}
