// What comes from outside gets into the page as text, through `h`, and in no other way.

export const $ = (selector) => document.querySelector(selector);

/** Return an element; attributes that are functions are event listeners, strings among the children are text. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child || child === 0));
  return element;
}

export const count = (number) => BigInt(number).toLocaleString("en");
export const code = (text) => h("code", {}, visible(text));

/** Return text with each character written out that is not seen, or turns others around: nothing can disguise itself. */
export const visible = (text) =>
  String(text).replace(
    /[^\P{C}\n]|[\u2028\u2029]/gu,
    (one) => `\u27e8U+${one.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}\u27e9`,
  );

/** Return a card that says one thing: look is good, bad, warn or none; never colour alone, a mark and words too. */
export function card({ state, look = "none", mark, headline, body = [], more = [], error }) {
  const heading = h("h2", { tabindex: "-1" }, h("span", { "aria-hidden": "true" }, `${mark} `), headline);
  const words = body.filter(Boolean).map((line) => h("p", {}, line));
  const said = error && h("p", { class: "small" }, `${error.code ?? error.name}: `, code(error.message));
  const attributes = {
    class: "card",
    "data-state": state,
    "data-look": look,
    "data-code": error?.code,
    role: look === "bad" ? "alert" : "group",
  };
  return h("div", attributes, heading, words, said, more);
}

/** Return how long ago, or in how long, a moment is; both in milliseconds. */
export function ago(then, now = Date.now()) {
  const seconds = (then - now) / 1000;
  const [unit, size] = [
    ["day", 86_400],
    ["hour", 3600],
    ["minute", 60],
    ["second", 1],
  ].find(([, least]) => Math.abs(seconds) >= least) ?? ["second", 1];
  return new Intl.RelativeTimeFormat("en", { numeric: "auto" }).format(Math.round(seconds / size), unit);
}
