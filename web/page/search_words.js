// What came of a search, in words: what "not in the log" is based on, and what to do next.

import { count } from "./dom.js";

/** Why it is not known whether what was found is all; see `Search.conclude`. */
const WHY = {
  unsigned: () => "The index is not signed by the log's key: what was found is proven all the same, and that there is nothing else is not.",
  "no-key": () => "The key that this page trusts signs no index: what was found is proven, and that there is nothing else is not.",
  ahead: () => "The index is of more entries than this copy of the log, which may be an old one. Load the page again.",
  tail: ({ covered, size }) => `The index covers the first ${count(covered)} entries. The ${count(size - covered)} after it were not looked at.`,
  left: () => "More entries may have it, and were not looked at.",
  many: ({ error }) => `More than ${count(error.many)} entries have it. They were not all looked at.`,
  local: () => "This index is of one application, and says nothing of other entries.",
  unread: () => "A part of the log's index, or of the log, could not be read, or is damaged. What is asked for may be there.",
  denied: () => "The index contradicts the log.",
};

const NAMES = { "leaf/1": "leaf hashes", "sha256/1": "SHA-256 digests", "sha512/1": "SHA-512 digests", "name/1": "names", "key/1": "signing keys", "identity/1": "identities", "issuer/1": "issuers", "subject/1": "subjects of attestations" };

function based({ kind, covered, size, scanned }) {
  if (scanned || covered === 0n) return `All ${count(size)} entries were checked.`;
  const rest = size > covered ? ` The ${count(size - covered)} entries after these were all checked.` : "";
  return `So the log's signed index of ${NAMES[kind] ?? kind} says of the first ${count(covered)} entries.${rest} If that were wrong, everybody who reads the whole log would see it, and the log's signature would be the evidence.`;
}

/** Return the words for what a search is based on; end: what decides; lacking: the error of an index that there is not. */
export function said(end, ends, hits, lacking) {
  const words = end.why ? WHY[end.why](end) : [...new Set(ends.map(based))].join(" ");
  const only = !hits || end.why ? "" : hits === 1 ? "It is the only entry. " : "There are no others. ";
  return `${only}${words}${lacking ? ` There is no index of ${NAMES[lacking.kind] ?? lacking.kind}: it was not looked for by these.` : ""}`;
}

/** Return what the card of a search without hits says. */
export function absent(proven, body, { candidates, what }, size) {
  const raw = candidates?.at(-1).how === "raw" ? ", and as its bytes" : "";
  const how = {
    name: "It was looked for as the name of a file.",
    hash: "It was looked for as the SHA-256 of what is logged, as a leaf hash, and as the digest of an image that cosign signed.",
    sha256: "It was looked for as the SHA-256 of what is logged, and as the digest of an image that cosign signed.",
    image: "It was looked for as the digest of an image that cosign signed.",
    leaf: "It was looked for as a leaf hash.",
    sha512: "It was looked for as the SHA-512 of what is logged.",
    key: "It was looked for as the SHA-256 of a key that signed.",
    subject: "It was looked for as the digest of what an attestation that is logged itself is about.",
    who: "It was looked for as who signed, in what certificates claim, and as the name of a file.",
    identity: "It was looked for as who signed, in what certificates claim.",
    issuer: "It was looked for as the issuer of an identity, in what certificates claim.",
  }[what] ?? `It was looked for by SHA-256 and size${raw}.`;
  if (proven) return { state: "absent", look: "bad", mark: "✗", headline: "Not in the log", body: [...body, how] };
  return { state: "not-found", look: "none", mark: "?", headline: `Not found among ${count(size)} entries, but it may be there`, body: [...body, how] };
}

/** Return what to do next where nothing was found; asked: whom to ask. */
export function followUp(proven, { what, file }, asked) {
  if (!proven)
    return [
      "Press the button to look through all entries, or try again later.",
      "If it is about a file, ask its publisher for its proof (.tlog-proof), and drop both: then nothing has to be searched.",
    ];
  const same = {
    name: "only names that were logged with their files are found, and upper and lower case differ. Look for the file itself.",
    who: "only a whole address, a domain with @ before it, or a URI up to one of its slashes is found; of names, only those that were logged.",
    identity: "only a whole address, a domain with @ before it, or a URI up to one of its slashes is found.",
    issuer: "only a whole issuer is found.",
    key: "it is SHA-256 of the public key in DER, as bundles have it in their hint.",
    image: "signatures with annotations, and attestations, are not found by the image's digest. Look for who signed.",
    subject: "most attestations are logged by the digest of their envelope. Look for that, or for who signed.",
    sha512: "few entries are found by SHA-512. Look for the file itself, or its SHA-256.",
  }[what] ?? "check that it is exactly the file that was published: opening and saving it, or packing it again, makes it another file.";
  return [
    file && "If its publisher says that it is in this log, do not use the file yet. If not, this log says nothing about it.",
    `${same[0].toUpperCase()}${same.slice(1)}`,
    "If it is very new, it may not be in the log yet: try again in an hour.",
    "If it came with a proof (.tlog-proof), drop both: some files are logged so that nobody can find them without their proof.",
    ["If it is still not found, ask its publisher, or ", asked, "."],
  ];
}
