// The quorum of a policy (https://c2sp.org/tlog-policy): what it asks for, what is there, and what it needs, in the words
// of tiles/notes/quorum.py. `acceptCheckpoint` decides; this says why. Pure.

import { shown } from "./tlog.js";

/**
 * Return how the quorum stands, null where the policy asks for no witness: {name, threshold, members, met, witness}, members of a
 * group like this, and none of a witness. cosigned: the names of witnesses whose cosignatures were verified, as octets.
 */
export function standing({ witnesses, groups, quorum }, cosigned) {
  if (quorum === null) return null;
  const found = new Map(witnesses.map((witness) => [witness.name, leaf(witness, cosigned.includes(witness.name))]));
  for (const { name, threshold, members: names } of groups) { // members are defined on preceding lines: one pass is enough
    const members = names.map((member) => found.get(member)), met = members.filter((one) => one.met).length >= threshold;
    found.set(name, { name: shown(name), threshold, members, met });
  }
  return found.get(quorum);
}

const leaf = (witness, met) => ({ name: shown(witness.name), threshold: 1, members: [], met, witness });

/** Return how many more witnesses have to cosign, at least. */
export function missing({ met, members, threshold }) {
  if (met || !members.length) return met ? 0 : 1;
  // a witness is in one group only ("can be listed as a group member at most once"), so members add up
  return members.map(missing).sort((one, other) => one - other).slice(0, threshold).reduce((sum, one) => sum + one, 0);
}

const names = (list) => list.map(({ name }) => name).join(", ");

/** Return what a witness or group asks for, without what its members ask for: "2 of w1, w2, w3". */
export function asks({ name, members, threshold }) {
  if (!members.length) return name;
  if (threshold === members.length) return members.length > 1 ? `all of ${names(members)}` : names(members);
  return `${threshold === 1 ? "one" : threshold} of ${names(members)}`;
}

/** Return what is there and what is missing: "w1 has cosigned; one more of w2, w3". */
export function stands({ name, members, threshold, met }) {
  if (!members.length) return `${name} ${met ? "has" : "has not"} cosigned`;
  const there = members.filter((one) => one.met), absent = members.filter((one) => !one.met);
  const isGroup = (one) => one.members.length > 0, needed = threshold - there.length;
  const parts = there.length
    ? [said(there.filter((one) => !isGroup(one)), "has cosigned", "have cosigned"), said(there.filter(isGroup), "is met", "are met")]
    : [members.some(isGroup) ? "none of them is there" : "none of them has cosigned"];
  if (needed === absent.length) parts.push(said(absent, "is missing", "are missing"));
  else if (needed > 0) parts.push(`${needed === 1 ? "one" : needed} more of ${names(absent)}`);
  return parts.filter(Boolean).join("; ");
}

function said(list, ofOne, ofSeveral) {
  if (list.length < 2) return list.length ? `${list[0].name} ${ofOne}` : "";
  return `${names(list.slice(0, -1))} and ${list.at(-1).name} ${ofSeveral}`;
}

/** Return it and everything below it, {depth, one}, in the order in which the quorum names them. */
export const walk = (one, depth = 0) => [{ depth, one }, ...one.members.flatMap((member) => walk(member, depth + 1))];
