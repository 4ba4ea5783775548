// What a bundle shows (tiles/sigstore/verdict.py): its entry is in the log, the entry is about this signature and this key, and the
// signature is over this artifact. Whose key it is, a bundle cannot say; of a certificate, chain and times are not checked here.

import { equal, fail, hex, malformed, utf8 } from "./encoding.js";
import { DETAILS, digestOf, fingerprint, verifyArtifact } from "./artifact.js";
import { ALGORITHMS, pae } from "./dsse.js";
import { parseRekorEntry } from "./entries.js";
import { leafHash, verifyInclusion } from "./merkle.js";
import { sha256 } from "./sha256.js";
import { acceptCheckpoint, parseCheckpoint } from "./tlog.js";
import { parseCertificate } from "./x509.js";

const ECDSA = 2; // signature type
const WHAT = "Sigstore bundle";

/** Say that the parts of a bundle contradict each other. */
const apart = (problem, code = "VerificationError") => fail(code, `${WHAT}: ${problem}`, { part: "bundle" });

/** Return the whole key id of a log's key, of which signature lines have 4 bytes (signed-note, "Verifier keys"). */
const logIdOf = ({ name, type, public: key }) => (type === ECDSA ? sha256(key) : sha256(utf8(`${name}\n`), Uint8Array.of(type), key));

// ---- the log

/** Return {accepted, leaf, entry} of a bundle whose one entry is in a log that the policy trusts; all that it says has to fit. */
async function verifyEntry({ entries }, policy) {
  const [entry] = entries, problem = `${WHAT}: ${entries.length} entries of logs instead of one`;
  if (entries.length !== 1) fail("VerificationError", problem, entry ? { part: "bundle" } : { unproven: true });
  const accepted = await acceptCheckpoint(policy, parseCheckpoint(entry.checkpoint)), { tree } = accepted.signed;
  const logId = logIdOf(accepted.log);
  if (!equal(entry.logId, logId)) apart(`it says the log ${hex(entry.logId)}, and its checkpoint is signed by ${hex(logId)}`, "PolicyError");
  if (entry.size !== tree.size) apart(`it says a tree of ${entry.size} entries, and its checkpoint says ${tree.size}`, "ProofError");
  if (!equal(entry.root, tree.root)) apart(`it says the root hash ${hex(entry.root)}, and its checkpoint says ${hex(tree.root)}`, "ProofError");
  const leaf = leafHash(entry.body);
  verifyInclusion(leaf, entry.index, tree, entry.hashes);
  if (entry.promised) fail("AccessError", `${WHAT}: a promise of the log, as Rekor v1 made it, is not verified here`, { part: "here" });
  if (entry.integrated) apart("it says when it was logged, and nothing signs that", "SignatureError");
  if (entry.logIndex !== entry.index) apart(`it says entry ${entry.logIndex}, and its proof is of entry ${entry.index}`, "ProofError");
  return { accepted, leaf, entry };
}

/** Return what the entry says, which has to be a hashedrekord of version 0.0.2 in its one form. */
function bodyOf({ kind, version, body }) {
  if (kind !== "hashedrekord" || version !== "0.0.2") fail("VerificationError", `an entry of kind ${kind} ${version} is shown, and not verified here`, { part: "here" });
  const found = parseRekorEntry(body) ?? fail("Malformed", `${WHAT}: its entry is not a hashedrekord 0.0.2 in its one form`);
  const algorithm = DETAILS[found.keyDetails]?.hash;
  return algorithm === found.algorithm ? found : malformed(WHAT, `a digest of ${found.algorithm} for keyDetails`, found.keyDetails);
}

/** Return {certificate, spki} of whoever signed: see x509.js, null for a key; DER SubjectPublicKeyInfo. */
function signerOf({ verifier, raw }) {
  if (verifier === "publicKey") return { certificate: null, spki: raw };
  const certificate = parseCertificate(raw) ?? fail("Malformed", `${WHAT}: its certificate is none`);
  return { certificate, spki: certificate.spki };
}

/** Throw unless the entry was made of what the bundle holds. */
async function compareBody({ certificate, message, envelope }, body) {
  const isCertificate = body.verifier === "x509Certificate";
  const digest = envelope ? await digestOf(body.algorithm, pae(envelope.payloadType, envelope.payload)) : message.digest;
  if ((message && message.algorithm !== body.algorithm) || !equal(digest, body.digest)) apart(`another digest was logged, ${hex(body.digest)}`);
  if (!equal((message ?? envelope).signature, body.signature)) apart("another signature was logged");
  if (isCertificate !== (certificate !== null)) apart(`a ${isCertificate ? "certificate" : "key"} was logged, and the bundle is of the other`);
  if (isCertificate && !equal(certificate, body.raw)) apart("another certificate was logged");
}

/**
 * Return {accepted, leaf, proof: {index, hashes, checkpoint}, body, certificate, spki, fingerprint} of a bundle whose entry is in a
 * log that the policy trusts, and was made of what the bundle holds. An envelope's signature is verified; for one over an artifact
 * see `verifySignature`. certificate: see x509.js, null for a key
 */
export async function verifyLogged(bundle, policy) {
  const { accepted, leaf, entry } = await verifyEntry(bundle, policy), { index, hashes } = entry;
  const body = bodyOf(entry), { certificate, spki } = signerOf(body), { envelope } = bundle;
  await compareBody(bundle, body);
  if (envelope) await verifyArtifact(spki, body.keyDetails, pae(envelope.payloadType, envelope.payload), body.signature);
  return { accepted, leaf, proof: { index, hashes, checkpoint: accepted.signed }, body, certificate, spki, fingerprint: fingerprint(spki) };
}

// ---- the artifact

/** Return the algorithms of the digests by which it is known whether a bundle is about a file. */
export function algorithmsOf({ message, envelope }) {
  if (message) return [message.algorithm];
  const named = new Set((envelope.statement?.subjects ?? []).flatMap(({ digests }) => Object.keys(digests)));
  return Object.keys(ALGORITHMS).filter((name) => named.has(name)).map((name) => ALGORITHMS[name]);
}

/** Whether a bundle is about a file with this digest, hexadecimal; algorithm: as entries of Rekor name it. */
export function isAbout({ message, envelope }, algorithm, digest) {
  if (message) return message.algorithm === algorithm && hex(message.digest) === digest;
  const names = Object.keys(ALGORITHMS).filter((name) => ALGORITHMS[name] === algorithm);
  return (envelope.statement?.subjects ?? []).some(({ digests }) => names.some((name) => digests[name] === digest));
}

/** Throw unless a bundle is about a file with these bytes. */
export async function verifyAbout(bundle, data) {
  const digests = [], { envelope } = bundle;
  if (envelope && !envelope.statement) fail("Malformed", `an envelope of ${envelope.payloadType}, which is about no file`, { part: "file" });
  for (const algorithm of algorithmsOf(bundle)) digests.push([algorithm, hex(await digestOf(algorithm, data))]);
  if (digests.some(([algorithm, digest]) => isAbout(bundle, algorithm, digest))) return;
  const found = digests.map(([algorithm, digest]) => `${algorithm} ${digest}`).join(", ");
  fail("SignatureError", `what is signed is not about ${found || "anything with a digest that is computed here"}`, { part: "file" });
}

/** Throw unless these bytes, which a bundle is about, were signed as `found` says, see `verifyLogged`. */
export async function verifySignature({ message }, { spki, body }, data) {
  if (message) await verifyArtifact(spki, body.keyDetails, data, message.signature); // an envelope's is verified already
}

/** Return what `verifyLogged` does, of a bundle of these bytes, signed by the key with this fingerprint; null: by any. */
export async function verifyBundle(bundle, policy, data, demanded) {
  await verifyAbout(bundle, data);
  const found = await verifyLogged(bundle, policy);
  if (demanded && !equal(demanded, found.fingerprint)) fail("SignatureError", `signed by the key ${hex(found.fingerprint)}, not by ${hex(demanded)}`, { part: "key" });
  await verifySignature(bundle, found, data);
  return found;
}
