// verify.html: proofs and files, with the policy that is in the page, and without a network.

import { files } from "./check.js";
import { $, card, code, h, takeFiles } from "./dom.js";
import { errorCard } from "./error_card.js";
import { context } from "./results.js";
import { TlogError, decodeBase64, fail } from "../verifier/encoding.js";
import { parsePolicy, shown } from "../verifier/tlog.js";

async function trust() {
  if (!globalThis.crypto?.subtle) fail("AccessError", "no cryptography", { insecure: true });
  const policy = parsePolicy(decodeBase64($("meta[name=policy]").content, "policy"));
  const keys = h(
    "ul",
    {},
    policy.logs.map(({ key }) => h("li", {}, code(key.vkey))),
    policy.witnesses.map(({ key }) => h("li", {}, "Witness ", code(key.vkey))),
  );
  const body = [
    policy.quorum === null
      ? "Proofs signed by this key are accepted, no witnesses are asked for."
      : ["Proofs signed by this key, with the quorum ", code(shown(policy.quorum)), " of its witnesses, are accepted."],
    keys,
  ];
  $("#head").replaceChildren(card({ state: "ready", mark: "🔑", headline: "Keys in this file", body }));
  return { policy, how: "built into this file", witnesses: policy.witnesses.length > 0 };
}

context.trusted = trust();
context.trusted.catch((error) => $("#head").replaceChildren(errorCard(error, "log")));
context.opened = Promise.reject(new TlogError("AccessError", "this page asks no server", { offline: true }));
context.opened.catch(() => {});

takeFiles(files);
$("#ask").addEventListener("submit", (event) => event.preventDefault());
