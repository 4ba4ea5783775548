// Errors in words: what was found, what it means, what to do. Where only the way to the log is broken, the card is not red
// and does not blame the log.

import { card, code, count, h, visible } from "./dom.js";
import { button, save } from "./parts.js";
import { lacking, quorumList, quorumSentence } from "./quorum_words.js";

// look and mark of a card
const WRONG = { look: "bad", mark: "✗" };
const DOUBTFUL = { look: "warn", mark: "!" };
const UNKNOWN = { look: "none", mark: "–" };

const say = (state, look, headline, ...body) => ({ ...look, state, headline, body });
const list = (words) => words.join(", ");

/**
 * Return what a card says; where only a link vouches for the key, it says that first, of `what`, and is not green. Whoever
 * made the link may have made key, log and proof.
 */
export function vouched({ unknown }, what, said) {
  const words = "Neither this site nor this browser knows the key. Whoever made the link may have made it, and what it signed.";
  return unknown ? say("unknown-key", DOUBTFUL, `Unknown key: ${what}`, words, ...said.body) : said;
}

/** Return what a card says of a tree head that is verified, and by a key nobody knows, old, undated, or of the future. */
export function unusual(found, opened, verdict) {
  const { newer, accepted: { signed } } = opened.log;
  if (opened.unknown) return vouched(opened, `${count(signed.tree.size)} entries`, { body: [] });
  const warn = (state, headline, words) => say(state, DOUBTFUL, headline, words, `${verdict}.`);
  if (newer) {
    const sizes = `You saw ${count(newer.tree.size)} entries before; now ${count(signed.tree.size)}`;
    return warn("rollback", "You were shown an old copy", `${sizes}, from the same history. Usually a cache. Reload; if it stays so, tell whoever runs the log.`);
  }
  if (!found.last) return warn("time-unknown", "The log's age is not known", "It is signed as it has to be, but its witnesses state no time: how old this copy of the log is cannot be known. Nothing is said of your file yet: drop it, and it is checked against this copy.");
  const clock = `Your clock says ${new Date().toUTCString()}.`;
  if (found.future)
    return warn("future", "Confirmed in the future", `A witness says it saw this log ${found.when}. ${clock} Set it right if it is wrong. If it is right, a witness's clock is wrong: tell whoever runs the log.`);
  const last = new Date(found.last).toUTCString();
  return warn("stale", `Last confirmed ${found.when}`, `Too few witnesses have seen this log since ${last}. ${clock} If it is right, try again later: what was published since then may be missing here.`);
}

/** Return the words for signatures that this browser cannot check, and does not need; "" where there are none. */
export const unchecked = ({ unsupported: { length } }) =>
  length ? `${length} signature${length > 1 ? "s" : ""} could not be checked here: this browser lacks the algorithm.` : "";

/** Say that a log has two histories: who signed them, and how that can be checked. */
const fork = (who, check) =>
  say(
    "fork",
    { ...WRONG, mark: "✗✗" },
    "Two different histories",
    who,
    h("strong", {}, "Save the evidence below, all of it in one directory, and send it to the log's witnesses and users."),
    ["Anyone can check it: ", code(`tiletree verify --fork DIRECTORY ${check}`)],
    "What was remembered stays, so that the next visit finds this again.",
  );

/** What is said of an error that has one of these fields, whatever its code. */
const BY_FIELD = {
  above: () =>
    say(
      "fork-above",
      WRONG,
      "Not checked: this log has two histories",
      "What it says of your file is worth nothing until whoever runs it explains them. Save the evidence above, beside the log's state, and ask them.",
    ),
  twoKeys: () =>
    fork(
      "Two different keys signed them, so one of the keys may be somebody else's. Ask who runs the log whose they are.",
      "--policy FILE_WITH_BOTH_KEYS",
    ),
  insecure: () =>
    say(
      "insecure",
      UNKNOWN,
      "Open this page over https",
      "Browsers only allow the check on https, on localhost, or in a saved file.",
      location.protocol === "http:" && h("a", { href: location.href.replace(/^http:/, "https:") }, "Open it over https"),
    ),
  offline: () =>
    say(
      "needs-proof",
      { ...UNKNOWN, mark: "…" },
      "Now drop its proof",
      "This page asks no server, so it needs the .tlog-proof file that belongs to the file. Get it where you got the file, or save it on the log's own page.",
    ),
  noKey: () =>
    say(
      "no-key",
      UNKNOWN,
      "No key is known for this log",
      "Follow a link that names it (#vkey=…), or enter it under “Whom this page trusts”, from a source you trust.",
    ),
  unknownKey: ({ unknownKey, known, readAs }) =>
    say(
      "unknown-key",
      DOUBTFUL,
      "A link names a key that is not known here",
      ["The link's key: ", code(unknownKey)],
      readAs && ["It is to be read as ", code(readAs.layout), readAs.origin ? [", with the origin ", code(readAs.origin)] : "", "."],
      known.length ? ["Known here: ", code(list(known))] : "This site names no key, and this browser remembers none.",
      "Anybody can make a key, and a link with it. Ask whoever runs the log, by another way than this link, whether it is the log's key. Nothing was checked yet.",
    ),
  changed: ({ changed: [before, now] }) =>
    say(
      "key-changed",
      WRONG,
      "This log's key changed",
      ["Remembered: ", code(list(before))],
      ["Now: ", code(list(now))],
      "Ask its operator, by another way than this site, which one is right. What is remembered stays.",
    ),
  damaged: () =>
    say(
      "memory",
      DOUBTFUL,
      "This browser's memory is damaged",
      "What was remembered of this log cannot be read. Forget it under “Whom this page trusts”, and the log is trusted once more as it is now.",
    ),
  oldCopy: () =>
    say(
      "rollback-unproven",
      DOUBTFUL,
      "The log is smaller than before",
      "Nothing here shows that it has the same history. An old copy, or a log that was put back: ask who runs it.",
    ),
  tooLarge: ({ tooLarge }) =>
    say(
      "not-searched",
      { ...UNKNOWN, mark: "?" },
      `Not looked for among ${count(tooLarge)} entries`,
      "Nothing is known yet about your file. This log has no index, and is too large to be looked through without asking. With the file's proof, or the number of its entry, no search is needed.",
    ),
  denied: () =>
    say(
      "index-wrong",
      WRONG,
      "The log's signed index is wrong",
      "It says of an entry what the log itself contradicts, so what it says of absence is worth nothing. Each entry below is proven all the same.",
      h("strong", {}, "Save the evidence below, and send it to whoever runs the log, and to its users."),
    ),
  empty: () => say("call", UNKNOWN, "The log has no entries yet", "Nothing was published in it so far. Come back later."),
  unread: ({ unread }) =>
    say("unread", UNKNOWN, `${count(unread)} entries were not looked at`, "There are too many in this file. Divide it, and drop the parts."),
  unproven: () =>
    say(
      "unproven",
      UNKNOWN,
      "No proof is in this bundle",
      "It holds an entry, and nothing that shows that the entry is in the log. This says nothing about your file. Ask for a bundle with an inclusion proof and a checkpoint.",
    ),
  expected: ({ expected, origin }) =>
    say("origin", WRONG, "This is a different log", ["Expected ", code(expected), ", got ", code(origin), "."], "Open that log's own page, or verify.html with its key."),
};

// what a browser may lack, by the signature type of the key
const ALGORITHMS = { 1: "Ed25519", 2: "this kind of ECDSA", 4: "Ed25519", 6: "ML-DSA-44" };

const unsupported = ({ unsupported: keys, policy, cosignatures }) =>
  say(
    "unsupported",
    UNKNOWN,
    `${keys.length} signature${keys.length > 1 ? "s" : ""} could not be checked here`,
    [`This browser lacks ${[...new Set(keys.map(({ type }) => ALGORITHMS[type] ?? "its algorithm"))].join(" and ")}. The other signatures do not suffice. Use another browser, or `, code("tiletree verify"), "."],
    policy && `Not checked, and needed: ${lacking({ policy, cosignatures }).missing}.`,
  );

const unreachable = () =>
  say(
    "network",
    UNKNOWN,
    "Could not reach the log",
    "This says nothing about your file. Try again later, or drop the file with its proof, which needs no network.",
  );

const instead = ([path, what]) =>
  say(
    "web-page",
    UNKNOWN,
    what === "empty" ? "Nothing came" : what.startsWith("a web page") ? "A web page came instead" : "Something else came instead",
    ["What was sent as ", code(path), ` is ${what}.`],
    "Perhaps this network wants you to log in first, or the server answers every address with a page. This says nothing about the log, or your file.",
  );

const TELL = "This says nothing about your file. Try again later; if it stays so, tell whoever runs the log.";
const damagedData = (...words) => say("tile", WRONG, "The log sent damaged data", ...words);

/** What is said of any other error, by its code; what: see `errorCard`. */
const BY_CODE = {
  ForkError: () => fork("The log signed both, so it shows some people something else than others. This should never happen.", "--vkey KEY"),
  SignatureError: () =>
    say(
      "signature",
      WRONG,
      "Wrong signature",
      "What the log shows is not signed by the key this page expects. Do not rely on it.",
      "Open the log at the address that its publisher names. If it is so there, too, tell them.",
    ),
  PolicyError: (found) => {
    const { wanted, missing, there } = lacking(found);
    const said = say("quorum", WRONG, `Too few witnesses: ${there} of ${wanted}`, "Witnesses are independent: they confirm that everybody is shown the same log. Too few of them have confirmed this.", `Missing: ${missing}.`, "They may come later: try again then. Until they do, do not rely on it.");
    return { ...said, more: quorumList(found) };
  },
  ProofError: (_, what) =>
    what === "search" ? say("search-wrong", WRONG, "This search proof does not hold", "It was altered, or its parts are not of one log. It shows nothing. Ask for another one.") : say(
      "inclusion",
      WRONG,
      "This proof is for another file, or altered",
      "The hashes do not lead to the signed root. Which of them is wrong cannot be known.",
      "Do not use the file. Get it and its proof once more, from where they were published.",
    ),
  TileError: ({ path }) =>
    damagedData(TELL, ["Damaged, as it does not match what the log signed: ", code(path), "."]),
  Malformed: (_, what) =>
    what === "log"
      ? damagedData(
          TELL,
          "What is in the place of its checkpoint or policy is none.",
        )
      : say("format", WRONG, "Not a proof file", "It is not in the form that such a file has: an editor or a mail program may have changed it. Get it once more, as a file."),
  UsageError: ({ message }, what) =>
    say(
      "call",
      UNKNOWN,
      what === "log" ? "This log cannot be opened" : "There is no such entry",
      visible(what === "log" ? message : `${message[0].toUpperCase()}${message.slice(1)}.`), // of a log it may begin with what a link says
      what === "log" ? "Follow a link of its publisher, or enter its key under “Whom this page trusts”." : "Entries are counted from 0. Type another number, or look through the list below.",
    ),
  AccessError: unreachable,
  NotFound: unreachable,
};

const mistake = () =>
  say("page", WRONG, "This page made a mistake", "This says nothing about your file, nor about the log. Load the page again; if it is so again, tell whoever runs it.");

/** of: returns an error in which a log's objects have its own names; other_log.js sets it for logs with another layout. */
export const naming = { of: (error) => error };

const OF_A_KEY = ["ForkError", "SignatureError", "PolicyError"]; // what a log is blamed for depends on its key

/**
 * Return the card of an error; what: "log" for the tree head, "proof" for a proof file, "search" for a search proof, "entry" for anything else; trusted: {unknown},
 * see `vouched`.
 */
export function errorCard(error, what = "entry", more = [], trusted = {}) {
  naming.of(error);
  const field = Object.keys(BY_FIELD).find((name) => error[name] !== undefined);
  const ofCode = error.unsupported?.length ? unsupported : (BY_CODE[error.code] ?? mistake);
  const words = error.instead ? () => instead(error.instead) : (BY_FIELD[field] ?? ofCode);
  const said = words(error, what);
  const shown = OF_A_KEY.includes(error.code) ? vouched(trusted, said.headline, said) : said;
  return card({ ...shown, error: said.state === "call" ? undefined : error, more: [shown.more, evidence(error), more] });
}

/** Return buttons that save what a third party needs to find the same error. */
function evidence(error) {
  const files = Object.entries((!error.above && error.evidence) || {}).map(([name, bytes]) => [name.replaceAll("/", "-"), bytes]);
  const buttons = files.map(([name, bytes]) => button(`Save ${name}`, () => save(name, bytes)));
  return buttons.length ? h("p", { class: "row" }, h("span", { class: "small" }, "Evidence, for whoever looks into it:"), buttons) : null;
}
