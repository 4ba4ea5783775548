// One entry in a list: what it is in a line, all of it when it is opened. Entries are hostile: see described.js.

import { code, count, h, visible } from "./dom.js";
import { described } from "./described.js";
import { button, table } from "./parts.js";

const LONG = 64, END = 20; // characters of a line, and of its end where the middle is left out
const READ = 1000; // characters of which these are taken
const DIGEST = /^(SHA-256|SHA-512|Digest|Root hash)/, WHO = /^(Name|Identity|Host|Checkpoint of|Revokes)/;
const brief = (text) => (text.length > 24 ? `${text.slice(0, 10)}…${text.slice(-6)}` : text);

/** Return a name without its middle: version and suffix stand at the end. A character is what is seen as one. */
function shortened(text) {
  const seen = Array.from(new Intl.Segmenter().segment(text.slice(0, READ)), ({ segment }) => segment);
  return seen.length > LONG ? [...seen.slice(0, LONG - END), "…", ...seen.slice(-END)].join("") : text;
}

/** Return what a line of an entry says: its name or whom it is of, and its digest if it has one. */
function line({ rows, text }) {
  const digest = rows.find(([label]) => DIGEST.test(label))?.[1] ?? "";
  const who = rows.find(([label, value]) => WHO.test(label) && value !== "none" && value !== digest)?.[1] ?? "";
  return { digest, who: who || digest ? who : rows[0]?.[1] ?? text };
}

/** Return a button that copies a digest. */
function copy(digest, index) {
  const made = button("Copy", async () => {
    const done = await navigator.clipboard.writeText(digest).then(() => true, () => false);
    made.textContent = done ? "Copied" : "Not copied";
    setTimeout(() => (made.textContent = "Copy"), 2000);
  });
  made.setAttribute("aria-label", `Copy the digest of entry ${count(index)}`);
  return made;
}

/** Return the row of an entry; said: what is known of it; ask: shows the card of an index, null where nobody can. */
export function entryRow(index, entry, said, ask) {
  const what = described(entry), { digest, who } = line(what);
  const about = [h("span", { class: "kind" }, visible(what.kind)), " ", digest && code(brief(digest)), " ", h("span", { class: "by" })];
  const opened = h(
    "details",
    {},
    h("summary", {}, h("span", { class: "line" }, h("strong", {}, count(index)), " ", who && code(shortened(who)), " ", h("span", { class: "small about" }, about))),
    table(what.rows),
    h("pre", { tabindex: "0" }, visible(what.text.slice(0, 2000))),
    h("p", { class: "small" }, `${count(entry.length)} bytes, ${said}. Whoever logged it wrote it.`),
    ask && h("p", {}, button("Prove it", () => ask(String(index)))),
  );
  return h("div", { class: "entry", "data-entry": String(index) }, opened, digest && copy(digest, index));
}
