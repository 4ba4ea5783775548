// A verifier of transparency logs, for browsers and Node ≥ 20; `log.js` reads logs with it. Parsers accept one form only
// and verify nothing; verifying throws. Sizes and indexes are BigInt. Functions and error codes are those of the Python
// library in tiles/, and one set of test vectors holds both to it.

import { sha256 } from "./sha256.js";

export const MAX_SIZE = 2n ** 63n - 1n; // entries
export const MAX_NOTE = 1 << 20; // bytes, of a policy too
const MAX_PROOF = MAX_NOTE + (8 << 10); // bytes

/** code: a class in tiles/errors.py; more: fields such as evidence (name → bytes). */
export class TlogError extends Error {
  constructor(code, message, more) {
    super(message);
    Object.assign(this, { code }, more);
  }
}

export function fail(code, message, more) {
  throw new TlogError(code, message, more);
}
export const usage = (message) => fail("UsageError", message);
export const malformed = (what, problem, found = "") => fail("Malformed", `${what}: ${problem} ${JSON.stringify(found).slice(0, 80)}`);

// ---- encodings, one form each: tiles/strict.py

export const utf8 = (text) => new TextEncoder().encode(text);
export const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
export const equal = (one, other) => one.length === other.length && one.every((byte, at) => byte === other[at]);
export const concat = (...parts) => {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  parts.reduce((at, part) => (whole.set(part, at), at + part.length), 0);
  return whole;
};

const toOctets = (bytes) => Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
const fromOctets = (text) => Uint8Array.from(text, (octet) => octet.charCodeAt(0));

export function decodeText(bytes, what) {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    if (!/[\0-\x09\x0b-\x1f]/.test(text)) return text;
  } catch {}
  return malformed(what, "not plain UTF-8");
}

export const encodeBase64 = (bytes) => btoa(toOctets(bytes));

export function decodeBase64(text, what) {
  try {
    const octets = atob(text);
    if (btoa(octets) === text) return fromOctets(octets);
  } catch {}
  return malformed(what, "not canonical base64", text);
}

export function decodeDecimal(text, what, most = MAX_SIZE) {
  if (!/^(0|[1-9][0-9]{0,18})$/.test(text)) malformed(what, "not a plain decimal number", text);
  return BigInt(text) > most ? malformed(what, `number above ${most}`, text) : BigInt(text);
}

const uint64 = (number) => new Uint8Array(new BigUint64Array([number]).buffer).reverse();

// ---- Merkle trees: https://www.rfc-editor.org/rfc/rfc6962#section-2.1

const [LEAF, NODE] = [Uint8Array.of(0), Uint8Array.of(1)];
export const EMPTY_ROOT = sha256();
export const leafHash = (entry) => sha256(LEAF, entry);
export const nodeHash = (left, right) => sha256(NODE, left, right);

const toHash = (bytes) => (bytes.length === 32 ? bytes : malformed("hash", "not 32 bytes"));

function checkTree({ size, root }) {
  if (size < 0n || size > MAX_SIZE || root.length !== 32) usage(`no tree has this size, or root`);
}

function leftSides(first, last) { // RFC 9162 §2.1.3.2: of each hash of a proof, whether it stands on the left
  const sides = [];
  while (last > 0n) {
    const isLeft = (first & 1n) === 1n || first === last;
    sides.push(isLeft);
    while (isLeft && !(first & 1n)) [first, last] = [first >> 1n, last >> 1n];
    [first, last] = [first >> 1n, last >> 1n];
  }
  return sides;
}

function checkProof(proof, count) {
  if (proof.length !== count) fail("ProofError", `${proof.length} hashes instead of ${count}`);
  if (proof.some((hash) => hash.length !== 32)) fail("ProofError", "a hash is not 32 bytes long");
}

/** Return the way from a leaf hash up that a proof leads: {left, right, isLeft, hash} for each hash of it. */
export function inclusionPath(leaf, index, size, proof) {
  if (leaf.length !== 32) usage("no leaf hash");
  if (index < 0n || index >= size) fail("ProofError", `there is no entry ${index}`);
  const sides = leftSides(index, size - 1n);
  checkProof(proof, sides.length);
  let hash = leaf;
  return proof.map((other, at) => {
    const [left, right] = sides[at] ? [other, hash] : [hash, other];
    return { left, right, isLeft: sides[at], hash: (hash = nodeHash(left, right)) };
  });
}

/** Throw unless `leaf` is the leaf hash of entry `index` of the tree {size, root}. Returns `inclusionPath`. */
export function verifyInclusion(leaf, index, tree, proof) {
  checkTree(tree);
  const path = inclusionPath(leaf, index, tree.size, proof);
  const root = path.at(-1)?.hash ?? leaf;
  if (!equal(root, tree.root)) fail("ProofError", `the proof leads to root ${hex(root)}, not to ${hex(tree.root)}`, { path });
  return path;
}

/** Throw unless the tree `old` is a prefix of the tree `latest`, both {size, root} (RFC 9162 §2.1.4.2). */
export function verifyConsistency(old, latest, proof) {
  checkTree(old);
  checkTree(latest);
  if (old.size > latest.size) usage("the old tree is the larger one");
  let roots = [old.size ? old.root : EMPTY_ROOT, latest.root];
  if (old.size === 0n || old.size === latest.size) {
    checkProof(proof, 0);
    if (old.size === latest.size) roots[1] = roots[0];
  } else {
    let [first, last] = [old.size - 1n, latest.size - 1n];
    while (first & 1n) [first, last] = [first >> 1n, last >> 1n];
    const sides = leftSides(first, last);
    const known = old.size & (old.size - 1n) ? [] : [old.root];
    checkProof(proof, 1 + sides.length - known.length);
    const [start, ...rest] = [...known, ...proof];
    roots = [start, start];
    rest.forEach((hash, at) => {
      roots = sides[at] ? roots.map((root) => nodeHash(hash, root)) : [roots[0], nodeHash(roots[1], hash)];
    });
  }
  if (!equal(roots[0], old.root) || !equal(roots[1], latest.root)) fail("ProofError", "the proof leads to other roots");
}

// ---- keys: https://c2sp.org/signed-note, "Verifier keys"

const [ED25519, ECDSA, COSIGNATURE] = [1, 2, 4]; // signature type identifier bytes
export const MLDSA44 = 6;
const PUBLIC_SIZE = { [ED25519]: 32, [COSIGNATURE]: 32, [MLDSA44]: 1312 }; // bytes
const RAW_SIZE = { [ED25519]: 64, [COSIGNATURE]: 64, [MLDSA44]: 2420 };
const CURVES = [ // what stands before the point in a SubjectPublicKeyInfo, and its width
  ["P-256", "3059301306072a8648ce3d020106082a8648ce3d03010703420004", 64],
  ["P-384", "3076301006072a8648ce3d020106052b8104002203620004", 96],
  ["P-521", "30819b301006072a8648ce3d020106052b810400230381860004", 132],
];
const curveOf = (spki) => CURVES.find(([, head, width]) => hex(spki).startsWith(head) && spki.length === head.length / 2 + width);
// "MUST NOT contain any Unicode spaces or plus"; a lone surrogate is no text
const isName = (name) => !/^$|[\0-\x20+\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]|\p{Surrogate}/u.test(name);

/** Return the key {name, type, public, id, vkey} of a verifier key text. */
export function parseVkey(text) {
  const what = "verifier key", wrong = (problem) => malformed(what, problem, text);
  const [name, id, ...rest] = text.split("+"); // base64 may hold a plus, a name may not
  if (!rest.length) wrong("not <name>+<key id>+<base64>");
  const material = decodeBase64(rest.join("+"), what);
  const type = material[0], spki = material.subarray(1);
  if (!isName(name) || (type === MLDSA44 && utf8(name).length > 255)) wrong("no key has such a name");
  if (type === ECDSA ? !curveOf(spki) : spki.length !== PUBLIC_SIZE[type]) wrong("no such key, or of an unknown type");
  const expected = hex(type === ECDSA ? sha256(spki) : sha256(utf8(`${name}\n`), material)).slice(0, 8);
  if (id !== expected) wrong(`key id is not ${expected}`);
  return { name, type, public: spki, id, vkey: text };
}

/** Return whether a raw signature is right; undefined where this platform lacks the algorithm. */
async function isRight(key, message, signature) {
  const { subtle } = globalThis.crypto ?? {};
  if (!subtle) fail("AccessError", "no cryptography here", { insecure: true });
  let format = "raw", algorithm = { name: "Ed25519" };
  if (key.type === MLDSA44) [format, algorithm] = ["raw-public", { name: "ML-DSA-44" }];
  if (key.type === ECDSA) {
    const [namedCurve, , width] = curveOf(key.public);
    [format, algorithm] = ["spki", { name: "ECDSA", namedCurve, hash: "SHA-256" }];
    signature = (await import("./ecdsa.js")).rawSignature(signature, width);
  } else if (signature.length !== RAW_SIZE[key.type]) return false;
  try {
    const imported = await subtle.importKey(format, key.public, algorithm, false, ["verify"]);
    return await subtle.verify(algorithm, imported, signature, message);
  } catch (error) { // each engine has its own for an algorithm it lacks
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

// "MUST ignore signatures from unknown keys, even if they share a name or ID (but not both)"
const claimed = ({ signatures }, keys) =>
  signatures.flatMap((one) => keys.filter((key) => key.name === one.name && key.id === one.id).map((key) => [one.signature, key]));

/** Return the keys that signed a note's text, all verified, at least one. A checkpoint needs `acceptCheckpoint`. */
export async function verifyNote(note, keys) {
  if (keys.some((key) => key.type > ECDSA)) usage("no key of a note");
  const signers = [];
  for (const [signature, key] of claimed(note, keys)) if (!(await checkSignature({ note }, signature, key)).unsupported) signers.push(key);
  return signers.length ? signers : fail("SignatureError", "no signature by a known key");
}

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

const opaque = (text) => concat([utf8(text).length], utf8(text)); // opaque<1..2^8-1>

function cosigned({ origin, tree, note }, { type, name }, timestamp) {
  if (type === COSIGNATURE) return utf8(`cosignature/v1\ntime ${timestamp}\n${note.text}`);
  return concat(utf8("subtree/v1\n\0"), opaque(name), uint64(timestamp), opaque(origin), uint64(0n), uint64(tree.size), tree.root);
}

/** Return {key, timestamp, unsupported}, verified unless this platform cannot check it. */
async function checkSignature(checkpoint, signature, key) {
  let message = utf8(checkpoint.note.text), timestamp, right = false;
  if (key.type > ECDSA) { // 64 bits of time come first
    timestamp = BigInt(`0x${hex(signature.subarray(0, 8))}`);
    signature = signature.subarray(8);
    const can = timestamp <= MAX_SIZE && (key.type === COSIGNATURE || utf8(checkpoint.origin).length <= 255);
    message = can && cosigned(checkpoint, key, timestamp);
  }
  if (message) right = await isRight(key, message, signature);
  if (right === false) fail("SignatureError", `wrong signature by ${key.name}+${key.id}`, { evidence: { note: checkpoint.note.data } });
  return { key, timestamp, unsupported: !right };
}

// ---- policies: https://c2sp.org/tlog-policy

/** Return {logs: [{key, url}], witnesses: [{name, key, url}], groups, quorum, data}; names are octets. */
export function parsePolicy(bytes) {
  if (bytes.length > MAX_NOTE) malformed("policy", `more than ${MAX_NOTE} bytes`);
  if (bytes.some((octet) => (octet < 32 && octet !== 9 && octet !== 10) || octet === 127)) malformed("policy", "control character");
  const lines = toOctets(bytes).split("\n");
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
    if (keyword === "log" && rest.length && rest.length <= 2) logs.push({ key: parse(name, logs), url: shown(k ?? "") });
    else if (keyword === "witness" && k && rest.length <= 3) {
      define(name);
      const key = parse(k, witnesses);
      if (key.type < COSIGNATURE) wrong("no key of a witness");
      witnesses.push({ name, key, url: shown(inside[0] ?? "") });
    } else if (keyword === "group" && inside.length) {
      const words = new Map([["any", 1], ["all", inside.length]]);
      const threshold = words.get(k) ?? Number(decodeDecimal(k, "policy threshold", BigInt(inside.length)));
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

/** Return the policy that accepts what this log key signs. */
export function policyFor(key) {
  if (key.name.includes("\x7f")) usage(`no policy can name ${key.name}`);
  return parsePolicy(utf8(`log ${key.vkey}\nquorum none\n`));
}

/** Return the witnesses under a name. */
export function witnessesOf({ witnesses, groups }, name) {
  const under = new Set([name]);
  for (const group of [...groups].reverse()) if (under.has(group.name)) group.members.forEach((member) => under.add(member));
  return witnesses.filter((witness) => under.has(witness.name));
}

/**
 * Return {signed, log, cosignatures: [{key, timestamp}], unsupported: [key]} if a policy accepts a checkpoint; what this
 * platform cannot check counts as not there. origin: if given, the only one that will do.
 */
export async function acceptCheckpoint(policy, signed, origin) {
  const evidence = { note: signed.data, policy: policy.data };
  const refuse = (message, more) => fail("PolicyError", message, { evidence, ...more });
  const other = (expected) => refuse(`the origin is ${signed.origin}, not ${expected}`, { origin: signed.origin, expected });
  if (origin !== undefined && signed.origin !== origin) other(origin);
  const verified = async (role) => {
    const found = [];
    for (const [signature, key] of claimed(signed.note, role.map((one) => one.key))) found.push(await checkSignature(signed, signature, key));
    return found;
  };
  const byLog = await verified(policy.logs), byWitness = await verified(policy.witnesses);
  const unsupported = [...byLog, ...byWitness].filter((one) => one.unsupported).map(({ key }) => key);
  if (!policy.logs.some(({ key }) => key.name === signed.origin)) other(policy.logs.map(({ key }) => key.name).join(", "));
  // tlog-checkpoint: ML-DSA-44 "doesn't sign the extension lines"
  const signs = ({ key, unsupported: not }) => !not && key.name === signed.origin && (key.type !== MLDSA44 || !signed.extensions.length);
  const log = byLog.find(signs)?.key;
  if (!log) fail("SignatureError", "not signed by the log", { evidence, unsupported });
  const cosignatures = byWitness.filter((one) => !one.unsupported);
  const met = new Set(policy.witnesses.filter((witness) => cosignatures.some(({ key }) => key === witness.key)).map(({ name }) => name));
  for (const { name, members, threshold } of policy.groups) {
    if (members.filter((member) => met.has(member)).length >= threshold) met.add(name);
  }
  if (policy.quorum !== null && !met.has(policy.quorum)) {
    const wanted = witnessesOf(policy, policy.quorum), missing = wanted.filter(({ name }) => !met.has(name)).map(({ name }) => shown(name));
    refuse(`the quorum is not met, missing ${missing.join(", ")}`, { missing, wanted: wanted.length, unsupported });
  }
  return { signed, log, cosignatures, unsupported };
}

// ---- proof files: https://c2sp.org/tlog-proof

const HEADER = "c2sp.org/tlog-proof@v1";

/** Return {index, hashes, checkpoint, extra} of a .tlog-proof. */
export function parseProof(bytes) {
  const what = "tlog-proof";
  if (bytes.length > MAX_PROOF) malformed(what, `more than ${MAX_PROOF} bytes`);
  const blank = bytes.findIndex((byte, at) => byte === 10 && bytes[at + 1] === 10);
  if (blank < 0) malformed(what, "no empty line before the checkpoint");
  const [header, ...lines] = decodeText(bytes.subarray(0, blank), what).split("\n");
  if (header !== HEADER) malformed(what, `line 1: expected ${HEADER}`, header);
  const extra = lines[0]?.startsWith("extra ") ? decodeBase64(lines.shift().slice(6), what) : [];
  if (!lines[0]?.startsWith("index ")) malformed(what, 'expected "index"', lines[0]);
  const index = decodeDecimal(lines.shift().slice(6), `${what} index`, MAX_SIZE - 1n);
  if (lines.length > 63) malformed(what, "more than 63 hashes");
  const hashes = lines.map((line) => toHash(decodeBase64(line, `${what} hash`)));
  const proof = { index, hashes, checkpoint: parseCheckpoint(bytes.subarray(blank + 2)), extra };
  return equal(formatProof(proof), bytes) ? proof : malformed(what, "not in canonical form"); // an empty "extra" line, for one
}

/** Return the bytes of a proof file. */
export function formatProof({ index, hashes, checkpoint, extra = [] }) {
  const lines = [HEADER, ...(extra.length ? [`extra ${encodeBase64(extra)}`] : []), `index ${index}`, ...hashes.map(encodeBase64)];
  return concat(utf8(`${lines.join("\n")}\n\n`), checkpoint.data);
}

/** Return what `acceptCheckpoint` does, and `path`, if `leaf` (a leaf hash) is in the tree. */
export async function verifyProof(proof, leaf, policy) {
  const accepted = await acceptCheckpoint(policy, proof.checkpoint);
  return { ...accepted, path: verifyInclusion(leaf, proof.index, accepted.signed.tree, proof.hashes) };
}
