// The list of results: a card for each check, on top while it runs, then what came of it in its place.

import { $, card, h, visible } from "./dom.js";
import { errorCard } from "./error_card.js";

/** trusted: promise of {policy, how}; opened: promise of {log, policy, how}, rejected where the log cannot be read; ask, compare, lookFor: see check.js. */
export const context = {};

/** Return whom the page trusts, {} where that is not known. */
export const whom = () => context.trusted.catch(() => ({}));

/** Put a card on top of the results, in the place of another if given, and go there. */
export function put(made, old) {
  if (old) old.replaceWith(made);
  else $("#results").prepend(made);
  made.querySelector("h2")?.focus({ preventScroll: true });
  made.scrollIntoView({ block: "nearest" });
  return made;
}

/** Put a card with a progress bar; progress is called with the part that is done, from 0 to 1. */
export function working(headline) {
  const bar = h("progress", { max: 1, "aria-label": headline });
  const made = put(card({ state: "working", mark: "…", headline: visible(headline), more: [bar] }));
  return { made, progress: (part) => bar.setAttribute("value", part) };
}

/** Run a check, and put the card that it returns, or one of the error that it throws, in the place of a progress bar. */
export async function checking(headline, what, check) {
  const { made, progress } = working(headline);
  try {
    return put(await check(progress), made);
  } catch (error) {
    return put(errorCard(error, what, [], await whom()), made);
  }
}
