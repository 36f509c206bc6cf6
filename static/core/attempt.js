/** One person typing one text once: the server's rules, applied at once on the page. */

import { accuracy, consistency, MS_PER_SECOND, roundHalfEven, wordsPerMinute } from './score.js';
import { graphemes, isSpace, keyName, same } from './text.js';

export const DELETE = '\b';
export const DELETE_WORD = '\u0017';
export const ELLIPSIS = '…';
const PAST_END_MAX = 20;
const LATENCY_MS_MAX = 5_000; // a longer pause is a pause, not a slow key
const CHART_PART_MS_MIN = 500;
const WPM_OF_A_PRESS_A_SECOND = 12;
const MS_PER_PRESS_AT_ONE_WPM = 12_000;

/**
 * @typedef {'free'|'stop'|'correct'} ErrorRule
 * @typedef {{errors: ErrorRule}} Rules
 * @typedef {{position: number, wpm: number, raw_wpm: number, accuracy: number, errors: number}} Progress
 * @typedef {{at_s: number, wpm: number, raw_wpm: number, errors: number}} SpeedPoint
 * @typedef {{presses: number, errors: number, latencySumMs: number, latencyCount: number,
 *   confusions: Map<string, number>}} KeyCount
 * @typedef {{presses: number, errors: number, latency_ms: number|null,
 *   confusions: Record<string, number>}} KeyScore
 * @typedef {Progress & {duration_ms: number, uncorrected: number, consistency: number,
 *   keys: Record<string, KeyScore>}} Result
 *
 * @typedef {object} Standing where an attempt stands when its events are not at hand
 * @property {number} events how many have counted
 * @property {string} typed
 * @property {number} atMs
 * @property {{position: number, raw_wpm: number, errors: number}} score
 */

export class Attempt {
  /** @type {string[]} */ text;
  /** @type {string[]} */ typed = [];
  /** @type {ErrorRule} */
  errorRule;
  /** @type {number | null} */
  limitMs;
  presses = 0;
  errors = 0;
  complete = false;
  /** The time from the first event to the last that counted. */
  atMs = 0;
  /** How many events have counted. */
  events = 0;
  /** @type {Map<string, KeyCount>} */
  keys = new Map();

  /** @type {boolean} */
  #fromStart;
  #ended = false;
  /** @type {boolean[]} Beside `typed`: is the place right? */
  #right = [];
  #rightPlaces = 0;
  /** @type {Set<number>} Places of the text that were wrong at some time. */
  #slipped = new Set();
  #afterRightPress = false;
  /** The wrong press that the rule `stop` did not let in, until the place is right. */
  #refused = { place: -1, grapheme: '' };
  /** @type {{second: number, presses: number, errors: number, rightPlaces: number}[]} Only seconds with a press in them: `rightPlaces` as it stood after the last one. */
  #seconds = [];

  /**
   * @param {object} options
   * @param {string} options.text
   * @param {Rules} [options.rules]
   * @param {number|null} [options.limitMs] ends a timed attempt
   * @param {boolean} [options.fromStart] a race: the first dt counts, from the start
   * @param {Standing|null} [options.standing] go on from here
   */
  constructor({ text, rules, limitMs = null, fromStart = false, standing = null }) {
    this.text = graphemes(text);
    this.errorRule = rules?.errors ?? 'free';
    this.limitMs = limitMs;
    this.#fromStart = fromStart;
    if (standing) this.#standAt(standing);
  }

  get position() {
    return this.typed.length;
  }

  /** Nothing counts any more. */
  get over() {
    return this.complete || this.#ended;
  }

  /** Let nothing count any more: the time is over, or the person has left. */
  end() {
    this.#ended = true;
  }

  /**
   * Type one event. False if it does not count.
   * @param {number} dtMs since the event before
   * @param {string} key a grapheme, DELETE, DELETE_WORD or ELLIPSIS
   */
  apply(dtMs, key) {
    if (this.over) return false;
    const countedMs = this.events === 0 && !this.#fromStart ? 0 : dtMs;
    if (this.limitMs !== null && this.atMs + countedMs > this.limitMs) {
      this.end();
      return false;
    }
    this.atMs += countedMs;
    this.events += 1;
    if (key === DELETE) this.#delete();
    else if (key === DELETE_WORD) this.#deleteWord();
    else if (key === ELLIPSIS) for (const dotMs of [countedMs, 0, 0]) this.#press(dotMs, '.');
    else this.#press(countedMs, key.normalize('NFC'));
    return true;
  }

  /**
   * Is place `i` of the typed text right? Undefined if nothing is typed there yet.
   * @param {number} i
   * @returns {boolean|undefined}
   */
  rightAt(i) {
    return this.#right[i];
  }

  /**
   * The wrong grapheme typed at place `i`, with the rule `stop` the one not let in; null if none.
   * @param {number} i
   * @returns {string|null}
   */
  pressedAt(i) {
    if (this.#right[i] === false) return this.typed[i];
    return this.#refused.place === i && i === this.position ? this.#refused.grapheme : null;
  }

  /**
   * Was place `i` of the text wrong at some time, whatever stands there now?
   * @param {number} i
   */
  slippedAt(i) {
    return this.#slipped.has(i);
  }

  /** An attempt that stands where this one does, and goes on by itself. */
  copy() {
    const copy = new Attempt({ text: '', rules: { errors: this.errorRule }, limitMs: this.limitMs });
    const { text, presses, errors, complete, atMs, events } = this;
    Object.assign(copy, { text, presses, errors, complete, atMs, events, typed: this.typed.slice() });
    for (const [name, key] of this.keys) copy.keys.set(name, { ...key, confusions: new Map(key.confusions) });
    copy.#fromStart = this.#fromStart;
    copy.#ended = this.#ended;
    copy.#right = this.#right.slice();
    copy.#rightPlaces = this.#rightPlaces;
    copy.#slipped = new Set(this.#slipped);
    copy.#afterRightPress = this.#afterRightPress;
    copy.#refused = this.#refused;
    copy.#seconds = this.#seconds.map((second) => ({ ...second }));
    return copy;
  }

  /** The live score, its time taken up to the last event, rounded as on the wire. */
  progress() {
    return {
      position: this.position,
      wpm: wordsPerMinute(this.#rightPlaces, this.atMs),
      raw_wpm: wordsPerMinute(this.presses, this.atMs),
      accuracy: accuracy(this.presses, this.errors),
      errors: this.errors,
    };
  }

  /**
   * One point a second of typing time: `raw_wpm` of that second, `wpm` from the beginning.
   * @returns {SpeedPoint[]}
   */
  speeds() {
    const points = [];
    const seconds = this.#seconds.values();
    let next = seconds.next().value;
    let rightPlaces = 0;
    for (let second = 0; second * MS_PER_SECOND < this.typingMs; second += 1) {
      const found = next?.second === second ? next : null;
      if (found) {
        rightPlaces = found.rightPlaces;
        next = seconds.next().value;
      }
      const point = this.#speedPoint(second, found, rightPlaces);
      if (point) points.push(point);
    }
    return points;
  }

  /**
   * The final numbers. The server's are the ones that count.
   * @param {number} [lateMs] is added to the duration
   * @returns {Result}
   */
  result(lateMs = 0) {
    const durationMs = this.typingMs + lateMs;
    /** @type {number[]} */
    const pressesPerSecond = [];
    for (const { second, presses } of this.#seconds) pressesPerSecond[second] = presses;
    return {
      ...this.progress(),
      duration_ms: durationMs,
      wpm: wordsPerMinute(this.#rightPlaces, durationMs),
      raw_wpm: wordsPerMinute(this.presses, durationMs),
      uncorrected: this.position - this.#rightPlaces,
      consistency: consistency(pressesPerSecond, this.typingMs),
      keys: Object.fromEntries(Array.from(this.keys, ([name, key]) => [name, keyScore(key)])),
    };
  }

  /** How long was typed: a timed attempt that is not complete lasts to its limit. */
  get typingMs() {
    return this.limitMs !== null && !this.complete ? this.limitMs : this.atMs;
  }

  /** @param {number} dtMs @param {string} grapheme */
  #press(dtMs, grapheme) {
    if (this.complete) return;
    const place = this.position;
    const right = place < this.text.length && same(grapheme, this.text[place]);
    this.presses += 1;
    if (!right) {
      this.errors += 1;
      this.#slipped.add(place);
    }
    if (place < this.text.length) this.#countKey(dtMs, grapheme, this.text[place], right);
    this.#afterRightPress = right;
    if (this.#keeps(right)) this.#type(grapheme, right);
    else this.#refused = { place, grapheme };
    this.#countSecond(right);
    this.complete = this.#isComplete();
  }

  /** @param {boolean} right */
  #keeps(right) {
    if (this.errorRule === 'stop') return right;
    return this.errorRule === 'free' || this.position < this.text.length + PAST_END_MAX;
  }

  #isComplete() {
    if (this.errorRule !== 'correct') return this.position >= this.text.length;
    return this.#rightPlaces === this.text.length && this.position === this.text.length;
  }

  /** @param {string} grapheme @param {boolean} right */
  #type(grapheme, right) {
    this.typed.push(grapheme);
    this.#right.push(right);
    if (right) this.#rightPlaces += 1;
    this.#refused = { place: -1, grapheme: '' };
  }

  #delete() {
    this.#afterRightPress = false;
    if (this.position === 0) return;
    this.typed.pop();
    if (this.#right.pop()) this.#rightPlaces -= 1;
  }

  #afterSpace() {
    return isSpace(this.typed[this.position - 1]);
  }

  #deleteWord() {
    this.#afterRightPress = false;
    while (this.position > 0 && this.#afterSpace()) this.#delete();
    while (this.position > 0 && !this.#afterSpace()) this.#delete();
  }

  /** @param {number} dtMs @param {string} grapheme @param {string} expected @param {boolean} right */
  #countKey(dtMs, grapheme, expected, right) {
    const name = keyName(expected);
    const key = this.keys.get(name) ?? newKey();
    this.keys.set(name, key);
    key.presses += 1;
    if (!right) {
      key.errors += 1;
      key.confusions.set(grapheme, (key.confusions.get(grapheme) ?? 0) + 1);
    } else if (this.#afterRightPress && dtMs <= LATENCY_MS_MAX) {
      key.latencySumMs += dtMs;
      key.latencyCount += 1;
    }
  }

  /** @param {boolean} right */
  #countSecond(right) {
    const second = Math.floor(this.atMs / MS_PER_SECOND);
    const last = this.#seconds.at(-1);
    const counted = last?.second === second ? last : { second, presses: 0, errors: 0, rightPlaces: 0 };
    if (counted !== last) this.#seconds.push(counted);
    counted.presses += 1;
    if (!right) counted.errors += 1;
    counted.rightPlaces = this.#rightPlaces;
  }

  /**
   * @param {number} second
   * @param {{presses: number, errors: number} | null} counted
   * @param {number} rightPlaces
   */
  #speedPoint(second, counted, rightPlaces) {
    const startMs = second * MS_PER_SECOND;
    const partMs = Math.min(MS_PER_SECOND, this.typingMs - startMs);
    if (partMs < CHART_PART_MS_MIN && second > 0) return null; // too short to tell a speed
    const rate = ((counted?.presses ?? 0) * MS_PER_SECOND) / partMs;
    return {
      at_s: (startMs + partMs) / MS_PER_SECOND,
      wpm: wordsPerMinute(rightPlaces, startMs + partMs),
      raw_wpm: roundHalfEven(rate * WPM_OF_A_PRESS_A_SECOND, 2),
      errors: counted?.errors ?? 0,
    };
  }

  /** @param {Standing} standing */
  #standAt({ events, typed, atMs, score }) {
    for (const grapheme of placesOf(typed, score.position)) {
      const expected = this.text[this.position];
      const right = expected !== undefined && same(grapheme, expected);
      if (!right) this.#slipped.add(this.position);
      this.#type(grapheme, right);
    }
    this.events = events;
    this.atMs = atMs;
    this.errors = score.errors;
    // raw_wpm is all presses over the time: exact again for any attempt of sensible length.
    const presses = atMs > 0 ? Math.round((score.raw_wpm * atMs) / MS_PER_PRESS_AT_ONE_WPM) : this.position;
    this.presses = Math.max(presses, this.errors);
    this.complete = events > 0 && this.#isComplete();
  }
}

/**
 * The server's typed text cut into the number of places it counts.
 * @param {string} typed
 * @param {number} position
 */
function placesOf(typed, position) {
  const clusters = graphemes(typed);
  if (clusters.length === position) return clusters;
  // Characters typed one by one are never merged, though they stand side by side here.
  const codePoints = Array.from(typed);
  if (codePoints.length === position) return codePoints;
  return Array.from({ length: position }, (_, place) => clusters[place] ?? '\ufffd');
}

/** @returns {KeyCount} */
function newKey() {
  return { presses: 0, errors: 0, latencySumMs: 0, latencyCount: 0, confusions: new Map() };
}

/** @param {KeyCount} count @returns {KeyScore} */
function keyScore({ presses, errors, latencySumMs, latencyCount, confusions }) {
  return {
    presses,
    errors,
    latency_ms: latencyCount ? roundHalfEven(latencySumMs / latencyCount, 1) : null,
    confusions: Object.fromEntries(confusions),
  };
}
