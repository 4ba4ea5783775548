// What the vectors ask for, done with web/verifier/; runs in Node and in a browser.
// A case is {id, op, …arguments, base64 for bytes}; the answer is {code, value}: "ok" or the code of the error, and what
// came out, as text.

import * as artifacts from "../../web/verifier/artifact.js";
import * as bundles from "../../web/verifier/bundle.js";
import * as verdicts from "../../web/verifier/bundle_verdict.js";
import * as encoding from "../../web/verifier/encoding.js";
import * as entries from "../../web/verifier/entries.js";
import * as indexing from "../../web/verifier/index_format.js";
import * as changing from "../../web/verifier/key_changes.js";
import * as quorums from "../../web/verifier/quorum.js";
import * as layouts from "../../web/verifier/layouts.js";
import * as reading from "../../web/verifier/log.js";
import * as lookup from "../../web/verifier/lookup.js";
import * as merkle from "../../web/verifier/merkle.js";
import * as proofs from "../../web/verifier/proof.js";
import * as searching from "../../web/verifier/search_proof.js";
import * as signing from "../../web/verifier/signature.js";
import * as texts from "../../web/verifier/signed_text.js";
import * as tiling from "../../web/verifier/tiles.js";
import * as tlog from "../../web/verifier/tlog.js";
import * as x509 from "../../web/verifier/x509.js";

function bytes(text) { // a loop: vectors hold 20 MB, and Uint8Array.from takes seconds for that
  const octets = atob(text), decoded = new Uint8Array(octets.length);
  for (let at = 0; at < octets.length; at++) decoded[at] = octets.charCodeAt(at);
  return decoded;
}
const hashes = (list) => list.map(bytes);
const tree = ({ size, root }) => ({ size: BigInt(size), root: bytes(root) });
const text = (data) => encoding.encodeBase64(data);
const key = (vkey) => tlog.parseVkey(vkey);
const nodes = (parts) => parts.map((part) => part.map(({ height, index }) => [height, String(index)]));

/** Return the accepted checkpoint as Python and JavaScript both can write it down. */
function accepted({ log, cosignatures, time }) {
  const stated = time ? String(time) : null;
  return { log: log.vkey, cosignatures: cosignatures.map((one) => [one.key.vkey, String(one.timestamp)]), time: stated };
}

/** Return what reads objects; caches: what is held between, [on this machine, on the way]; noQuery: as some servers are. */
function fetcher(objects, changes = {}, caches = [], noQuery = false) {
  return async (path, limit, past = 0) => {
    if (past > 1 && noQuery) throw new encoding.TlogError("AccessError", `${path}: no query is allowed`);
    const found = [...caches.slice(past), changes, objects].find((held) => path in held)?.[path];
    if (found === undefined || found === null) throw new encoding.TlogError("NotFound", `${path}: not found`);
    const data = bytes(found);
    if (data.length > limit) throw new encoding.TlogError("AccessError", `${path}: longer than ${limit} bytes`, { tooLong: true });
    return data;
  };
}

function memory() {
  const kept = new Map();
  return { kept, load: (id) => kept.get(id) ?? null, save: (id, value) => kept.set(id, value) };
}

const OPERATIONS = {
  vkey: ({ vkey }) => [key(vkey).name, key(vkey).type],
  note: ({ data }) => {
    const parsed = tlog.parseNote(bytes(data));
    return [text(encoding.utf8(parsed.text)), parsed.signatures.map((one) => [one.name, one.id, text(one.signature)])];
  },
  verify_note: async ({ data, vkeys }) =>
    (await texts.verifyNote(tlog.parseNote(bytes(data)), vkeys.map(key))).length,
  signature: async ({ data, vkey, signature }) => { // over a text that need not be that of a note
    const signer = key(vkey), claimed = { name: signer.name, id: signer.id, signature: bytes(signature) };
    await texts.verifyNote({ text: encoding.decodeText(bytes(data), "text"), signatures: [claimed] }, [signer]);
    return null;
  },
  checkpoint: ({ data }) => {
    const { origin, tree: { size, root }, extensions } = tlog.parseCheckpoint(bytes(data));
    return [origin, String(size), text(root), extensions];
  },
  policy: ({ data }) => {
    const parsed = tlog.parsePolicy(bytes(data));
    return [parsed.logs.map((log) => [log.key.vkey, log.url]), parsed.witnesses.map((witness) => [witness.key.vkey, witness.url]),
      parsed.groups.map((group) => [group.threshold, group.members.length]), parsed.quorum === null];
  },
  accept: async ({ policy, data, origin }) =>
    accepted(await tlog.acceptCheckpoint(tlog.parsePolicy(bytes(policy)), tlog.parseCheckpoint(bytes(data)), origin)),
  standing: ({ policy, names }) => {
    const octets = names.map((name) => encoding.toOctets(bytes(name))), found = quorums.standing(tlog.parsePolicy(bytes(policy)), octets);
    return (found ? quorums.walk(found) : []).map(({ depth, one }) =>
      [depth, one.name, quorums.asks(one), quorums.stands(one), one.met, quorums.missing(one)]);
  },
  key_changes: async ({ objects, vkeys }) =>
    (await changing.keyChanges(fetcher(objects), vkeys.map(key))).map((said) =>
      [said.action, said.key.vkey, String(said.tree.size), said.before.map(({ vkey }) => vkey)]),
  accept_as: async ({ vkey, data, origin }) =>
    (await tlog.acceptCheckpoint(layouts.policyAs(key(vkey), origin), tlog.parseCheckpoint(bytes(data)))).log.vkey,
  lookup_path: ({ text: name }) => layouts.lookupPath(name) ?? encoding.usage("none"),
  lookup: ({ data }) => {
    const { index, record } = layouts.parseLookup(bytes(data));
    return [String(index), text(record)];
  },
  ct_entry: ({ entry }) => {
    const found = layouts.parseCtEntry(bytes(entry));
    return found && [String(found.timestamp), found.isPrecert, text(found.issuerKey ?? []), text(found.certificate), found.index ?? null];
  },
  other_log: async ({ objects, layout, vkey, origin, call, index }, { logs }) => {
    const fetchObject = layouts.readAs(layout, fetcher(logs[objects])), log = new reading.Log(fetchObject, layouts.policyAs(key(vkey), origin));
    try {
      await log.visit();
      if (call === "lookup") return String(await layouts.lookedUp(log, index));
      return text(call === "entry" ? await log.entry(Number(index)) : proofs.formatProof(await log.prove(Number(index))));
    } catch (error) {
      throw layouts.inItsNames(error, fetchObject);
    }
  },
  proof: ({ data }) => {
    const { index, hashes: list, extra } = proofs.parseProof(bytes(data));
    return [String(index), list.length, extra.length];
  },
  verify_proof: async ({ data, leaf, policy }) =>
    accepted(await proofs.verifyProof(proofs.parseProof(bytes(data)), bytes(leaf), tlog.parsePolicy(bytes(policy)))),
  inclusion: ({ leaf, index, head, proof }) => (merkle.verifyInclusion(bytes(leaf), BigInt(index), tree(head), hashes(proof)), null),
  consistency: ({ old, latest, proof }) => (merkle.verifyConsistency(tree(old), tree(latest), hashes(proof)), null),
  inclusion_nodes: ({ index, size }) => nodes(tiling.inclusionNodes(BigInt(index), BigInt(size))),
  consistency_nodes: ({ old, size }) => nodes(tiling.consistencyNodes(BigInt(old), BigInt(size))),
  tile_path: ({ size, level, index }) => tiling.tileAt(BigInt(size), level, BigInt(index)).path,
  bundle: ({ data, width }) => tiling.parseBundle(bytes(data), width).map(text),
  signed: async ({ data, artifact, policy, key }) => {
    const demanded = key && artifacts.fingerprint(artifacts.parsePem(key)), trusted = tlog.parsePolicy(bytes(policy));
    const found = await verdicts.verifyBundle(bundles.parseBundle(bytes(data)), trusted, bytes(artifact), demanded);
    return [String(found.proof.index), text(found.leaf), encoding.hex(found.fingerprint)];
  },
  tiles: ({ head, wanted, tiles, changes }, { logs }) => { // what `wanted` says for one leaf is accepted, and the leaf's hash is returned
    const reader = new tiling.TreeReader(tree(head)), node = { height: 0, index: BigInt(wanted) };
    reader.accept(reader.wanted([node]), new Map(Object.entries({ ...logs[tiles], ...changes }).map(([path, data]) => [path, bytes(data)])));
    return text(reader.hash(node));
  },
  digest_entry: async ({ data, name }) => {
    const stream = new Blob([bytes(data)]).stream(), { sha256, size, candidates } = await lookup.readFile(stream, undefined, name);
    return [sha256, size, candidates.map(({ how, entry, leaf }) => [how, text(entry), text(leaf)])];
  },
  keys: async ({ entry }) => (await entries.keysOf(bytes(entry))).map(([kind, value]) => [kind, text(value)]),
  certificate: ({ data }) => {
    const found = x509.parseCertificate(bytes(data));
    return found && [text(found.spki), found.identities.map((one) => one.text), found.issuer];
  },
  revocation: ({ entry }) => {
    const found = entries.parseRevocation(bytes(entry)), isKey = found?.by === "key";
    return found && [found.what, found.value, found.reason, isKey ? text(found.signer) : "", isKey ? "" : found.signer, text(found.signature), found.text];
  },
  signer: ({ entry }) => {
    const found = signing.parseSignatureEntry(bytes(entry));
    return found && [found.format, found.format === "pgp" ? "" : signing.signerName(found)];
  },
  identity_keys: ({ identities }) => x509.identityKeys(identities.map((one) => ({ text: one }))),
  entry_of: ({ extra, sha256, size }) => {
    const found = entries.entryOf(bytes(extra), { sha256, size });
    return found && text(found);
  },
  index_head: ({ data }) => {
    const { origin, kind, tree: { size, root }, runs } = indexing.parseIndexHead(bytes(data));
    return [origin, kind, String(size), text(root), runs.map((run) => [...[run.level, run.number, run.records].map(String), text(run.root)])];
  },
  live_runs: ({ covered }) => indexing.liveRuns(BigInt(covered)).map((run) => run.map(String)),
  key_prefix: ({ kind, value }) => text(indexing.keyPrefix(kind, bytes(value))),
  search_proof: async ({ data, policy }) => {
    const proof = searching.parseSearchProof(bytes(data));
    return (await searching.verifySearchProof(proof, tlog.parsePolicy(bytes(policy)))).hits.map(({ index }) => String(index));
  },
  // a whole log: `visits` are served one after the other to one memory, the last one is read from
  log: async ({ visits, changes, caches, noQuery, policy, origin, call, index, leaf, sha256 }, { logs }) => {
    const kept = memory();
    let log;
    for (const [at, name] of visits.entries()) {
      const last = at === visits.length - 1, fetchObject = last ? fetcher(logs[name], changes, caches, noQuery) : fetcher(logs[name]);
      log = new reading.Log(fetchObject, tlog.parsePolicy(bytes(policy)), { memory: visits.length > 1 ? kept : undefined, origin });
      if (at < visits.length - 1 || call === "visit") await log.visit();
    }
    if (call === "visit") return [String(log.accepted.signed.tree.size), log.newer && String(log.newer.tree.size)];
    if (call === "entry") return text(await log.entry(Number(index)));
    if (call === "prove") return text(proofs.formatProof(await log.prove(Number(index))));
    if (call === "find") return (await lookup.find(log, [bytes(leaf)])).map((found) => String(found.index));
    return (await lookup.findDigest(log, sha256)).map(String);
  },
};

/** Return the answer to one case; `shared` holds the logs that cases name. */
export async function run(one, shared) {
  try {
    return { code: "ok", value: await OPERATIONS[one.op](one, shared) };
  } catch (error) {
    return { code: error instanceof encoding.TlogError ? error.code : `NOT A TlogError: ${error.stack}`, path: error.path, evidence: evidence(error) };
  }
}

const evidence = (error) => error.code === "ForkError" && Object.fromEntries(Object.entries(error.evidence).map(([name, data]) => [name, text(data)]));

/** Return who checks ML-DSA-44 signatures: "native", "library", or "" for nobody. */
export async function mldsa() {
  try {
    await crypto.subtle.importKey("raw-public", new Uint8Array(1312), { name: "ML-DSA-44" }, false, ["verify"]);
    return "native";
  } catch {
    return import("../../web/verifier/mldsa.js").then(() => "library", () => "");
  }
}
