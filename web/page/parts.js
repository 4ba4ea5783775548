// More of what the page is built of: what is needed once something was asked.

import { $, code, filled, h, visible } from "./dom.js";

// what this is styled by is loaded with it; verify.html has it all
if ($("link[rel=stylesheet]")) document.head.append(h("link", { rel: "stylesheet", href: "results.css" }));

/** Return an element of SVG, as `h` does one of HTML. */
export const s = (tag, attributes, ...children) =>
  filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

export const button = (label, action, off) =>
  h("button", { type: "button", click: action, disabled: off ? "" : undefined }, label);
export const opener = (label, ...content) => h("details", {}, h("summary", {}, label), content);
/** Return a list of [label, text]. */
export const table = (rows) =>
  h(
    "dl",
    {},
    rows.map(([label, text]) => [h("dt", {}, visible(label)), h("dd", {}, code(text))]),
  );

/** Offer bytes to be saved as a file. */
export function save(name, bytes) {
  const url = URL.createObjectURL(new Blob([bytes], { type: "application/octet-stream" }));
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
