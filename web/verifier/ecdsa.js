// ECDSA signatures as signed notes have them (signature type 0x02): ASN.1 DER to what WebCrypto wants. Loaded only for such
// keys.

import { equal } from "./encoding.js";

function encode(raw) { // SEQUENCE { INTEGER r, INTEGER s }
  const integers = [raw.subarray(0, raw.length / 2), raw.subarray(raw.length / 2)].flatMap((half) => {
    const digits = half.subarray(half.findIndex((byte) => byte) >>> 0);
    return digits[0] > 127 ? [2, digits.length + 1, 0, ...digits] : [2, digits.length, ...digits];
  });
  return [0x30, ...(integers.length > 127 ? [0x81] : []), integers.length, ...integers];
}

/** Return r || s, `width` bytes together; empty, which is no signature, unless `der` is the one encoding of them. */
export function rawSignature(der, width) {
  const raw = new Uint8Array(width);
  let at = der[1] === 0x81 ? 3 : 2;
  for (const end of [width / 2, width]) {
    const digits = der.subarray(at + 2, (at += 2 + der[at + 1]));
    for (let n = 1; n <= Math.min(width / 2, digits.length); n++) raw[end - n] = digits[digits.length - n];
  }
  return equal(encode(raw), der) ? raw : new Uint8Array();
}
