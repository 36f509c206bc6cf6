/** A stored attempt, typed again as far as any moment of it. */

import { Attempt } from './attempt.js';

/**
 * @import { Rules } from './attempt.js'
 *
 * @typedef {[dtMs: number, key: string]} Event
 */

/** A copy is kept every so many events, so that going back types no more than these again. */
const EVENTS_PER_COPY = 512;
/** A longer gap between two keys is a pause, of which the ends are enough. */
const PAUSE_MS = 2_000;
const PAUSE_END_MS = 500;

export class Replay {
  /** The text and its numbers as they stood at `atMs`; another object after `seek`. */
  attempt;
  atMs = 0;
  /** When the last of it was over. */
  endMs;
  /** @type {Attempt} The attempt as it ended. */
  whole;

  #events;
  /** @type {number[]} When each event was, in ms since the first, in a race since the start. */
  #times = [];
  /** @type {Attempt[]} After each EVENTS_PER_COPY events. */
  #copies;

  /**
   * @param {object} options
   * @param {string} options.text
   * @param {Rules} options.rules
   * @param {number|null} [options.limitMs]
   * @param {boolean} [options.fromStart] a race: the first dt counts
   * @param {Event[]} options.events
   */
  constructor({ text, rules, limitMs = null, fromStart = false, events }) {
    this.#events = events;
    this.whole = new Attempt({ text, rules, limitMs, fromStart });
    this.#copies = [this.whole.copy()];
    for (const [dtMs, key] of events) {
      if (!this.whole.apply(dtMs, key)) break;
      this.#times.push(this.whole.atMs);
      if (this.#times.length % EVENTS_PER_COPY === 0) this.#copies.push(this.whole.copy());
    }
    this.attempt = this.#copies[0].copy();
    this.endMs = this.whole.typingMs;
  }

  /** The key pressed last, null before the first. */
  get lastKey() {
    return this.attempt.events === 0 ? null : this.#events[this.attempt.events - 1][1];
  }

  /** Is there a pause in it that could be passed over? */
  get hasPauses() {
    return [...this.#times, this.endMs].some((_, i) => this.#gapMs(i) > PAUSE_MS);
  }

  /**
   * Type on to a later moment; yields each key when it has been pressed.
   * @param {number} atMs
   */
  *forward(atMs) {
    this.atMs = Math.min(atMs, this.endMs);
    while (this.#times[this.attempt.events] <= this.atMs) {
      const [dtMs, key] = this.#events[this.attempt.events];
      this.attempt.apply(dtMs, key);
      yield key;
    }
  }

  /**
   * Stand at any moment, at once.
   * @param {number} atMs
   */
  seek(atMs) {
    this.atMs = Math.min(Math.max(atMs, 0), this.endMs);
    const count = countUpTo(this.#times, this.atMs);
    const copy = this.#copies[Math.floor(count / EVENTS_PER_COPY)];
    const near = this.attempt.events <= count && this.attempt.events >= copy.events;
    if (!near) this.attempt = copy.copy();
    for (const [dtMs, key] of this.#events.slice(this.attempt.events, count)) this.attempt.apply(dtMs, key);
  }

  /**
   * The moment at which to go on if pauses are passed over: now, or shortly before the pause ends.
   */
  get afterPause() {
    const next = this.attempt.events;
    const beganMs = next === 0 ? 0 : this.#times[next - 1];
    if (this.#gapMs(next) <= PAUSE_MS || this.atMs < beganMs + PAUSE_END_MS) return this.atMs;
    return Math.max(this.atMs, beganMs + this.#gapMs(next) - PAUSE_END_MS);
  }

  /** @param {number} i how long nothing was pressed before event `i`, or after the last */
  #gapMs(i) {
    return (this.#times[i] ?? this.endMs) - (this.#times[i - 1] ?? 0);
  }
}

/**
 * How many of the ascending numbers are not above `limit`.
 * @param {number[]} numbers
 * @param {number} limit
 */
function countUpTo(numbers, limit) {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle] <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
