// The quorum of a policy in words: what it asks for, which witnesses counted, and which are missing.

import { code, h, visible } from "./dom.js";
import { asks, standing, stands, walk } from "../verifier/quorum.js";
import { shown, witnessesOf } from "../verifier/tlog.js";

export const LONG = 400; // characters of a key, as of ML-DSA-44
const quorumOf = ({ policy, cosignatures = [] }) => standing(policy, cosignatures.map(({ name }) => name));
const list = (found) => visible(found.map(({ one }) => one.name).join(", "));

/** Return what is asked for and what is there, in one sentence; of {policy, cosignatures}, as `acceptCheckpoint` has them. */
export function quorumSentence(found) {
  const quorum = quorumOf(found);
  if (!quorum) return "No witnesses are asked for.";
  return visible(`Witnesses that have to confirm it: ${asks(quorum)}${found.cosignatures ? `; ${stands(quorum)}` : ""}.`);
}

/** Return which witnesses of the quorum counted, and which did not cosign; "" where none is asked for. */
export function counted(found) {
  const quorum = quorumOf(found), witnesses = quorum ? walk(quorum).filter(({ one }) => one.witness) : [];
  const there = witnesses.filter(({ one }) => one.met), absent = witnesses.filter(({ one }) => !one.met);
  if (!there.length) return "";
  return `Independent witnesses have confirmed it: ${list(there)}.${absent.length ? ` Not needed are: ${list(absent)}.` : ""}`;
}

/** Return {wanted, missing}: how many witnesses a quorum is made of, and the names of those that are not there. */
export function lacking(found) {
  const witnesses = walk(quorumOf(found)).filter(({ one }) => one.witness), absent = witnesses.filter(({ one }) => !one.met);
  return { wanted: witnesses.length, missing: list(absent), there: witnesses.length - absent.length };
}

/** Return a verifier key; one that is long, as of ML-DSA-44, is shown when asked for. */
export const keyText = ({ name, id, vkey }) =>
  vkey.length < LONG ? code(vkey) : [code(`${name}+${id}`), h("details", {}, h("summary", {}, `All of its key, ${vkey.length} characters`), code(vkey))];

/** Return the quorum as a list, each group with its members, and with who has cosigned; null where no witness is asked for. whole: with keys. */
export function quorumList(found, whole = false) {
  const quorum = quorumOf(found), times = new Map(found.cosignatures?.map(({ name, timestamp }) => [name, timestamp]));
  return quorum && h("ul", {}, item(quorum, times, Boolean(found.cosignatures), whole));
}

/** Return whom a policy trusts: keys of logs, the quorum, and witnesses that it does not name; cosignatures: if they are known. */
export function whomItTrusts(policy, cosignatures) {
  const inside = policy.quorum === null ? [] : witnessesOf(policy, policy.quorum), found = { policy, cosignatures };
  const outside = policy.witnesses.filter((one) => !inside.includes(one)).map(({ name, key }) => h("li", {}, visible(`Witness ${shown(name)} `), keyText(key)));
  return [
    h("ul", {}, policy.logs.map(({ key }) => h("li", {}, "Log ", keyText(key)))),
    h("p", {}, quorumSentence(found)),
    quorumList(found, true),
    outside.length > 0 && [h("p", {}, "Named, and not asked for:"), h("ul", {}, outside)],
  ];
}

function item(one, times, judged, whole) {
  const mark = judged ? (one.met ? "✓ " : "✗ ") : "";
  if (!one.witness) {
    const words = `Group “${one.name}”: ${asks(one)}${judged ? `; ${stands(one)}` : ""}`;
    return h("li", {}, mark, visible(words), h("ul", {}, one.members.map((member) => item(member, times, judged, whole))));
  }
  const time = Number(times.get(one.witness.name) ?? 0) * 1000, when = one.met && time ? `, ${new Date(time).toUTCString()}` : "";
  const words = judged ? visible(`${stands(one)}${when} `) : visible(`Witness ${one.name} `);
  return h("li", {}, judged && !one.met ? "– " : mark, words, whole ? keyText(one.witness.key) : code(`${one.witness.key.name}+${one.witness.key.id}`));
}
