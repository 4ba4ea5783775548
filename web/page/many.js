// Many files at once: a table with a verdict a row, which opens to its card; the counts above it follow as verdicts come.

import { card, code, count, h } from "./dom.js";
import { put } from "./results.js";

/** Put a table for files, and let the card of each come into its row: see `put`. */
export function tabulate(files) {
  const rows = files.map(row);
  const table = h(
    "table",
    {},
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "File"), h("th", { scope: "col" }, "Verdict"))),
    h("tbody", {}, rows.map(({ element }) => element)),
  );
  const whole = put(card({ ...summary(rows), next: ["Open a row to see what was found of that file, and what to do with it."], more: table }));
  const follow = () => {
    const said = card(summary(rows));
    Object.assign(whole.dataset, said.dataset);
    whole.firstChild.replaceWith(said.firstChild);
  };
  for (const [at, one] of rows.entries()) {
    files[at].place = one.place;
    new MutationObserver(() => told(one) && follow()).observe(one.place, { childList: true });
  }
}

function row({ file }) {
  const verdict = h("summary", {}, "… waits"), place = h("div"), cell = h("td", {}, h("details", {}, verdict, place));
  return { place, verdict, cell, element: h("tr", {}, h("th", { scope: "row" }, code(file.name)), cell), state: "working" };
}

/** Let a row say what its card says; returns false while there is none. */
function told(one) {
  const made = one.place.firstElementChild;
  if (!made) return false; // it is being looked for once more
  const { state, look } = made.dataset;
  Object.assign(one, { state, look });
  one.cell.dataset.look = look;
  one.element.dataset.verdict = state;
  one.verdict.replaceChildren(made.querySelector("h2").textContent);
  return true;
}

/** Return what the card says of all rows. */
function summary(rows) {
  const has = (test) => rows.filter(test).length, all = rows.length, open = has(({ state }) => state === "working");
  const good = has(({ look }) => look === "good"), absent = has(({ state }) => state === "absent"), other = all - open - good - absent;
  if (open) return { state: "many", mark: "…", headline: `${count(all - open)} of ${count(all)} files checked` };
  const parts = [good && `${count(good)} in the log`, absent && `${count(absent)} not in the log`, other && `${count(other)} to look at`].filter(Boolean);
  const [look, mark] = good === all ? ["good", "✓"] : absent ? ["bad", "✗"] : ["none", "–"];
  return { state: "many", look, mark, headline: `${count(all)} files: ${parts.join(", ")}` };
}
