// One entry in a list: what it is in a line, all of it when it is opened. Entries are hostile: see described.js.

import { code, count, h, visible } from "./dom.js";
import { described } from "./described.js";
import { button, table } from "./parts.js";

/** Return the row of an entry; said: what is known of it; ask: shows the card of an index, null where nobody can. */
export function entryRow(index, entry, said, ask) {
  const { kind, rows, text } = described(entry);
  return h(
    "details",
    { class: "card", "data-entry": String(index) },
    h("summary", {}, h("strong", {}, count(index)), ` ${visible(kind)}: `, code((rows[0]?.[1] ?? text).slice(0, 64))),
    table(rows),
    h("pre", { tabindex: "0" }, visible(text.slice(0, 2000))),
    h("p", { class: "small" }, `${count(entry.length)} bytes, ${said}. Whoever logged it wrote it.`),
    ask && h("p", {}, button("Prove it", () => ask(String(index)))),
  );
}
