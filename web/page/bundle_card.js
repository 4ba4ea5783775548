// The card of a bundle of Sigstore. What a bundle holds was chosen by whoever made it, its key too: so only a key that the
// visitor named makes a card green, and a certificate never does, whose chain and times are not checked here.

import { certificateRows } from "./certificate_rows.js";
import { WITH_CERTIFICATE, WITH_KEY, byHand, command } from "./commands.js";
import { card, code, count, h, visible } from "./dom.js";
import { errorCard, vouched } from "./error_card.js";
import { DOUBTFUL, GOOD, UNKNOWN, WRONG, say } from "./error_words.js";
import { button, opener, table } from "./parts.js";
import { details } from "./proof_card.js";
import { signers } from "./tree_head.js";
import { DETAILS } from "../verifier/artifact.js";
import { encodeBase64, hex } from "../verifier/encoding.js";

const SUBJECTS = 10, PREDICATE = 20_000; // characters

/** Return how else to check who signed; file: undefined where it is not there. */
const otherwise = (words, bundle, file, policy) => [
  [words, command(bundle?.certificate ? WITH_CERTIFICATE : WITH_KEY, { name: file?.name, policy })],
  file && byHand(file.sha256),
];
const whatOf = ({ envelope }) => (envelope ? "The attestation" : "The signature");

/** Return the words for what a bundle is about; file: null where it is not there. */
function subject({ bundle: { envelope }, name, file }) {
  const about = file ? [" about ", code(file.name)] : "", from = [", from the bundle ", code(name), "."];
  if (!envelope) return file ? [code(file.name), ", with the bundle ", code(name), ", which has its signature."] : ["A signature", from];
  const { statement } = envelope;
  if (!statement) return ["Something of the type ", code(envelope.payloadType), from];
  return ["An attestation of type ", code(statement.predicateType), about, from, " That it is true is the signer's word."];
}

function signer({ bundle, found: { certificate, fingerprint } }) {
  if (certificate) return certificateRows(certificate);
  const hint = encodeBase64(fingerprint), other = bundle.hint && bundle.hint !== hint;
  return [["Key that signed, its SHA-256", hex(fingerprint)], ["The same in base64", hint], ...(other ? [["What the bundle calls it", bundle.hint]] : [])];
}

/** Return what of a bundle was checked, for the list of all that was. */
function steps({ bundle: { envelope }, found: { body, fingerprint, certificate }, file }) {
  const { name } = DETAILS[body.keyDetails], by = [certificate ? "the key in the certificate, " : "the key ", code(hex(fingerprint)), ` (${name})`];
  const lines = [["The bundle's tree size, root hash, index and log are those of the checkpoint."]];
  lines.push(["The entry holds the digest, the signature and the ", certificate ? "certificate" : "key", " of the bundle."]);
  if (envelope) lines.push(["The signature is right: over the envelope, by ", by, "."]);
  if (envelope && file) lines.push(["The file's digest is among the subjects of the statement."]);
  if (!envelope && file) lines.push(["The signature is right: over the file, by ", by, "."]);
  if (certificate) lines.push(["– Not checked here: the certificate's chain, its timestamp from the certificate log, and when it was used."]);
  return lines;
}

function payload({ envelope }) {
  if (!envelope) return null;
  const { statement } = envelope, text = statement ? JSON.stringify(statement.predicate ?? null, null, 1) : new TextDecoder().decode(envelope.payload.subarray(0, PREDICATE));
  const subjects = (statement?.subjects ?? []).slice(0, SUBJECTS).map(({ name, digests }) => [name.slice(0, 200) || "(no name)", Object.values(digests)[0].slice(0, 200)]);
  const more = (statement?.subjects.length ?? 0) - SUBJECTS;
  if (more > 0) subjects.push(["…", `and ${count(more)} more`]);
  return opener("What is attested", table(subjects), h("pre", { tabindex: "0" }, visible(text.slice(0, PREDICATE))));
}

/** Return words, state and look: which key signed, and what that is worth. named: [{fingerprint: hex, from}], by the visitor */
function verdict(one, named, where, policy) {
  const { bundle, found, file } = one, id = hex(found.fingerprint);
  const key = named.find(({ fingerprint }) => fingerprint === id);
  if (bundle.envelope && !bundle.envelope.statement)
    return say("of-no-file", UNKNOWN, `This bundle is about no file; logged as ${where}`, [
      "What is signed in it is no statement about a file, and it says nothing about any file that you have. Who signed it is not checked here.",
    ], ["If no file came with it, nothing is left to do.", "If a file came with it, this bundle is no reason to trust the file. Drop the file alone: it is looked for in the log. Or ask whoever sent it for the bundle that is about the file."]);
  if (found.certificate)
    return say("certificate", DOUBTFUL, `Who signed is not checked here; logged as ${where}`, [
      `${whatOf(bundle)} is right and in the log, by a key that has a certificate.${key ? ` That key is the one that you named, ${visible(key.from)}.` : named.length ? " It is not a key that you named." : ""}`,
      "The certificate says who signed, as below. Anybody can make one that says anything, and this page does not check who issued it, and when it was used.",
    ], otherwise("Do not use the file until you know who has signed it. This command checks it: ", bundle, file, policy));
  if (key)
    return say("signed", GOOD, `Signed by the key that you named, and logged as ${where}`, [
      ["You named the key ", code(key.from), ", and it is the one that signed. Whether it is the publisher's key, only you can know."],
    ], [
      "If you have the key from the publisher's own site, and trust the publisher, you can use the file.",
      "If the key came together with the file, compare it with the one that the publisher names elsewhere: whoever changed the file may have changed the key, too.",
    ]);
  if (named.length)
    return say("another-key", WRONG, "Signed by another key than you named", [
      ["You named ", code(named.map(({ fingerprint, from }) => `${fingerprint} (${from})`).join(", ")), ". The bundle was made with the key below."],
    ], [
      "Do not use the file, unless its publisher says, on their own site, that the key below is theirs, too.",
      "If you named a wrong key, let this page forget it by the button, and name the right one.",
    ]);
  return say("key-unnamed", DOUBTFUL, `Whose key signed this? Logged as ${where}`, [
    `${whatOf(bundle)} is right and in the log. But anybody can make a key, sign with it, and log that. Whether the key below is the publisher's is not known here.`,
  ], ["Look for the publisher's key on their own site. Type it below, or drop it as a file: this page then says whether it is the one that signed. Until then, do not rely on the file."]);
}

let fields = 0;

/** Return what asks for the publisher's key; named: is called with what was typed, returns what is wrong with it. */
function asking(named) {
  const id = `signer-${(fields += 1)}`, input = h("input", { type: "text", id, autocomplete: "off", spellcheck: "false" });
  const wrong = h("p", { class: "small", role: "alert" });
  const submit = (event) => {
    event.preventDefault();
    wrong.textContent = named(input.value) ?? "";
  };
  return h("form", { class: "row", submit }, h("label", { for: id }, "The publisher's key, or its SHA-256. You can drop it as a file, too"), input, h("button", {}, "Compare"), wrong);
}

/**
 * Return the card of a bundle that holds, about a file if one is given. one: {name, bundle, found, file, compared}, see bundle_files.js;
 * named: the visitor's keys; keys: {name(text), forget()}
 */
export function bundleCard(one, trusted, named, keys) {
  const { bundle, found, file, compared } = one, { accepted, proof, leaf } = found;
  const where = `entry ${count(proof.index)} of ${count(accepted.signed.tree.size)}`;
  const said = verdict(one, named, where, trusted.policy), body = [subject(one), ...said.body, `${headOf(trusted, accepted)}.`];
  const about = { ...file, how: "raw", compared, signed: steps(one) };
  const more = [
    table(signer(one)),
    said.state === "key-unnamed" && asking(keys.name),
    said.state === "another-key" && h("p", { class: "row" }, button("Forget the keys that I named", keys.forget)),
    payload(bundle),
    details(proof, accepted, leaf, bundle.entries[0].body, trusted, about),
  ];
  return card({ ...vouched(trusted, where, { ...said, body }), more });
}

/** Return the words for who signed the tree head, so that nobody takes it for who signed the file. */
const headOf = (trusted, accepted) => signers(trusted, accepted).who.replace(/^Signed/, "The list of all entries is signed");

/** Return the card of a bundle whose file is not there yet; nothing is said of a signature over it. */
export function waitingCard(one, trusted) {
  const { accepted, proof } = one.found, where = `entry ${count(proof.index)} of ${count(accepted.signed.tree.size)}`;
  const body = [subject(one), `Its entry is in the log, ${where}. Whether it is about what you have, and who signed it, is not known yet.`, `${headOf(trusted, accepted)}.`];
  const said = { state: "needs-file", mark: "…", headline: "Now drop the file it is for", body, next: ["Drop the file that you got together with this bundle."] };
  return card({ ...vouched(trusted, where, said), more: [table(signer(one))] });
}

/** What is said of an error about one of these parts, see bundle_verdict.js. */
const BY_PART = {
  file: () => say("other-file", WRONG, "This bundle is for another file, or the file was altered", ["What was signed is not the file that you have."], ["Do not use the file. Get the file and its bundle once more, from where they were published, and drop both."]),
  signature: () => say("artifact-signature", WRONG, "Wrong signature in the bundle", ["The signature in the bundle is of another file, or made with another key than the bundle says."], ["Do not use the file. Get the file and its bundle once more, from where they were published. If it is so again, tell the publisher."]),
  bundle: () => say("bundle", WRONG, "The bundle contradicts itself, or the log", ["It was altered, or put together from parts that do not belong together. It shows nothing, for or against your file."], ["Do not use the file until you have a bundle that is right. Get it once more, from where the file was published.", "If it is so again, tell the publisher."]),
  here: (bundle, { message }, file, policy) => say("not-checked", UNKNOWN, "The signature could not be checked here", [visible(`${message[0].toUpperCase()}${message.slice(1)}.`), "This says nothing about your file."], otherwise("Do not use the file until its signature is checked. This command checks it: ", bundle, file, policy)),
};

/** Return the card of what is wrong with a bundle; one: {name, file, bundle, found}, without what there is not. */
export function bundleError(error, one, trusted) {
  const more = [one.file && h("p", {}, code(one.file.name), ", with the bundle ", code(one.name)), one.found && table(signer(one))], words = BY_PART[error.part];
  if (words) return card({ ...words(one.bundle, error, one.file, trusted.policy), error, more });
  if (error.code === "Malformed" && !error.unproven)
    return card({ ...say("format", WRONG, "Not a bundle that can be relied on", ["It is not in the form that a Sigstore bundle with one entry of a log has."], ["Download the bundle once more, as a file, and drop that. If it is so again, tell the publisher."]), error, more });
  return errorCard(error, "proof", more, trusted);
}

/** Return the card of keys that were named before there is anything to compare them with. */
export const namedCard = ({ fingerprint, from }, lookFor) =>
  card({
    state: "key-named", mark: "–", headline: "You named a key",
    body: [[code(from), ": ", code(fingerprint)], "Whose key it is was not checked. Until you close this page, each signature that you drop is compared with it."],
    next: ["Now drop your file and its bundle, a file whose name ends with .sigstore.json."],
    more: [h("p", { class: "row" }, lookFor && button("Look for this file in the log instead", lookFor))],
  });

/** Return the card of a trusted root, which this page does not take. */
export const rootCard = (lookFor) =>
  card({
    state: "trusted-root", mark: "–", headline: "This page takes no trusted root from a file",
    body: [
      "Such a file says which logs and authorities to trust. Whoever forges a file and its signature can make a trusted root that goes with them. So this page trusts only what it shows as trusted, and nothing that is dropped.",
    ],
    next: [
      "Drop your file with its proof or bundle, without the trusted root.",
      ["If you have the trusted root from the publisher's own site, this command uses it: ", command(WITH_CERTIFICATE)],
      lookFor && "If it is itself the file that you want to check, press the button.",
    ],
    more: [h("p", { class: "row" }, lookFor && button("Look for this file in the log instead", lookFor))],
  });
