// How many entries came, day by day, as the checkpoints of days tell it that a log keeps.

import { count, h } from "./dom.js";
import { s } from "./parts.js";

const WINDOW = 28; // days
const BEGINS = 7; // days without a checkpoint before the first one: the log had none then
const STEP = 18, HIGH = 64; // pixels of the drawing

const DAY = 86_400_000; // milliseconds
const number = (day) => Math.round(Date.parse(day) / DAY);
const named = (number) => new Date(number * DAY).toISOString().slice(0, 10);

/**
 * Return {day, added} of the days that have a checkpoint: how many entries it has that the one before it has not. What a log
 * had before the first of them is known only where nothing was kept for a while before that. sizes: see `Days.sizes`
 */
export function added(sizes, today) {
  const begins = sizes.length > 0 && number(sizes[0].day) - (today - WINDOW + 1) >= BEGINS;
  return sizes.flatMap(({ day, size }, at) => {
    const before = at ? sizes[at - 1].size : begins ? 0n : null;
    return before === null || size < before ? [] : [{ day, added: size - before }];
  });
}

/** Return a plot, and the words for it; [] where nothing is known of any day. */
export async function dayPlot(days, size) {
  const sizes = await days.sizes(WINDOW), bars = added(sizes, days.today);
  if (!bars.length) return [];
  const most = bars.reduce((high, { added: one }) => (one > high ? one : high), 1n), first = days.today - WINDOW + 1;
  const drawn = bars.map(({ day, added: one }) => {
    const height = one ? Math.max(2, (Number(one) / Number(most)) * HIGH) : 0;
    return s("rect", { class: "bar", x: (number(day) - first) * STEP + 2, y: HIGH - height, width: STEP - 4, height, rx: 2 }, s("title", {}, `${day}: ${count(one)}`));
  });
  const all = bars.reduce((sum, { added: one }) => sum + one, 0n), since = size - sizes.at(-1).size;
  const words = `${count(all)} entries ${bars.length > 1 ? `from ${bars[0].day} to ${bars.at(-1).day}` : `on ${bars[0].day}`}, at most ${count(most)} a day, counted at each day's first publication.`;
  const width = WINDOW * STEP, axis = (...ends) => h("p", { class: "small axis", "aria-hidden": "true" }, ends.map((end) => h("span", {}, end)));
  return [
    axis("Entries a day", `most: ${count(most)}`),
    s("svg", { viewBox: `0 0 ${width} ${HIGH + 1}`, role: "img", "aria-label": words }, drawn, s("path", { class: "edge", d: `M0 ${HIGH + 0.5}H${width}` })),
    axis(named(first), named(days.today)),
    h("p", { class: "small" }, `${words}${since > 0n ? ` ${count(since)} more since.` : ""}`),
  ];
}
