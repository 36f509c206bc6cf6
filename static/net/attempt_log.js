/** One attempt with every event of it, kept until the server has said `done`. Knows no connection. */

import { Attempt, DELETE, DELETE_WORD, ELLIPSIS } from '../core/attempt.js';
import { graphemes } from '../core/text.js';
import { CODE_POINTS_PER_KEY_MAX, DT_MS_MAX } from './protocol.js';

/**
 * @import { Rules, Standing } from '../core/attempt.js'
 * @import { Ending, Event, Opened, RaceState, Source } from './protocol.js'
 *
 * @typedef {{text: string, source: Source, rules: Rules}} Made what the server made of a request
 * @typedef {{id: string, source: Source|null, rules?: Rules, layout?: string, opened: Made|null, finish: Ending|null,
 *   standing: Standing, opened_at_ms: number, last_at_ms: number|null,
 *   starts_at_ms?: number|null}} Head
 */

const MS_PER_SECOND = 1_000;
const CLOCK_JUMP_MS = 60_000;
const BREAKS = '\n\t';
const SINGLE_KEYS = new Set([DELETE, DELETE_WORD, ELLIPSIS]);
const UNTYPABLE = /[\p{Cc}\p{Cs}]/u;
/** @type {Rules} */
const USUAL_RACE_RULES = { errors: 'correct' };
/** @type {Standing} */
const NOTHING = { events: 0, typed: '', atMs: 0, score: { position: 0, raw_wpm: 0, errors: 0 } };

export class AttemptLog {
  /** @type {string} */ id;
  /** @type {Source | null} As asked for; null if the server opened it. */
  source;
  /** @type {Rules | undefined} */
  rules;
  /** @type {string | undefined} what its keys are counted under */
  layout;
  /** @type {number} */
  openedAtMs;
  /** @type {Made | null} What the server made of it: text, source, rules. Null before its first answer. */
  opened = null;
  /** @type {Attempt|null} */
  attempt = null;
  /** @type {Standing} Where the events begin: not at nothing if an earlier part is known to the server alone. */
  standing = NOTHING;
  /** @type {Event[]} those after `standing` */
  events = [];
  /** @type {number | null} When the last event was typed, by our clock. */
  lastAtMs = null;
  /** @type {number | null} Of a race: when its clock starts, by the server's. Others start with the first key. */
  startsAtMs = null;
  /** @type {number | null} The same by our clock, fixed when the first key is pressed here. */
  beganAtMs = null;
  /** The number of the last event the server has stored. */
  durable = 0;
  /** The server cannot have had the first event later than this, by our clock. */
  begunByMs = Infinity;
  /** When the server last said that it has no event yet: its clock runs from about then. */
  armedAtMs = -Infinity;
  /** @type {Ending|null} why it ends before the text is complete */
  finish = null;
  /** Was it read back from storage, and has the server not spoken since? */
  recalled = false;

  /**
   * @param {{id: string, source: Source|null, rules?: Rules, layout?: string, openedAtMs: number,
   *   startsAtMs?: number|null}} request
   */
  constructor({ id, source, rules, layout, openedAtMs, startsAtMs = null }) {
    this.id = id;
    this.source = source;
    this.rules = rules;
    this.layout = layout;
    this.openedAtMs = openedAtMs;
    this.startsAtMs = startsAtMs;
  }

  /**
   * The attempt that the server gives a racer. Of one that is not fresh only the server knows what is typed.
   * @param {RaceState} race
   * @param {number} nowMs
   */
  static ofRace({ attempt, phase, text, rules, starts_at_ms: startsAtMs }, nowMs) {
    const log = new AttemptLog({ id: attempt ?? '', source: null, openedAtMs: Math.round(nowMs), startsAtMs });
    if (phase !== 'countdown' || !text) return log;
    log.opened = { text, source: { kind: 'race' }, rules: rules ?? USUAL_RACE_RULES };
    log.replay();
    return log;
  }

  /** @param {import('./mirror.js').Kept} kept */
  static recall({ head, events, lastAtMs, touchedAtMs }) {
    const { id, source, rules, layout, starts_at_ms: startsAtMs } = head;
    const log = new AttemptLog({ id, source, rules, layout, openedAtMs: touchedAtMs, startsAtMs });
    log.finish = head.finish ?? null;
    log.standing = head.standing ?? NOTHING;
    log.recalled = true;
    if (head.opened) {
      log.opened = head.opened;
      log.events = events;
      log.lastAtMs = lastAtMs ?? head.last_at_ms ?? null;
      log.replay();
    }
    return log;
  }

  /**
   * What the mirror keeps besides the events.
   * @returns {Head}
   */
  get head() {
    const { id, source, rules, layout, opened, finish, standing } = this;
    return {
      id,
      source,
      rules,
      layout,
      opened,
      finish,
      standing,
      opened_at_ms: this.openedAtMs,
      last_at_ms: this.events.length ? null : this.lastAtMs,
      starts_at_ms: this.startsAtMs,
    };
  }

  /** The number of the last event. */
  get last() {
    return this.standing.events + this.events.length;
  }

  get unacked() {
    return Math.max(0, this.last - this.durable);
  }

  /** Has it an end, so that all that is left is to hand it in? */
  get ended() {
    return this.finish !== null || this.attempt?.complete === true;
  }

  /** Is it a racer's, whose clock runs from the start of the race? */
  get raced() {
    return this.startsAtMs !== null;
  }

  get limitMs() {
    const source = this.opened?.source ?? this.source;
    return source?.kind === 'time' ? source.seconds * MS_PER_SECOND : null;
  }

  /** When the time is over by our clock; Infinity if there is no limit or no event yet. */
  get timeUpAtMs() {
    if (!this.attempt || this.limitMs === null || this.lastAtMs === null) return Infinity;
    return this.lastAtMs - this.attempt.atMs + this.limitMs;
  }

  /** When the server, too, must agree that the time is over. */
  get timeUpForAllAtMs() {
    return Math.max(this.timeUpAtMs, this.begunByMs + (this.limitMs ?? 0));
  }

  /**
   * Start the clock of a race, or set it right after a reload.
   * @param {number} beganAtMs by our clock
   */
  begin(beganAtMs) {
    this.beganAtMs = Math.round(beganAtMs);
    this.armedAtMs = this.beganAtMs;
    this.lastAtMs = this.beganAtMs + (this.attempt?.atMs ?? 0);
  }

  /**
   * Type one key now. False if it does not count, as before the start of a race.
   * @param {string} key
   * @param {number} atMs
   */
  press(key, atMs) {
    if (this.raced && (this.beganAtMs === null || atMs < this.beganAtMs)) return false;
    const at = Math.max(Math.round(atMs), this.lastAtMs ?? -Infinity);
    const dtMs = this.lastAtMs === null ? 0 : Math.min(at - this.lastAtMs, DT_MS_MAX);
    if (!this.attempt?.apply(dtMs, key)) return false;
    this.lastAtMs = at;
    this.events.push([dtMs, key]);
    return true;
  }

  /**
   * The events number `from` to `to`.
   * @param {number} from
   * @param {number} to
   */
  slice(from, to) {
    return this.events.slice(from - this.standing.events - 1, to - this.standing.events);
  }

  /**
   * Our clock time of event `seq`, for any that is at hand.
   * @param {number} seq
   */
  typedAtMs(seq) {
    return (this.lastAtMs ?? Infinity) - this.#msAfter(seq);
  }

  /**
   * How long to wait until the server can believe that event `seq` has been typed already.
   * @param {number} seq
   * @param {number} nowMs
   */
  tooEarlyByMs(seq, nowMs) {
    const typedMs = (this.attempt?.atMs ?? 0) - this.#msAfter(seq);
    return typedMs - (nowMs - this.armedAtMs);
  }

  /**
   * Learn what the server holds. Its word is the truth, even if it holds less than it did.
   * @param {Opened} message
   * @param {number} nowMs
   * @returns {boolean} was the attempt made anew, so that it must be drawn again?
   */
  reconcile(message, nowMs) {
    const sameText = this.opened?.text === message.text;
    const { text, source, rules } = message;
    this.opened = { text, source, rules };
    const adopts = !sameText || !this.#continues(message);
    if (adopts) this.#adopt(message, nowMs);
    else if (this.recalled) this.#mistrustOurClock(message, nowMs);
    this.recalled = false;
    if (message.seq === 0 && !this.raced) this.armedAtMs = nowMs;
    this.acknowledge(message.seq, nowMs - message.elapsed_ms);
    this.durable = message.seq;
    return adopts;
  }

  /**
   * Events up to `seq` are stored.
   * @param {number} seq
   * @param {number} nowMs the server had the first one by then
   */
  acknowledge(seq, nowMs) {
    this.durable = Math.max(this.durable, Math.min(seq, this.last));
    if (seq > 0) this.begunByMs = Math.min(this.begunByMs, nowMs);
  }

  /**
   * Take out event `seq`, which the server can not believe; the time goes to the one after it.
   * @param {number} seq
   */
  drop(seq) {
    const index = seq - this.standing.events - 1;
    const [[dtMs]] = this.events.splice(index, 1);
    const next = this.events[index];
    if (next) next[0] = Math.min(next[0] + dtMs, DT_MS_MAX);
    else if (this.lastAtMs !== null) this.lastAtMs -= dtMs;
    if (this.last === 0) this.lastAtMs = this.beganAtMs;
    this.replay();
  }

  /** Make the attempt anew from its events, the server having made its text. */
  replay() {
    const { text, rules } = /** @type {Made} */ (this.opened);
    const standing = this.standing.events > 0 ? this.standing : null;
    this.attempt = new Attempt({ text, rules, limitMs: this.limitMs, fromStart: this.raced, standing });
    for (const [dtMs, key] of this.events) this.attempt.apply(dtMs, key);
    if (this.finish !== null) this.attempt.end();
  }

  /**
   * The time from event `seq` to the last.
   * @param {number} seq
   */
  #msAfter(seq) {
    return this.slice(seq + 1, this.last).reduce((sumMs, [dtMs]) => sumMs + dtMs, 0);
  }

  /**
   * Are our events those the server holds, and those that follow on them?
   * @param {Opened} message
   */
  #continues({ seq, at_ms: atMs }) {
    if (seq < this.standing.events || seq > this.last) return false;
    const sumMs = this.slice(this.standing.events + 1, seq).reduce(
      // A solo attempt's clock starts with its first event.
      (total, [dtMs], i) => total + (this.standing.events + i === 0 && !this.raced ? 0 : dtMs),
      this.standing.atMs,
    );
    return sumMs === atMs;
  }

  /**
   * Go on from what the server holds: we have lost our memory, or somebody else has typed.
   * @param {Opened} message
   * @param {number} nowMs
   */
  #adopt({ seq, typed, at_ms: atMs, elapsed_ms: elapsedMs, score }, nowMs) {
    this.standing = { events: seq, typed, atMs, score };
    this.events = [];
    this.lastAtMs = seq === 0 ? null : Math.round(Math.min(nowMs, nowMs - elapsedMs + atMs));
    if (this.raced) this.lastAtMs = this.beganAtMs === null ? null : this.beganAtMs + atMs;
    this.replay();
  }

  /**
   * After a reload our clock may have jumped; how long nobody typed the server knows as well.
   * @param {Opened} message
   * @param {number} nowMs
   */
  #mistrustOurClock({ seq, at_ms: atMs, elapsed_ms: elapsedMs }, nowMs) {
    if (seq !== this.last || this.lastAtMs === null || this.raced) return; // a race begins anew by its own clock
    const idleMs = Math.max(0, elapsedMs - atMs);
    const ourIdleMs = nowMs - this.lastAtMs;
    if (ourIdleMs < 0 || ourIdleMs > idleMs + CLOCK_JUMP_MS) {
      this.lastAtMs = Math.round(nowMs - idleMs);
    }
  }
}

/**
 * What to type for a key: one that no server could doubt, several from an input method, or nothing.
 * @param {string} key
 * @returns {string[]}
 */
export function keysOf(key) {
  if (SINGLE_KEYS.has(key)) return [key];
  return graphemes(key).filter((grapheme) => {
    const typable = BREAKS.includes(grapheme) || !UNTYPABLE.test(grapheme);
    return typable && Array.from(grapheme).length <= CODE_POINTS_PER_KEY_MAX;
  });
}

/**
 * A random UUID (version 4) from a source of numbers that may be a seeded one.
 * @param {() => number} random
 */
export function newId(random) {
  return 'xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx'.replace(/[xy]/g, (place) => {
    const digit = Math.floor(random() * 16);
    return (place === 'x' ? digit : (digit & 3) | 8).toString(16);
  });
}
