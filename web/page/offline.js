// verify.html: proofs and files, with the policy that is in the page, and without a network.

import { files } from "./check.js";
import { $, card, code, takeFiles } from "./dom.js";
import { errorCard } from "./error_card.js";
import { whomItTrusts } from "./quorum_words.js";
import { context } from "./results.js";
import { TlogError, decodeBase64, fail } from "../verifier/encoding.js";
import { parsePolicy } from "../verifier/tlog.js";

async function trust() {
  if (!globalThis.crypto?.subtle) fail("AccessError", "no cryptography", { insecure: true });
  const policy = parsePolicy(decodeBase64($("meta[name=policy]").content, "policy"));
  const [{ origin }, ...others] = policy.logs;
  const body = [`This file has the key of the log in it, by which it checks proofs${policy.quorum === null ? "" : ", and the keys of witnesses: these are independent of the log, and have to confirm what it shows"}.`];
  const next = ["Before you use this page for the first time, compare the key of the log below with the one that the publisher of your files names. If they differ, do not use this page.", "Then drop a file and its proof above."];
  $("#head").replaceChildren(card({ state: "ready", headline: ["Ready to check proofs of ", code(origin), others.length > 0 && ` and ${others.length} more`], body, next, more: whomItTrusts(policy) }));
  return { policy, how: "built into this file", witnesses: policy.witnesses.length > 0 };
}

context.offline = true;
context.trusted = trust();
context.trusted.catch((error) => $("#head").replaceChildren(errorCard(error, "log")));
context.opened = Promise.reject(new TlogError("AccessError", "this page asks no server", { offline: true }));
context.opened.catch(() => {});

takeFiles(files);
$("#ask").addEventListener("submit", (event) => event.preventDefault());
