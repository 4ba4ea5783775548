// What a server answers that is not simply an object: redirects, encodings that the platform leaves as they are, something
// else in the place of the object. Loaded once there is such an answer. The rules are those of tiles/read/redirects.py,
// tiles/store/content_encoding.py and tiles/read/trouble.py.

import { TlogError } from "./encoding.js";
import { foundInstead } from "./html.js";

const MOST = 3; // redirects for one object
const INNER = /^[^.]*$|(\.localhost|\.local|\.internal|\.lan|\.home\.arpa)$/; // names that only a private network knows
const ADDRESS = /^[0-9.]+$|:/;
// of IPv4 the networks that are not public, of IPv6 those that are: 2000::/3 without 2001::/23, 2001:db8::/32, 3fff::/20 and 2002::/16
const IPV4 = /^(0|10|127|22[4-9]|2[345]\d|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])|169\.254|172\.(1[6-9]|2\d|3[01])|192\.168|198\.1[89]|192\.0\.[02]|198\.51\.100|203\.0\.113)\./;
const IPV6 = /^(?!200[12]::|2001:1?\w?\w:|2001:db8:|2002:|3fff::|3fff:\w{1,3}:)[23]\w{3}:/;
const IPV4_IN_IPV6 = /^(?:::ffff|64:ff9b:):(\w+):(\w+)$/;

/** Tell whether a host, as `URL` has it, is an address or a name of a private network. */
export function isPrivate(host) {
  const name = host.replace(/^\[|\]$|\.$/g, "");
  if (!ADDRESS.test(name)) return INNER.test(name);
  const [, high, low] = IPV4_IN_IPV6.exec(name) ?? [];
  if (!high) return name.includes(":") ? !IPV6.test(name) : IPV4.test(name);
  return IPV4.test([high, low].flatMap((two) => [parseInt(two, 16) >> 8, parseInt(two, 16) & 255]).join("."));
}

/** Return where a redirect leads, a URL; inside: it comes from a private network. lost: throws the error for a problem. */
export function target(at, location, inside, lost) {
  let to;
  try {
    to = new URL(location || "no:where", at);
  } catch {}
  if (!/^https?:$/.test(to?.protocol)) lost(`redirected to what is not a ${new URL(at).protocol}// URL`);
  to.username = to.password = to.hash = "";
  if (to.origin === new URL(at).origin) return to;
  if (to.protocol !== "https:") lost("redirected to another server, and not by https");
  return inside || !isPrivate(to.hostname) ? to : lost(INTO);
}

const INTO = "redirected into a private network, which is not followed";

/** Tell whether a host is in a private network, also by what its name stands for; where no name can be looked up, by its name. */
async function isInside(host) {
  const found = ADDRESS.test(host) ? [] : await import("node:dns/promises").then((dns) => dns.default.lookup(host, { all: true })).catch(() => []);
  return [host, ...found.map(({ address }) => address.split("%")[0])].some(isPrivate);
}

async function followed(at, answer, how, lost) {
  if (answer.type === "opaqueredirect") { // a browser shows nobody the way, and has rules of its own for it
    const last = await fetch(at, { ...how, redirect: "follow" });
    target(at, last.url, true, lost);
    return last;
  }
  for (let left = MOST; [301, 302, 303, 307, 308].includes(answer.status); left--) {
    if (!left) lost(`redirected more than ${MOST} times`);
    const inside = await isInside(new URL(at).hostname), to = target(at, answer.headers.get("Location"), inside, lost);
    if (!inside && (await isInside(to.hostname))) lost(INTO);
    answer = await fetch((at = to.href), how);
  }
  return answer;
}

/**
 * Return {status, headers, body} of the object that an answer leads to. how: the options of `fetch`, "manual" for redirects,
 * and for a part of an object `judge`, see ranges.js.
 */
export async function plain(at, answer, how, lost) {
  const { status, headers, body } = await followed(at, answer, how, lost), encoding = headers.get("Content-Encoding");
  if (how.judge?.(status, headers, lost)) return { status: 200, headers, body };
  return { status, headers, body: status === 200 && encoding ? undone(body, encoding, lost) : body };
}

/** Return a body without the encodings of its Content-Encoding. The platform has undone them if it understands all. */
function undone(body, encoding, lost) {
  const names = encoding.toLowerCase().split(",").map((name) => name.trim());
  if (names.every((name) => /^((x-)?gzip|br|deflate|zstd)$/.test(name))) return body;
  const odd = names.find((name) => !/^((x-)?gzip|identity|aws-chunked|)$/.test(name));
  if (odd !== undefined) lost(`sent in the encoding '${odd.slice(0, 40)}', which is not read here`);
  return names.filter((name) => name.endsWith("gzip")).reduce((left) => left.pipeThrough(new DecompressionStream("gzip")), body);
}

/**
 * Return the error to throw for what a log sent and will not do, with its address; url: of the log. What is plainly no object
 * of a log was sent by something on the way, and says nothing about the log: an AccessError that has `instead`, [path, what].
 */
export function judged(error, url = "") {
  if (error.code === "NotFound") return error; // which has it
  const { evidence = {} } = error, { 0: only, length } = Object.entries(evidence);
  const [path, bytes] = length && !evidence.note ? only : ["checkpoint"]; // signatures are those of a checkpoint
  const what = length === 1 && bytes ? foundInstead(bytes) : "";
  if (what) return new TlogError("AccessError", `${url}${path} is ${what}`, { evidence, instead: [path, what] });
  error.message = error.message.startsWith(path) ? url + error.message : `${url}${path}: ${error.message}`;
  return error;
}

/** Return how many milliseconds a server asks to wait; NaN where it says nothing. A date counts from the answer's own. */
export function retryAfter(headers) {
  const [after, date] = ["Retry-After", "Date"].map((name) => headers.get(name) ?? "");
  return /^[0-9]+$/.test(after) ? after * 1000 : / GMT$/.test(after) ? Date.parse(after) - Date.parse(date) : NaN;
}
