// The package `tiletree-verifier`: what of the verifier is promised, with types. The page does not load this file.
//
// What does not verify, or is not in its format, throws an error with `code`: the name of a class in tiles/errors.py.

import { TlogError as ErrorOfTiles } from "./encoding.js";
import { digestEntry as digestEntryOf, entryOf, isBlinded, parseDigestEntry } from "./entries.js";
import { Log as LogOfTiles, httpFetcher as fetcherOver } from "./log.js";
import { readFile as readStream } from "./lookup.js";
import { leafHash as hashOfLeaf } from "./merkle.js";
import { formatProof as formatProofFile, parseProof as parseProofFile, verifyProof as verifyProofOf } from "./proof.js";
import { parsePolicy as parsePolicyText, parseVkey as parseKey, policyFor as policyOf } from "./tlog.js";

/** @typedef {{name: string, type: number, public: Uint8Array, id: string, vkey: string}} Key a verifier key */
/** @typedef {{logs: {key: Key, origin: string, url: string}[], witnesses: {name: string, key: Key, url: string}[], quorum: string | null, data: Uint8Array}} Policy whom to trust */
/** @typedef {{size: bigint, root: Uint8Array}} Tree a tree head */
/** @typedef {{origin: string, tree: Tree, extensions: string[], data: Uint8Array}} Checkpoint a claim, until a policy accepts it */
/** @typedef {{index: bigint, hashes: Uint8Array[], checkpoint: Checkpoint, extra: Uint8Array | number[]}} Proof a proof file, which is a claim until it verifies */
/** @typedef {{signed: Checkpoint, log: Key, cosignatures: {name: string, key: Key, timestamp: bigint}[], unsupported: Key[], time?: bigint}} Accepted a checkpoint, and who has signed it; unsupported: keys whose signatures this platform cannot check; time: seconds since 1970 */
/** @typedef {{how: "digest" | "name" | "raw", entry: Uint8Array, leaf: Uint8Array}} Candidate an entry as which a file may have been logged */
/** @typedef {{sha256: string, size: number, candidates: Candidate[]}} Read a file that was read once */
/** @typedef {((path: string, limit: number, past?: number, part?: object) => Promise<Uint8Array>) & {url: string}} Fetcher reads objects of a log */
/** @typedef {{load(id: string): string | null, save(id: string, text: string): void}} Memory keeps the last checkpoint of each log */

/**
 * Reads one log, all of it from the checkpoint of the last visit.
 * @typedef {object} LogReader
 * @property {() => Promise<Accepted>} visit fetch and accept the checkpoint, compare it with what was seen before, remember it
 * @property {(index: number | bigint) => Promise<Uint8Array>} entry return an entry, which is proven to be in the tree
 * @property {(start: number | bigint, stop: number | bigint) => AsyncGenerator<[bigint, Uint8Array]>} entries yield the entries from `start` on, below `stop`
 * @property {(index: number | bigint) => Promise<Proof & {leaf: Uint8Array}>} prove return the proof of an entry; `formatProof` makes a file of it
 */

/** What is thrown; code: the name of a class in tiles/errors.py. @type {new (code: string, message: string) => Error & {code: string}} */
export const TlogError = ErrorOfTiles;

/** The key of a vkey text. @type {(vkey: string) => Key} */
export const parseVkey = parseKey;

/** The policy in a file (https://c2sp.org/tlog-policy). @type {(bytes: Uint8Array) => Policy} */
export const parsePolicy = parsePolicyText;

/** The policy that accepts what one key of a log signs. @type {(key: Key, origin?: string) => Policy} */
export const policyFor = policyOf;

/** What a proof file says (https://c2sp.org/tlog-proof). @type {(bytes: Uint8Array) => Proof} */
export const parseProof = parseProofFile;

/** The bytes of a proof file. @type {(proof: Omit<Proof, "extra"> & {extra?: Uint8Array | number[]}) => Uint8Array} */
export const formatProof = formatProofFile;

/** Verify that a leaf hash is in the tree that a proof is of, by a policy. @type {(proof: Proof, leaf: Uint8Array, policy: Policy) => Promise<Accepted>} */
export const verifyProof = verifyProofOf;

/** The leaf hash of an entry. @type {(entry: Uint8Array) => Uint8Array} */
export const leafHash = hashOfLeaf;

/** The digest entry of a file; null if no entry can hold its name. @type {(sha256: string, size: number | string, name?: string | null) => Uint8Array | null} */
export const digestEntry = digestEntryOf;

/** Read a file once, in constant memory. @type {(stream: ReadableStream<Uint8Array>, progress?: (bytes: number) => void, name?: string) => Promise<Read>} */
export const readFile = readStream;

/** What reads the objects of a log over HTTP. @type {(url: string, times?: {timeout?: number, whole?: number}) => Fetcher} */
export const httpFetcher = fetcherOver;

/** What reads a log. @type {new (fetcher: Fetcher, policy: Policy, options?: {memory?: Memory, origin?: string}) => LogReader} */
export const Log = LogOfTiles;

/**
 * Verify that a file was logged, by its proof; how: as its digest, with its name, blinded, or as it is ("raw"). name: under
 * which it may have been logged. Throws a ProofError if the proof is of something else.
 * @type {(file: ReadableStream<Uint8Array>, proof: Uint8Array, policy: Policy, name?: string) => Promise<Accepted & {index: bigint, how: string}>}
 */
export async function verifyFile(file, proof, policy, name = "") {
  const parsed = parseProof(proof), read = await readFile(file, undefined, name);
  const candidates = [...told(entryOf(parsed.extra, read)), ...read.candidates];
  let wrong;
  for (const { how, leaf } of candidates) {
    try {
      return { ...(await verifyProof(parsed, leaf, policy)), index: parsed.index, how };
    } catch (error) {
      if (error.code !== "ProofError") throw error; // it is about the log, whatever the entry is
      wrong ??= error;
    }
  }
  throw wrong;
}

/**
 * The entry that a proof names, if it is of exactly this file. One of a signature is left out: nothing says who has to have signed.
 * @type {(entry: Uint8Array | null) => {how: string, leaf: Uint8Array}[]}
 */
function told(entry) {
  const found = entry && parseDigestEntry(entry);
  if (!entry || !(found || isBlinded(entry))) return [];
  return [{ how: found ? (found.name === null ? "digest" : "name") : "blinded", leaf: leafHash(entry) }];
}
