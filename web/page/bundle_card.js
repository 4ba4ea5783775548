// The card of a bundle of Sigstore. What a bundle holds was chosen by whoever made it, its key too: so only a key that the
// visitor named makes a card green, and a certificate never does, whose chain and times are not checked here.

import { card, code, count, h, visible } from "./dom.js";
import { certificateRows, keyRow } from "./certificate_rows.js";
import { errorCard, vouched } from "./error_card.js";
import { button, opener, table } from "./parts.js";
import { details } from "./proof_card.js";
import { signers } from "./tree_head.js";
import { DETAILS } from "../verifier/artifact.js";
import { encodeBase64, hex } from "../verifier/encoding.js";

const COMMAND = "tiletree verify FILE --bundle FILE.sigstore.json";
const WITH_CERTIFICATE = `${COMMAND} --trusted-root trusted_root.json --certificate-identity IDENTITY --certificate-oidc-issuer ISSUER`;
const WITH_KEY = `${COMMAND} --trusted-root trusted_root.json --key KEY.pub`;
const SUBJECTS = 10, PREDICATE = 20_000; // characters
const WRONG = { look: "bad", mark: "✗" }, UNKNOWN = { look: "none", mark: "–" };

const commandOf = (bundle) => (bundle?.certificate ? WITH_CERTIFICATE : WITH_KEY);
const whatOf = ({ envelope }) => (envelope ? "The attestation" : "The signature");

/** Return the words for what a bundle is about; file: null where it is not there. */
function subject({ bundle: { envelope }, name, file }) {
  const about = file ? [" about ", code(file.name)] : "", from = [", from the bundle ", code(name), "."];
  if (!envelope) return file ? [code(file.name), ", with the bundle ", code(name), "."] : ["A signature", from];
  const { statement } = envelope;
  if (!statement) return ["A payload of type ", code(envelope.payloadType), from];
  return ["An attestation of type ", code(statement.predicateType), about, from, " That it is true is the signer's word."];
}

function signer({ bundle, found: { certificate, spki, fingerprint } }) {
  if (certificate) return certificateRows(certificate);
  const hint = encodeBase64(fingerprint), other = bundle.hint && bundle.hint !== hint;
  return [keyRow(spki), ["The same in base64", hint], ...(other ? [["What the bundle calls it", bundle.hint]] : [])];
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
function verdict(one, named, where) {
  const { bundle, found, file } = one, id = hex(found.fingerprint);
  const key = named.find(({ fingerprint }) => fingerprint === id);
  if (bundle.envelope && !bundle.envelope.statement)
    return { state: "of-no-file", ...UNKNOWN, headline: `What is signed is about no file; logged as ${where}`, body: [] };
  if (found.certificate)
    return {
      state: "certificate", look: "warn", mark: "!", headline: `Who signed is not checked here; logged as ${where}`,
      body: [
        `${whatOf(bundle)} is right and in the log, by a key that has a certificate.${key ? ` That key is the one that you named, ${visible(key.from)}.` : named.length ? " It is not a key that you named." : ""}`,
        "Anybody can make a certificate that claims any identity. Its chain, its timestamp and the time of signing are not checked here. This command checks them, with the identity and the issuer that you expect, and not those that the certificate claims:",
        code(WITH_CERTIFICATE),
      ],
    };
  if (key)
    return {
      state: "signed", look: "good", mark: "✓", headline: `Signed by the key that you named, and logged as ${where}`,
      body: [["The key is the one that you named, ", code(key.from), ". That it is the publisher's is for you to know: take it from another place than the file."]],
    };
  if (named.length)
    return {
      state: "another-key", ...WRONG, headline: "Signed by another key than you named",
      body: [["You named ", code(named.map(({ fingerprint, from }) => `${fingerprint} (${from})`).join(", ")), "."], "Do not use the file, unless its publisher names this key too, in another place than the file."],
    };
  return {
    state: "key-unnamed", look: "warn", mark: "!", headline: `Whose key signed this? Logged as ${where}`,
    body: [`${whatOf(bundle)} is right and in the log. But whoever made the bundle chose this key, and may have made it. Compare it with the key that the publisher${file ? " of the file" : ""} names elsewhere.`],
  };
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
  const said = verdict(one, named, where), body = [subject(one), ...said.body, `${headOf(trusted, accepted)}.`];
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
const headOf = (trusted, accepted) => `The log's tree head: ${signers(trusted, accepted).who.replace(/^S/, "s")}`;

/** Return the card of a bundle whose file is not there yet; nothing is said of a signature over it. */
export function waitingCard(one, trusted) {
  const { accepted, proof } = one.found, where = `entry ${count(proof.index)} of ${count(accepted.signed.tree.size)}`;
  const body = [subject(one), `Its entry is in the log, ${where}. Whether it is about what you have, and who signed it, is not known yet.`, `${headOf(trusted, accepted)}.`];
  const said = { state: "needs-file", mark: "…", headline: "Now drop the file it is for", body };
  return card({ ...vouched(trusted, where, said), more: [table(signer(one))] });
}

const say = (state, look, headline, ...body) => ({ state, ...look, headline, body });

/** What is said of an error about one of these parts, see bundle_verdict.js. */
const BY_PART = {
  file: () => say("other-file", WRONG, "This bundle is for another file, or the file was altered", "What is signed has another digest than your file. Do not use it: get file and bundle once more, from where they were published."),
  signature: () => say("artifact-signature", WRONG, "Wrong signature", "The signature in the bundle is wrong: it was not made with the key in the bundle, or not of what the bundle says. Do not use the file."),
  bundle: () => say("bundle", WRONG, "The bundle contradicts itself, or the log", "Its parts are not of one signature and one entry: it was altered, or put together wrongly. It shows nothing: get it once more."),
  here: (bundle, { message }) => say("not-checked", UNKNOWN, "The signature could not be checked here", visible(`${message[0].toUpperCase()}${message.slice(1)}.`), "This says nothing about your file. This command checks it:", code(commandOf(bundle))),
};

/** Return the card of what is wrong with a bundle; one: {name, file, bundle, found}, without what there is not. */
export function bundleError(error, one, trusted) {
  const more = [one.file && h("p", {}, code(one.file.name), ", with the bundle ", code(one.name)), one.found && table(signer(one))], words = BY_PART[error.part];
  if (words) return card({ ...words(one.bundle, error), error, more });
  if (error.code === "Malformed" && !error.unproven)
    return card({ ...say("format", WRONG, "Not a bundle that can be relied on", "It is not in the form that a Sigstore bundle with one entry of a log has. Get it once more, as a file."), error, more });
  return errorCard(error, "proof", more, trusted);
}

/** Return the card of keys that were named before there is anything to compare them with. */
export const namedCard = ({ fingerprint, from }, lookFor) =>
  card({
    state: "key-named", mark: "–", headline: "A key that you named",
    body: [[code(from), ": ", code(fingerprint)], "Until this page is closed, bundles that you drop are compared with it. It was not checked whose key it is."],
    more: [h("p", { class: "row" }, lookFor && button("Look for this file in the log instead", lookFor))],
  });

/** Return the card of a trusted root, which this page does not take. */
export const rootCard = (lookFor) =>
  card({
    state: "trusted-root", mark: "–", headline: "This page takes no trusted root from a file",
    body: [
      `Such a file says which logs and authorities to trust. One that comes with what it is to judge may have been made with it, so this page trusts what you see under “${lookFor ? "Whom this page trusts" : "Keys in this file"}”, and nothing that is dropped. If you have it from a source of your own, this command takes it:`,
      code(WITH_CERTIFICATE),
    ],
    more: [h("p", { class: "row" }, lookFor && button("Look for this file in the log instead", lookFor))],
  });
