// verify.html: proofs and files, with the policy that is in the page, and without a network.

import { files } from "./check.js";
import { $, card, takeFiles } from "./dom.js";
import { errorCard } from "./error_card.js";
import { whomItTrusts } from "./quorum_words.js";
import { context } from "./results.js";
import { TlogError, decodeBase64, fail } from "../verifier/encoding.js";
import { parsePolicy } from "../verifier/tlog.js";

async function trust() {
  if (!globalThis.crypto?.subtle) fail("AccessError", "no cryptography", { insecure: true });
  const policy = parsePolicy(decodeBase64($("meta[name=policy]").content, "policy"));
  const body = [`Proofs signed by this key${policy.quorum === null ? "" : ", with its quorum of witnesses,"} are accepted.`];
  $("#head").replaceChildren(card({ state: "ready", headline: "Keys in this file", body, more: whomItTrusts(policy) }));
  return { policy, how: "built into this file", witnesses: policy.witnesses.length > 0 };
}

context.offline = true;
context.trusted = trust();
context.trusted.catch((error) => $("#head").replaceChildren(errorCard(error, "log")));
context.opened = Promise.reject(new TlogError("AccessError", "this page asks no server", { offline: true }));
context.opened.catch(() => {});

takeFiles(files);
$("#ask").addEventListener("submit", (event) => event.preventDefault());
