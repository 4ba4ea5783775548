// The day by which an entry was there: of the checkpoints that a log keeps, the first of a day that has it. They cannot be
// listed, so a few days are asked for, back from today; a later one than the first is right too: "by" is what is said.

import { parsed } from "../verifier/log.js";
import { MAX_NOTE, acceptCheckpoint, parseCheckpoint } from "../verifier/tlog.js";

const DAY = 86_400_000; // milliseconds
const BACK = [0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 987, 1597, 2584]; // days ago
const MOST = 48; // days that are asked for, for all entries together, unless the caller says how many
const AROUND = 8; // days near one without a checkpoint
const BEFORE = 31; // days before one that is asked for
const GONE = 6; // steps back without a checkpoint: the log is younger

const name = (day) => new Date(day * DAY).toISOString().slice(0, 10);

/** Asks a log for the checkpoints of days. Days are counted from 1970. now: milliseconds */
export class Days {
  #kept = new Map(); // day → promise of a checkpoint, accepted, or null
  #compared = new Set(); // those that are of the log's history

  constructor(log, most = MOST, now = Date.now()) {
    Object.assign(this, { log, most, today: Math.floor(now / DAY) });
  }

  /** Return {day, size} of the days that have a checkpoint among the last `count` of them, the oldest first. */
  async sizes(count) {
    const days = Array.from({ length: count }, (_, back) => this.today - count + 1 + back);
    const found = await Promise.all(days.map((day) => this.#at(day)));
    return days.flatMap((day, at) => (found[at] ? [{ day: name(day), size: found[at].signed.tree.size }] : []));
  }

  /** Return {day, size} of a day, or of the last before it that has a checkpoint, null if it and the `BEFORE` before it have none. */
  async before(text) {
    const last = Math.floor(Date.parse(text) / DAY);
    for (let back = 0; back <= BEFORE; back += AROUND) {
      const days = Array.from({ length: AROUND }, (_, at) => last - back - at), found = await Promise.all(days.map((day) => this.#at(day)));
      const at = found.findIndex(Boolean);
      if (at < 0) continue;
      await this.#compare(found[at]);
      return { day: name(days[at]), size: found[at].signed.tree.size };
    }
    return null;
  }

  async #compare(accepted) {
    if (!this.#compared.has(accepted)) await this.log.compare(accepted.signed);
    this.#compared.add(accepted);
  }

  #at(day) {
    if (!this.#kept.has(day)) this.#kept.set(day, this.#kept.size < this.most ? this.#fetch(`checkpoints/days/${name(day)}`) : null);
    return this.#kept.get(day);
  }

  async #fetch(path) {
    try {
      const signed = parsed(path, await this.log.fetchObject(path, MAX_NOTE), parseCheckpoint);
      return await acceptCheckpoint(this.log.policy, signed, this.log.accepted.signed.origin);
    } catch {
      return null; // one that is missing or wrong says nothing about a day
    }
  }

  /**
   * Return {day, accepted} of the first day that was found whose checkpoint has an entry, null if none was found. It is of the
   * log's history, or a ForkError is thrown. day: "2026-11-03"
   */
  async by(index) {
    const has = (accepted) => accepted && accepted.signed.tree.size > index;
    let high = null, found = null, lows = []; // days without the entry, or without a checkpoint, the nearest first
    for (let at = 0, gone = 0, over = false; at < BACK.length && gone < GONE && !over; at += 2) { // two at a time
      const days = BACK.slice(at, at + 2).map((back) => this.today - back), kept = await Promise.all(days.map((day) => this.#at(day)));
      for (const [which, accepted] of kept.entries()) {
        if (has(accepted)) [high, found, lows, gone] = [days[which], accepted, [], 0];
        else [lows, gone, over] = [[...lows, days[which]], gone + 1, over || Boolean(accepted)];
      }
    }
    if (high === null) return null;
    for (let low = lows.shift(); low !== undefined; ) {
      const near = await this.#near(low, high);
      if (!near) low = lows.shift(); // one that is missing may have others before it
      else if (has(near[1])) [high, found] = near;
      else [low, lows] = [near[0], []];
    }
    await this.#compare(found);
    return { day: name(high), accepted: found };
  }

  /** Return [day, accepted] of a day between two others that has a checkpoint, near their middle; null if none was found. */
  async #near(low, high) {
    const middle = Math.floor((low + high) / 2);
    for (let step = 0, asked = 0; step < 2 * (high - low) && asked < AROUND; step++) {
      const day = middle + (step % 2 ? -1 : 1) * Math.ceil(step / 2);
      if (day <= low || day >= high) continue;
      asked += this.#kept.has(day) ? 0 : 1;
      const accepted = await this.#at(day);
      if (accepted) return [day, accepted];
    }
    return null;
  }
}
