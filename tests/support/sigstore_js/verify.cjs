// Verifies bundles with @sigstore/verify, which is installed in the folder that is named:
//
//     node verify.cjs FOLDER < cases
//
// A case is a line of JSON: bundle and root as they are in files; artifact in base64; key, PEM, or identity and issuer.
// For each a line is printed: "" or what the library says is wrong.
"use strict";

const { createPublicKey } = require("node:crypto");
const { createRequire } = require("node:module");
const { createInterface } = require("node:readline");
const { resolve } = require("node:path");

const from = createRequire(resolve(process.argv[2], "package.json"));
const { bundleFromJSON } = from("@sigstore/bundle");
const { TrustedRoot } = from("@sigstore/protobuf-specs");
const { Verifier, toSignedEntity, toTrustMaterial } = from("@sigstore/verify");

function verify({ bundle, root, artifact, key, identity, issuer }) {
  const keys = key && (() => ({ publicKey: createPublicKey(key), validFor: () => true }));
  const material = toTrustMaterial(TrustedRoot.fromJSON(root), keys);
  // a key has no end that a timestamp would have to lie before, and no CT log has it
  const thresholds = key
    ? { tlogThreshold: 1, ctlogThreshold: 0, timestampThreshold: 0 }
    : { tlogThreshold: 1, ctlogThreshold: 1, timestampThreshold: 1 };
  const entity = toSignedEntity(bundleFromJSON(bundle), Buffer.from(artifact, "base64"));
  const policy = key ? undefined : { subjectAlternativeName: identity, extensions: { issuer } };
  new Verifier(material, thresholds).verify(entity, policy);
}

createInterface({ input: process.stdin }).on("line", (line) => {
  let problem = "";
  try {
    verify(JSON.parse(line));
  } catch (error) {
    problem = `${error.name}: ${error.message}`;
  }
  console.log(JSON.stringify(problem));
});
