// What cosign signs of an image; see tiles/sigstore/image_signature.py (https://github.com/sigstore/cosign,
// cmd/cosign/cli/sign/sign.go, signDigestBundle, v3).

import { IN_TOTO, STATEMENTS, pae } from "./dsse.js";
import { utf8 } from "./encoding.js";
import { sha256 } from "./sha256.js";

/**
 * Return the SHA-256 that a log has of cosign's signatures of an image: of its statement with a space after each comma, and
 * without, because builds of cosign differ in that. hex: SHA-256 of the image's manifest
 */
export function signedDigests(hex) {
  const members = [`{"_type":"${STATEMENTS[1]}"`, `"subject":[{"digest":{"sha256":"${hex}"}`, '"annotations":{}}]', '"predicateType":"https://sigstore.dev/cosign/sign/v1"', '"predicate":{}}'];
  return [",", ", "].map((comma) => sha256(pae(IN_TOTO, utf8(members.join(comma)))));
}
