// What an entry is, in words; an operator may edit this file. Entries are hostile: whoever can log writes them. What is
// returned is text, which the page shows as text.

import { certificateRows, keyRow } from "./certificate_rows.js";
import { fromOctets, hex } from "../verifier/encoding.js";
import { isBlinded, parseDigestEntry, parseEndorsement, parseRekorEntry, parseRevocation } from "../verifier/entries.js";
import { parseCtEntry } from "../verifier/layouts.js";
import { TITLES, parseSignatureEntry, signerName, signerValue } from "../verifier/signature.js";
import { hostNames, parseCertificate, parseTbsCertificate } from "../verifier/x509.js";

// of Rekor v1, which nobody writes here: https://github.com/sigstore/rekor, pkg/types
const OLD_KINDS = ["hashedrekord", "rekord", "dsse", "intoto", "rpm", "alpine", "jar", "helm", "tuf", "cose", "rfc3161"];
const PEM = "LS0tLS1CRUdJTi"; // "-----BEGIN" in base64
const DEEPEST = 6, MOST = 20; // objects in each other, and rows, of an old entry

const decode = (bytes) => {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
};

/** Return {kind, rows: [[label, text]], text}: what is known of an entry, and all of it. */
export function describe(entry) {
  const text = decode(entry);
  const all = text ?? dump(entry);
  const known = text !== null && (file(entry) ?? signature(entry, text) ?? json(text) ?? moduleRecord(text));
  return { text: all, ...(known || certificateEntry(entry) || { kind: text === null ? "bytes" : "text", rows: [] }) };
}

function file(entry) {
  const found = parseDigestEntry(entry);
  if (!found) return isBlinded(entry) ? { kind: "file, blinded", rows: [] } : revocation(entry);
  const name = found.name === null ? [] : [["Name", found.name]];
  return { kind: "file", rows: [["SHA-256", found.sha256], ["Size", `${found.size} bytes`], ...name] };
}

function revocation(entry) {
  const found = parseRevocation(entry);
  if (!found) return otherSignature(entry);
  const by = found.by === "log" ? `the key ${found.signer}, as it says` : "a key that signs, as it says";
  const what = { sha256: "SHA-256", key: "Key", identity: "Identity" }[found.what];
  return { kind: "revocation", rows: [[`Revokes: ${what}`, found.value], ["Reason", found.reason], ["By", `${by}: this page does not verify it`]] };
}

/** Describe the checkpoint of another log. */
function endorsement(entry) {
  const found = parseEndorsement(entry);
  if (!found) return null;
  const { size, root } = found.tree;
  return { kind: "endorsement", rows: [["Checkpoint of", found.origin], ["Tree size", String(size)], ["Root hash", hex(root)], ["Signatures", "not verified by this page"]] };
}

/** Describe a signature by SSH, minisign or OpenPGP. */
function otherSignature(entry) {
  const found = parseSignatureEntry(entry), value = found && signerValue(found);
  if (!found) return endorsement(entry);
  const rows = [["SHA-256", found.sha256], [`Signed with ${TITLES[found.format]} key, as it says`, signerName(found)]];
  if (value) rows.push(["Key", hex(value)]);
  return { kind: "signature", rows: [...rows, ["Signature", "not verified by this page: the command tiletree verify --key does"]] };
}

/** Describe a record of Go's checksum database: a module's version, its go.mod, and their hashes. */
function moduleRecord(text) {
  const lines = text.endsWith("\n") ? text.slice(0, -1).split("\n").map((line) => /^(\S+ v\S+) (h1:[A-Za-z0-9+/]{43}=)$/.exec(line)) : [null];
  return lines.every(Boolean) ? { kind: "record of a checksum database", rows: lines.map(([, what, hash]) => [what, hash]) } : null;
}

/** Describe an entry of a log of certificates. */
function certificateEntry(entry) {
  const found = parseCtEntry(entry);
  if (!found) return null;
  const { timestamp, isPrecert, issuerKey, certificate: der, index } = found, time = new Date(timestamp);
  const rows = [["Logged at, as the log says", Number.isNaN(Number(time)) ? "no time" : time.toUTCString()]];
  if (index !== undefined) rows.push(["Index, as it says", String(index)]);
  const certificate = isPrecert ? parseTbsCertificate(der) : parseCertificate(der);
  if (!certificate) return { kind: isPrecert ? "precertificate" : "certificate", rows: [...rows, ["Certificate", "cannot be read"]] };
  for (const name of hostNames(certificate)) rows.push(["Host, claimed by the certificate", name]);
  if (isPrecert) rows.push(["Key of the issuer, its SHA-256", hex(issuerKey)]);
  const claims = certificateRows(certificate).filter(([label, value]) => value !== "none" || !label.startsWith("Identity"));
  return { kind: isPrecert ? "precertificate" : "certificate", rows: [...rows, ...claims] };
}

function json(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null) return null;
  // laid out by lines where that stays small: thousands of brackets in each other would become gigabytes
  const laidOut = text.length <= 16_384 && depth(text) <= 20 ? { text: JSON.stringify(value, null, 2) } : {};
  return { ...(rekor(value) ?? { kind: typeof value.kind === "string" ? value.kind : "JSON", rows: [] }), ...laidOut };
}

/** Return how many brackets are open at most, those in strings counted too. */
function depth(json) {
  let open = 0, most = 0;
  for (const one of json) {
    if (one === "[" || one === "{") most = Math.max(most, ++open);
    else if (one === "]" || one === "}") open--;
  }
  return most;
}

/** Describe an entry of Rekor v2: a signature, what it is over, and by whom. */
function signature(entry, text) {
  const found = parseRekorEntry(entry);
  if (!found) return null;
  const { verifier, raw, algorithm, digest, keyDetails } = found;
  const rows = [["Digest", hex(digest)], ["Algorithm", algorithm], ...signer(verifier === "x509Certificate", raw), ["Kind of key", keyDetails]];
  return { kind: "hashedrekord", rows, text: JSON.stringify(JSON.parse(text), null, 2) };
}

function signer(isCertificate, der) {
  if (!isCertificate) return [keyRow(der)];
  const certificate = parseCertificate(der);
  return certificate ? certificateRows(certificate) : [["Certificate", "cannot be read"]];
}

/** Describe an entry of a kind that Rekor had before: its version, and the digests, keys and certificates that stand in it. */
function rekor({ kind, apiVersion, spec }) {
  if (!OLD_KINDS.includes(kind)) return null;
  const parts = spec && (spec.hashedRekordV002 ?? spec.dsseV002), rows = typeof apiVersion === "string" ? [["Version", apiVersion]] : [];
  walk(parts ?? spec, [], rows);
  return { kind: parts ? `${kind} of Rekor v2, not in the form that it has now` : `${kind} of Rekor v1`, rows };
}

function walk(value, path, rows) {
  if (rows.length >= MOST || path.length > DEEPEST) return;
  if (typeof value === "string" && value.startsWith(PEM)) rows.push(...pem(value));
  if (typeof value !== "object" || value === null) return;
  const { algorithm, value: digest, digest: encoded, rawBytes } = value, last = path.at(-1);
  if (typeof algorithm === "string" && typeof (digest ?? encoded) === "string") {
    const of = path.map((name) => name.replace(/hash$/i, "")).filter((name) => name && name !== "data").join(" ");
    rows.push([`Digest${of && ` of ${of}`}`, `${algorithm} ${digest ?? hex(bytesOf(encoded))}`]);
  } else if (typeof rawBytes === "string" && ["x509Certificate", "publicKey"].includes(last)) {
    rows.push(...signer(last === "x509Certificate", bytesOf(rawBytes)));
  } else for (const name of Object.keys(value).slice(0, MOST)) walk(value[name], [...path, name], rows);
}

function pem(base64) {
  const [, label, inside] = /^-----BEGIN (CERTIFICATE|PUBLIC KEY)-----([A-Za-z0-9+/=\s]+)-----END \1-----/.exec(decode(bytesOf(base64)) ?? "") ?? [];
  return inside ? signer(label === "CERTIFICATE", bytesOf(inside.replace(/\s/g, ""))) : [];
}

function bytesOf(base64) {
  try {
    return fromOctets(atob(base64));
  } catch {
    return new Uint8Array();
  }
}

function dump(bytes) {
  const lines = [];
  for (let at = 0; at < Math.min(bytes.length, 4096); at += 16)
    lines.push(`${at.toString(16).padStart(4, "0")}  ${hex(bytes.subarray(at, at + 16)).replace(/(..)/g, "$1 ")}`);
  return lines.join("\n") + (bytes.length > 4096 ? `\n… ${bytes.length} bytes in all` : "");
}
