// Whose log this is, in the operator's words: site.txt beside the page. It decides nothing, and is shown as text.

import { $, h, visible } from "./dom.js";
import { decodeText, malformed } from "../verifier/encoding.js";

const MOST = 1024; // bytes
const LONGEST = { name: 80, link: 300, contact: 300 }; // characters
const FORMS = { name: /./, link: /^https:\/\/[\w.:-]+(\/[!-~]*)?$/, contact: /^https:\/\/[\w.:-]+(\/[!-~]*)?$|^mailto:[\w.+-]+@[\w.-]+$/ };

/** Return {name, link, contact} of a site.txt: a line each, and lines that begin with #; only the name is required. */
export function parseSite(bytes) {
  const found = {};
  for (const [at, line] of decodeText(bytes, "site.txt").split("\n").entries()) {
    if (!line || line.startsWith("#")) continue;
    const [, key, value] = /^(name|link|contact) (\S|\S.*\S)$/u.exec(line) ?? [];
    if (!key || key in found || value.length > LONGEST[key] || !FORMS[key].test(value))
      malformed("site.txt", `line ${at + 1} is none of name, link (https:) and contact (mailto: or https:), each once`);
    found[key] = value;
  }
  return found.name ? found : malformed("site.txt", "it has no name");
}

const link = (href, text) => (href ? h("a", { href }, text) : text);

let found = Promise.resolve(null);

/** Return a promise of what site.txt says: null where there is none, or it is not in its form. */
export const whose = () => found;

/** Show whose log this is. */
export const site = (fetchObject) => (found = shown(fetchObject));

async function shown(fetchObject) {
  try {
    const said = parseSite(await fetchObject("site.txt", MOST)), name = visible(said.name);
    $("#site").replaceChildren(link(said.link, name), link(said.contact, said.contact && "Contact") ?? "");
    document.title = `${name}: is my file in the log?`;
    return { ...said, name };
  } catch (error) {
    if (error.code === "Malformed") $("#site").replaceChildren(visible(error.message));
    return null;
  }
}
