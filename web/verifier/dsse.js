// DSSE (https://github.com/secure-systems-lab/dsse/blob/master/protocol.md) and the statements that it carries
// (https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md).

import { concat, utf8 } from "./encoding.js";
import { parseItem } from "./json_text.js";

export const IN_TOTO = "application/vnd.in-toto+json";
export const STATEMENTS = ["https://in-toto.io/Statement/v0.1", "https://in-toto.io/Statement/v1"];
const MAX_SUBJECTS = 10_000, MAX_SIGNATURES = 16, MAX_TYPE = 512, MAX_TEXT = 4096; // the last two: characters
const HEX = /^(?:[0-9a-f]{2})+$/;

// names of digests (spec/v1/digest_set.md) → those of Sigstore
export const ALGORITHMS = { sha256: "SHA2_256", sha384: "SHA2_384", sha512: "SHA2_512" };

/** Return what an envelope's signature is over (protocol.md, "Signature Definition"). */
export const pae = (payloadType, payload) => concat(utf8(`DSSEv1 ${utf8(payloadType).length} ${payloadType} ${payload.length} `), payload);

/**
 * Return {payloadType, payload, signature, statement} of an envelope, an Item; Rekor logs one signature, so it may have one only.
 * statement: see `parseStatement`, null where the payload is something else
 */
export function parseEnvelope(item) {
  item.only("payload", "payloadType", "signatures");
  const signatures = item.objects("signatures", MAX_SIGNATURES), payloadType = item.text("payloadType");
  if (signatures.length !== 1) item.wrong("an entry of a log is of exactly one signature, and there are", signatures.length);
  const [one] = signatures, signature = one.only("sig", "keyid").data("sig", { anyAlphabet: true });
  one.text("keyid", "");
  if (!signature.length || !payloadType || [...payloadType].length > MAX_TYPE) item.wrong("no signature, or no payload type", payloadType);
  const payload = item.data("payload", { anyAlphabet: true });
  return { payloadType, payload, signature, statement: payloadType === IN_TOTO ? parseStatement(payload) : null };
}

/** Return {predicateType, subjects: [{name, digests: {algorithm: hex}}], predicate} of a payload. */
function parseStatement(payload) {
  const item = parseItem(payload, "in-toto statement", payload.length), type = textOf(item, "_type");
  if (!STATEMENTS.includes(type)) item.wrong("neither of version 0.1 nor 1", type);
  const subjects = item.objects("subject", MAX_SUBJECTS).map(subjectOf);
  if (!subjects.length) item.wrong("no subject, so it is about nothing");
  return { predicateType: textOf(item, "predicateType"), subjects, predicate: item.fields.predicate };
}

function textOf(item, name) {
  const text = item.text(name), size = [...text].length;
  return size && size <= MAX_TEXT ? text : item.wrong(`${name} has not 1 to ${MAX_TEXT} characters`);
}

function subjectOf(item) {
  const digests = item.object("digest").fields, name = item.text("name", "");
  for (const [algorithm, value] of Object.entries(digests)) {
    if (typeof value !== "string" || [...value].length > MAX_TEXT) item.wrong("a digest that is no short string", value);
    if (Object.hasOwn(ALGORITHMS, algorithm) && !HEX.test(value)) item.wrong("a digest that is not lower-case hexadecimal", value);
  }
  if (!Object.keys(digests).length || [...name].length > MAX_TEXT) item.wrong("a subject without a digest, or with a long name");
  return { name, digests };
}
