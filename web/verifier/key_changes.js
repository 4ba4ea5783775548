// What a log says when its keys change: the statements at keys/<number>, in the form that tiles/notes/key_change.py has. A
// statement makes no key trusted: whoever has stolen a key can sign one. Loaded when somebody asks.

import { decodeBase64, decodeDecimal, encodeBase64, malformed } from "./encoding.js";
import { afresh, parsed } from "./log.js";
import { verifyNote } from "./signed_text.js";
import { parseNote, parseVkey, toHash } from "./tlog.js";

const TITLE = "tiletree/key-change/v1", WHAT = "key statement";
const MAX_SIZE = 64 * 1024; // bytes, signed
const MAX_CHANGES = 1000; // of one log
const MAX_KEYS = 8; // of one log, at one time
const SIGNS_TEXT = 2; // the last type of a key that signs texts as they are

/** Return {number, action, key, tree, before, note} of a signed statement, of at most MAX_SIZE bytes. VERIFIES NOTHING. */
export function parseKeyChange(bytes) {
  const note = parseNote(bytes), lines = note.text.slice(0, -1).split("\n");
  if (lines.length < 8) malformed(WHAT, `not ${TITLE} and at least seven lines more`, lines[0]);
  const [, origin, decimal, action, vkey, size, root, ...rest] = lines;
  const number = Number(decodeDecimal(decimal, WHAT, BigInt(MAX_CHANGES - 1)));
  const tree = { size: decodeDecimal(size, WHAT), root: toHash(decodeBase64(root, WHAT)) };
  const key = parseVkey(vkey), before = rest.slice(0, MAX_KEYS + 1).map(parseVkey);
  if (!["add", "retire"].includes(action)) malformed(WHAT, "neither add nor retire", action);
  if (rest.length > MAX_KEYS || new Set(rest).size !== rest.length) malformed(WHAT, `a log has 1 to ${MAX_KEYS} keys, each once`);
  if (rest.includes(vkey) !== (action === "retire")) malformed(WHAT, "a key is added that is there, or retired that is not", vkey);
  if ([key, ...before].some(({ name }) => name !== origin)) malformed(WHAT, "a key is not named as the log", origin);
  const again = [TITLE, origin, number, action, vkey, tree.size, encodeBase64(tree.root), ...rest].join("\n");
  return `${again}\n` === note.text ? { number, action, key, tree, before, note } : malformed(WHAT, "not in canonical form");
}

const pathOf = (number) => `keys/${number}`;
const has = ({ signatures }, key) => signatures.some(({ name, id }) => name === key.name && id === key.id);

/**
 * Return the statements of a log, in their order, each with its path and the keys that `signed` it; those by no known key are
 * left out. keys: that are known; those that a statement by them names are known for the statements after it.
 */
export async function keyChanges(fetchObject, keys) {
  const known = new Map(keys.map((key) => [key.vkey, key])), origins = keys.map(({ name }) => name), found = [];
  for (let number = 0; number < MAX_CHANGES; number++) {
    const said = await statement(fetchObject, number, known);
    if (said === undefined) break;
    if (!said || !origins.includes(said.key.name)) continue;
    for (const key of [...said.before, said.key]) known.set(key.vkey, key);
    found.push(said);
  }
  return found;
}

/** Return a statement; null if no known key has signed it, undefined if it is not there. */
async function statement(fetchObject, number, known) {
  const path = pathOf(number), keys = [...known.values()];
  return afresh(async (past) => {
    const bytes = await fetchObject(path, MAX_SIZE, past).catch(absent);
    if (!bytes) return undefined; // most logs have none, and are not asked three times
    const said = parsed(path, bytes, parseKeyChange);
    if (said.number !== number) malformed(WHAT, `it is number ${said.number}`);
    if (!keys.some((key) => has(said.note, key))) return null;
    const those = keys.filter(({ type, name }) => type <= SIGNS_TEXT && name === said.key.name);
    return { ...said, path, signed: await verifyNote(said.note, those) };
  }, fetchObject);
}

function absent(error) {
  if (error.code !== "NotFound") throw error;
}
