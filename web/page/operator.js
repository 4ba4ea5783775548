// Whom a visitor is told to ask: whoever runs the log, with the address that site.txt names. It is the log's own word, too.

import { h } from "./dom.js";
import { whose } from "./site.js";

/** Return "whoever runs this log"; the name and the address follow as soon as they are known. */
export function operator() {
  const words = h("span", {}, "whoever runs this log");
  whose().then((site) => {
    if (!site) return;
    const { name, contact, link } = site, address = contact ?? link;
    words.append(" (", name, ...(address ? [", ", h("a", { href: address }, address.replace(/^mailto:/, ""))] : []), ")");
  });
  return words;
}
