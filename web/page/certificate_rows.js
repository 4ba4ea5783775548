// What a certificate and a key are called in a list of rows. All that a certificate says is a claim: anybody can make one that
// names anybody, and only its chain, which is not checked here, tells those of a known authority.

import { hex } from "../verifier/encoding.js";
import { sha256 } from "../verifier/sha256.js";

const FULCIO = "2b0601040183bf3001"; // 1.3.6.1.4.1.57264.1, https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md
const MORE = [["09", "Workflow"], ["0c", "Repository"], ["0d", "Commit"]];
const MOST = 10; // identities
const CLAIMED = "claimed by the certificate";

/** Return the text of a DER UTF8String of at most 255 bytes, null for anything else. */
function utf8String(der = []) {
  const start = der[1] < 0x80 ? 2 : 3, size = der[start - 1];
  const sound = der[0] === 0x0c && (start === 2 || (der[1] === 0x81 && size >= 0x80)) && size === der.length - start;
  return sound ? new TextDecoder().decode(der.subarray(start)) : null;
}

const day = (time) => time?.toISOString().slice(0, 16).replace("T", " ") ?? "?";

/** Return [label, text] of what a certificate claims, see x509.js. */
export function certificateRows({ identities, issuer, extensions, notBefore, notAfter }) {
  const rows = identities.slice(0, MOST).map(({ text }) => [`Identity, ${CLAIMED}`, text]);
  if (!identities.length) rows.push([`Identity, ${CLAIMED}`, "none"]);
  if (issuer !== null) rows.push([`Issuer, ${CLAIMED}`, issuer]);
  for (const [id, label] of MORE) {
    const text = utf8String(extensions.get(`${FULCIO}${id}`));
    if (text) rows.push([`${label}, ${CLAIMED}`, text]);
  }
  return [...rows, [`Valid, ${CLAIMED}`, `${day(notBefore)} to ${day(notAfter)} UTC`]];
}

/** Return the row of a key, a DER SubjectPublicKeyInfo: its SHA-256, by which bundles and people name it. */
export const keyRow = (spki) => ["Key, its SHA-256", hex(sha256(spki))];
