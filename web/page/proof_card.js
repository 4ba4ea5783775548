// The card of a proof that holds: the verdict, what was checked with its values, the path, the signed tree head.

import { WITH_SIGNATURE, byHand, command } from "./commands.js";
import { card, code, count, h, visible } from "./dom.js";
import { described } from "./described.js";
import { unchecked, vouched } from "./error_card.js";
import { picture } from "./merkle_path.js";
import { button, opener, save, table } from "./parts.js";
import { counted, quorumSentence } from "./quorum_words.js";
import { context } from "./results.js";
import { signers } from "./tree_head.js";
import { hex } from "../verifier/encoding.js";
import { formatProof } from "../verifier/proof.js";
import { shown } from "../verifier/tlog.js";

/** Return what was checked, step by step, with its values; about: see `verifiedCard`. */
function steps(proof, accepted, leaf, entry, opened, about) {
  const { tree, origin } = accepted.signed;
  const list = [];
  if (about.name) {
    const digest = about.sha256 && [" has SHA-256 ", code(about.sha256), ` and ${count(about.size)} bytes.`];
    list.push(["Your file ", code(about.name), digest ?? "."]);
  }
  if (entry) {
    const kind = ["blinded", "signature"].includes(about.how) ? about.how : "digest";
    const logged = about.sha256 && about.how !== "raw" ? `So it is logged as these bytes, a ${kind} entry: ` : "The entry is these bytes: ";
    list.push([logged, h("pre", { tabindex: "0" }, visible(described(entry).text))]);
  }
  list.push(["Its leaf hash, SHA-256(00 ‖ entry), is ", code(hex(leaf)), "."]);
  const leads = `With the ${proof.hashes.length} hashes of the proof, entry ${count(proof.index)} of ${count(tree.size)} leads to the root `;
  list.push([leads, code(hex(tree.root)), "."]);
  const signer = code(`${accepted.log.name}+${accepted.log.id}`);
  list.push(["That root is in the checkpoint of ", code(origin), ", signed by ", signer, "."]);
  for (const { name, key, timestamp } of accepted.cosignatures) {
    const when = timestamp ? ` on ${new Date(Number(timestamp) * 1000).toUTCString()}.` : ", without a time.";
    list.push([`Cosigned by ${visible(shown(name))}, `, code(`${key.name}+${key.id}`), when]);
  }
  for (const key of accepted.unsupported)
    list.push(["– Not checked here, and not counted: the signature of ", code(`${key.name}+${key.id}`), "."]);
  list.push([`${quorumSentence({ ...accepted, policy: opened.policy })} The log's key: ${opened.how}.`]);
  list.push(...(about.signed ?? []));
  if (about.compared) list.push([about.compared]);
  const mark = (line) => (line[0].startsWith("–") ? "" : "✓ ");
  return h(
    "ol",
    {},
    list.map((line) => h("li", {}, mark(line), line)),
  );
}

/** Return what stands below each verdict about a proof: see `verifiedCard`; about.signed: further steps, of a signature. */
export function details(proof, accepted, leaf, entry, trusted, about) {
  const { tree } = accepted.signed, { text, signatures } = proof.checkpoint.note;
  const head = [text, ...signatures.map(({ name }) => `\u2014 ${name} …`)].join("\n");
  const saveProof = button("Save proof", () => save(`entry-${proof.index}.tlog-proof`, formatProof(proof)));
  const saveHead = button("Save this tree head", () => save(`${tree.size}.checkpoint`, proof.checkpoint.data));
  return [
    h("p", { class: "row" }, saveProof, !context.offline && h("a", { href: `#i=${proof.index}` }, "Link to this entry")),
    opener("What was checked", steps(proof, accepted, leaf, entry, trusted, about)),
    opener("Show the path", picture(proof, leaf)),
    opener("The signed tree head", h("pre", { tabindex: "0" }, visible(head)), h("p", {}, saveHead)),
  ];
}

/** Return what to do with what is in the log; about: see `verifiedCard`. */
function next({ sha256, revocable }) {
  if (!sha256) return ["Nothing more has to be checked of this entry. To see whether it is about a file that you have, drop the file."];
  return [
    "You can use the file if you trust its publisher. The log shows that this very file was published, and not that it is good.",
    revocable && "Now and then a publisher takes a file back. To see whether this one was, press “Was it revoked?”.",
    "Save the proof if you want to check the file again later, without this log. If the log ever shows others something else, the proof is the evidence.",
  ];
}

/**
 * Return the card of a proof that was verified. accepted: its checkpoint, accepted by a policy; trusted: {policy, how};
 * about: of the file, {name, sha256, size, how, more, compared}, and revocable: whether revocations can be asked for; all optional.
 */
export function verifiedCard(proof, accepted, leaf, entry, trusted, about = {}) {
  const { tree } = accepted.signed;
  const found = signers(trusted, accepted);
  const how = {
    digest: "It is logged by its SHA-256 and size.",
    name: "It is logged by its SHA-256, its size and a name.",
    blinded: "It is logged by its SHA-256 and size, blinded.",
    raw: "It is logged as it is, byte for byte.",
    signature: "A signature over your file is logged. This page does not check whose it is.",
  }[about.how];
  const age = found.stale || found.future ? `The witnesses say they saw this tree head ${found.when}.` : "";
  const what = entry && described(entry);
  const more = [
    what && [h("p", { class: "small" }, `What it is: ${visible(what.kind)}`), table(what.rows)],
    details(proof, accepted, leaf, entry, trusted, about),
  ];
  const where = `entry ${count(proof.index)} of ${count(tree.size)}`;
  const proven = { state: found.witnesses ? "verified" : "verified-log-only", look: "good", mark: "✓", headline: `In the log: ${where}` };
  const claimed = { state: "signer-unchecked", look: "warn", mark: "!", headline: `Who signed is not checked here; logged as ${where}` };
  const isSigned = about.how === "signature";
  const alone = !found.witnesses && `No witness has confirmed that the log shows everybody the same. Small logs often have none${isSigned ? "" : ", which is no reason not to use the file"}.`;
  const said = vouched(trusted, where, {
    ...(isSigned ? claimed : proven),
    body: [
      `${about.sha256 && !isSigned ? "Your file is exactly the one that was logged. " : ""}${found.who}. ${counted({ ...accepted, policy: trusted.policy })}`,
      alone, how, about.more, age, unchecked(accepted),
    ],
    next: isSigned
      ? [
          ["Do not use the file until you know who has signed it. This command checks it: ", command(WITH_SIGNATURE, { name: about.name, policy: trusted.policy })],
          "The command needs the proof, too: if you do not have it as a file, save it below.",
          byHand(about.sha256),
        ]
      : next(about),
  });
  return card({ ...said, more });
}
