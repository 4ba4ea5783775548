// What is shown of an entry: what `entry.js` says of it, made once, bounded, and whatever that does. Entries are hostile, and
// an operator may have edited that file: an entry that cannot be described is shown as bytes, and its neighbours as ever.

import { describe } from "./entry.js";
import { hex } from "../verifier/encoding.js";

const ROWS = 50;
const LABEL = 64; // characters; a kind has as many
const VALUE = 1000;
const TEXT = 100_000; // an entry has at most 65,535 bytes

const made = new WeakMap(); // entry → what was said of it

function cut(text, most) {
  const whole = String(text);
  return whole.length > most ? `${whole.slice(0, most)} … (${whole.length} characters)` : whole;
}

function bounded(entry) {
  try {
    const { kind, rows, text } = describe(entry);
    const shown = rows.slice(0, ROWS).map(([label, value]) => [cut(label, LABEL), cut(value, VALUE)]);
    if (rows.length > ROWS) shown.push(["…", `and ${rows.length - ROWS} more`]);
    return { kind: cut(kind, LABEL), rows: shown, text: cut(text, TEXT) };
  } catch {
    return { kind: "cannot be described", rows: [], text: `in hexadecimal: ${cut(hex(entry), 4096)}` };
  }
}

/** Return {kind, rows: [[label, text]], text} of an entry; never throws. */
export function described(entry) {
  if (!made.has(entry)) made.set(entry, bounded(entry));
  return made.get(entry);
}
