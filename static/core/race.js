/** What the page knows of a race: the numbered events folded one by one, healed by snapshots. */

import { MS_PER_SECOND, wordsPerMinute } from './score.js';
import { graphemes } from './text.js';

/**
 * @typedef {'lobby'|'countdown'|'running'|'finished'|'cancelled'} Phase
 *
 * @typedef {object} RacerState a racer in a snapshot
 * @property {number} slot
 * @property {string} name
 * @property {boolean} ghost
 * @property {boolean} ready
 * @property {boolean} connected
 * @property {number} position
 * @property {number} wpm
 * @property {number} accuracy
 * @property {number|null} [finished_ms]
 * @property {number|null} [place]
 * @property {string|null} [dnf]
 *
 * @typedef {object} Snapshot the whole race at its event number `n`
 * @property {string} race
 * @property {string} code
 * @property {number} n
 * @property {Phase} phase
 * @property {number|null} host
 * @property {boolean} private
 * @property {number|null} [you]
 * @property {RacerState[]} racers
 * @property {number} [watchers]
 * @property {string|null} [language]
 * @property {string|null} [text]
 * @property {number|null} [text_length]
 * @property {number|null} [starts_at_ms]
 * @property {boolean} [quick]
 * @property {{code: string}|null} [again]
 *
 * @typedef {[slot: number, place: number, durationMs: number]} Place
 *
 * @typedef {{race: string, n: number} & (
 *   {event: 'joined', slot: number, name: string, ghost: boolean}
 *   | {event: 'left', slot: number}
 *   | {event: 'ready', slot: number, ready: boolean}
 *   | {event: 'host', slot: number}
 *   | {event: 'countdown', text: string, starts_at_ms: number}
 *   | {event: 'go'}
 *   | {event: 'placed', slot: number, place: number, duration_ms: number}
 *   | {event: 'dnf', slot: number, why: string}
 *   | {event: 'connection', slot: number, connected: boolean}
 *   | {event: 'over', places: Place[]}
 *   | {event: 'cancelled', why: string}
 *   | {event: 'again', code: string}
 * )} RaceEvent
 *
 * @typedef {{race: string, n: number, racers: [slot: number, position: number, wpm: number,
 *   accuracy: number][]}} Moves
 *
 * @typedef {object} Racer
 * @property {number} slot
 * @property {string} name
 * @property {boolean} ghost
 * @property {boolean} ready
 * @property {boolean} connected
 * @property {number|null} awaySinceMs
 * @property {number} position
 * @property {number} wpm
 * @property {number} accuracy
 * @property {number|null} finishedMs
 * @property {number|null} place final
 * @property {string|null} dnf why there will be no place
 * @property {{at_s: number, wpm: number}[]} speeds as they were heard, one a second at most
 */

const LIVE = new Set(['lobby', 'countdown', 'running']);

/** All times are by the server's clock, given by whoever knows it. */
export class Race {
  id = '';
  code = '';
  /** The number of the last event that is part of this. */
  n = 0;
  /** @type {Phase} */
  phase = 'lobby';
  /** @type {number|null} */
  host = null;
  private = false;
  /** Does it start by itself? */
  quick = false;
  /** @type {number|null} the slot of who looks at it; null: a watcher */
  you = null;
  watchers = 0;
  /** @type {string|null} */
  language = null;
  /** @type {string|null} comes with the countdown */
  text = null;
  textLength = 0;
  /** @type {number|null} */
  startsAtMs = null;
  /** @type {string|null} why there was no race in the end */
  cancelled = null;
  /** @type {string|null} the code of the next race of the same racers */
  again = null;
  /** Has an event been missed? A snapshot, or the missing events, heal it. */
  holed = false;

  /** @type {Map<number, Racer>} */
  #racers = new Map();

  /** @param {Snapshot} snapshot @param {number} nowMs */
  constructor(snapshot, nowMs) {
    this.id = snapshot.race;
    this.n = -1;
    this.adopt(snapshot, nowMs);
  }

  /** The racers by their slots. */
  get racers() {
    return [...this.#racers.values()].sort((a, b) => a.slot - b.slot);
  }

  /** @param {number|null} slot */
  racer(slot) {
    return slot === null ? null : (this.#racers.get(slot) ?? null);
  }

  /** Who looks at it, if racing. */
  get me() {
    return this.racer(this.you);
  }

  /** Is there still something to type for who looks at it? */
  get typing() {
    return this.live && this.me?.dnf === null && this.me.finishedMs === null;
  }

  /** Can anything still happen in it? */
  get live() {
    return LIVE.has(this.phase);
  }

  /**
   * Take the whole state, unless more is known already.
   * @param {Snapshot} snapshot
   * @param {number} nowMs
   * @returns {boolean} was it taken?
   */
  adopt(snapshot, nowMs) {
    if (snapshot.n < this.n) return false;
    const { n, code, phase, host, you, watchers, language, text, text_length, starts_at_ms } = snapshot;
    Object.assign(this, { n, code, phase, host, private: snapshot.private });
    this.you = you ?? null;
    this.watchers = watchers ?? 0;
    this.language = language ?? null;
    this.text = text ?? null;
    this.textLength = text_length ?? 0;
    this.startsAtMs = starts_at_ms ?? null;
    this.quick = snapshot.quick ?? false;
    this.again = snapshot.again?.code ?? null;
    this.holed = false;
    const known = this.#racers;
    this.#racers = new Map(snapshot.racers.map((state) => [state.slot, asNow(state, known.get(state.slot), nowMs)]));
    return true;
  }

  /**
   * Fold one event in. Old ones are known already; one that is not the next shows a hole.
   * @param {RaceEvent} event
   * @param {number} nowMs
   * @returns {boolean} did it change anything?
   */
  apply(event, nowMs) {
    if (event.n <= this.n) return false;
    if (event.n > this.n + 1) {
      this.holed = true;
      return false;
    }
    this.n = event.n;
    this.#happen(event, nowMs);
    return true;
  }

  /**
   * Where the racers are now; the newest is right.
   * @param {Moves} moves
   * @param {number} nowMs
   */
  move({ n, racers }, nowMs) {
    if (n > this.n) this.holed = true;
    for (const [slot, position, wpm, accuracy] of racers) {
      const racer = this.#racers.get(slot);
      if (!racer) continue;
      Object.assign(racer, { position, wpm, accuracy });
      if (this.startsAtMs !== null) note(racer, (nowMs - this.startsAtMs) / MS_PER_SECOND);
    }
  }

  /**
   * The racers as they stand: those with a place, then who is nearest to the end, last who gave up.
   * @returns {Racer[]}
   */
  get order() {
    return this.racers.sort((a, b) => compare(rank(a), rank(b)));
  }

  /** The place of each slot as it stands; who has given up has none. */
  get places() {
    const racing = this.order.filter((racer) => racer.dnf === null);
    return new Map(racing.map((racer, i) => [racer.slot, racer.place ?? i + 1]));
  }

  /**
   * How long a racer has been away; null if present.
   * @param {Racer} racer
   * @param {number} nowMs
   */
  awayMs(racer, nowMs) {
    return racer.awaySinceMs === null ? null : Math.max(0, nowMs - racer.awaySinceMs);
  }

  /**
   * The time up to the start; not positive once it runs, null before the countdown.
   * @param {number} nowMs
   */
  startsInMs(nowMs) {
    return this.startsAtMs === null ? null : this.startsAtMs - nowMs;
  }

  /** Those whom the host waits for. */
  get unready() {
    return this.racers.filter((racer) => !racer.ready && racer.slot !== this.host);
  }

  /** May who looks at it start the race? */
  get mayStart() {
    return this.phase === 'lobby' && this.you !== null && this.you === this.host && this.#racers.size > 1;
  }

  /** @param {RaceEvent} event @param {number} nowMs */
  #happen(event, nowMs) {
    if (event.event === 'joined') this.#racers.set(event.slot, newcomer(event));
    else if (event.event === 'left') this.#leave(event.slot);
    else if (event.event === 'host') this.host = event.slot;
    else if (event.event === 'countdown') this.#countDown(event.text, event.starts_at_ms);
    else if (event.event === 'go') this.phase = 'running';
    else if (event.event === 'over') this.#finish(event.places);
    else if (event.event === 'cancelled') this.#cancel(event.why);
    else if (event.event === 'again') this.again = event.code;
    else if ('slot' in event) this.#happenTo(this.#racers.get(event.slot), event, nowMs);
  }

  /** @param {Racer|undefined} racer @param {RaceEvent} event @param {number} nowMs */
  #happenTo(racer, event, nowMs) {
    if (!racer) return;
    if (event.event === 'ready') racer.ready = event.ready;
    else if (event.event === 'placed') this.#place(racer, event.place, event.duration_ms);
    else if (event.event === 'dnf') racer.dnf = event.why;
    else if (event.event === 'connection') {
      racer.connected = event.connected;
      racer.awaySinceMs = event.connected ? null : nowMs;
    }
  }

  /** @param {number} slot */
  #leave(slot) {
    this.#racers.delete(slot);
    if (this.you === slot) this.you = null;
  }

  /** @param {string} text @param {number} startsAtMs */
  #countDown(text, startsAtMs) {
    this.phase = 'countdown';
    this.text = text;
    this.textLength = graphemes(text).length;
    this.startsAtMs = startsAtMs;
  }

  /** @param {Racer} racer @param {number} place @param {number} durationMs */
  #place(racer, place, durationMs) {
    racer.place = place;
    racer.finishedMs = durationMs;
    racer.position = this.textLength;
    note(racer, durationMs / MS_PER_SECOND);
  }

  /** @param {Place[]} places */
  #finish(places) {
    this.phase = 'finished';
    for (const [slot, place, durationMs] of places) {
      const racer = this.#racers.get(slot);
      if (racer && racer.place === null) this.#place(racer, place, durationMs);
    }
  }

  /** @param {string} why */
  #cancel(why) {
    this.phase = 'cancelled';
    this.cancelled = why;
  }
}

/**
 * The last point of a speed curve is the result itself.
 * @param {Racer} racer
 * @param {number} textLength
 */
export function curveOf({ speeds, finishedMs, wpm }, textLength) {
  if (finishedMs === null) return speeds;
  const endS = finishedMs / MS_PER_SECOND;
  const before = speeds.filter((point) => point.at_s < endS);
  return [...before, { at_s: endS, wpm: wpm || wordsPerMinute(textLength, finishedMs) }];
}

/**
 * @param {RacerState} state
 * @param {Racer|undefined} known
 * @param {number} nowMs
 * @returns {Racer}
 */
function asNow(state, known, nowMs) {
  const { slot, name, ghost, ready, connected, position, wpm, accuracy, finished_ms, place, dnf } = state;
  return {
    ...{ slot, name, ghost, ready, connected, position, wpm, accuracy },
    awaySinceMs: connected ? null : (known?.awaySinceMs ?? nowMs),
    finishedMs: finished_ms ?? null,
    place: place ?? null,
    dnf: dnf ?? null,
    speeds: known?.speeds ?? [],
  };
}

/** @param {{slot: number, name: string, ghost: boolean}} joined @returns {Racer} */
function newcomer({ slot, name, ghost }) {
  const start = { position: 0, wpm: 0, accuracy: 1 };
  return asNow({ slot, name, ghost, ready: ghost, connected: true, ...start }, undefined, 0);
}

/**
 * Keep the speed at a moment, the last of each second.
 * @param {Racer} racer
 * @param {number} atS since the start
 */
function note({ speeds, wpm }, atS) {
  if (atS <= 0) return;
  const last = speeds.at(-1);
  if (last && Math.floor(last.at_s) === Math.floor(atS)) speeds.pop();
  speeds.push({ at_s: atS, wpm });
}

/**
 * What the order goes by: a place, a finish, how far, the slot.
 * @param {Racer} racer
 */
function rank({ dnf, place, finishedMs, position, slot }) {
  return [dnf === null ? 0 : 1, place ?? Infinity, finishedMs ?? Infinity, -position, slot];
}

/** @param {number[]} a @param {number[]} b */
function compare(a, b) {
  const i = a.findIndex((value, at) => value !== b[at]);
  return i < 0 ? 0 : a[i] < b[i] ? -1 : 1;
}
