// The log's entries, newest first, a plot of them, and the keys that are trusted.

import { card, code, count, h, visible } from "./dom.js";
import { described } from "./described.js";
import { entryRow } from "./entry_row.js";
import { errorCard } from "./error_card.js";
import { history } from "./key_history.js";
import { button, opener, s } from "./parts.js";
import { whomItTrusts } from "./quorum_words.js";
import { memoryId } from "../verifier/log.js";

const PAGE = 10; // entries

async function several(log, start, stop) {
  const found = [];
  for await (const one of log.entries(start, stop)) found.push(one);
  return found;
}

const larger = (one, other) => (one > other ? one : other);

/** Show a page of entries, the newest first, in a place. */
export async function browse(place, { opened, ask }) {
  try {
    const { log, unknown } = await opened;
    const { size } = log.accepted.signed.tree;
    const list = h("div");
    const plot = h("div");
    place.replaceChildren(plot, list);
    if (size === 0n) return list.append(h("p", {}, "The log has no entries yet."));
    const turn = async (stop) => {
      try {
        const entries = await several(log, larger(stop - BigInt(PAGE), 0n), stop);
        list.replaceChildren(...page(entries, size, turn, ask, unknown ? "of an unknown key's log" : "verified"));
      } catch (error) {
        list.replaceChildren(errorCard(error));
      }
    };
    await turn(size);
    plot.replaceChildren(...statistics(await several(log, larger(size - 256n, 0n), size)));
  } catch (error) {
    place.replaceChildren(errorCard(error, "log"));
  }
}

/** Return entries and what turns the page; said: what is said of each of them. */
function page(entries, size, turn, ask, said) {
  const first = entries[0][0];
  const stop = first + BigInt(entries.length);
  const one = ([index, entry]) => entryRow(index, entry, said, ask);
  return [
    h("p", {}, `Entries ${count(first)} to ${count(stop - 1n)} of ${count(size)}, counted from 0.`),
    ...entries.reverse().map(one),
    h(
      "p",
      { class: "row" },
      button("Newer", () => turn(stop + BigInt(PAGE) < size ? stop + BigInt(PAGE) : size), stop === size),
      button("Older", () => turn(first), first === 0n),
    ),
  ];
}

/** Return a plot of how long each entry is, and the words for it and for the kinds of these entries. */
function statistics(entries) {
  const sizes = entries.map(([, entry]) => entry.length), most = Math.max(1, ...sizes), kinds = new Map();
  for (const [, entry] of entries) kinds.set(described(entry).kind, (kinds.get(described(entry).kind) ?? 0) + 1);
  const width = 512, high = 60, step = width / sizes.length;
  const bars = sizes.map((size, at) => {
    const height = Math.max(1, (size / most) * high);
    return s("rect", { class: "bar", x: at * step, y: high - height, width: Math.max(0.5, step * 0.8), height });
  });
  const words = `Sizes of the newest ${sizes.length} entries: ${count(Math.min(...sizes))} to ${count(most)} bytes`;
  const list = [...kinds]
    .sort((one, other) => other[1] - one[1])
    .slice(0, 6)
    .map(([kind, number]) => `${visible(kind.slice(0, 40))} ${number}`)
    .join(", ");
  return [
    s("svg", { viewBox: `0 0 ${width} ${high}`, role: "img", "aria-label": words }, bars),
    h("p", { class: "small" }, `${words}, oldest on the left. Kinds: ${list}.`),
  ];
}

/** Drop what this browser remembers of the log, and begin again. */
function forget(memory, here, trusted) {
  for (const id of ["keys", "seen"]) memory.drop(`${id} ${here}`);
  trusted
    .then(({ policy }) => policy.logs.forEach(({ key, origin }) => memory.drop(memoryId(key, origin))))
    .finally(() => location.reload());
}

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

/** Show which keys are trusted and why, and let them be changed. */
export async function keys(place, { opened, trusted, place: at }) {
  const { memory, here } = at;
  const form = keyForm();
  const leave = h("p", { class: "row" }, button("Forget what this browser remembers of this log", () => forget(memory, here, trusted)));
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
    place.replaceChildren(card({ state: "no-key", mark: "–", headline: "No key is trusted", error }), form, leave);
  }
}
