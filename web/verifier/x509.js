// Certificates (RFC 5280), read for the keys by which entries are found: docs/index-format.md, "Certificates"
// (tiles/sigstore/der.py, tiles/sigstore/names.py). Nothing is verified here: a certificate is what somebody wrote.

import { hex } from "./encoding.js";

const MAX_TEXT = 1024; // bytes of an identity, or of an issuer
const SEQUENCE = 0x30, INTEGER = 0x02, BITS = 0x03, OCTETS = 0x04, OID = 0x06, BOOLEAN = 0x01, UTF8 = 0x0c;
const MAIL = 0x81, DNS = 0x82, URI = 0x86, OTHER = 0xa0, EXTENSIONS = 0xa3;
const NAMES = "551d11"; // 2.5.29.17, subjectAltName
const FULCIO = "2b0601040183bf3001"; // 1.3.6.1.4.1.57264.1
const ISSUER = `${FULCIO}08`, OLD_ISSUER = `${FULCIO}01`, USER = `${FULCIO}07`;
const LOCATED = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/?#]*/;

class NotDer extends Error {}

function expect(holds) {
  if (!holds) throw new NotDer();
}

/** Return the elements of which data consists, as {tag, content, whole}; throws NotDer if it does not. */
function elements(data) {
  const found = [];
  for (let at = 0; at < data.length;) {
    const begin = at, tag = data[at];
    expect((tag & 0x1f) !== 0x1f && at + 1 < data.length);
    let size = data[at + 1];
    at += 2;
    if (size >= 0x80) {
      const digits = data.subarray(at, at + (size & 0x7f));
      expect(size > 0x80 && size <= 0x83 && digits.length === (size & 0x7f));
      at += digits.length;
      size = digits.reduce((number, digit) => number * 256 + digit, 0);
      expect(digits[0] !== 0 && size >= 0x80);
    }
    expect(at + size <= data.length);
    found.push({ tag, content: data.subarray(at, at + size), whole: data.subarray(begin, at + size) });
    at += size;
  }
  return found;
}

const tagged = (parts, ...tags) => parts.length === tags.length && parts.every(({ tag }, at) => tag === tags[at]);

/** Return the content of the one element of which data consists. */
function only(data, wanted) {
  const parts = elements(data);
  expect(tagged(parts, wanted));
  return parts[0].content;
}

/** Return an identity or issuer as text, null for what is passed over. */
function textOf(data) {
  const usable = data.length >= 1 && data.length <= MAX_TEXT && data.every((byte) => byte >= 0x21 && byte <= 0x7e);
  return usable ? String.fromCharCode(...data) : null;
}

/** Return the extensions, object identifier in hexadecimal → value; of those that decide a key there is one each. */
function extensionsOf(data) {
  const found = new Map();
  for (const { tag, content } of elements(only(data, SEQUENCE))) {
    expect(tag === SEQUENCE);
    const parts = elements(content);
    expect(tagged(parts, OID, OCTETS) || tagged(parts, OID, BOOLEAN, OCTETS));
    const name = hex(parts[0].content);
    expect(![NAMES, ISSUER, OLD_ISSUER].includes(name) || !found.has(name));
    if (!found.has(name)) found.set(name, parts.at(-1).content);
  }
  return found;
}

/** Return the name of a user in an otherName, nothing in one of another type. */
function userIn(data) {
  const parts = elements(data);
  expect(parts[0]?.tag === OID);
  if (hex(parts[0].content) !== USER) return new Uint8Array();
  expect(tagged(parts, OID, OTHER));
  return only(parts[1].content, UTF8);
}

function identitiesIn(names) {
  const kinds = { [MAIL]: "email", [URI]: "uri", [OTHER]: "user" };
  return elements(only(names, SEQUENCE)).filter(({ tag }) => tag in kinds)
    .map(({ tag, content }) => ({ kind: kinds[tag], text: textOf(tag === OTHER ? userIn(content) : content) }))
    .filter(({ text }) => text !== null);
}

/** Return a time of a certificate as a Date, null if it is none (RFC 5280 section 4.1.2.5). */
function timeIn({ tag, content }) {
  const [, year, month, day, hour, minute, second] = /^(\d{2}|\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(textOf(content) ?? "") ?? [];
  if (!year || year.length !== { 0x17: 2, 0x18: 4 }[tag]) return null;
  const full = year.length === 4 ? Number(year) : Number(year) + (Number(year) < 50 ? 2000 : 1900);
  const time = new Date(Date.UTC(2000, month - 1, day, hour, minute, second));
  time.setUTCFullYear(full, month - 1, day);
  return time.getUTCMonth() === month - 1 && time.getUTCHours() === Number(hour) && minute < 60 && second < 60 ? time : null;
}

function validity(content) {
  try {
    const parts = elements(content);
    if (parts.length === 2) return parts.map(timeIn);
  } catch {}
  return [null, null]; // which decides no key
}

function read(data) {
  const [signed, ...rest] = elements(only(data, SEQUENCE));
  expect(signed?.tag === SEQUENCE && tagged(rest, SEQUENCE, BITS));
  return readSigned(signed.content);
}

function readSigned(content) { // what stands in a TBSCertificate
  const parts = elements(content);
  if (parts.length && hex(parts[0].whole) === "a003020102") parts.shift();
  expect(tagged(parts.slice(0, 6), INTEGER, SEQUENCE, SEQUENCE, SEQUENCE, SEQUENCE, SEQUENCE));
  const more = parts.slice(6);
  for (const unique of [0x81, 0x82]) if (more[0]?.tag === unique) more.shift();
  expect(!more.length || tagged(more, EXTENSIONS));
  const extensions = more.length ? extensionsOf(more[0].content) : new Map();
  const names = extensions.get(NAMES), issuer = extensions.get(ISSUER), [notBefore, notAfter] = validity(parts[3].content);
  return {
    identities: names ? identitiesIn(names) : [],
    issuer: textOf(issuer ? only(issuer, UTF8) : extensions.get(OLD_ISSUER) ?? new Uint8Array()),
    spki: parts[5].whole,
    notBefore,
    notAfter,
    extensions,
  };
}

/**
 * Return {identities: [{kind: "email", "uri" or "user", text}], issuer, spki, notBefore, notAfter, extensions} of a
 * certificate, null for other bytes. issuer: text or null; the times: Date, or null if they are none; extensions: object
 * identifier in hexadecimal → value. All of it is what the certificate claims.
 */
export const parseCertificate = (data) => orNull(() => read(data));

/** Return the same of a TBSCertificate, which is what is signed of a certificate. */
export const parseTbsCertificate = (data) => orNull(() => readSigned(only(data, SEQUENCE)));

/** Return the host names that a certificate, as these functions return it, is for. */
export const hostNames = ({ extensions }) =>
  orNull(() => elements(only(extensions.get(NAMES) ?? new Uint8Array(), SEQUENCE)).filter(({ tag }) => tag === DNS).map(({ content }) => textOf(content)).filter(Boolean)) ?? [];

function orNull(make) {
  try {
    return make();
  } catch (error) {
    if (error instanceof NotDer) return null;
    throw error;
  }
}

/** Return an identity or issuer as it is as a key, which depends on its text alone. */
export function spelled(text) {
  const [located] = LOCATED.exec(text) ?? [];
  if (located) return located.toLowerCase() + text.slice(located.length);
  return text.includes("@") ? text.toLowerCase() : text;
}

/** Return the parts by which a spelled identity is found too. */
export function partsOf(text) {
  const [located] = LOCATED.exec(text) ?? [];
  if (located) return [...text.matchAll(/[/?#@]/g)].filter(({ index }) => index >= located.length).map(({ index }) => text.slice(0, index));
  return text.includes("@") ? [text.slice(text.lastIndexOf("@"))] : [];
}

/** Return the keys of identities: all of them whole, then the parts of each. */
export function identityKeys(identities) {
  const whole = identities.map(({ text }) => spelled(text));
  return [...new Set([...whole, ...whole.flatMap(partsOf)])];
}
