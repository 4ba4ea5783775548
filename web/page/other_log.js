// Logs that somebody else writes and lays out otherwise, and logs whose origin is not their key's name: named in a link, or typed
// under "Whom this page trusts". A link vouches for nothing, as with any other key: `trust` in app.js has the same rules.

import { naming } from "./error_card.js";
import { fail } from "../verifier/encoding.js";
import { inItsNames, lookedUp, lookupPath, policyAs, readAs } from "../verifier/layouts.js";

const MODULE = /^[!-~]+@v[0-9][!-~]*$/; // a checksum database is asked for it

/** Return a line of what is remembered, read: {vkey, layout, origin}; what `lineOf` made of them. */
function read(line) {
  const [vkey, layout, ...origin] = line.split(" ");
  return { vkey, layout, origin: origin.join(" ") || undefined };
}
const lineOf = ({ vkey, layout, origin }) => [vkey, layout, ...(origin ? [origin] : [])].join(" ");

/**
 * Return what `trust` in app.js does, and `fetchObject`, which reads the log with its layout; lookup: (text) → index, of a log that
 * can be asked. site: its policy, null if it has none; remembered: lines or undefined; asked: {vkey, layout, origin} of a link.
 */
export function trustOther({ fetchObject, keyOf }, site, remembered, asked, accepted) {
  const named = site?.logs.map(({ key }) => key.vkey) ?? [], isAsked = asked.layout || asked.vkey || asked.origin;
  const one = isAsked ? { ...read(remembered?.[0] ?? named[0] ?? ""), ...asked } : read(remembered[0]);
  if (asked.vkey && !asked.origin) one.origin = undefined; // of another key
  one.layout ??= "tlog-tiles";
  if (!one.vkey) fail("UsageError", "no key is known for this log, and it has no policy.txt", { noKey: true });
  const key = keyOf(one.vkey), line = lineOf(one);
  const known = remembered ?? named, isKnown = remembered?.includes(line) || (named.includes(one.vkey) && !one.origin);
  const unknown = !isKnown;
  if (unknown && one.vkey !== accepted) fail("UsageError", "only the link names this key", { unknownKey: one.vkey, known, readAs: one });
  const policy = named.includes(one.vkey) && !one.origin
    ? { ...site, logs: site.logs.filter((log) => log.key.vkey === one.vkey) }
    : policyAs(key, one.origin);
  const reads = readAs(one.layout, fetchObject);
  naming.of = (error) => inItsNames(error, reads);
  const how = `${unknown ? "from a link, accepted by you" : remembered ? "remembered from an earlier visit" : "from this site, first visit on this browser"}, read as ${one.layout}`;
  const lookup = one.layout === "sumdb" && ((log, text) => (MODULE.test(text) && lookupPath(text) ? lookedUp(log, text) : null));
  return {
    policy,
    how,
    // a link decides nothing for later visits, unless there is no other key
    keys: isKnown && remembered ? remembered : known.length && unknown ? [] : [line],
    unknown,
    witnesses: policy.witnesses.length > 0,
    fetchObject: reads,
    lookup,
  };
}
