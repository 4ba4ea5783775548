// Reading a part of an object, where that is less than reading all of it (tiles/store/ranges.py). Not every server can do that,
// and none has to: what comes may be the whole object. Nothing that is returned is believed.

import { fail } from "./encoding.js";

const wholeOnly = new WeakSet(); // what reads from servers on the way to which no part can be read

export const WORTH_A_RANGE = 65_536; // bytes: a shorter object is fetched whole

/** Return the options of `fetch` for an object that never changes. */
const lasting = (past) => (past ? {} : { cache: "default" });

/** Return an object of `size` bytes that never changes, whole. fetchObject, past: see `httpFetcher` in log.js. */
export async function fetchWhole(fetchObject, path, size, past = 0) {
  const bytes = await fetchObject(path, size, past, lasting(past));
  return bytes.length === size ? bytes : wrongLength(path, bytes, size);
}

const wrongLength = (path, bytes, size) =>
  fail("TileError", `${path}: ${bytes.length} bytes instead of ${size}`, { path, evidence: { [path]: bytes } });

/**
 * Return {first, bytes} of an object of `size` bytes that never changes: its bytes [start, stop), or all of it. 0 ≤ start <
 * stop ≤ size. A server that cannot read parts is asked for the whole.
 */
export async function fetchRange(fetchObject, path, start, stop, size, past = 0) {
  const whole = async () => ({ first: 0, bytes: await fetchWhole(fetchObject, path, size, past) });
  if (size <= WORTH_A_RANGE || wholeOnly.has(fetchObject)) return whole();
  let isPart = false;
  /** Say whether an answer is the part; throw if no part can be read. Called before anything of its body is read. */
  const judge = (status, headers, lost) => {
    const none = (problem) => lost(problem, { noRange: true });
    isPart = status === 206;
    if (status === 416) none("the server answers 416, though the object should be that long");
    if (!isPart) return false;
    // a range of encoded bytes is no range of the object
    const encoding = headers.get("Content-Encoding") ?? "identity", where = headers.get("Content-Range");
    if (!/^(identity|aws-chunked|)$/i.test(encoding)) none(`a part of it is sent in the encoding '${encoding.slice(0, 40)}'`);
    // from another origin a browser shows no Content-Range: then the length has to do, and what the bytes lead to
    if (where !== null && ![size, "*"].some((all) => where === `bytes ${start}-${stop - 1}/${all}`)) none("another part is sent than was asked for");
    return true;
  };
  try {
    const bytes = await fetchObject(path, size, past, { ...lasting(past), headers: { Range: `bytes=${start}-${stop - 1}` }, judge });
    if (!isPart) return { first: 0, bytes: bytes.length === size ? bytes : wrongLength(path, bytes, size) };
    return bytes.length === stop - start ? { first: start, bytes } : await whole();
  } catch (error) {
    // Chromium drops the connection where encoded bytes come for a part, and does not say so
    if (!error.noRange && !("busy" in error)) throw error;
    const all = await whole();
    wholeOnly.add(fetchObject);
    return all;
  }
}
