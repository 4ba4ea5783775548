// Made by TypeScript 5.9 from index.js: tests/web/test_npm_package.py says how, and that it is current.
export function verifyFile(file: ReadableStream<Uint8Array>, proof: Uint8Array, policy: Policy, name?: string): Promise<Accepted & {
    index: bigint;
    how: string;
}>;
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
export const TlogError: new (code: string, message: string) => Error & {
    code: string;
};
/** The key of a vkey text. @type {(vkey: string) => Key} */
export const parseVkey: (vkey: string) => Key;
/** The policy in a file (https://c2sp.org/tlog-policy). @type {(bytes: Uint8Array) => Policy} */
export const parsePolicy: (bytes: Uint8Array) => Policy;
/** The policy that accepts what one key of a log signs. @type {(key: Key, origin?: string) => Policy} */
export const policyFor: (key: Key, origin?: string) => Policy;
/** What a proof file says (https://c2sp.org/tlog-proof). @type {(bytes: Uint8Array) => Proof} */
export const parseProof: (bytes: Uint8Array) => Proof;
/** The bytes of a proof file. @type {(proof: Omit<Proof, "extra"> & {extra?: Uint8Array | number[]}) => Uint8Array} */
export const formatProof: (proof: Omit<Proof, "extra"> & {
    extra?: Uint8Array | number[];
}) => Uint8Array;
/** Verify that a leaf hash is in the tree that a proof is of, by a policy. @type {(proof: Proof, leaf: Uint8Array, policy: Policy) => Promise<Accepted>} */
export const verifyProof: (proof: Proof, leaf: Uint8Array, policy: Policy) => Promise<Accepted>;
/** The leaf hash of an entry. @type {(entry: Uint8Array) => Uint8Array} */
export const leafHash: (entry: Uint8Array) => Uint8Array;
/** The digest entry of a file; null if no entry can hold its name. @type {(sha256: string, size: number | string, name?: string | null) => Uint8Array | null} */
export const digestEntry: (sha256: string, size: number | string, name?: string | null) => Uint8Array | null;
/** Read a file once, in constant memory. @type {(stream: ReadableStream<Uint8Array>, progress?: (bytes: number) => void, name?: string) => Promise<Read>} */
export const readFile: (stream: ReadableStream<Uint8Array>, progress?: (bytes: number) => void, name?: string) => Promise<Read>;
/** What reads the objects of a log over HTTP. @type {(url: string, times?: {timeout?: number, whole?: number}) => Fetcher} */
export const httpFetcher: (url: string, times?: {
    timeout?: number;
    whole?: number;
}) => Fetcher;
/** What reads a log. @type {new (fetcher: Fetcher, policy: Policy, options?: {memory?: Memory, origin?: string}) => LogReader} */
export const Log: new (fetcher: Fetcher, policy: Policy, options?: {
    memory?: Memory;
    origin?: string;
}) => LogReader;
/**
 * a verifier key
 */
export type Key = {
    name: string;
    type: number;
    public: Uint8Array;
    id: string;
    vkey: string;
};
/**
 * whom to trust
 */
export type Policy = {
    logs: {
        key: Key;
        origin: string;
        url: string;
    }[];
    witnesses: {
        name: string;
        key: Key;
        url: string;
    }[];
    quorum: string | null;
    data: Uint8Array;
};
/**
 * a tree head
 */
export type Tree = {
    size: bigint;
    root: Uint8Array;
};
/**
 * a claim, until a policy accepts it
 */
export type Checkpoint = {
    origin: string;
    tree: Tree;
    extensions: string[];
    data: Uint8Array;
};
/**
 * a proof file, which is a claim until it verifies
 */
export type Proof = {
    index: bigint;
    hashes: Uint8Array[];
    checkpoint: Checkpoint;
    extra: Uint8Array | number[];
};
/**
 * a checkpoint, and who has signed it; unsupported: keys whose signatures this platform cannot check; time: seconds since 1970
 */
export type Accepted = {
    signed: Checkpoint;
    log: Key;
    cosignatures: {
        name: string;
        key: Key;
        timestamp: bigint;
    }[];
    unsupported: Key[];
    time?: bigint;
};
/**
 * an entry as which a file may have been logged
 */
export type Candidate = {
    how: "digest" | "name" | "raw";
    entry: Uint8Array;
    leaf: Uint8Array;
};
/**
 * a file that was read once
 */
export type Read = {
    sha256: string;
    size: number;
    candidates: Candidate[];
};
/**
 * reads objects of a log
 */
export type Fetcher = ((path: string, limit: number, past?: number, part?: object) => Promise<Uint8Array>) & {
    url: string;
};
/**
 * keeps the last checkpoint of each log
 */
export type Memory = {
    load(id: string): string | null;
    save(id: string, text: string): void;
};
/**
 * Reads one log, all of it from the checkpoint of the last visit.
 */
export type LogReader = {
    /**
     * fetch and accept the checkpoint, compare it with what was seen before, remember it
     */
    visit: () => Promise<Accepted>;
    /**
     * return an entry, which is proven to be in the tree
     */
    entry: (index: number | bigint) => Promise<Uint8Array>;
    /**
     * yield the entries from `start` on, below `stop`
     */
    entries: (start: number | bigint, stop: number | bigint) => AsyncGenerator<[bigint, Uint8Array]>;
    /**
     * return the proof of an entry; `formatProof` makes a file of it
     */
    prove: (index: number | bigint) => Promise<Proof & {
        leaf: Uint8Array;
    }>;
};
