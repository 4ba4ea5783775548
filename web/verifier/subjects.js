// What an attestation is about, if it is logged as it is: docs/index-format.md, "Attestations" (tiles/entries/subjects.py).

import { decodeBase64 } from "./encoding.js";

const MAX_KEYS = 64; // of one kind that count of one entry
const MAX_DEPTH = 32; // brackets that are open
const STATEMENTS = ["https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"];
const PAYLOAD_TYPE = "application/vnd.in-toto+json";
const ALGORITHMS = ["sha256", "sha384", "sha512", "sha1", "gitCommit"];
const DIGEST = /^(?:[0-9a-f]{2}){20,64}$/i;

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const own = (object, name) => (Object.hasOwn(object, name) ? object[name] : undefined);

/** Return how many brackets are open at most, those in strings counted too. */
function depth(text) {
  let most = 0, open = 0;
  for (const [bracket] of text.matchAll(/[[\]{}]/g)) most = Math.max(most, (open += "[{".includes(bracket) ? 1 : -1));
  return most;
}

/** Return a JSON object, {} for anything else. */
function parse(bytes) {
  if (bytes[0] !== 0x7b) return {};
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return depth(text) > MAX_DEPTH ? {} : JSON.parse(text);
  } catch {
    return {};
  }
}

function payloadOf(envelope) {
  try {
    return decodeBase64(own(envelope, "payload"), "payload");
  } catch {
    return new Uint8Array();
  }
}

/** Return the digests of an attestation's subjects in hexadecimal, each once, as many as count; [] for any other entry. */
export function subjectsIn(entry) {
  let found = parse(entry);
  if (own(found, "payloadType") === PAYLOAD_TYPE && typeof own(found, "payload") === "string") found = parse(payloadOf(found));
  const subjects = own(found, "subject");
  if (!STATEMENTS.includes(own(found, "_type")) || !Array.isArray(subjects)) return [];
  const digests = subjects.filter(isObject).map((subject) => own(subject, "digest")).filter(isObject);
  const values = digests.flatMap((digest) => ALGORITHMS.map((algorithm) => own(digest, algorithm)));
  const texts = values.filter((value) => typeof value === "string" && DIGEST.test(value)).map((value) => value.toLowerCase());
  return [...new Set(texts)].slice(0, MAX_KEYS);
}
