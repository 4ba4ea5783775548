// The card of an error, with its evidence, and the cards of tree heads that are verified and yet not as usual.

import { card, count, h } from "./dom.js";
import { DOUBTFUL, say, wordsOf } from "./error_words.js";
import { operator } from "./operator.js";
import { button, save } from "./parts.js";

const ASK = ["Do not take this for a verdict: ask the publisher of your file, by another way than the link, which key the log has."];

/**
 * Return what a card says; where only a link vouches for the key, it says that first, of `what`, and is not green. Whoever
 * made the link may have made key, log and proof.
 */
export function vouched({ unknown }, what, said) {
  const words = "Neither this site nor this browser knows the key. Whoever made the link may have made it, and what it signed.";
  return unknown ? say("unknown-key", DOUBTFUL, `Unknown key: ${what}`, [words, ...said.body], ASK) : said;
}

/** Return what a card says of a tree head that is verified, and by a key nobody knows, old, undated, or of the future. */
export function unusual(found, opened, verdict) {
  const { newer, accepted: { signed } } = opened.log, { size } = signed.tree;
  if (opened.unknown) return vouched(opened, `${count(size)} entries`, { body: [] });
  const warn = (state, headline, words, ...next) => say(state, DOUBTFUL, headline, [words, `${verdict}.`], next);
  if (newer)
    return warn(
      "rollback",
      "You were shown an old copy",
      `You saw ${count(newer.tree.size)} entries before; now ${count(size)}. They are the first of those that you saw, so nothing was changed, and the newest are missing here. Usually a server between you and the log has kept an old copy.`,
      "Load the page again. What is found in this copy is in the log all the same; what is not found may be too new for the copy.",
      ["If it is so for more than an hour, tell ", operator(), "."],
    );
  if (!found.last)
    return warn(
      "time-unknown",
      "The log's age is not known",
      "It is signed as it has to be, but its witnesses state no time: how old this copy of the log is cannot be known.",
      "Drop your file: if it is found in this copy, it is in the log. If not, it may be too new for the copy: try again later.",
    );
  const clock = `Your clock says ${new Date().toUTCString()}.`;
  if (found.future)
    return warn(
      "future",
      "Your clock is wrong, or a witness's",
      `Witnesses are independent of the log, and confirm what it shows. One of them says that it saw this log ${found.when}, which is yet to come. ${clock}`,
      "Compare your clock. If it is wrong, set it right and load the page again.",
      ["If it is right, tell ", operator(), " that the clock of a witness is wrong. Files can be checked all the same."],
    );
  const last = new Date(found.last).toUTCString();
  return warn(
    "stale",
    `Last confirmed ${found.when}`,
    `The log's witnesses confirmed this copy on ${last}. Since then too few of them have confirmed anything: what was published later may be missing here. ${clock}`,
    "Compare your clock. If it is wrong, set it right and load the page again. If it is right, drop your file: if it is found in this copy, it is in the log.",
    ["If your file is not found, try again tomorrow. If the log is still as old then, tell ", operator(), "."],
  );
}

/** Return the words for signatures that this browser cannot check, and does not need; "" where there are none. */
export const unchecked = ({ unsupported: { length } }) =>
  length ? `${length} signature${length > 1 ? "s" : ""} could not be checked here, and ${length > 1 ? "are" : "is"} not needed: this browser lacks the algorithm.` : "";

/** of: returns an error in which a log's objects have its own names; other_log.js sets it for logs with another layout. */
export const naming = { of: (error) => error };

const OF_A_KEY = ["ForkError", "SignatureError", "PolicyError"]; // what a log is blamed for depends on its key

/**
 * Return the card of an error; what: "log" for the tree head, "proof" for a proof file, "search" for a search proof, "entry" for
 * anything else; trusted: {unknown}, see `vouched`.
 */
export function errorCard(error, what = "entry", more = [], trusted = {}) {
  naming.of(error);
  const said = wordsOf(error, what);
  const shown = OF_A_KEY.includes(error.code) ? vouched(trusted, said.headline, said) : said;
  const blamed = shown.look !== "none" && !error.above; // or there is nothing to look into, or it is offered above
  return card({ ...shown, error: said.state === "call" ? undefined : error, more: [shown.more, blamed && evidence(error), more] });
}

/** Return buttons that save what a third party needs to find the same error. */
function evidence(error) {
  const files = Object.entries(error.evidence ?? {}).map(([name, bytes]) => [name.replaceAll("/", "-"), bytes]);
  if (!files.length) return null;
  const words = files.length > 1 ? `The evidence, ${files.length} files that belong in one folder:` : "The evidence, one file:";
  return [h("p", { class: "small" }, words), h("p", { class: "row" }, files.map(([name, bytes]) => button(`Save ${name}`, () => save(name, bytes))))];
}
