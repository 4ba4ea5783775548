// The list of results: a card for each check, the newest on top, while it runs, and then what came of it in its place.

import { $, card, code, h, visible } from "./dom.js";
import { errorCard } from "./error_card.js";
import { button } from "./parts.js";

/**
 * trusted: promise of {policy, how}; opened: promise of {log, policy, how}, rejected where the log cannot be read; ask, compare,
 * lookFor: see check.js; clear: functions that let go of what waits; offline: whether this is verify.html.
 */
export const context = { clear: [] };

/** Return whom the page trusts, {} where that is not known. */
export const whom = () => context.trusted.catch(() => ({}));

function clear() {
  $("#results").replaceChildren();
  for (const one of context.clear) one();
  $("#files").focus();
}
$("#results").before(h("p", { id: "clear" }, button("Clear results", clear)));

/** Put a card on top of the results, or into another place; in place of another card if given; and go there. */
export function put(made, old, place) {
  if (old) old.replaceWith(made);
  else (place ?? $("#results")).prepend(made);
  if (made.closest("#results > div > table")) return made; // one verdict of many
  made.querySelector("h2")?.focus({ preventScroll: true });
  made.scrollIntoView({ block: "nearest" });
  return made;
}

/** Let a card say what it is about, such as the name of a file. */
export function about(made, name) {
  if (name && !made.querySelector(":scope > .of")) made.prepend(h("p", { class: "of" }, code(name)));
  return made;
}

/** Put a card with a progress bar; progress is called with the part that is done, from 0 to 1. */
export function working(headline, place) {
  const bar = h("progress", { max: 1, "aria-label": visible(headline) });
  const made = put(card({ state: "working", mark: "…", headline: visible(headline), more: [bar] }), null, place);
  return { made, progress: (part) => bar.setAttribute("value", part) };
}

/**
 * Run a check, and put the card that it returns, or one of the error that it throws, in the place of a progress bar.
 * name, place: what the card is about, and where it is put, see `put`.
 */
export async function checking(headline, what, check, name, place) {
  const { made, progress } = working(headline, place);
  try {
    return put(about(await check(progress), name), made);
  } catch (error) {
    return put(about(errorCard(error, what, [], await whom()), name), made);
  }
}
