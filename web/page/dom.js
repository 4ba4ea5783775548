// What the page is built of. What comes from outside gets into the page as text, only through `h`, and `s` in parts.js.

export const $ = (selector) => document.querySelector(selector);

export function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child || child === 0));
  return element;
}

/** Return an element; attributes that are functions are event listeners, strings among the children are text. */
export const h = (tag, attributes = {}, ...children) => filled(document.createElement(tag), attributes, children);

export const count = (number) => BigInt(number).toLocaleString("en");
export const code = (text) => h("code", {}, visible(text));

/** Return text in which each character that is not seen, or changes the direction of others, is written as its code point. */
export const visible = (text) =>
  String(text).replace(
    /[^\P{C}\n]|[\u2028\u2029]/gu,
    (one) => `\u27e8U+${one.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}\u27e9`,
  );

/** Return a card that says one thing, and what to do next. look: good, bad, warn or none; mark and words say the same as its colour. */
export function card({ state, look = "none", mark, headline, body = [], next, more = [], error }) {
  const heading = h("h2", { tabindex: "-1" }, mark && h("span", { "aria-hidden": "true" }, `${mark} `), headline);
  const words = body.filter(Boolean).map((line) => h("p", {}, line));
  const todo = next && h("div", { class: "next" }, h("strong", {}, "What to do"), h("ul", {}, next.filter(Boolean).map((line) => h("li", {}, line))));
  const said = error && h("details", { class: "small" }, h("summary", {}, "Details"), `${error.code ?? error.name}: `, code(error.message));
  const attributes = {
    class: "card",
    "data-state": state,
    "data-look": look,
    "data-code": error?.code,
    role: look === "bad" ? "alert" : "group",
  };
  return h("div", attributes, heading, words, todo, more, said);
}

/** Call `take` with the files that are chosen, or dropped anywhere on the page. */
export function takeFiles(take) {
  $("#files").addEventListener("change", ({ target }) => {
    take([...target.files]);
    target.value = ""; // or choosing the same file again would change nothing
  });
  for (const name of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(name, (event) => {
      event.preventDefault();
      $("#drop").classList.toggle("over", name === "dragover");
      if (name === "drop" && event.dataTransfer.files.length) take([...event.dataTransfer.files]);
    });
  }
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
