// Strict JSON (https://www.rfc-editor.org/rfc/rfc8259): each text has one reading (tiles/sigstore/json_text.py). JSON.parse takes
// the last of two members with one name, where others take the first, and has no bound.

import { decodeBase64, decodeDecimal, fail, malformed } from "./encoding.js";

const MAX_DEPTH = 64; // brackets in each other
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y, SPACE = /[ \t\r\n]*/y;
const WORDS = [["true", true], ["false", false], ["null", null]];

class Reader {
  at = 0;

  constructor(text, wrong) {
    Object.assign(this, { text, wrong });
  }

  #match(pattern) {
    pattern.lastIndex = this.at;
    const [found] = pattern.exec(this.text) ?? [];
    this.at += found?.length ?? 0;
    return found;
  }

  get ended() {
    return this.#next() === undefined;
  }

  #next() { // the next character that is no space
    this.#match(SPACE);
    return this.text[this.at];
  }

  #take(letter) {
    if (this.#next() !== letter) return false;
    this.at++;
    return true;
  }

  /** Return the value that begins here. depth: how many brackets are open */
  value(depth = 0) {
    const first = this.#next();
    if (first === '"') return this.#string();
    if (first === "{" || first === "[") {
      if (depth === MAX_DEPTH) this.wrong(`more than ${MAX_DEPTH} brackets in each other`);
      this.at++;
      return first === "{" ? this.#object(depth + 1) : this.#array(depth + 1);
    }
    const word = WORDS.find(([name]) => this.text.startsWith(name, this.at));
    if (word) return (this.at += word[0].length), word[1];
    const digits = this.#match(NUMBER), number = Number(digits ?? NaN);
    if (!Number.isFinite(number)) this.wrong("no value where one has to be");
    return /[.eE]/.test(digits) ? new Number(number) : number; // 1e1 is not what a field of integers holds
  }

  #string() {
    let end = this.at;
    do {
      end = this.text.indexOf('"', end + 1);
      if (end < 0) this.wrong("a string without an end");
    } while (this.#escaped(end));
    const token = this.text.slice(this.at, (this.at = end + 1));
    try {
      const text = JSON.parse(token); // one string: escapes and control characters are its business
      if (!/\p{Surrogate}/u.test(text)) return text;
    } catch {}
    return this.wrong("a string that is none");
  }

  #escaped(end) {
    let start = end;
    while (this.text[start - 1] === "\\") start--;
    return (end - start) % 2 === 1;
  }

  #array(depth) {
    const values = [];
    if (this.#take("]")) return values;
    do values.push(this.value(depth)); while (this.#take(","));
    return this.#take("]") ? values : this.wrong("a list without an end");
  }

  #object(depth) {
    const found = Object.create(null); // so that "__proto__" is a name as any other
    if (this.#take("}")) return found;
    do {
      const name = this.#next() === '"' ? this.#string() : this.wrong("a member without a name");
      if (name in found) this.wrong(`the member ${JSON.stringify(name)} twice`);
      if (!this.#take(":")) this.wrong("a member without a value");
      found[name] = this.value(depth);
    } while (this.#take(","));
    return this.#take("}") ? found : this.wrong("an object without an end");
  }
}

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Number);

/** Return the object that a JSON text of at most so many bytes is; it has no prototype. */
export function parseJson(bytes, what, most) {
  if (bytes.length > most) malformed(what, `more than ${most} bytes`);
  const wrong = (problem) => fail("Malformed", `${what}: no strict JSON: ${problem}`);
  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    wrong("not UTF-8");
  }
  const reader = new Reader(text, wrong), value = reader.value();
  if (!reader.ended) wrong("more after its end");
  return isObject(value) ? value : wrong("no object");
}

/**
 * An object while it is read, in the JSON mapping of protocol buffers (https://protobuf.dev/programming-guides/json/): a field
 * that is absent or null has its default, bytes are base64, 64-bit numbers are decimal strings.
 */
export class Item {
  constructor(what, fields, place = "") {
    Object.assign(this, { what, fields, place });
  }

  #where = (name) => (this.place ? `${this.place}.${name}` : name);

  /** Return this object; throws if it has other fields: what nobody knows may change the meaning. */
  only(...names) {
    const other = Object.keys(this.fields).find((name) => !names.includes(name));
    return other === undefined ? this : this.wrong("unknown field", this.#where(other));
  }

  wrong(problem, found) {
    return malformed(this.what, problem, found);
  }

  has = (name) => (this.fields[name] ?? null) !== null;

  #one(name, is, called, otherwise) {
    const value = this.fields[name] ?? otherwise;
    if (value === undefined || value === null) this.wrong(`no ${this.#where(name)}`);
    return is(value) ? value : this.wrong(`${this.#where(name)} is not a ${called}`, value);
  }

  text = (name, otherwise) => this.#one(name, (value) => typeof value === "string", "string", otherwise);

  /** Return a BigInt of at most 63 bits. */
  number(name, otherwise) {
    const value = this.fields[name];
    if (Number.isSafeInteger(value)) return decodeDecimal(String(value), `${this.what} ${this.#where(name)}`);
    return decodeDecimal(this.text(name, otherwise), `${this.what} ${this.#where(name)}`);
  }

  /** Return bytes. anyAlphabet: of base64url, too, where a specification allows both */
  data(name, { anyAlphabet = false, otherwise } = {}) {
    if (otherwise !== undefined && !this.has(name)) return otherwise;
    const text = this.text(name), standard = anyAlphabet && !/[+/]/.test(text) ? text.replaceAll("-", "+").replaceAll("_", "/") : text;
    return decodeBase64(standard, `${this.what} ${this.#where(name)}`);
  }

  object = (name) => new Item(this.what, this.#one(name, isObject, "object"), this.#where(name));

  /** Return the values of a list of at most so many, [] if there is none. */
  list(name, most) {
    const values = this.#one(name, Array.isArray, "list", []);
    return values.length > most ? this.wrong(`more than ${most} in ${this.#where(name)}`) : values;
  }

  objects(name, most) {
    return this.list(name, most).map((value, at) => {
      const place = `${this.#where(name)}[${at}]`;
      return isObject(value) ? new Item(this.what, value, place) : this.wrong(`${place} is not an object`, value);
    });
  }

  texts(name, most) {
    const values = this.list(name, most);
    return values.every((value) => typeof value === "string") ? values : this.wrong(`${this.#where(name)} is not a list of strings`);
  }
}

/** Return the object that a JSON text is, to be read field by field. */
export const parseItem = (bytes, what, most) => new Item(what, parseJson(bytes, what, most));
