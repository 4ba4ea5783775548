// Commands that check what this page does not, with where to get all that they need.

import { $, code, h, visible } from "./dom.js";
import { LONG } from "./quorum_words.js";

const ELSEWHERE = "from the publisher's own site, and not from beside the file";
const NEEDED = {
  VKEY: "the log's key, as the publisher of your file names it",
  "KEY.pub": `the publisher's public key, as a file: ${ELSEWHERE}`,
  "trusted_root.json": `a file that says which logs and authorities to trust: ${ELSEWHERE}`,
  IDENTITY: "who has to have signed, as the publisher says it elsewhere: an e-mail address, or the address of a build job",
  ISSUER: "who vouches for that identity, as the publisher says it elsewhere: such as https://token.actions.githubusercontent.com",
};
const TRUSTED = ["--vkey", "the key that this page trusts: compare it with the one that the publisher of your file names"];
const PLAIN = /^\w[\w.+-]*$/; // a name that a shell takes as it stands

const BUNDLE = "tiletree verify FILE --bundle FILE.sigstore.json";
export const WITH_PROOF = "tiletree verify FILE --proof FILE.tlog-proof --vkey VKEY";
export const WITH_KEY = `${BUNDLE} --vkey VKEY --key KEY.pub`;
export const WITH_CERTIFICATE = `${BUNDLE} --trusted-root trusted_root.json --certificate-identity IDENTITY --certificate-oidc-issuer ISSUER`;
export const WITH_SIGNATURE = `${WITH_PROOF} --key KEY.pub`;
export const SEARCH_PROOF = "tiletree verify --search-proof FILE --vkey VKEY";
export const FORK = "tiletree verify --fork FOLDER --vkey VKEY";

/** Return a command with a file's name and the key of a policy's one log in it, where these are plain. */
export function commandLine(line, { name = "FILE", policy } = {}) {
  const found = { FILE: PLAIN.test(name) ? name : "FILE", VKEY: keyIn(policy) ?? "VKEY" };
  return line.replace(/FILE|VKEY/g, (word) => found[word]);
}

/** Return the key of a policy's one log, undefined where there are more, or it is long. */
function keyIn(policy) {
  const [{ key }, ...others] = policy?.logs ?? [{}];
  return key && !others.length && key.vkey.length < LONG ? visible(key.vkey) : undefined;
}

/** Return what to do instead of running a command that checks who signed a file. */
export const byHand = (sha256) => [
  "If you cannot run commands, compare the file's SHA-256 with the one that the publisher names on their own site. Yours is ", code(sha256), ". If they are the same, the file is the publisher's. If they name none, ask them for it, and wait with the file.",
];

/** Return a command with where to get all that it needs; known: {name, policy}, see `commandLine`. */
export function command(line, known) {
  const needed = Object.entries(NEEDED).filter(([word]) => line.includes(word));
  const words = needed.map((one) => (one[0] === "VKEY" && keyIn(known?.policy) ? TRUSTED : one));
  const program = ["tiletree", `a program for the command line: “Check this yourself”, ${$("#self") ? "below" : "on the log's own page"}, says how to get it`];
  return [
    h("pre", { tabindex: "0" }, commandLine(line, known)),
    h("ul", { class: "small" }, [program, ...words].map(([word, from]) => h("li", {}, code(word), `: ${from}`))),
  ];
}
