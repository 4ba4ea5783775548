// What is opened below the results: the log's entries, and the keys that are trusted.

import { WITH_PROOF, commandLine } from "./commands.js";
import { card, code, h } from "./dom.js";
import { EntryList } from "./entry_list.js";
import { errorCard } from "./error_card.js";
import { history } from "./key_history.js";
import { button, opener } from "./parts.js";
import { whomItTrusts } from "./quorum_words.js";
import { memoryId } from "../verifier/log.js";

/** Say that something is read, until it is there. */
const reading = (place) => place.hasChildNodes() || place.append(h("p", { class: "small" }, "Reading …"));

/** Show the entries, the newest first, in a place. */
export async function browse(place, { opened, ask }) {
  reading(place);
  try {
    await new EntryList(await opened, ask).into(place);
  } catch (error) {
    place.replaceChildren(errorCard(error, "log"));
  }
}

/** Return a button that drops what this browser remembers of the log, and begins again. */
export const forgetting = ({ memory, here }, trusted) =>
  button("Forget what this browser remembers of this log", () => {
    for (const id of ["keys", "seen"]) memory.drop(`${id} ${here}`);
    trusted
      .then(({ policy }) => policy.logs.forEach(({ key, origin }) => memory.drop(memoryId(key, origin))))
      .finally(() => location.reload());
  });

const KINDS = {
  "tlog-tiles": "as this page's own log: tlog-tiles, Tessera, Rekor v2",
  sumdb: "a checksum database of Go",
  "static-ct": "a log of certificates (static-ct-api)",
};

/** Return the form in which another key is named, with layout and origin of a log that somebody else writes. */
function keyForm() {
  const field = (id) => h("input", { type: "text", id, autocomplete: "off", spellcheck: "false" });
  const vkey = field("vkey"), origin = field("origin");
  const layout = h("select", { id: "layout" }, Object.entries(KINDS).map(([value, words]) => h("option", { value }, `${value}: ${words}`)));
  const submit = (event) => {
    event.preventDefault();
    const asked = { vkey: vkey.value.trim(), layout: layout.value === "tlog-tiles" ? "" : layout.value, origin: origin.value.trim() };
    location.hash = Object.entries(asked).filter(([, text]) => text).map(([name, text]) => `${name}=${encodeURIComponent(text)}`).join("&");
  };
  return h(
    "form",
    { submit },
    h("div", { class: "row" }, h("label", { for: "vkey" }, "Use another key of the log (as tiletree key show prints it)"), vkey, h("button", {}, "Use it")),
    opener(
      "It is a log of another kind, or its origin is not the key's name",
      h("div", { class: "row" }, h("label", { for: "layout" }, "How it is laid out"), layout),
      h("div", { class: "row" }, h("label", { for: "origin" }, "Its origin, where that is not the key's name"), origin),
      h("p", {}, "This page reads the log that it stands beside. It asks no other server: its own policy forbids it, and few logs let pages of others read them (CORS). Put the page beside a copy of the log, which ", code("tiletree mirror"), " makes, or verify a proof with verify.html, which asks nobody."),
    ),
  );
}

/** Show what this page cannot do, and what can: with the key that is trusted here, so that the command can be copied. */
export async function self(place, { trusted }) {
  const { policy } = await trusted.catch(() => ({}));
  const line = commandLine(WITH_PROOF, { policy });
  place.replaceChildren(
    h(
      "p",
      {},
      "This page comes from whoever runs the log. It protects you from a log server, mirror or network that lies, and it notices two different histories; it cannot protect you from its operator changing this page. For that, keep ",
      h("a", { href: "verify.html", download: "" }, "verify.html"),
      ", which needs no network, or use the command line:",
    ),
    h("pre", { tabindex: "0" }, `pip install tiletree\n${line}`),
    h("p", {}, line === WITH_PROOF ? "" : "That is the key which this page trusts. Compare it with the one that the publisher of your file names elsewhere."),
  );
}

/** Show which keys are trusted and why, and let them be changed. */
export async function keys(place, { opened, trusted, place: at }) {
  reading(place);
  const form = keyForm();
  const leave = h("p", { class: "row" }, forgetting(at, trusted));
  try {
    const { how, policy } = await trusted;
    const accepted = await opened.then(({ log }) => log.accepted, (error) => error); // of too few witnesses, too, it is known which
    place.replaceChildren(
      h("p", {}, `The log's key: ${how}.`),
      h("div", {}, whomItTrusts(policy, accepted.cosignatures)),
      form,
      leave,
    );
    place.insertBefore(await history(at, policy), form);
  } catch (error) {
    place.replaceChildren(card({ state: "no-key", mark: "–", headline: "No key is trusted", next: ["Enter the log's key, as its publisher names it."], error }), form, leave);
  }
}
