// node tests/web/mutate.mjs VECTORS.json EVERY FIRST: breaks one in EVERY steps of the verifier, from the FIRST on (0: the first), and
// prints those that no vector notices.
// Each mutant is one replacement in a copy; it is caught if any answer differs from that of the code as it is, or hangs.
// Not among them are checks that others repeat: fewer than three lines of a checkpoint (what is not there is no number),
// the header of a proof (formatted again, it has the right one), and what only saves memory.

import { spawnSync } from "node:child_process";
import { cp, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const LIMIT = 600_000; // milliseconds for a run of the code as it is, which takes five seconds beside other work
const LEAST = 60_000, TIMES = 10; // a mutant that takes this long, and so many times as long as the code as it is, hangs

const MUTANTS = {
  "verifier/encoding.js": [
    ["ignoreBOM: true", "ignoreBOM: false"], ["fatal: true", "fatal: false"],
    ["if (!/[\\0-\\x09\\x0b-\\x1f]/.test(text)) return", "return"], ["if (btoa(octets) === text) return", "return"],
    ["/^(0|[1-9][0-9]{0,18})$/", "/^[0-9]+$/"], ["BigInt(text) > most ?", "false ?"],
  ],
  "verifier/merkle.js": [
    ["size > MAX_SIZE || root.length !== 32", "root.length !== 32"],
    ["|| root.length !== 32", ""], ["=== 1n || first === last", "=== 1n"], ["proof.length !== count", "proof.length < count"],
    ["proof.some((hash) => hash.length !== 32)", "false"], ["index < 0n || index >= size", "index >= size"],
    ["index < 0n || index >= size", "index < 0n"], ["sides[at] ? [other, hash] : [hash, other]", "[other, hash]"],
    ["if (!equal(root, tree.root))", "if (false)"], ["if (leaf.length !== 32)", "if (false)"],
    ["if (old.size > latest.size)", "if (false)"], ["old.size ? old.root : EMPTY_ROOT", "old.root"],
    ["    checkProof(proof, 0);\n", ""], ["    if (old.size === latest.size) roots[1] = roots[0];\n", ""],
    ["while (first & 1n) [first", "while (false) [first"], ["old.size & (old.size - 1n) ? [] : [old.root]", "[]"],
    ["!equal(roots[0], old.root) || ", ""], [" || !equal(roots[1], latest.root)", ""],
  ],
  "verifier/tlog.js": [
    // keys
    ["hex(spki).startsWith(head) && ", ""], [" && spki.length === head.length / 2 + width", ""],
    ["if (!isName(name) || (type", "if ((type"], ["utf8(name).length > 255", "false"], ["if (id !== expected)", "if (false)"],
    ["signature.length !== SIZES[key.type][1]) return false", "false) return false"],
    ["return await subtle.verify(algorithm, imported, signature, message)", "await subtle.verify(algorithm, imported, signature, message); return true"],
    // notes and checkpoints
    ["if (bytes.length > MAX_NOTE) malformed(what", "if (false) malformed(what"], ["whole.lastIndexOf", "whole.indexOf"],
    [" || !whole.endsWith(\"\\n\")", ""], ["lines.length > 100", "lines.length > 101"], ["decoded.length < 5", "decoded.length < 4"],
    ["one.key.name === name && ", ""], [" && one.key.id === id", ""],
    ["bytes.length === 32 ? bytes", "true ? bytes"], [" || lines.includes(\"\")", ""], ["if (size === 0n && !equal(root, EMPTY_ROOT))", "if (false)"],
    // cosignatures
    ["timestamp <= MAX_SIZE && ", ""], ["|| utf8(checkpoint.origin).length <= 255", "|| true"],
    ["if (right === false) fail", "if (false) fail"], ["time ${timestamp}", "time 0"],
    ["({ verify }) => verify(key.public, message, signature)", "() => true"], ["opaque(name), ", ""], ["uint64(0n), uint64(tree.size)", "uint64(tree.size)"],
    // policies
    ["if (bytes.length > MAX_NOTE) malformed(\"policy\"", "if (false) malformed(\"policy\""], ["\\x1f\\x7f]", "\\x1f]"],
    ["if (lines.pop())", "lines.pop(); if (false)"], ["lines.length > 1024", "lines.length > 1025"],
    ["names.has(name) ? wrong(\"the name", "false ? wrong(\"the name"], ["names.has(name) || wrong", "true || wrong"],
    ["role.some((other) => equal(other.key.public, key.public))", "false"], ["[...logs, ...witnesses].some(clash)", "false"],
    ["if (!isCosigner(key)) wrong", "if (false) wrong"], ["threshold < 1", "false"], ["member === \"none\" || ", ""], [" || members.has(member)", ""],
    ["&& quorum === undefined", ""], ["if (quorum === undefined)", "if (false)"],
    ["origin !== undefined && signed.origin !== origin", "false"],
    ["if (!policy.logs.some((log) => log.origin === signed.origin))", "if (false)"], ["&& named === signed.origin", ""],
    ["if (!log) fail", "if (false) fail"], ["const byLog = await verified(signed, policy.logs)", "const byLog = policy.logs"],
    ["length >= threshold", "length > 0"], ["policy.quorum !== null && !met.has(policy.quorum)", "false"],
  ],
  "verifier/key_changes.js": [
    ["lines.length < 8", "false"], ["fetchObject(path, MAX_SIZE", "fetchObject(path, 1 << 30"], ['if (!["add"', 'if (false && !["add"'],
    ["rest.length > MAX_KEYS || ", ""], [" || new Set(rest).size !== rest.length", ""], ["if (rest.includes(vkey) !== (action", "if (false && (action"],
    ["if ([key, ...before].some(({ name }) => name !== origin))", "if (false)"], ["said.number !== number", "false"],
    ["if (known.length) await", "if (false) await"], ["await verifyNote(said.note, [key]);", ""],
    [" && has(one.note, key))) {", ")) {"], ["      left.push(", "      [].push("],
  ],
  "verifier/tree_heads.js": [
    ["origin !== key.name || ", ""], [" || extensions.length", ""], ["raw.length !== high * 256 + low", "false"],
    ["hash !== SHA256 || ", ""], ["kind !== (algorithm.namedCurve ? ECDSA : RSA)", "false"], ["return await crypto", "return true || await crypto"],
    ["uint64(decodeDecimal(size)), ", ""], ["signature.subarray(0, 8), uint64", "uint64(0n), uint64"],
  ],
  "verifier/layouts.js": [
    ["if (found.has(kind)) malformed", "if (false) malformed"], ["index.length !== 5", "false"], ["if (kind > 1)", "if (false)"],
    ["BigInt(index) !== expected", "false"], ["if (source.number(2)) return null;", "source.number(2);"], ["source.at === entry.length ? found", "true ? found"],
    ["if (source.opaque(2).length % 32)", "source.opaque(2); if (false)"], ["source.at === bytes.length ? found", "true ? found"],
    ["if (bytes[0] !== 0x1f", "if (true || bytes[0] !== 0x1f"], ["  decodeText(record, \"record\");", ""], ["if (record[0] === 10 || ", "if ("],
    ["found.length !== width || ", ""], ["(found.at(-1)?.end ?? 0) !== bytes.length", "false"], ["versions.length === 1 && ", ""], [" && text.length <= 1024", ""],
    ["if (!isOne || !elements", "if (!elements"], ["|| !elements.every((each) => /[^.]/.test(each))", ""], ["`!${letter.toLowerCase()}`", "letter"],
    ["  parseCheckpoint(bytes.subarray(blank + 2));", ""], ["if (!origin || ", "if ("], [" || /[\\0-\\x1f]/.test(origin)", ""], ["key.type > SIGNS_TEXT", "false"],
  ],
  "verifier/quorum.js": [
    ["return met ? 0 : 1", "return 0"], ["length >= threshold", "length > threshold"], [".sort((one, other) => one - other)", ""],
    [".slice(0, threshold)", ""], ["needed === absent.length", "false"], ["there.filter((one) => !isGroup(one))", "there"],
    ["members.length > 1 ? `all", "true ? `all"], ["cosigned.includes(witness.name)", "cosigned.includes(shown(witness.name))"],
  ],
  "verifier/proof.js": [
    ["if (bytes.length > MAX_NOTE + 8192)", "if (false)"], ["lines.length > 63", "lines.length > 64"],
    ["MAX_SIZE - 1n", "MAX_SIZE"], ["equal(formatProof(proof), bytes) ?", "true ?"],
    ["path: verifyInclusion(leaf, proof.index, accepted.signed.tree, proof.hashes)", "path: []"],
    ["const accepted = await acceptCheckpoint(policy, proof.checkpoint)", "const accepted = { signed: proof.checkpoint, log: policy.logs[0].key, cosignatures: [] }"],
  ],
  "verifier/tiles.js": [
    ["tree.size === 0n && !equal(tree.root, EMPTY_ROOT)", "false"], ["if (bytes.length === size) return;", "return;"],
    ["if (!equal(computed, expected))", "if (false)"], ["if (!equal(foldRight(hashes), this.tree.root))", "if (false)"],
    ["at !== bytes.length || ", ""], [" || entries.length !== width", ""], ["if (wrong >= 0)", "if (false)"],
    ["  checkLength(path, bytes, 32 * has);\n", ""], [".slice(0, width)", ""], ["bytes.subarray(0, 32 * width)", "bytes"],
    ["error.code !== \"NotFound\" && error.code !== \"TileError\" && !error.tooLong", "true"], ["index < 0n || index >= size || size > MAX_SIZE", "false"],
    ["old < 0n || old > size || size > MAX_SIZE", "false"], ["if (rest < 1n)", "if (false)"],
  ],
  "verifier/log.js": [
    ["return acceptCheckpoint(this.policy, signed, this.origin)", "return { signed, log: this.policy.logs[0].key }"],
    ["await this.#compare(signed, last)", "continue"],
    ["&& equal(served.tree.root, other.tree.root)", ""], [".filter((log) => this.memory && ", ".slice(0, 1).filter((log) => this.memory && "],
    ["if (this.memory && !(last?.tree.size >= signed.tree.size))", "if (false)"],
    ["[0, 1, 2]", "[0]"], ["[0, 1, 2]", "[0, 1]"], ["if (past < 2) wrong = error", "wrong = error"],
    ["\"NotFound\", \"Malformed\"", "\"Malformed\""], ["\"Malformed\", ", ""], ["\"TileError\", ", ""], ["\"SignatureError\", \"PolicyError\"", "\"PolicyError\""], ["\"SignatureError\", \"PolicyError\"", "\"SignatureError\""], ["&& !error.tooLong", ""],
    ["start < 0n || start > stop || stop > size", "false"],
  ],
  "verifier/history.js": [
    ["if (other.tree.size <= served.tree.size) return checkExtends(policy, other, served, read);", "if (other.tree.size <= served.tree.size) return;"],
    ["return await checkExtends(policy, served, other, read)", "return"],
    ["if (size === newer.tree.size && !equal(older.tree.root, newer.tree.root)) await fork()", ""],
    ["if (!equal(root, older.tree.root))", "if (false)"], ["if (error.code !== \"NotFound\") throw error;\n", ""],
  ],
  "verifier/ecdsa.js": [["return equal(encode(raw), der) ? raw", "return true ? raw"], ["digits[0] > 127 ?", "false ?"], ["integers.length > 127 ?", "false ?"]],
  "verifier/json_text.js": [
    ["if (depth === MAX_DEPTH)", "if (false)"],
    ["if (name in found)", "if (false)"],
    ["fatal: true", "fatal: false"],
    ["ignoreBOM: true", "ignoreBOM: false"],
    ["if (!reader.ended)", "if (false)"],
    ["return other === undefined ? this :", "return true ? this :"],
    ["Object.create(null)", "{}"],
  ],
  "verifier/bundle.js": [
    ["material.has(name));\n  if (named.length !== 1)", "material.has(name));\n  if (named.length < 1)"],
    ["if (item.has(\"messageSignature\") === item.has(\"dsseEnvelope\"))", "if (false)"],
    ["if (version === 3) material", "if (false) material"],
    ["|| DIGEST_SIZES[found.algorithm] !== found.digest.length", ""],
    ["return found.signature.length ? found", "return true ? found"],
    ["Object.hasOwn(MEDIA_TYPES, type) ? MEDIA_TYPES[type]", "true ? 3"],
  ],
  "verifier/dsse.js": [
    ["if (signatures.length !== 1)", "if (false)"],
    ["if (!STATEMENTS.includes(type))", "if (false)"],
    ["if (!subjects.length)", "if (false)"],
    ["Object.hasOwn(ALGORITHMS, algorithm) && !HEX.test(value)", "false"],
    ["Object.hasOwn(ALGORITHMS, algorithm) && ", ""],
    ["!Object.keys(digests).length || ", ""],
    ["payloadType === IN_TOTO ?", "true ?"],
    ["${utf8(payloadType).length} ", ""],
  ],
  "verifier/artifact.js": [
    ["return !bits ||", "return true ||"],
    ["algorithm.width ? rawSignature(signature, algorithm.width) : signature", "signature"],
    ["if (!right) fail", "if (false) fail"],
  ],
  "verifier/bundle_verdict.js": [
    ["if (entries.length !== 1)", "if (entries.length < 1)"],
    ["if (entries.length !== 1)", "if (entries.length > 1)"],
    ["if (!equal(entry.logId, logId))", "if (false)"],
    ["if (entry.size !== tree.size)", "if (false)"],
    ["if (!equal(entry.root, tree.root))", "if (false)"],
    ["verifyInclusion(leaf, entry.index, tree, entry.hashes);\n", ";\n"],
    ["if (entry.logIndex !== entry.index)", "if (false)"],
    ["kind !== \"hashedrekord\" || ", ""],
    ["return algorithm === found.algorithm ? found", "return true ? found"],
    [" || !equal(digest, body.digest)", ""],
    ["if (!equal((message ?? envelope).signature, body.signature))", "if (false)"],
    ["if (isCertificate !== (certificate !== null))", "if (false)"],
    ["if (isCertificate && !equal(certificate, body.raw))", "if (false)"],
    ["if (envelope) await verifyArtifact", "if (false) await verifyArtifact"],
    ["if (envelope && !envelope.statement)", "if (false)"],
    ["if (digests.some(([algorithm, digest]) => isAbout(bundle, algorithm, digest))) return;", "return;"],
    ["if (message) await verifyArtifact", "if (false) await verifyArtifact"],
    ["if (demanded && !equal", "if (false && !equal"],
    ["type === ECDSA ? sha256(key) : ", ""],
  ],
  "verifier/lookup.js": [["equal(one, hash)", "true"], ["if (size <= MAX_DATA) candidates", "candidates"]],
  "verifier/signature.js": [
    ["(second && second !== SECOND[format])", "false"], ["bytes.length <= most ?", "true ?"],
    ["tag !== 0xc6 || ", ""], ["|| !one ", ""], ["|| one >= 224 ", ""], ["+ two + 192", "+ two"], ["body.length === size ?", "true ?"],
    ["format === \"pgp\" ? primaryKey(key) : key", "key"], [".replace(/=+$/, \"\")", ""], [".reverse()", ""], [".toUpperCase()", ""],
  ],
  "verifier/sha256.js": [["72 - ((size + 8) % 64)", "64 - (size % 64)"], ["BigInt(size) * 8n", "BigInt(size)"]],
};

const here = await mkdtemp(join(tmpdir(), "mutants-"));
for (const folder of ["web", "tests/web"]) await cp(join(root, folder), join(here, folder), { recursive: true });
const runner = join(here, "tests/web/run_vectors.mjs"), answers = join(here, "answers"), library = join(here, "web/verifier/mldsa.js");
const options = { timeout: LIMIT, maxBuffer: 1 << 30 };
const record = (to) => writeFile(to, spawnSync(process.execPath, [runner, process.argv[2]], options).stdout);
const same = (as) => spawnSync(process.execPath, [runner, process.argv[2], as], options).status === 0; // a hang is not the same

/** Do something where nobody checks ML-DSA-44. */
async function withoutLibrary(what) {
  await rename(library, `${library}.away`);
  const done = await what();
  await rename(`${library}.away`, library);
  return done;
}

const began = Date.now();
await record(answers);
await withoutLibrary(() => record(`${answers} without`));
const run = async () => same(answers) && withoutLibrary(() => same(`${answers} without`));

options.timeout = Math.max(LEAST, TIMES * (Date.now() - began));
const survivors = [];
if (!(await run())) throw new Error("the code as it is does not give the same answers twice");
const [every, first] = process.argv.slice(3).map(Number); // one in so many mutants is tried, from which on
let number = 0, count = 0;
for (const [file, mutants] of Object.entries(MUTANTS)) {
  const source = await readFile(join(root, "web", file), "utf8");
  for (const [from, to] of mutants) {
    if (!source.includes(from)) survivors.push(`${file}: there is no ${from}`);
    else if (number++ % every === first) {
      count++;
      await writeFile(join(here, "web", file), source.replace(from, () => to));
      if (await run()) survivors.push(`${file}: ${from} → ${to}`);
      process.stderr.write(`${count} ${survivors.length}\r`);
    }
  }
  await writeFile(join(here, "web", file), source);
}
await rm(here, { recursive: true });
console.log(JSON.stringify({ count, survivors }));
