// Bundles of Sigstore that are dropped, the files that they are for, and the keys that the visitor names; loaded with the first
// of them. Each bundle waits for its file, as a proof does, and is judged anew when a key is named.

import { bundleCard, bundleError, namedCard, rootCard, waitingCard } from "./bundle_card.js";
import { errorCard } from "./error_card.js";
import { about, checking, context, put, whom } from "./results.js";
import { digestOf, fingerprint, parsePem } from "../verifier/artifact.js";
import { parseBundle } from "../verifier/bundle.js";
import { algorithmsOf, isAbout, verifyAbout, verifyLogged, verifySignature } from "../verifier/bundle_verdict.js";
import { decodeBase64, fail, hex } from "../verifier/encoding.js";

const MAX_FILE = 512 << 20; // bytes; WebCrypto takes what is signed in one piece
const SUFFIX = /\.sigstore(\.jsonl?)?(, .*)?$/; // of a bundle, after the name of what was signed

const named = []; // keys, {fingerprint: hex, from: where the visitor has it from}
const pending = []; // bundles that wait for their file
const judged = []; // {element, again}: cards that depend on the keys that are named

/** Let go of what waits, and of what was judged; the keys that were named stay. */
export const clear = () => [pending, judged].forEach((list) => list.splice(0));

const fails = (what, most) => fail("AccessError", `${what} of more than ${most >> 20} MiB cannot be checked here`, { part: "here" });

async function bytesOf({ blob }) {
  return blob.size > MAX_FILE ? fails("files", MAX_FILE) : new Uint8Array(await blob.arrayBuffer());
}

/** Whether what is signed is about a file, by its digests only. */
async function fits({ bundle }, one) {
  for (const algorithm of algorithmsOf(bundle)) {
    if (algorithm !== "SHA2_256" && one.blob.size > MAX_FILE) continue;
    const digest = algorithm === "SHA2_256" ? one.file.sha256 : hex(await digestOf(algorithm, await bytesOf(one)));
    if (isAbout(bundle, algorithm, digest)) return true;
  }
  return false;
}

const isNamedFor = ({ name }, { file }) => SUFFIX.test(name) && name.replace(SUFFIX, "") === file.name;

// ---- keys that the visitor names

/** Name a key by its fingerprint, and judge all bundles anew. Returns whether there are any. */
function nameKey(id, from) {
  if (!named.some((key) => key.fingerprint === id)) named.push({ fingerprint: id, from });
  return judgeAgain();
}

function judgeAgain() {
  const shown = judged.filter(({ element }) => element.isConnected);
  judged.splice(0, judged.length, ...shown);
  for (const one of shown) one.element = put(one.again(), one.element);
  return shown.length > 0;
}

const keys = {
  /** Take a key that was typed: PEM, or SHA-256 of it in hexadecimal or base64. Returns what is wrong with it. */
  name(text) {
    const id = typed(text.trim());
    if (!id) return "Expected a public key in PEM, or its SHA-256: 64 hexadecimal digits, or base64.";
    nameKey(id, "typed by you");
    return undefined;
  },
  forget() {
    named.splice(0);
    judgeAgain();
  },
};

function typed(text) {
  if (/^[0-9a-f]{64}$/i.test(text)) return text.toLowerCase();
  try {
    if (/^[A-Za-z0-9+/]{43}=$/.test(text)) return hex(decodeBase64(text, "key"));
    return hex(fingerprint(parsePem(text)));
  } catch {
    return undefined;
  }
}

// ---- bundles and files

async function verifyWith({ bundle, found }, data) {
  await verifyAbout(bundle, data);
  await verifySignature(bundle, found, data);
}

/** Put the card of a bundle with its file, or of one that is about none. */
async function judge(one, file) {
  await checking(`Checking ${file?.file.name ?? one.name}`, "proof", async () => {
    const trusted = await context.trusted;
    try {
      if (file) await verifyWith(one, await bytesOf(file));
      const whole = { ...one, file: file && { ...file.file }, compared: await context.compare(one.found.accepted.signed) };
      const again = () => about(bundleCard(whole, trusted, named, keys), file?.file.name ?? one.name);
      const element = again();
      judged.push({ element, again });
      return element;
    } catch (error) {
      if (!error.part) throw error;
      return bundleError(error, { ...one, file: file?.file }, trusted);
    }
  }, file?.file.name ?? one.name, file?.place);
  one.card?.remove();
}

/** Return a bundle as it is judged, {name, bundle, found}; puts the card of what is wrong with it, and returns null then. */
async function opened({ bundle: bytes, tooLarge, name }) {
  let bundle;
  try {
    if (tooLarge) fails("bundles", tooLarge);
    bundle = parseBundle(bytes);
    const { policy } = await context.trusted;
    return { name, bundle, found: await verifyLogged(bundle, policy) };
  } catch (error) {
    put(about(bundleError(error, { name, bundle }, await whom()), name));
    return null;
  }
}

/**
 * Take bundles, keys and trusted roots, and check the bundles that are about one of the files `others`, or of the `recent` ones;
 * a file that belongs to a bundle is marked as used. The other bundles wait.
 */
export async function take(signed, others, recent) {
  for (const { publicKey, root, name, blob } of signed) {
    const lookFor = context.offline ? undefined : () => context.lookFor(blob);
    if (root) put(about(rootCard(lookFor), name));
    if (publicKey) takeKey(publicKey, name, lookFor, signed.some(({ bundle }) => bundle));
  }
  for (const one of signed.filter(({ bundle }) => bundle)) {
    const ready = await opened(one);
    if (ready?.bundle.envelope && !ready.bundle.envelope.statement) await judge(ready);
    else if (ready) pending.push(ready);
  }
  for (const one of [...pending]) {
    const files = [];
    for (const file of others) if ((await fits(one, file)) || isNamedFor(one, file)) files.push(file);
    for (const file of files.length ? [] : recent) if (!files.length && (await fits(one, file))) files.push(file);
    const at = files.length ? pending.indexOf(one) : -1;
    if (at >= 0) pending.splice(at, 1); // before anything is waited for: more may be dropped meanwhile
    for (const file of files) {
      file.used = true; // several bundles may be about one file
      if (recent.includes(file)) document.querySelectorAll("[data-state=needs-proof]").forEach((made) => made.remove());
      await judge(one, file);
    }
  }
}

function takeKey(text, name, lookFor, comes) {
  try {
    const id = hex(fingerprint(parsePem(text)));
    if (!nameKey(id, name) && !comes) put(about(namedCard({ fingerprint: id, from: name }, lookFor), name));
  } catch (error) {
    put(about(errorCard(error, "proof"), name));
  }
}

/** Check files that no bundle is about with bundles that wait, for which they were meant; return the files that are left. */
export async function meantFor(files) {
  const left = [];
  for (const file of files) {
    const one = pending.shift();
    if (one) await judge(one, file);
    else left.push(file);
  }
  return left;
}

/** Say of each bundle that waits that it does. */
export async function waiting() {
  const trusted = await whom();
  for (const one of pending) if (!one.card?.isConnected) one.card = put(about(waitingCard(one, trusted), one.name));
}
