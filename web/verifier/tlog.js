// A verifier of transparency logs, for browsers and Node ≥ 20; `log.js` reads logs with it. Parsers verify nothing;
// verifying throws. Sizes and indexes are BigInt. Functions and error codes are those of tiles/.

import {
  MAX_SIZE, concat, decodeBase64, decodeDecimal, decodeText, equal, fail, fromOctets, hex, malformed, toOctets, uint64, usage, utf8,
} from "./encoding.js";
import { EMPTY_ROOT, sha256 } from "./sha256.js";

export const MAX_NOTE = 1 << 20; // bytes, of a policy too

// ---- keys: signed-note, "Verifier keys"

const [ED25519, ECDSA, COSIGNATURE, RFC6962, MLDSA44] = [1, 2, 4, 5, 6]; // signature types
const SIZES = { [ED25519]: [32, 64], [COSIGNATURE]: [32, 64], [MLDSA44]: [1312, 2420] }; // bytes of key and signature
const CURVES = [ // SubjectPublicKeyInfo before the point, width
  ["P-256", "3059301306072a8648ce3d020106082a8648ce3d03010703420004", 64],
  ["P-384", "3076301006072a8648ce3d020106052b8104002203620004", 96],
  ["P-521", "30819b301006072a8648ce3d020106052b810400230381860004", 132],
];
const curveOf = (spki) => CURVES.find(([, head, width]) => hex(spki).startsWith(head) && spki.length === head.length / 2 + width);
// "MUST NOT contain any Unicode spaces or plus"; a lone surrogate is no text
const isName = (name) => !/^$|[\0-\x20+\x85\p{Separator}\p{Surrogate}]/u.test(name);

/** Return the key {name, type, public, id, vkey} of a verifier key text. */
export function parseVkey(text) {
  const what = "verifier key", wrong = (problem) => malformed(what, problem, text);
  const [name, id, ...rest] = text.split("+"); // base64 may hold a plus, a name may not
  if (!rest.length) wrong("not <name>+<key id>+<base64>");
  const material = decodeBase64(rest.join("+"), what);
  const type = material[0], spki = material.subarray(1);
  if (!isName(name) || (type === MLDSA44 && utf8(name).length > 255)) wrong("no key has such a name");
  if (type === ECDSA ? !curveOf(spki) : type === RFC6962 ? !spki[0] : spki.length !== SIZES[type]?.[0]) wrong("no such key, or of an unknown type");
  const hashed = type === RFC6962 ? concat([type], sha256(spki)) : material;
  const expected = hex(type === ECDSA ? sha256(spki) : sha256(utf8(`${name}\n`), hashed)).slice(0, 8);
  if (id !== expected) wrong(`key id is not ${expected}`);
  return { name, type, public: spki, id, vkey: text };
}

/** Return whether a signature is right; undefined where this platform lacks the algorithm. */
async function isRight(key, message, signature) {
  const { subtle } = globalThis.crypto ?? {};
  if (!subtle) fail("AccessError", "no cryptography here", { insecure: true });
  if (key.type === RFC6962) return (await import("./tree_heads.js")).isTreeHead(key, message, signature);
  let format = "raw", algorithm = { name: "Ed25519" };
  if (key.type === MLDSA44) [format, algorithm] = ["raw-public", { name: "ML-DSA-44" }];
  if (key.type === ECDSA) {
    const [namedCurve, , width] = curveOf(key.public);
    [format, algorithm] = ["spki", { name: "ECDSA", namedCurve, hash: "SHA-256" }];
    signature = (await import("./ecdsa.js")).rawSignature(signature, width);
  } else if (signature.length !== SIZES[key.type][1]) return false;
  try {
    const imported = await subtle.importKey(format, key.public, algorithm, false, ["verify"]);
    return await subtle.verify(algorithm, imported, signature, message);
  } catch (error) { // engines differ where they lack it
    if (key.type !== MLDSA44) return error.name === "NotSupportedError" ? undefined : false;
    return import("./mldsa.js").then(({ verify }) => verify(key.public, message, signature), () => {});
  }
}

// ---- signed notes: https://c2sp.org/signed-note

function parseSignature(line) {
  const [dash, name, ...rest] = line.split(" ");
  const decoded = decodeBase64(rest.join(" "), "signature line");
  if (dash !== "\u2014" || !isName(name ?? "") || decoded.length < 5) malformed("signature line", "not \u2014 <name> <base64>", line);
  return { name, id: hex(decoded.subarray(0, 4)), signature: decoded.subarray(4) };
}

/** Return {text, signatures, data} of a note. */
export function parseNote(bytes) {
  const what = "signed note";
  if (bytes.length > MAX_NOTE) malformed(what, `more than ${MAX_NOTE} bytes`);
  const whole = decodeText(bytes, what);
  const blank = whole.lastIndexOf("\n\n"); // "separated from the signatures by the last empty line"
  if (blank < 0 || !whole.endsWith("\n")) malformed(what, "no blank line, or no newline at the end");
  const lines = whole.slice(blank + 2, -1).split("\n");
  if (lines.length > 100) malformed(what, "more than 100 signatures");
  return { text: whole.slice(0, blank + 1), signatures: lines.map(parseSignature), data: bytes };
}

/** Return each signature by one of these {key}, checked. */
export async function verified(checkpoint, role) {
  const found = [];
  for (const { name, id, signature } of checkpoint.note.signatures) {
    for (const one of role) {
      // "MUST ignore signatures from unknown keys, even if they share a name or ID (but not both)"
      if (one.key.name === name && one.key.id === id) found.push({ ...one, ...(await checkSignature(checkpoint, signature, one.key)) });
    }
  }
  return found;
}

export const toHash = (bytes) => (bytes.length === 32 ? bytes : malformed("hash", "not 32 bytes"));

// ---- checkpoints: https://c2sp.org/tlog-checkpoint

/** Return {origin, tree: {size, root}, extensions, note, data}: a claim. */
export function parseCheckpoint(bytes) {
  const what = "checkpoint", note = parseNote(bytes);
  const lines = note.text.slice(0, -1).split("\n");
  if (lines.length < 3 || lines.includes("")) malformed(what, "not at least three lines, none of them empty");
  const [origin, decimal, encoded, ...extensions] = lines;
  const size = decodeDecimal(decimal, `${what} size`), root = toHash(decodeBase64(encoded, `${what} root hash`));
  if (size === 0n && !equal(root, EMPTY_ROOT)) malformed(what, "the empty tree has another root hash");
  return { origin, tree: { size, root }, extensions, note, data: bytes };
}

// ---- cosignatures: https://c2sp.org/tlog-cosignature

const isCosigner = ({ type }) => [COSIGNATURE, MLDSA44].includes(type);
const opaque = (text) => concat([utf8(text).length], utf8(text));

function cosigned({ origin, tree, note }, { type, name }, timestamp) {
  if (type === COSIGNATURE) return utf8(`cosignature/v1\ntime ${timestamp}\n${note.text}`);
  return concat(utf8("subtree/v1\n\0"), opaque(name), uint64(timestamp), opaque(origin), uint64(0n), uint64(tree.size), tree.root);
}

/** Return {timestamp, unsupported}, verified unless unsupported. */
async function checkSignature(checkpoint, signature, key) {
  let message = utf8(checkpoint.note.text), timestamp, right = false;
  if (isCosigner(key)) { // time comes first
    timestamp = BigInt(`0x${hex(signature.subarray(0, 8))}`);
    signature = signature.subarray(8);
    const can = timestamp <= MAX_SIZE && (key.type === COSIGNATURE || utf8(checkpoint.origin).length <= 255);
    message = can && cosigned(checkpoint, key, timestamp);
  }
  if (message) right = await isRight(key, message, signature);
  if (right === false) fail("SignatureError", `wrong signature by ${key.name}+${key.id}`, { evidence: { note: checkpoint.note.data } });
  return { timestamp, unsupported: !right };
}

// ---- policies: https://c2sp.org/tlog-policy

/** Return {logs: [{key, origin, url}], witnesses: [{name, key, url}], groups, quorum, data}; names are octets. */
export function parsePolicy(bytes) {
  if (bytes.length > MAX_NOTE) malformed("policy", `more than ${MAX_NOTE} bytes`);
  const text = toOctets(bytes), lines = text.split("\n");
  if (/[\0-\x08\x0b-\x1f\x7f]/.test(text)) malformed("policy", "control character");
  if (lines.pop()) malformed("policy", "no newline at the end"); // cut short it could be a weaker one
  if (lines.length > 1024) malformed("policy", "more than 1024 lines");
  const logs = [], witnesses = [], groups = [], names = new Set(["none"]), members = new Set();
  let quorum;
  lines.forEach((line, at) => {
    const wrong = (problem) => malformed(`policy line ${at + 1}`, problem, line);
    const define = (name) => (names.has(name) ? wrong("the name is taken") : names.add(name));
    const known = (name) => names.has(name) || wrong("no such name on a preceding line");
    const parse = (vkey, role) => {
      const key = parseVkey(decodeText(fromOctets(vkey), "policy"));
      if (role.some((other) => equal(other.key.public, key.public))) wrong("the public key is there already");
      const clash = (other) => other.key.name === key.name && other.key.id === key.id && other.key.vkey !== key.vkey;
      if ([...logs, ...witnesses].some(clash)) wrong("another key has its name and id");
      return key;
    };
    const [keyword = "#", ...rest] = line.split(/[ \t]+/).filter(Boolean), [name, k, ...inside] = rest;
    if (keyword.startsWith("#")) return;
    if (keyword === "log" && rest.length && rest.length <= 2) {
      const key = parse(name, logs);
      logs.push({ key, origin: key.name, url: shown(k ?? "") });
    }
    else if (keyword === "witness" && k && rest.length <= 3) {
      define(name);
      const key = parse(k, witnesses);
      if (!isCosigner(key)) wrong("no key of a witness");
      witnesses.push({ name, key, url: shown(inside[0] ?? "") });
    } else if (keyword === "group" && inside.length) {
      const most = inside.length;
      const threshold = k === "any" ? 1 : k === "all" ? most : Number(decodeDecimal(k, "policy threshold", BigInt(most)));
      if (threshold < 1) wrong("the threshold is less than 1");
      for (const member of inside) {
        if (known(member) && (member === "none" || members.has(member))) wrong("a member of a group already");
        members.add(member);
      }
      define(name);
      groups.push({ name, threshold, members: inside });
    } else if (keyword === "quorum" && rest.length === 1 && quorum === undefined) {
      known(name);
      quorum = name === "none" ? null : name;
    } else wrong("not a line of a policy");
  });
  if (quorum === undefined) malformed("policy", "no quorum line");
  return { logs, witnesses, groups, quorum, data: bytes };
}

export const shown = (octets) => new TextDecoder().decode(fromOctets(octets));

/** Return the policy that accepts what this log key signs; origin: if it is not the key's name. */
export function policyFor(key, origin = key.name) {
  if (key.name.includes("\x7f")) usage(`no policy can name ${key.name}`);
  const policy = parsePolicy(utf8(`log ${key.vkey}\nquorum none\n`));
  policy.logs[0].origin = origin;
  return policy;
}

/** Return the witnesses under a name. */
export function witnessesOf({ witnesses, groups }, name) {
  const under = new Set([name]);
  for (const group of [...groups].reverse()) if (under.has(group.name)) group.members.forEach((member) => under.add(member));
  return witnesses.filter((witness) => under.has(witness.name));
}

/**
 * Return {signed, log, cosignatures: [{name, key, timestamp}], unsupported: [key], time} if a policy accepts a checkpoint; what
 * this platform cannot check counts as not there. time: the newest at which the quorum still holds. origin: the only one to do.
 */
export async function acceptCheckpoint(policy, signed, origin) {
  const evidence = { note: signed.data, policy: policy.data };
  const refuse = (message, more) => fail("PolicyError", message, { evidence, ...more });
  const other = (expected) => refuse(`the origin is ${signed.origin}, not ${expected}`, { origin: signed.origin, expected });
  if (origin !== undefined && signed.origin !== origin) other(origin);
  const byLog = await verified(signed, policy.logs), byWitness = await verified(signed, policy.witnesses);
  const unsupported = [...byLog, ...byWitness].filter((one) => one.unsupported).map(({ key }) => key);
  if (!policy.logs.some((log) => log.origin === signed.origin)) other(policy.logs.map((log) => log.origin).join(", "));
  // tlog-checkpoint: ML-DSA-44 "doesn't sign the extension lines"
  const signs = ({ key, origin: named, unsupported: not }) => !not && named === signed.origin && (key.type !== MLDSA44 || !signed.extensions.length);
  const log = byLog.find(signs)?.key;
  if (!log) fail("SignatureError", "not signed by the log", { evidence, unsupported });
  const cosignatures = byWitness.filter((one) => !one.unsupported);
  const met = new Map(); // name → newest time
  for (const { name, timestamp } of cosignatures) if (!(met.get(name) > timestamp)) met.set(name, timestamp);
  for (const { name, members, threshold } of policy.groups) {
    const times = members.flatMap((member) => met.get(member) ?? []).sort((a, b) => (a < b ? 1 : -1));
    if (times.length >= threshold) met.set(name, times[threshold - 1]);
  }
  if (policy.quorum !== null && !met.has(policy.quorum)) refuse("the quorum is not met", { policy, cosignatures, unsupported });
  return { signed, log, cosignatures, unsupported, time: met.get(policy.quorum) };
}
