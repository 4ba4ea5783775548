// The log's entries as a list, the newest first: from an index or a day on, of one kind or all, each with the day it was there by.

import { count, h, visible } from "./dom.js";
import { Days } from "./days.js";
import { dayPlot } from "./day_plot.js";
import { described } from "./described.js";
import { entryRow } from "./entry_row.js";
import { errorCard } from "./error_card.js";
import { button } from "./parts.js";

const PAGE = 20n; // entries
const BUNDLE = 256n; // entries that are read at a time
const FAR = 2048n; // entries that are looked through for those of a kind, before it is asked whether to go on
const MOST = 400; // days that are asked for
const KINDS = 40; // that can be chosen

const least = (one, other) => (one < other ? one : other);
const most = (one, other) => (one > other ? one : other);

/** The list of an opened log; ask: shows the card of an index. */
export class EntryList {
  #kinds = new Map(); // kind → how many of them were seen
  #above = []; // where the pages above this one began
  #turn = 0; // counts what was asked for: an answer that comes late is not shown
  kind = "";

  constructor(opened, ask) {
    Object.assign(this, { ask, log: opened.log, said: opened.unknown ? "of an unknown key's log" : "verified" });
    this.size = opened.log.accepted.signed.tree.size;
    this.days = new Days(opened.log, MOST);
    this.list = h("div");
    this.status = h("p", { role: "status", class: "small" });
  }

  /** Show it in a place. */
  async into(place) {
    if (this.size === 0n) return place.replaceChildren(h("p", {}, "The log has no entries yet. They are listed here once something is published."));
    const plot = h("div");
    place.replaceChildren(plot, this.#form(), this.status, this.list);
    const drawn = dayPlot(this.days, this.size).then((made) => plot.append(...made), () => {});
    await Promise.all([this.#show(this.size), drawn]);
    return undefined;
  }

  #form() {
    const where = h("input", { type: "text", id: "where", autocomplete: "off", spellcheck: "false", placeholder: "2026-11-03" });
    const submit = (event) => {
      event.preventDefault();
      this.#go(where.value.trim()).catch((error) => this.list.replaceChildren(errorCard(error, "log")));
    };
    const change = () => {
      [this.kind, this.#above] = [this.select.value, []];
      this.#show(this.size);
    };
    this.select = h("select", { id: "kind", change });
    this.#offer();
    return h(
      "form",
      { submit },
      h("div", { class: "row" }, h("label", { for: "where" }, "Go to the number of an entry, or to a day"), where, h("button", {}, "Go")),
      h("div", { class: "row" }, h("label", { for: "kind" }, "Kind"), this.select),
    );
  }

  /** Offer the kinds that were seen, each as often as it was. */
  #offer() {
    const seen = [...this.#kinds].sort((one, other) => other[1] - one[1]).slice(0, KINDS);
    const options = seen.map(([kind, number]) => h("option", { value: kind, selected: kind === this.kind ? "" : undefined }, `${visible(kind)} (${count(number)} seen)`));
    this.select.replaceChildren(h("option", { value: "" }, "All kinds"), ...options);
    this.select.value = this.kind;
  }

  /** Go to what was typed: an index, or a day, by its first checkpoint. */
  async #go(text) {
    this.#above = [];
    if (/^[0-9]{1,19}$/.test(text) && BigInt(text) < this.size) return this.#show(BigInt(text) + 1n);
    if (!/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(text) || Number.isNaN(Date.parse(text))) {
      this.status.replaceChildren(`Expected the number of an entry, below ${count(this.size)}, or a day such as 2026-11-03.`);
      return undefined;
    }
    const found = await this.days.before(text);
    if (!found) {
      this.status.replaceChildren(`Of ${text}, and of the month before it, nothing is kept here that says how many entries there were.`);
      return undefined;
    }
    return this.#show(least(found.size, this.size), `By the first checkpoint of ${found.day} the log had ${count(found.size)} entries. `);
  }

  /** Show the entries before an index; note: what is said before which they are. */
  async #show(stop, note = "") {
    const turn = ++this.#turn;
    this.status.replaceChildren("Reading …");
    try {
      const { entries, start } = await this.#before(stop);
      if (turn !== this.#turn) return;
      const rows = entries.map(([index, entry]) => entryRow(index, entry, this.said, this.ask));
      const what = this.kind ? `Of the kind “${visible(this.kind)}” among entries` : "Entries";
      this.status.replaceChildren(`${note}${stop > start ? `${what} ${count(start)} to ${count(stop - 1n)} of ${count(this.size)}, counted from 0.` : ""}`);
      this.list.replaceChildren(...rows, rows.length ? "" : h("p", {}, "None of these is of that kind: “Older” looks through those before them."), this.#buttons(start, stop));
      this.#offer();
      await this.#showDays(entries, rows, turn);
    } catch (error) {
      this.status.replaceChildren();
      this.list.replaceChildren(errorCard(error, "log"));
    }
  }

  /** Return {entries, start}: a page of [index, entry] before an index, newest first, and how far was looked. */
  async #before(stop) {
    if (!this.kind && this.#kinds.size) return this.#read(most(stop - PAGE, 0n), stop);
    const found = [], end = most(stop - FAR, 0n);
    let start = stop;
    while (start > end && found.length < PAGE) {
      const from = most(((start - 1n) / BUNDLE) * BUNDLE, end), { entries } = await this.#read(from, start);
      for (const { 1: entry } of entries) this.#count(entry);
      const fit = entries.filter(([, entry]) => !this.kind || described(entry).kind === this.kind);
      found.push(...fit.slice(0, Number(PAGE) - found.length));
      start = found.length === Number(PAGE) ? found.at(-1)[0] : from;
    }
    return { entries: found, start };
  }

  #counted = new WeakSet();
  #count(entry) {
    if (this.#counted.has(entry)) return;
    this.#counted.add(entry);
    const { kind } = described(entry);
    this.#kinds.set(kind, (this.#kinds.get(kind) ?? 0) + 1);
  }

  async #read(start, stop) {
    const entries = [];
    for await (const one of this.log.entries(start, stop)) entries.unshift(one);
    return { entries, start };
  }

  #buttons(start, stop) {
    const newer = () => this.#show(this.#above.pop() ?? (this.kind ? this.size : least(stop + PAGE, this.size)));
    const older = () => {
      this.#above.push(stop);
      this.#show(start);
    };
    return h("p", { class: "row" }, button("Newer", newer, stop === this.size), button("Older", older, start === 0n));
  }

  /** Add to each row the day by which its entry was there. */
  async #showDays(entries, rows, turn) {
    for (const [at, [index]] of entries.entries()) {
      const found = await this.days.by(index);
      if (turn !== this.#turn) return;
      rows[at].querySelector(".by").replaceChildren(`by ${found?.day ?? "now"}`);
    }
  }
}
