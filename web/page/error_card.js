// Errors in words: what was found, what it means, what to do. A broken way is never red; the log is not blamed for it.

import { card, code, count, h, visible } from "./dom.js";

/** Offer bytes to be saved as a file. */
export function save(name, bytes, type = "application/octet-stream") {
  const url = URL.createObjectURL(new Blob([bytes], { type }));
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

const button = (label, action) => h("button", { type: "button", click: action }, label);

function evidence(error) {
  // what a third party needs to see the same
  const names = Object.entries(error.evidence ?? {});
  if (!names.length) return null;
  return h(
    "p",
    { class: "row" },
    names.map(([name, bytes]) =>
      button(`Save ${name.replaceAll("/", "-")}`, () => save(name.replaceAll("/", "-"), bytes)),
    ),
  );
}

/** Return what a card says of a tree head that is verified, and old, undated, or of the future. */
export function unusual(found, { newer, accepted: { signed } }, headline) {
  const say = (state, title, words) => ({
    state,
    look: "warn",
    mark: "⚠",
    headline: title,
    body: [words, `${headline}.`],
  });
  if (newer)
    return say(
      "rollback",
      "You were shown an old copy",
      `You saw ${count(newer.tree.size)} entries before; now ${count(signed.tree.size)}, from the same history. Usually a cache. Reload.`,
    );
  if (!found.last) return say("time-unknown", "Verified, but not dated", "This log's signatures carry no time.");
  const clock = `Your clock says ${new Date().toUTCString()}.`;
  if (found.future)
    return say("future", "Confirmed in the future", `A witness says it saw this log ${found.when}. ${clock}`);
  return say(
    "stale",
    `Last confirmed ${found.when}`,
    `No witness has seen this log since ${new Date(found.last).toUTCString()}. ${clock}`,
  );
}

const list = (words) => words.join(", ");

/** Return the card of an error; what: "log" for the tree head, "proof" for a proof file, "entry" for anything else. */
export function errorCard(error, what = "entry", more = []) {
  const say = (state, look, mark, headline, ...body) =>
    card({ state, look, mark, headline, body, error, more: [evidence(error), more] });
  const unsupported = error.unsupported?.length;
  if (error.insecure)
    return say(
      "insecure",
      "none",
      "–",
      "Open this page over https",
      "Browsers only allow the check on https, on localhost, or in a saved file.",
    );
  if (error.offline)
    return say(
      "needs-proof",
      "none",
      "…",
      "Now drop its proof",
      "This page asks no server, so it needs the .tlog-proof file that belongs to the file.",
    );
  if (error.noKey)
    return say(
      "no-key",
      "none",
      "–",
      "No key is known for this log",
      "Follow a link that names it (#vkey=…), or enter it below, from a source you trust.",
    );
  if (error.changed) {
    const [before, now] = error.changed;
    return say(
      "key-changed",
      "bad",
      "✗",
      "This log's key changed",
      ["Remembered: ", code(list(before))],
      ["Now: ", code(list(now))],
      "Ask its operator, by another way than this site, which one is right. What is remembered stays.",
    );
  }
  if (error.damaged)
    return say(
      "memory",
      "warn",
      "⚠",
      "This browser's memory is damaged",
      "What was remembered of this log cannot be read. Forget it under “Whom this page trusts”, and the log is trusted once more as it is now.",
    );
  if (error.oldCopy)
    return say(
      "rollback-unproven",
      "warn",
      "⚠",
      "The log is smaller than before",
      "Nothing here shows that it has the same history. An old copy, or a log that was put back: ask who runs it.",
    );
  switch (error.code) {
    case "ForkError":
      return say(
        "fork",
        "bad",
        "✗✗",
        "Two different histories",
        "The log signed both. This should never happen.",
        h(
          "strong",
          {},
          "Save the evidence below, all of it in one directory, and send it to the log's witnesses and users.",
        ),
        ["Anyone can check it: ", code("tiletree verify --fork DIRECTORY --vkey KEY")],
        "What was remembered stays, so that the next visit finds this again.",
      );
    case "SignatureError":
      if (unsupported)
        return say(
          "unsupported",
          "none",
          "–",
          `${unsupported} signature${unsupported > 1 ? "s" : ""} could not be checked here`,
          "This browser lacks the algorithm, ML-DSA-44 perhaps. The other signatures do not suffice.",
        );
      return say(
        "signature",
        "bad",
        "✗",
        "Wrong signature",
        "The tree head is not signed by the key this page expects. Do not rely on it.",
      );
    case "PolicyError":
      if (error.expected !== undefined)
        return say("origin", "bad", "✗", "This is a different log", [
          "Expected ",
          code(error.expected),
          ", got ",
          code(error.origin),
          ".",
        ]);
      if (unsupported)
        return say(
          "unsupported",
          "none",
          "–",
          `${unsupported} signature${unsupported > 1 ? "s" : ""} could not be checked here`,
          "This browser lacks the algorithm, ML-DSA-44 perhaps. The other signatures do not suffice.",
          `Missing: ${visible(list(error.missing))}.`,
        );
      return say(
        "quorum",
        "bad",
        "✗",
        `Too few witnesses: ${error.wanted - error.missing.length} of ${error.wanted}`,
        `Missing: ${visible(list(error.missing))}.`,
      );
    case "ProofError":
      return say(
        "inclusion",
        "bad",
        "✗",
        "This proof is for another file, or altered",
        "The hashes do not lead to the signed root. Which of them is wrong cannot be known.",
      );
    case "TileError":
      return say("tile", "bad", "✗", "The log sent damaged data", [
        code(error.path),
        " does not match the signed root. Often a web server that answers every address with a page.",
      ]);
    case "Malformed":
      if (what === "log")
        return say(
          "tile",
          "bad",
          "✗",
          "The log sent damaged data",
          "What is in the place of its checkpoint or policy is none. Often a web server that answers every address with a page.",
        );
      return say("format", "bad", "✗", "Not a proof file", "It is not in the one form that such a file has.");
    case "UsageError":
      if (error.tooLarge)
        return say(
          "not-searched",
          "none",
          "?",
          `Not looked for among ${count(error.tooLarge)} entries`,
          "This log has no index, and is too large to be looked through without asking. Nothing is known yet about your file. With its proof, or its index in the log, no search is needed.",
        );
      return say(
        "call",
        "none",
        "–",
        what === "log" ? "This log cannot be opened" : "There is no such entry",
        visible(error.message),
      );
    case "AccessError":
    case "NotFound":
      return say(
        "network",
        "none",
        "–",
        "Could not reach the log",
        "Nothing is wrong with your file. Proofs that were opened before still work; try again later.",
      );
    default:
      return say(
        "page",
        "bad",
        "✗",
        "This page made a mistake",
        "This says nothing about your file, nor about the log.",
      );
  }
}
