// The card of a proof that holds: the verdict, what was checked with its values, the path, the signed tree head.

import { card, code, count, h, visible } from "./dom.js";
import { describe } from "./entry.js";
import { signers } from "./tree_head.js";
import { picture } from "./merkle_path.js";
import { save } from "./error_card.js";
import { formatProof, hex } from "../verifier/tlog.js";

export const opener = (label, ...content) => h("details", {}, h("summary", {}, label), content);
export const button = (label, action) => h("button", { type: "button", click: action }, label);
const rows = (pairs) =>
  h(
    "dl",
    {},
    pairs.map(([label, text]) => [h("dt", {}, label), h("dd", {}, code(text))]),
  );

function steps(proof, accepted, leaf, entry, opened, name) {
  const { tree, origin } = accepted.signed,
    list = [];
  if (name)
    list.push([
      "Your file ",
      code(name.name),
      name.sha256 ? [" has SHA-256 ", code(name.sha256), ` and ${count(name.size)} bytes.`] : ".",
    ]);
  if (entry)
    list.push([
      name?.how === "digest" ? "So it is logged as these bytes, a digest entry: " : "The entry is these bytes: ",
      h("pre", { tabindex: "0" }, visible(describe(entry).text)),
    ]);
  list.push(["Its leaf hash, SHA-256(00 ‖ entry), is ", code(hex(leaf)), "."]);
  list.push([
    `With the ${proof.hashes.length} hashes of the proof, entry ${count(proof.index)} of ${count(tree.size)} leads to the root `,
    code(hex(tree.root)),
    ".",
  ]);
  list.push([
    "That root is in the checkpoint of ",
    code(origin),
    ", signed by ",
    code(`${accepted.log.name}+${accepted.log.id}`),
    ".",
  ]);
  for (const { key, timestamp } of accepted.cosignatures)
    list.push([
      "Cosigned by ",
      code(`${key.name}+${key.id}`),
      timestamp ? ` on ${new Date(Number(timestamp) * 1000).toUTCString()}.` : ", without a time.",
    ]);
  for (const key of accepted.unsupported)
    list.push(["– Not checked here, and not counted: the signature of ", code(`${key.name}+${key.id}`), "."]);
  list.push([
    opened.policy.quorum === null ? "The policy asks for no witnesses. " : "The policy's quorum is met. ",
    `The log's key: ${opened.how}.`,
  ]);
  if (name?.compared) list.push([name.compared]);
  return h(
    "ol",
    {},
    list.map((line) => h("li", {}, String(line[0]).startsWith("–") ? "" : "✓ ", line)),
  );
}

/**
 * Return the card of a proof that was verified. accepted: its checkpoint, accepted by a policy; trusted: {policy, how};
 * about: of the file, {name, sha256, size, how, more, compared}, all of them optional.
 */
export function verifiedCard(proof, accepted, leaf, entry, trusted, name = {}) {
  const { tree } = accepted.signed,
    found = signers(trusted, accepted),
    how = { digest: "It is logged by its SHA-256 and size.", raw: "It is logged as it is, byte for byte." }[name.how];
  const age = found.stale ? `The witnesses saw this tree head ${found.when}.` : "";
  const described = entry && describe(entry);
  const body = [name.name && code(name.name), `${found.who}.`, how, name.more, age, found.lacking];
  const more = [
    described && [h("p", { class: "small" }, `What it is: ${visible(described.kind)}`), rows(described.rows)],
    h(
      "p",
      { class: "row" },
      button("Save proof", () => save(`entry-${proof.index}.tlog-proof`, formatProof(proof))),
      h("a", { href: `#i=${proof.index}` }, "Link to this entry"),
    ),
    opener("What was checked", steps(proof, accepted, leaf, entry, trusted, name.name ? name : undefined)),
    opener("Show the path", picture(proof, leaf)),
    opener(
      "The signed tree head",
      h(
        "pre",
        { tabindex: "0" },
        visible(
          proof.checkpoint.note.text +
            "\n" +
            proof.checkpoint.note.signatures.map((one) => `\u2014 ${one.name} …`).join("\n"),
        ),
      ),
      h(
        "p",
        {},
        button("Save this tree head", () => save(`${tree.size}.checkpoint`, proof.checkpoint.data)),
      ),
    ),
  ];
  const headline = `In the log: entry ${count(proof.index)} of ${count(tree.size)}`;
  return card({
    state: found.witnesses ? "verified" : "verified-log-only",
    look: "good",
    mark: "✓",
    headline,
    body,
    more,
  });
}
