// node tests/web/session.mjs: runs each line of its input, a JSON string, as the body of an async function that has the
// names below and `print`; for each it writes one JSON string: what was printed, then the code of the error, if one was thrown.

import { createInterface } from "node:readline";
import { describe } from "../../web/page/entry.js";
import { parseSite } from "../../web/page/site.js";
import { utf8 } from "../../web/verifier/encoding.js";
import { Log, httpFetcher } from "../../web/verifier/log.js";
import { verifyNote } from "../../web/verifier/signed_text.js";
import { parseNote, parseVkey, policyFor } from "../../web/verifier/tlog.js";

// the pauses between two attempts, which end with a promise's own function, take a twentieth of their time
const timer = globalThis.setTimeout;
globalThis.setTimeout = (done, time, ...more) => timer(done, done.length && !more.length ? time / 20 : time, ...more);

const names = { Log, describe, httpFetcher, parseNote, parseSite, parseVkey, policyFor, utf8, verifyNote };
const AsyncFunction = (async () => {}).constructor;

for await (const line of createInterface({ input: process.stdin })) {
  const printed = [];
  const print = (text) => printed.push(String(text));
  try {
    await new AsyncFunction("print", ...Object.keys(names), JSON.parse(line))(print, ...Object.values(names));
  } catch (error) {
    print(error.code ?? error);
  }
  process.stdout.write(`${JSON.stringify(printed.join("\n"))}\n`);
}
