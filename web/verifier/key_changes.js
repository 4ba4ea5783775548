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

const has = ({ signatures }, { name, id }) => signatures.some((line) => line.name === name && line.id === id);
const signsTexts = ({ type }) => type <= SIGNS_TEXT;

/**
 * Return the statements of a log, in their order, each with its path and the keys that have `signed` it. A statement is taken for
 * the log's if a key that is known has signed it, and the keys that it names are known for the others, the earlier ones as well.
 */
export async function keyChanges(fetchObject, keys) {
  const all = [];
  for (let number = 0, said; number < MAX_CHANGES && (said = await statement(fetchObject, number, keys)); number++) all.push(said);
  return followed(all, keys);
}

/** Return a statement, whoever has signed it, undefined if it is not there; a wrong signature by a key that is known is refused. */
async function statement(fetchObject, number, keys) {
  const path = `keys/${number}`;
  return afresh(async (past) => {
    const bytes = await fetchObject(path, MAX_SIZE, past).catch(absent);
    if (!bytes) return undefined; // most logs have none, and are not asked three times
    const said = parsed(path, bytes, parseKeyChange), known = keys.filter((key) => signsTexts(key) && has(said.note, key));
    if (said.number !== number) malformed(WHAT, `it is number ${said.number}`);
    if (known.length) await verifyNote(said.note, known.filter(({ name }) => name === said.key.name));
    return { ...said, path };
  }, fetchObject);
}

function absent(error) {
  if (error.code !== "NotFound") throw error;
}

async function followed(all, keys) {
  const origins = keys.map(({ name }) => name), ledTo = new Map(), found = new Set(), left = [...keys];
  const called = ({ name, id }) => `${name}+${id}`;
  while (left.length) {
    const key = left.pop(), other = ledTo.get(called(key));
    if (!signsTexts(key) || (other && other.vkey !== key.vkey)) continue; // one that is named as another was is left out
    ledTo.set(called(key), key);
    for (const said of all.filter((one) => origins.includes(one.key.name) && has(one.note, key))) {
      await verifyNote(said.note, [key]);
      found.add(said);
      left.push(...[...said.before, said.key].filter((one) => !ledTo.has(called(one))));
    }
  }
  const signers = ({ note }) => [...ledTo.values()].filter((key) => has(note, key));
  return all.filter((said) => found.has(said)).map((said) => ({ ...said, signed: signers(said) }));
}
