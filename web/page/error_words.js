// Errors in words: what was found, what it means for the visitor, what to do. Where only the way to the log is broken, the
// card is not red and does not blame the log.

import { FORK, SEARCH_PROOF, WITH_PROOF, command } from "./commands.js";
import { code, count, h, visible } from "./dom.js";
import { operator } from "./operator.js";
import { opener } from "./parts.js";
import { lacking, quorumList } from "./quorum_words.js";

// look and mark of a card
export const GOOD = { look: "good", mark: "✓" };
export const WRONG = { look: "bad", mark: "✗" };
export const DOUBTFUL = { look: "warn", mark: "!" };
export const UNKNOWN = { look: "none", mark: "–" };

/** Return what a card says; body: what it means; next: what to do. */
export const say = (state, look, headline, body, next) => ({ ...look, state, headline, body, next });

const list = (words) => words.join(", ");
const NOT_FOR_IT = "This proof is for another file, or altered";
const TRUSTS = "“Whom this page trusts”", NOTHING = "This says nothing about your file.";

/** Say that a log has two histories: who signed them, and how that can be checked. */
const fork = (who, check) => ({
  ...say(
    "fork",
    { ...WRONG, mark: "✗✗" },
    "Two different histories",
    [
      `${who} Some people are shown something else than others, which must never happen. So nothing that it says of a file counts until this is explained.`,
      "This browser goes on remembering what it saw before, so your next visit finds this again.",
    ],
    [
      "Do not rely on what this log says of any file.",
      ["Save all of the evidence below in one folder. Send it to ", operator(), ", to the publisher of your file, and to others who rely on this log."],
    ],
  ),
  more: opener("How others check the evidence", check),
});

/** What is said of an error that has one of these fields, whatever its code. */
const BY_FIELD = {
  sample: ({ sample }) =>
    say(
      "inclusion",
      WRONG,
      NOT_FOR_IT,
      [`This was entry ${count(sample)}, with one bit flipped in your browser: a copy that was tampered with looks like this.`],
      ["Nothing: it was a trial. If a file of yours ever looks like this, do not use it."],
    ),
  above: () =>
    say(
      "fork-above",
      WRONG,
      "Not checked: this log has two histories",
      ["Your file was not looked for: as long as the log has two histories, what it says of a file is worth nothing."],
      ["Wait with using the file until the two histories are explained, and check it again then.", "The red card above says what to do about them."],
    ),
  twoKeys: () => fork("Two different keys signed them, and one of the keys may be somebody else's.", code("tiletree verify --fork FOLDER --policy FILE_WITH_BOTH_KEYS")),
  insecure: () =>
    say(
      "insecure",
      UNKNOWN,
      "Open this page over https",
      ["Browsers only allow the check on https, on localhost, or in a saved file."],
      [location.protocol === "http:" ? h("a", { href: location.href.replace(/^http:/, "https:") }, "Open it over https") : "Open the address of this page with https:// before it."],
    ),
  offline: () =>
    say(
      "needs-proof",
      { ...UNKNOWN, mark: "…" },
      "Now drop its proof",
      ["This page asks no server, so it needs the .tlog-proof file that belongs to your file."],
      ["Get the proof where you got the file, or drop the file on the log's own page, to which its publisher links, and save the proof there. Then drop it here."],
    ),
  noKey: () =>
    say(
      "no-key",
      UNKNOWN,
      "No key is known for this log",
      ["What a log says is checked with its key. This site names none, and this browser remembers none."],
      [
        ["Look where your file is published, in the project's README or beside its downloads, for the log's key, which looks like ", code("log.example.com+04603546+AYqI…"), ", or for a link to this page that has it."],
        `Then open that link, or enter the key below, under ${TRUSTS}. If you find neither, ask the publisher.`,
      ],
    ),
  unknownKey: ({ unknownKey, known, readAs }) =>
    say(
      "unknown-key",
      DOUBTFUL,
      "A link names a key that is not known here",
      [
        ["The link's key: ", code(unknownKey)],
        readAs && ["It is to be read as ", code(readAs.layout), readAs.origin ? [", with the origin ", code(readAs.origin)] : "", "."],
        known.length ? ["Known here: ", code(list(known))] : "This site names no key, and this browser remembers none.",
        "Anybody can make a key, and a link with it. Nothing was checked yet.",
      ],
      [
        known.length > 0 && "To be safe, use the key that is known.",
        ["Use the link's key only if ", operator(), " has told you, by another way than this link, that it is the log's key. Compare all of it."],
      ],
    ),
  changed: ({ changed: [before, now] }) =>
    say(
      "key-changed",
      WRONG,
      "This log's key changed",
      [
        ["Remembered: ", code(list(before))],
        ["Now: ", code(list(now))],
        "A log seldom gets another key. Somebody may have put another log in its place. This browser goes on trusting the key that it remembers.",
      ],
      [
        "Do not rely on what this site shows until you know which key is right.",
        "Ask whoever runs the log, or the publisher of your file, at an address that you do not have from this site.",
        `If the new key is right, forget the old one below, under ${TRUSTS}.`,
      ],
    ),
  damaged: () =>
    say(
      "memory",
      DOUBTFUL,
      "What this browser remembers of the log is damaged",
      ["At each visit this page remembers how far the log has come, to notice if its past changes. That note cannot be read any more. Your computer, your file and the log are not damaged by this."],
      ["Press the button. The page then trusts the log as it is now, as on a first visit: if its past was changed since your last visit, that is not noticed."],
    ),
  oldCopy: () =>
    say(
      "rollback-unproven",
      DOUBTFUL,
      "The log is smaller than before",
      ["A log only grows. This is an old copy of it, one that was put back from a backup, or another log: which of these cannot be told here."],
      ["Do not rely on the log for now. Try again in an hour: if a server between you and the log has kept an old copy, it has a new one by then.", ["If it is still so, ask ", operator(), " what happened."]],
    ),
  tooLarge: ({ tooLarge }) =>
    say(
      "not-searched",
      { ...UNKNOWN, mark: "?" },
      `Not looked for among ${count(tooLarge)} entries`,
      ["Whether your file is in the log is not known yet. This log has no index to look it up in, so much would have to be downloaded."],
      ["If you have the file's proof (.tlog-proof), drop it: nothing has to be searched then.", "If you know the number of its entry, type that.", "Otherwise press the button, if your connection allows it."],
    ),
  denied: () =>
    say(
      "index-wrong",
      WRONG,
      "The log's signed index is wrong",
      ["The index is the log's table of contents. The log has signed it, and it contradicts the log. So where it says that something is not in the log, do not believe it."],
      [
        "What is shown below was found in the log itself: it is there, whatever the index says.",
        "To check a file that you have, drop it with its proof (.tlog-proof), which needs no index. If you have no proof, ask the publisher of the file for it.",
        ["Save the evidence below, and send it to ", operator(), ", and to others who rely on this log."],
      ],
    ),
  empty: () => say("call", UNKNOWN, "The log has no entries yet", ["Nothing was published in it so far."], ["Come back later."]),
  unread: ({ unread, most }) =>
    say("unread", UNKNOWN, `${count(unread)} bundles were not looked at`, [`There are too many of them in this file: only the first ${most} were checked. Of the others nothing is known yet.`], [`Each line of the file is a bundle. With a text editor, copy the last ${count(unread)} lines into ${unread > most ? `new files of at most ${most} lines` : "a new file"}, with a name that ends with .jsonl, and drop that together with the files that they are about.`, "Until then, wait with those files."]),
  longProof: () =>
    say("unread", UNKNOWN, "This search proof is too long for this page", ["It was not looked at."], ["This command checks it: ", command(SEARCH_PROOF)]),
  unproven: () =>
    say(
      "unproven",
      UNKNOWN,
      "No proof is in this bundle",
      ["It holds an entry, and nothing that shows that the entry is in the log. This says nothing about your file."],
      ["Drop the file without the bundle: then it is looked for in the log.", "Or ask whoever made the bundle for one with an inclusion proof and a checkpoint, in these words."],
    ),
  expected: ({ expected, origin }) =>
    say(
      "origin",
      WRONG,
      "This is a different log",
      [["Expected ", code(expected), ", got ", code(origin), "."], `Another log than the one that this page is for was found at this address. ${NOTHING}`],
      ["Compare the address of this page with the one that the publisher of your file names. If it differs, use that one.", "If it is the same, do not rely on this page. Save the evidence below, and send it to the publisher of your file."],
    ),
};

// what a browser may lack, by the signature type of the key
const ALGORITHMS = { 1: "Ed25519", 2: "this kind of ECDSA", 4: "Ed25519", 6: "ML-DSA-44" };

const unsupported = ({ unsupported: keys, policy, cosignatures }) =>
  say(
    "unsupported",
    UNKNOWN,
    `${keys.length} signature${keys.length > 1 ? "s" : ""} could not be checked here`,
    [
      `This browser lacks ${[...new Set(keys.map(({ type }) => ALGORITHMS[type] ?? "its algorithm"))].join(" and ")}. So it cannot check a signature that is needed, and the others do not suffice. ${NOTHING}`,
      policy && `Witnesses are independent of the log: they confirm that everybody is shown the same one. What these have signed is needed, and not checked: ${lacking({ policy, cosignatures }).missing}.`,
    ],
    ["Wait with the file until that is checked. Open this page in the newest version of another browser.", ["Or check your file, with its proof, by this command: ", command(WITH_PROOF, { policy })]],
  );

const unreachable = () =>
  say("network", UNKNOWN, "Could not reach the log", [NOTHING], ["Look whether you are online, and try again.", "Or drop the file together with its proof (.tlog-proof): that needs no network."]);

const instead = ([path, what]) =>
  say(
    "web-page",
    UNKNOWN,
    what === "empty" ? "Nothing came" : what.startsWith("a web page") ? "A web page came instead" : "Something else came instead",
    [["What was sent as ", code(path), ` is ${what}. ${NOTHING}`]],
    ["You may be in a network that wants you to log in first, as in a hotel or a train. Log in there, and load this page again.", ["If that is not it, the server answers every address with a page: tell ", operator(), "."]],
  );

const later = () => ["Try again later.", ["If it stays so, save the evidence below and send it to ", operator(), "."]];
const damagedData = (...words) => say("tile", WRONG, "The log sent damaged data", [...words, NOTHING], later());

/** What is said of any other error, by its code; what: see `errorCard`. */
const BY_CODE = {
  ForkError: () => fork("The log signed both.", command(FORK)),
  SignatureError: (_, what) =>
    ["proof", "search"].includes(what)
      ? say(
          "signature",
          WRONG,
          "Wrong signature",
          ["What you dropped is not signed by the key of this log: it is from another log, or was altered."],
          ["Do not rely on it. Get it once more, from where it was published.", "If it is from another log, open that log's own page, and drop it there."],
        )
      : say(
          "signature",
          WRONG,
          "Wrong signature",
          ["What this site shows is not signed by the key that this page expects: somebody may have put another log in its place."],
          ["Do not rely on what this page says of any file.", "Open the log by the link on the site of your file's publisher. If the same is said there, save the evidence below and send it to the publisher."],
        ),
  PolicyError: (found, what) => {
    const { wanted, missing, there } = lacking(found);
    const body = ["Witnesses are independent of the log: they confirm that everybody is shown the same one. Too few of them have confirmed this.", `Missing: ${missing}.`];
    const wait = what === "proof" ? "Do not rely on this proof yet. It gets no witnesses by itself: get a newer one where you got this one." : "Do not rely on this log's answers yet. Try again later: the witnesses may still come.";
    return { ...say("quorum", WRONG, `Too few witnesses: ${there} of ${wanted}`, body, [wait, ["If it stays so, save the evidence below and send it to ", operator(), "."]]), more: quorumList(found) };
  },
  ProofError: (_, what) =>
    what === "search"
      ? say("search-wrong", WRONG, "This search proof does not hold", ["It was altered, or put together from two logs. It shows nothing."], ["Ask whoever gave it to you for another one, or search in the log yourself."])
      : say(
          "inclusion",
          WRONG,
          NOT_FOR_IT,
          ["File and proof do not belong together: one of them is another one, or was altered. Which of the two cannot be told."],
          ["Do not use the file. Get it and its proof once more, from where they were published, and drop both."],
        ),
  TileError: ({ path }) => damagedData(["A part of the log is not what the log has signed: ", code(path), "."]),
  Malformed: (_, what) =>
    what === "log"
      ? damagedData("What came in the place of its checkpoint or its policy is neither.")
      : say("format", WRONG, "Not a proof file", ["It is not in the form that a proof has: an editor or a mail program may have changed it. This says nothing about your file."], ["Download the proof once more, as a file, and drop that."]),
  UsageError: ({ message }, what) =>
    what === "log"
      ? say("call", UNKNOWN, "This log cannot be opened", [visible(message)], [`Open the log by a link of its publisher, or enter its key below, under ${TRUSTS}.`]) // the message may begin with what a link says
      : say("call", UNKNOWN, "There is no such entry", [visible(`${message[0].toUpperCase()}${message.slice(1)}.`)], ["Type another number: entries are counted from 0. Or look through “Entries” below."]),
  AccessError: unreachable,
  NotFound: unreachable,
};

const mistake = () => say("page", WRONG, "This page made a mistake", [`${NOTHING} It says nothing about the log either.`], ["Load the page again.", ["If it is so again, tell ", operator(), "."]]);

/** Return what is said of an error; what: see `errorCard`. */
export function wordsOf(error, what) {
  if (error.instead) return instead(error.instead);
  const field = Object.keys(BY_FIELD).find((name) => error[name] !== undefined);
  if (field) return BY_FIELD[field](error);
  return error.unsupported?.length ? unsupported(error) : (BY_CODE[error.code] ?? mistake)(error, what);
}
