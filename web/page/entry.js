// What an entry is, in words; an operator may edit this file. Entries are hostile: whoever can log writes them. What is
// returned is text, which the page shows as text.

import { fromOctets, hex } from "../verifier/encoding.js";
import { isBlinded, parseDigestEntry, parseRevocation } from "../verifier/entries.js";

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
  const known = text !== null && (file(entry) ?? json(text));
  return { text: all, ...(known || { kind: text === null ? "bytes" : "text", rows: [] }) };
}

function file(entry) {
  const found = parseDigestEntry(entry);
  if (!found) return isBlinded(entry) ? { kind: "file, blinded", rows: [] } : revocation(entry);
  const name = found.name === null ? [] : [["Name", found.name]];
  return { kind: "file", rows: [["SHA-256", found.sha256], ["Size", `${found.size} bytes`], ...name] };
}

function revocation(entry) {
  const found = parseRevocation(entry);
  if (!found) return null;
  const by = found.by === "log" ? `the key ${found.signer}, as it says` : "a key that signs, as it says";
  const what = { sha256: "SHA-256", key: "Key", identity: "Identity" }[found.what];
  return { kind: "revocation", rows: [[`Revokes: ${what}`, found.value], ["Reason", found.reason], ["By", `${by}: this page does not verify it`]] };
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
  return { kind: typeof value.kind === "string" ? value.kind : "JSON", rows: rekor(value), ...laidOut };
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

function rekor({ kind, apiVersion, spec }) {
  // Rekor's hashedrekord, both versions
  if (kind !== "hashedrekord") return [];
  const body = spec?.hashedRekordV002 ?? spec ?? {};
  const rows = typeof apiVersion === "string" ? [["Version", apiVersion]] : [];
  const digest = body.data?.digest;
  const hash = body.data?.hash?.value;
  if (typeof digest === "string") rows.push(["Digest", hex(bytesOf(digest))]);
  if (typeof hash === "string") rows.push(["Digest", hash]);
  const verifier = body.signature?.verifier ?? {};
  const certificate = verifier.x509Certificate?.rawBytes ?? pem(body.signature?.publicKey?.content);
  for (const name of namesIn(bytesOf(certificate))) rows.push(["Signed by", name]);
  return rows;
}

function bytesOf(base64) {
  try {
    return fromOctets(atob(base64));
  } catch {
    return new Uint8Array();
  }
}

const pem = (base64) => (decode(bytesOf(base64)) ?? "").replace(/-----[A-Z ]+-----|\s/g, "");

function namesIn(certificate) {
  // e-mail addresses and URIs of its subjectAltName (RFC 5280 §4.2.1.6)
  const oid = [0x06, 0x03, 0x55, 0x1d, 0x11];
  const names = [];
  const start = certificate.findIndex((_, at) => oid.every((byte, n) => certificate[at + n] === byte));
  if (start < 0) return names;
  const at = certificate.indexOf(0x04, start + 5); // OCTET STRING around SEQUENCE
  let [from] = content(certificate, at);
  let [next, end] = content(certificate, from);
  for (from = next; from < end && from < certificate.length;) {
    const tag = certificate[from];
    const [begin, stop] = content(certificate, from);
    const name = decode(certificate.subarray(begin, stop));
    if ((tag === 0x81 || tag === 0x86) && name) names.push(name);
    from = stop;
  }
  return names;
}

function content(der, at) {
  // where the content of an element begins and ends
  const length = der[at + 1] ?? 0;
  const wide = length > 0x80 ? length - 0x80 : 0;
  let size = wide ? 0 : length;
  for (let n = 0; n < Math.min(wide, 3); n++) size = size * 256 + (der[at + 2 + n] ?? 0);
  return [at + 2 + wide, at + 2 + wide + size];
}

function dump(bytes) {
  const lines = [];
  for (let at = 0; at < Math.min(bytes.length, 4096); at += 16)
    lines.push(`${at.toString(16).padStart(4, "0")}  ${hex(bytes.subarray(at, at + 16)).replace(/(..)/g, "$1 ")}`);
  return lines.join("\n") + (bytes.length > 4096 ? `\n… ${bytes.length} bytes in all` : "");
}
