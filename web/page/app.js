// The page: which key is trusted and why, what the log shows now, and which module does what is asked.

import { $, card, takeFiles } from "./dom.js";
import { headCard } from "./tree_head.js";
import { equal, fail, utf8 } from "../verifier/encoding.js";
import { Log, afresh, httpFetcher, parsed } from "../verifier/log.js";
import { sha256 } from "../verifier/sha256.js";
import { MAX_NOTE, parsePolicy, parseVkey, policyFor } from "../verifier/tlog.js";

const here = new URL(".", document.baseURI).href;

/** What this browser remembers; where it has no storage, until the page is closed. */
const memory = {
  kept: new Map(),
  load(id) {
    try {
      return localStorage.getItem(`tlog:${id}`) ?? this.kept.get(id) ?? null;
    } catch {
      return this.kept.get(id) ?? null;
    }
  },
  save(id, value) {
    this.kept.set(id, value);
    try {
      localStorage.setItem(`tlog:${id}`, value);
    } catch {}
  },
  drop(id) {
    this.kept.delete(id);
    try {
      localStorage.removeItem(`tlog:${id}`);
    } catch {}
  },
};

/** Return what the link asks for: #vkey=…&i=…&name=…; it is never sent to a server. */
const fragment = () => Object.fromEntries(new URLSearchParams(location.hash.slice(1).replaceAll("+", "%2B")));

// ---- whom to trust: what was remembered, then this site; a link only chooses among these

const fetchObject = httpFetcher(here), place = { fetchObject, memory, here, keyOf };
import("./site.js").then(({ site }) => site(fetchObject)).catch(() => {});

async function sitePolicy() {
  try {
    return await afresh(async (past) => parsed("policy.txt", await fetchObject("policy.txt", MAX_NOTE, past), parsePolicy), fetchObject);
  } catch (error) {
    if (error.code === "NotFound") return null;
    throw error;
  }
}

function keyOf(vkey) {
  try {
    return parseVkey(vkey);
  } catch (error) {
    return fail("UsageError", `the key in the link, or what was remembered, is none: ${error.message}`);
  }
}

/** Return {policy, how, keys, unknown, witnesses}; keys: to remember; accepted: the one key of a link that the user takes. */
async function trust(accepted) {
  const site = await sitePolicy();
  const { vkey, layout, origin } = fragment();
  const named = site?.logs.map(({ key }) => key.vkey) ?? [];
  const remembered = memory.load(`keys ${here}`)?.split("\n");
  if (layout || origin || remembered?.[0].includes(" ")) return (await import("./other_log.js")).trustOther(place, site, remembered, fragment(), accepted);
  if (remembered && named.length && ![vkey, ...named].some((key) => remembered.includes(key)))
    fail("PolicyError", "another key", { changed: [remembered, named] });
  const known = remembered ?? named;
  const unknown = vkey && ![...known, ...named].includes(vkey);
  if (unknown && keyOf(vkey) && vkey !== accepted)
    fail("UsageError", "only the link names this key", { unknownKey: vkey, known });
  const used = vkey ? [vkey] : known;
  if (!used.length) fail("UsageError", "no key is known for this log, and it has no policy.txt", { noKey: true });
  const how = unknown
    ? "from a link, accepted by you"
    : vkey
      ? `chosen by this page's address${known.includes(vkey) ? "" : ", though another one is remembered"}`
      : remembered
        ? "remembered from an earlier visit"
        : "from this site, first visit on this browser";
  const logs = site?.logs.filter(({ key }) => used.includes(key.vkey)) ?? [];
  // this site chooses witnesses and quorum, for the keys that it names
  const policy = logs.length ? { ...site, logs } : policyFor(keyOf(used[0]));
  // a link decides nothing for later visits, unless there is no other key
  const keys = !unknown ? known : known.length ? [] : used;
  return { policy, how, keys, unknown, witnesses: logs.length > 0 && site.witnesses.length > 0 };
}

async function open(trusting) {
  if (!globalThis.crypto?.subtle) fail("AccessError", "no cryptography", { insecure: true });
  const bytes = crypto.getRandomValues(new Uint8Array(10_007));
  const theirs = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  if (!equal(sha256(bytes), theirs)) fail("UsageError", "this browser computes SHA-256 in two ways that differ: stop");
  const trusted = await trusting;
  const { policy, keys } = trusted;
  const log = new Log(trusted.fetchObject ?? fetchObject, policy, { memory: keys.length && memory });
  await log.visit();
  if (keys.length) {
    if (!memory.load(`keys ${here}`)) memory.save(`keys ${here}`, keys.join("\n"));
    memory.save(`seen ${here}`, String(Date.now()));
    trusted.unknown = false; // it is known now, and has signed the log
  }
  return Object.assign(trusted, { log, place });
}

// ---- what is asked

let trusted, opened;

/** Say that a module did not load, or that this page made a mistake. */
function broken(error) {
  $("#results").prepend(card({ state: "page", look: "bad", mark: "✗", headline: "This page did not work", body: ["This says nothing about your file."], next: ["Load it again. If it is so again, tell whoever runs the log."], error }));
}

const show = (name, ...what) =>
  Promise.all([import("./check.js"), import("./results.js")])
    .then(([check, { context }]) => {
      Object.assign(context, { trusted, opened, place });
      return check[name](...what);
    })
    .catch(broken);
const ask = (text) => show("ask", text);

function start(accepted) {
  const seen = Number(memory.load(`seen ${here}`)); // milliseconds, of the visit before this one
  trusted = trust(accepted);
  const opening = (opened = open(trusted));
  trusted.catch(() => {});
  const last = (done) => (what) => opening === opened && done(what);
  const again = (key) => {
    start(key);
    if (key) follow();
  };
  opening
    .then((found) => headCard(found, seen))
    .then(
      last((card) => $("#head").replaceChildren(card)),
      last((error) => show("noHead", error, again)),
    );
}

let pinned;
function follow() {
  const { vkey, layout, origin, ...asked } = fragment(), pins = `${vkey} ${layout} ${origin}`;
  if (pins !== pinned) {
    pinned = pins;
    start();
  }
  if (Object.keys(asked).length) show("follow", asked);
}

takeFiles((files) => show("files", files));
$("#ask").addEventListener("submit", (event) => {
  event.preventDefault();
  if ($("#text").value.trim()) ask($("#text").value.trim());
});
document.addEventListener("paste", (event) => {
  const text = event.clipboardData.getData("text");
  if (event.clipboardData.files.length) show("files", [...event.clipboardData.files]);
  else if (text.includes("\n")) show("files", [new File([utf8(text)], "what was pasted")]);
  else return;
  event.preventDefault();
});
$("#samples").addEventListener("click", ({ target }) => target.dataset.sample && show("sample", target.dataset.sample));
for (const name of ["browse", "keys", "self"]) {
  $(`#${name}`).addEventListener("toggle", ({ target }) => {
    if (target.open)
      import("./browse.js")
        .then((browse) => browse[name](target.lastElementChild, { opened, trusted, ask, place }))
        .catch(broken);
  });
}
addEventListener("hashchange", follow);
follow();
