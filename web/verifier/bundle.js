// Bundles of Sigstore (https://github.com/sigstore/protobuf-specs, sigstore_bundle.proto and sigstore_rekor.proto;
// tiles/sigstore/bundle.py). Parsing verifies nothing: bundle_verdict.js does.

import { decodeBase64, fail, utf8 } from "./encoding.js";
import { parseEnvelope } from "./dsse.js";
import { DIGEST_SIZES } from "./entries.js";
import { parseItem } from "./json_text.js";
import { toHash } from "./tlog.js";

export const MAX_BUNDLE = 16 << 20; // bytes; the command line takes larger ones
const WHAT = "Sigstore bundle", MAX_HASHES = 63, MOST = 16; // entries, certificates, timestamps
const MAX_CERTIFICATE = 65_535, MAX_TEXT = 256; // bytes; characters of a kind, a version or a hint

const MEDIA_TYPES = {
  "application/vnd.dev.sigstore.bundle.v0.3+json": 3,
  "application/vnd.dev.sigstore.bundle+json;version=0.3": 3,
  "application/vnd.dev.sigstore.bundle+json;version=0.2": 2,
  "application/vnd.dev.sigstore.bundle+json;version=0.1": 1,
};

/**
 * Return {certificate, hint, entries, timestamps, message, envelope} of a bundle: DER, or null with a key; the text that names that
 * key, "" without; see `entryIn`; how many timestamps; {algorithm, digest, signature} or null; see dsse.js, or null.
 */
export function parseBundle(bytes) {
  const item = parseItem(bytes, WHAT, MAX_BUNDLE).only("mediaType", "verificationMaterial", "messageSignature", "dsseEnvelope");
  const type = item.text("mediaType"), version = Object.hasOwn(MEDIA_TYPES, type) ? MEDIA_TYPES[type] : item.wrong("not of version 0.1 to 0.3", type);
  const material = item
    .object("verificationMaterial")
    .only("certificate", "x509CertificateChain", "publicKey", "tlogEntries", "timestampVerificationData");
  if (item.has("messageSignature") === item.has("dsseEnvelope")) item.wrong("not exactly one of messageSignature and dsseEnvelope");
  const entries = material.objects("tlogEntries", MOST);
  return {
    ...signerOf(material, version),
    entries: entries.map((entry) => entryIn(entry, version)),
    timestamps: timestampsOf(material),
    message: item.has("messageSignature") ? messageOf(item.object("messageSignature")) : null,
    envelope: item.has("dsseEnvelope") ? parseEnvelope(item.object("dsseEnvelope")) : null,
  };
}

function signerOf(material, version) {
  const named = ["certificate", "x509CertificateChain", "publicKey"].filter((name) => material.has(name));
  if (named.length !== 1) material.wrong("not exactly one of certificate, x509CertificateChain and publicKey", named.join(" "));
  if (named[0] === "publicKey") return { certificate: null, hint: short(material.object("publicKey").only("hint"), "hint", "") };
  if (named[0] === "certificate") return { certificate: raw(material.object("certificate")), hint: "" };
  if (version === 3) material.wrong("x509CertificateChain, which bundles of version 0.3 do not have");
  const chain = material.object("x509CertificateChain").only("certificates").objects("certificates", MOST).map(raw);
  return { certificate: chain[0] ?? material.wrong("x509CertificateChain without a certificate"), hint: "" };
}

function raw(item) {
  const data = item.only("rawBytes").data("rawBytes");
  return data.length && data.length <= MAX_CERTIFICATE ? data : item.wrong("a certificate of no length that one has", data.length);
}

function short(item, name, otherwise) {
  const text = item.text(name, otherwise);
  return [...text].length <= MAX_TEXT ? text : item.wrong(`${name} of more than ${MAX_TEXT} characters`, text);
}

function timestampsOf(material) {
  if (!material.has("timestampVerificationData")) return 0;
  const stamps = material.object("timestampVerificationData").only("rfc3161Timestamps").objects("rfc3161Timestamps", MOST);
  return stamps.map((one) => one.only("signedTimestamp").data("signedTimestamp")).length;
}

function messageOf(item) {
  const digest = item.only("messageDigest", "signature").object("messageDigest").only("algorithm", "digest");
  const found = { algorithm: digest.text("algorithm"), digest: digest.data("digest"), signature: item.data("signature") };
  if (!Object.hasOwn(DIGEST_SIZES, found.algorithm) || DIGEST_SIZES[found.algorithm] !== found.digest.length)
    item.wrong("messageDigest has not the size of its algorithm", found.algorithm);
  return found.signature.length ? found : item.wrong("an empty signature");
}

/**
 * Return what a TransparencyLogEntry says: {logIndex, integrated, promised, logId, kind, version, body, index, size, root, hashes,
 * checkpoint}. integrated: seconds; promised: whether there is a signature over that time; checkpoint: bytes
 */
function entryIn(item, version) {
  item.only("logIndex", "logId", "kindVersion", "integratedTime", "inclusionPromise", "inclusionProof", "canonicalizedBody");
  const proof = item.has("inclusionProof") && item.object("inclusionProof").only("logIndex", "rootHash", "treeSize", "hashes", "checkpoint");
  const envelope = proof && proof.has("checkpoint") && proof.object("checkpoint").only("envelope").text("envelope", "");
  // nothing leads from the entry to a tree head that a log signed; only version 0.1 may do without
  if (!envelope) fail(version === 1 && !proof ? "ProofError" : "Malformed", `${WHAT}: no inclusion proof with a checkpoint`, { unproven: true });
  const promise = item.has("inclusionPromise") && item.object("inclusionPromise").only("signedEntryTimestamp").data("signedEntryTimestamp", { otherwise: null });
  const kind = item.object("kindVersion").only("kind", "version");
  return {
    logIndex: item.number("logIndex", "0"), // a number that is 0 may be left out
    integrated: item.number("integratedTime", "0"),
    promised: Boolean(promise && promise.length),
    logId: item.object("logId").only("keyId").data("keyId"),
    kind: short(kind, "kind"),
    version: short(kind, "version"),
    body: item.data("canonicalizedBody"),
    index: proof.number("logIndex", "0"),
    size: proof.number("treeSize"),
    root: toHash(proof.data("rootHash")),
    hashes: proof.texts("hashes", MAX_HASHES).map((hash) => toHash(decodeBase64(hash, `${WHAT} hash`))),
    checkpoint: utf8(envelope),
  };
}
