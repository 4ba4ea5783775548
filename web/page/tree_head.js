// The tree head, in words: who signed it, when, and whether it extends what was seen before.

import { ago, card, code, count, h } from "./dom.js";
import { witnessesOf } from "../verifier/tlog.js";

const DAY = 86_400_000; // milliseconds

/** Return {who, when, stale, future, dated} of an accepted checkpoint: the words for its signatures. */
export function signers({ policy, unknown }, { cosignatures, time }) {
  const wanted = policy.quorum ? witnessesOf(policy, policy.quorum) : policy.witnesses;
  const by = new Set(cosignatures.map(({ key }) => key));
  const witnesses = wanted.filter(({ key }) => by.has(key)).length;
  const last = Number(time ?? 0) * 1000;
  return {
    witnesses,
    last,
    when: last ? ago(last) : "",
    stale: last && Date.now() - last > DAY,
    future: last - Date.now() > DAY / 144,
    who: unknown
      ? "Signed by a key that only a link names"
      : witnesses
      ? `Signed by the log and ${witnesses} of ${wanted.length} witnesses`
      : "Signed by the log (no witnesses)",
  };
}

/** Return the card of an opened log; seen: when it was visited last, in milliseconds. */
export async function headCard(opened, seen) {
  const { log, how, witnesses } = opened;
  const { signed, unsupported } = log.accepted;
  const found = signers(opened, log.accepted);
  const before = log.previous;
  const headline = `${found.who}: ${count(signed.tree.size)} entries`;
  // green is for what is said of a file
  let said = { state: found.witnesses ? "verified" : "verified-log-only", look: "quiet", headline, body: [found.witnesses && `Witnesses saw it ${found.when}.`] };
  if (opened.unknown || log.newer || (found.witnesses && (!found.last || found.stale || found.future)))
    said = (await import("./error_card.js")).unusual(found, opened, headline);
  const memory = opened.unknown
    ? ""
    : before
    ? !log.newer && `It extends what you saw ${ago(seen)}: ${count(before.tree.size)} entries.`
    : "First visit on this browser: from now on, it will notice if the log's past changes.";
  const alone = !found.witnesses && "Nobody independent has confirmed this tree head, and its time is not known.";
  const key = `The log's key: ${how}.${witnesses ? " Witnesses and quorum: this site's choice." : ""}`;
  const lacks = unsupported.length && (await import("./error_card.js")).unchecked(log.accepted);
  const strangers = signed.note.signatures.filter(({ name, id }) => name === signed.origin && !log.policy.logs.some(({ key }) => key.id === id));
  const more = strangers[0] && (await (await import("./key_history.js")).headNews(opened, strangers));
  const about = [["Log: ", code(signed.origin)], alone, memory, key].filter(Boolean).map((line) => h("p", {}, line));
  return card({ ...said, body: [...said.body, lacks], more: [more, h("details", {}, h("summary", {}, "About this log"), about)] });
}
