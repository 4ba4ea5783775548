// How the keys of a log have changed, as the log itself states it, and how a new key is pinned. No key is ever taken from a
// statement: it says what the holder of a pinned key says, and whoever stole that key could say so too.

import { code, count, h } from "./dom.js";
import { errorCard } from "./error_card.js";
import { button } from "./parts.js";
import { keyText } from "./quorum_words.js";
import { put } from "./results.js";
import { decodeText, utf8 } from "../verifier/encoding.js";
import { keyChanges } from "../verifier/key_changes.js";
import { Log, memoryId } from "../verifier/log.js";
import { acceptCheckpoint, parsePolicy, parseVkey, policyFor } from "../verifier/tlog.js";

const short = ({ name, id }) => code(`${name}+${id}`);
const isOneOf = (keys, key) => keys.some(({ vkey }) => vkey === key.vkey);
const ASKED = "Whoever has stolen a key could have written this. Compare the new key with what the log's publisher says elsewhere, then pin it.";

/** Return those of these keys that are remembered. What others sign is no reason to forget those: a link may have named them. */
function pinned({ memory, here }, keys) {
  const kept = memory.load(`keys ${here}`)?.split("\n") ?? [];
  return keys.filter(({ vkey }) => kept.includes(vkey));
}

/** Return the statements of a log that follow from these keys, [] where they cannot be read: then nothing is said. */
const statements = (place, keys) => keyChanges(place.fetchObject, keys).catch(() => []);

/** Return a list of statements, each with who has signed it beside a key that is added; keys: that are trusted here. */
function list(changes, keys) {
  const rows = changes.map(({ action, key, tree, path, signed }) => [
    action === "add" ? `Added at ${count(tree.size)} entries: ` : `Retired at ${count(tree.size)} entries, the last that it signed: `,
    keyText(key),
    ". Signed by ",
    signed.filter((one) => action !== "add" || one.vkey !== key.vkey).map((one, at) => [at ? ", " : "", short(one)]),
    `, in ${path}.`,
    action === "add" && !isOneOf(keys, key) && h("strong", {}, " This page does not trust it."),
  ]);
  return h("ol", {}, rows.map((row) => h("li", {}, row)));
}

/** Return the newest key that statements add after those that are trusted here, and retire no more. */
function newest(changes, keys) {
  const gone = changes.filter(({ action }) => action === "retire").map(({ key }) => key), added = changes.filter(({ action }) => action === "add");
  const last = added.findLastIndex(({ key }) => isOneOf(keys, key));
  return added.slice(last + 1).filter(({ key }) => !isOneOf(gone, key)).at(-1)?.key;
}

/** Tell whether a statement names the key of a signature line. */
const isNamed = (changes, { name, id }) => changes.some(({ key, before }) => [key, ...before].some((one) => one.name === name && one.id === id));

/** Return what is shown of statements, and the button that pins a new key if there is one. */
function told(place, keys, changes) {
  const key = newest(changes, keys);
  return [
    list(changes, keys),
    key && h("p", {}, ASKED),
    key && h("p", { class: "row" }, button(`Pin the new key, ${key.name}+${key.id}`, () => pin(place, keys, changes, key))),
  ];
}

/**
 * Trust a new key from now on, and the others no more that statements retire. Before that, the tree that it signs now is shown
 * to extend what was seen by each key that was trusted; what is remembered of it goes on under the new key.
 */
async function pin({ fetchObject, memory, here }, keys, changes, key) {
  try {
    const either = parsePolicy(utf8([key, ...keys].map(({ vkey }) => `log ${vkey}\n`).join("") + "quorum none\n"));
    const { signed } = await new Log(fetchObject, either, { memory }).visit();
    await acceptCheckpoint(policyFor(key), signed);
    memory.save(memoryId(key), decodeText(signed.data));
    const kept = keys.filter((one) => !changes.some((said) => said.action === "retire" && said.key.vkey === one.vkey));
    memory.save(`keys ${here}`, [...kept, key].map(({ vkey }) => vkey).join("\n"));
  } catch (error) {
    put(errorCard(error, "log"));
    return;
  }
  location.hash = "";
  location.reload();
}

/** Return what is shown where another key has signed the tree head as well, in the log's name; strangers: these signatures. */
export async function headNews({ policy, place }, strangers) {
  const keys = pinned(place, policy.logs.map(({ key }) => key));
  if (!keys.length) return null;
  const changes = await statements(place, keys);
  const words = ["Signed as well by ", strangers.map((one, at) => [at ? ", " : "", short(one)]), ", which this page does not trust. "];
  const stated = strangers.every((line) => isNamed(changes, line));
  const news = stated ? "The log states, as a trusted key leads to it:" : "No statement of the log by a trusted key says whose that is.";
  return h("div", { "data-keys": "unpinned" }, h("p", {}, words, news), stated && told(place, keys, changes));
}

/** Return what is shown where a log is refused that a trusted key does not sign (any more), null where no statement says why. */
export async function refusalNews(error, { policy }, place) {
  const keys = pinned(place, error.changed ? error.changed[0].map(parseVkey) : (policy?.logs ?? []).map(({ key }) => key));
  const changes = await statements(place, keys);
  if (!newest(changes, keys)) return null;
  return h("div", { "data-keys": "refused" }, h("p", {}, "The log states how its keys changed, signed by a key that is trusted here:"), told(place, keys, changes));
}

/** Return what is shown beside the trusted keys. */
export async function history(place, policy) {
  const keys = pinned(place, policy.logs.map(({ key }) => key)), changes = await statements(place, keys);
  if (!changes.length) return h("p", { "data-keys": "none" }, "No statement of the log by a key that is remembered here says that its keys have changed.");
  return h("div", { "data-keys": "history" }, h("p", {}, "How its keys changed, as the log states it:"), told(place, keys, changes));
}
