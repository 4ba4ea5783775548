// The day by which an entry was there: of the checkpoints that a log keeps, the first of a day that has it. They cannot be
// listed, so a few days are asked for, back from today; a later one than the first is right too: "by" is what is said.

import { parsed } from "../verifier/log.js";
import { MAX_NOTE, acceptCheckpoint, parseCheckpoint } from "../verifier/tlog.js";

const DAY = 86_400_000; // milliseconds
const BACK = [0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 987, 1597, 2584]; // days ago
const MOST = 48; // days that are asked for, for all entries together
const AROUND = 8; // days near one without a checkpoint
const GONE = 6; // steps back without a checkpoint: the log is younger

const name = (day) => new Date(day * DAY).toISOString().slice(0, 10);

/** Asks a log for the checkpoints of days. Days are counted from 1970. now: milliseconds */
export class Days {
  #kept = new Map(); // day → promise of a checkpoint, accepted, or null

  constructor(log, now = Date.now()) {
    this.log = log;
    this.today = Math.floor(now / DAY);
  }

  #at(day) {
    if (!this.#kept.has(day)) this.#kept.set(day, this.#kept.size < MOST ? this.#fetch(`checkpoints/days/${name(day)}`) : null);
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
    await this.log.compare(found.signed);
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
