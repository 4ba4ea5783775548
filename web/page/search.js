// Looking for a file, a name, a digest or a leaf hash: what is found as it is found, and whether that is all.

import { card, count, h, visible } from "./dom.js";
import { Days } from "./days.js";
import { entryRow } from "./entry_row.js";
import { errorCard, vouched } from "./error_card.js";
import { operator } from "./operator.js";
import { button } from "./parts.js";
import { verifiedCard } from "./proof_card.js";
import { about, context, put, whom, working } from "./results.js";
import { absent, followUp, said } from "./search_words.js";
import { utf8 } from "../verifier/encoding.js";
import { encodeName, fromHex, parseDigestEntry, spellings } from "../verifier/entries.js";
import { SCAN_LIMIT, find } from "../verifier/lookup.js";
import { leafHash } from "../verifier/merkle.js";
import { formatProof, parseProof, verifyProof } from "../verifier/proof.js";
import { search } from "../verifier/search.js";
import { spelled } from "../verifier/x509.js";

const SHOWN = 10; // hits at a time
const ANY_NAME = 2048n; // entries of a log in which a file is looked for under other names without asking
const part = (kind, ...values) => ({ kind, values });

const DIGESTS = { sha256: ["sha256/1"], sha512: ["sha512/1"], leaf: ["leaf/1"], hash: ["sha256/1", "leaf/1"], key: ["key/1"], subject: ["subject/1"] };
const DIGITS = { sha512: [128, 128], subject: [40, 128] }; // of others 64
const IMAGE = /^(?:image:(?:[^@]+@)?|[^@]+@)sha256:([0-9a-f]{64})$/i; // its name need not be known
const imagePart = (digits) => ({ kind: "sha256/1", values: async () => (await import("../verifier/image.js")).signedDigests(digits) });
const WORDED = new RegExp(`^(?:(name|who|identity|issuer|${Object.keys(DIGESTS).join("|")}):)?(.*)$`, "s");

/** Return the parts of a search by a file's name, an identity or an issuer: none for what cannot be one. path: a name may be one */
function named(kind, text, path) {
  if (kind === "name") {
    const name = path ? text.split(/[/\\]/).at(-1) : text; // of a path, only this is logged
    return encodeName(name) === null ? [] : [part("name/1", ...spellings(name).map(utf8))];
  }
  const key = /^[!-~]{1,1024}$/.test(text) ? spelled(text) : "";
  return key ? [part(`${kind}/1`, ...(/:\/\/.*\/$/.test(key) ? [key, key.slice(0, -1)] : [key]).map(utf8))] : [];
}

/** Return what somebody typed, as what `lookFor` takes; null if it is nothing that can be looked for. */
export function wantedFrom(text) {
  const image = IMAGE.exec(text)?.[1].toLowerCase();
  if (image) return { what: "image", text: `sha256:${image}`, parts: [imagePart(image)] };
  const [, word, rest] = WORDED.exec(text), what = word ?? (/^[0-9a-f]{64}$/i.test(rest) ? "hash" : /^[0-9a-f]{128}$/i.test(rest) ? "sha512" : "");
  if (what in DIGESTS) {
    const [least, most] = DIGITS[what] ?? [64, 64], digits = rest.toLowerCase();
    if (!/^(?:[0-9a-f]{2})+$/.test(digits) || digits.length < least || digits.length > most) return null;
    const parts = DIGESTS[what].map((kind) => part(kind, fromHex(digits)));
    return { what, text: digits, parts: what === "hash" || what === "sha256" ? [...parts, imagePart(digits)] : parts }; // each is asked if those before found nothing
  }
  const as = word ?? (/@|:\/\//.test(rest) ? "who" : "name"), kinds = as === "who" ? ["name", "identity"] : [as]; // a name may have an @
  const parts = kinds.flatMap((kind) => named(kind, rest, as === "name"));
  return parts.length ? { what: as, text: rest, parts } : null;
}

const ofFile = ({ candidates, file }) => [part("sha256/1", fromHex(file.sha256)), part("leaf/1", ...candidates.map(({ leaf }) => leaf))];

/** Look for a file, {candidates, file}, or for what `wantedFrom` returned. all: also among many entries. */
export async function lookFor(wanted, all = false) {
  const { made, progress } = working(`Looking for ${wanted.file?.name ?? "it"} in the log`, wanted.place);
  const looking = new Looking(wanted, all, progress);
  made.append(looking.list);
  try {
    await looking.look(await context.opened);
    const name = wanted.file?.name ?? wanted.text;
    put(about(await looking.card(), name), made);
    await looking.showDays();
  } catch (error) {
    const more = error.tooLarge ? [h("p", {}, again(wanted, error.tooLarge))] : [];
    put(about(errorCard(error, "entry", more, await whom()), wanted.file?.name ?? wanted.text), made);
  }
}

/** Return a button that looks through all entries, in place of the card that it stands in. */
function again(wanted, size) {
  const megabytes = Math.ceil((Number(size) * (wanted.file ? 32 : 180)) / 1e6);
  return button(`Look through all of it (about ${count(megabytes)} MB)`, ({ target }) => {
    target.closest(".card").remove();
    lookFor(wanted, true);
  });
}

/** One search, and what was found so far. */
class Looking {
  hits = []; // newest first
  ends = []; // {kind, …} of each part that was looked for: see `Search.conclude`
  list = h("div", { "aria-live": "polite" });
  rows = new Map(); // index → its row

  constructor(wanted, all, progress) {
    Object.assign(this, { wanted, all, progress });
  }

  async look(opened) {
    this.opened = opened;
    const { size } = opened.log.accepted.signed.tree, { wanted } = this;
    this.days = new Days(opened.log);
    if (wanted.file && (this.all || size <= SCAN_LIMIT)) return this.#scan(size);
    for (const { kind, values } of wanted.parts ?? ofFile(wanted)) {
      try {
        this.search = await search(opened.log, kind, typeof values === "function" ? await values() : values, { all: this.all });
      } catch (error) {
        if (!error.tooLarge) throw error;
        this.lacking ??= error;
        continue;
      }
      const { covered } = this.search;
      await this.#take(this.search.hits(SHOWN, (done) => this.progress(Number(done) / Number(size - covered))));
      this.ends.push({ kind, ...(await this.search.conclude()) });
      if (this.hits.length || wanted.file) break;
    }
    if (!this.ends.length) throw this.lacking;
    return undefined;
  }

  /** Look for a file by its leaf hashes, all of which are read. */
  async #scan(size) {
    const { candidates } = this.wanted, leaves = candidates.map(({ leaf }) => leaf), { log } = this.opened;
    const found = await find(log, leaves, { anySize: true, progress: (done) => this.progress(Number(done) / Number(size)) });
    this.hits = found.map(({ index, leaf }) => ({ index, entry: candidates.find((one) => one.leaf === leaf).entry }));
    if (!found.length && size <= ANY_NAME) await this.#scanNames(size);
    this.ends.push({ proven: true, why: "", covered: 0n, size, scanned: true });
  }

  /** Look for the file as it was logged under another name: whoever downloads a file twice has it under one. */
  async #scanNames(size) {
    for await (const [index, entry] of this.opened.log.entries(0n, size))
      if (parseDigestEntry(entry)?.sha256 === this.wanted.file.sha256) this.hits.unshift({ index, entry });
    this.renamed = this.hits.length > 0;
  }

  async #take(hits) {
    for await (const hit of hits) {
      this.hits.push(hit);
      this.hits.sort((one, other) => (one.index < other.index ? 1 : -1));
      const row = entryRow(hit.index, hit.entry, this.opened.unknown ? "of an unknown key's log" : "verified", (index) => context.ask(index));
      this.rows.set(hit.index, row);
      const newer = this.hits[this.hits.indexOf(hit) - 1];
      if (newer) this.rows.get(newer.index).after(row);
      else this.list.prepend(row);
    }
  }

  /** Return the card of what came of it. */
  async card() {
    const end = this.ends.find(({ why }) => why) ?? this.ends.at(-1), { wanted, hits, opened, lacking } = this;
    const words = said(end, this.ends, hits.length, lacking);
    if (end.why === "denied") return errorCard(end.error, "log", [this.list], opened);
    if (!hits.length) return this.#none(end, words);
    if (hits.length === 1 || end.scanned) {
      this.single = await this.#one(end, words);
      this.#offerRevocations(this.single.querySelector(":scope > .row"));
      return this.single;
    }
    const all = end.proven ? `${count(hits.length)} entries` : `at least ${count(hits.length)} entries`;
    const found = { state: "found", look: "good", mark: "✓", headline: `In the log: ${all}`, body: [words], next: ["Open an entry to see what it says. That one thing is logged several times is usual.", "No file was checked yet. If you have one, drop it."] };
    return card({ ...vouched(opened, all, found), more: [this.list, this.#further(end), this.#link()] });
  }

  /** Add to a row of buttons one that looks for revocations of the newest hit: only then, as each takes a search. */
  #offerRevocations(row) {
    const place = h("p", { role: "status" });
    row.append(button("Was it revoked?", async ({ target }) => {
      target.disabled = true;
      place.replaceChildren("Looking for revocations …");
      try {
        const { revocationsOf } = await import("../verifier/revocations.js"), { log } = this.opened;
        const { found, why } = await revocationsOf(log, this.hits[0].entry, this.wanted.file?.sha256);
        const said = found.map(({ index, revocation: { reason, by } }) =>
          h("strong", {}, `✗ Revoked by entry ${count(index)}, signed by ${by === "log" ? "the log" : "the key that signed it"}: ${visible(reason)}. `));
        const none = why ? `It is not known: ${visible(why)}.` : `No: none of the ${count(log.accepted.signed.tree.size)} entries revokes it.`;
        place.replaceChildren(...(said.length ? said : [none]));
      } catch (error) {
        place.replaceChildren(errorCard(error, "log", [], this.opened));
      }
    }));
    row.after(place);
  }

  #link() {
    const { what, text } = this.wanted;
    return text && h("a", { href: `#${what}=${encodeURIComponent(text)}` }, "Link to this search");
  }

  #none(end, words) {
    const { wanted, opened, lacking } = this, proven = end.proven && !lacking, size = end.size;
    const more = [];
    if (!proven) more.push(h("p", {}, again(wanted, size)));
    if (wanted.file && proven) more.push(h("p", {}, button("Look for it under other names", () => lookFor(wantedFrom(wanted.file.sha256)))));
    return card({ ...vouched(opened, `none of ${count(size)} entries`, { ...absent(proven, [words], wanted, size), next: followUp(proven, wanted, operator()) }), error: end.why === "unread" ? end.error : undefined, more: [more, this.#link()] });
  }

  /** Return the card of one hit, proven as a proof file would prove it. */
  async #one(end, words) {
    const { log, policy } = this.opened, { candidates, file } = this.wanted, [{ index, entry }] = this.wanted.file ? this.hits.slice(0, 1) : this.hits;
    const proof = parseProof(formatProof(await log.prove(index))), leaf = leafHash(entry); // what would be saved is what is verified
    const accepted = await verifyProof(proof, leaf, policy), others = this.hits.slice(1);
    const how = candidates?.find((one) => one.leaf.every((byte, at) => byte === leaf[at]))?.how;
    const shown = others.slice(0, 5).map((other) => count(other.index)).join(", ");
    const times = others.length ? `Logged ${others.length + 1} times, also at ${shown}${others.length > 5 ? ", …" : ""}. ` : "";
    const renamed = this.renamed ? "It was logged under another name: see below. " : "";
    const made = verifiedCard(proof, accepted, leaf, entry, this.opened, { ...file, how, revocable: true, more: renamed + times + (end.scanned ? "" : words) });
    made.append(this.#further(end) ?? "");
    this.rows.set(index, made);
    return made;
  }

  /** Return a button that shows more hits, null if there are no more. */
  #further(end) {
    if (!this.search?.left) return end.proven || this.ends.at(-1).why !== "tail" ? null : h("p", {}, again(this.wanted, end.size));
    return h("p", {}, button(`Show more (${count(this.search.left)} may have it)`, async ({ target }) => {
      const place = target.closest(".card");
      target.disabled = true;
      await this.#take(this.search.more(SHOWN));
      this.ends[this.ends.length - 1] = { ...this.ends.at(-1), ...(await this.search.conclude()) };
      put(about(await this.card(), this.wanted.text), place);
      await this.showDays();
    }));
  }

  /** Add to each hit the day by which it was there. */
  async showDays() {
    if (this.ends.at(-1)?.scanned && this.wanted.place) return; // one of many
    for (const { index } of this.hits.slice(0, this.single ? 1 : undefined)) {
      const row = this.rows.get(index);
      if (row.dataset.day !== undefined) continue;
      row.dataset.day = "";
      const buttons = row.querySelector(":scope > .row"), add = (made) => (buttons ? buttons.before(made) : row.firstChild.append(made)); // of a card, or a line of several
      const found = await this.days.by(index).catch((error) => errorCard(error, "log", [], this.opened));
      if (found?.day) {
        row.dataset.day = found.day;
        const { time } = found.accepted, seen = time && new Date(Number(time) * 1000).toUTCString();
        const by = time ? `: its witnesses saw that tree head on ${seen}` : ", says the log";
        add(h("p", { class: "small" }, `In the log by ${found.day}${by}.`));
        row.querySelector(":scope > details > summary .by")?.append(`by ${found.day}`);
      } else add(found ?? h("p", { class: "small" }, "On which day it was logged is not known; it may be today."));
    }
  }
}
