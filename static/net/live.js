/** The page's one line to the server, and the attempt that is open on it. */

import { AttemptLog, keysOf, newId } from './attempt_log.js';
import { Attempts } from './attempts.js';
import { Connection } from './connection.js';
import { Delivery } from './delivery.js';
import { News } from './news.js';
import { CONFLICT, SUPERSEDED } from './protocol.js';
import { Racing } from './racing.js';
import { safety } from './safety.js';

/**
 * @import { Rules } from '../core/attempt.js'
 * @import { Clock, Listener, Token } from './connection.js'
 * @import { OpenRefusal } from './delivery.js'
 * @import { NewsByName } from './news.js'
 * @import { Ack, AttemptState, Done, RaceState, ServerMessage, Source } from './protocol.js'
 *
 * @typedef {ReturnType<typeof setTimeout>} Timer
 */

const TIME_UP_GRACE_MS = 50; // a key may have gone down in time and still stand in the queue
const STAMP_AGE_MS_MAX = 10_000;
const SOURCE_BYTES_MAX = 65_000;

export class Live {
  /** @type {Clock} */
  #clock;
  /** @type {() => number} */
  #random;
  /** @type {(wake: () => void, delayMs: number) => Timer} */
  #setTimeout;
  /** @type {(timer: Timer) => void} */
  #clearTimeout;
  /** @type {Attempts} */
  #attempts;
  /** @type {Connection} */
  #connection;
  #news;
  /** @type {Delivery|null} of the one attempt that is open on the connection */
  #delivery = null;
  /** @type {Racing} */
  #racing;
  #reported = '';
  /** @type {Timer | null} */
  #timer = null;
  #turning = false;
  #turnAgain = false;

  /**
   * @param {object} options
   * @param {string} options.url
   * @param {typeof globalThis.WebSocket} options.WebSocket
   * @param {Token} options.token
   * @param {Storage|null} options.storage where keystrokes are mirrored
   * @param {Clock} options.clock Unix ms that never run backwards
   * @param {() => number} options.random 0 up to 1
   * @param {(wake: () => void, delayMs: number) => Timer} options.setTimeout
   * @param {(timer: Timer) => void} options.clearTimeout
   */
  constructor({ url, WebSocket, token, storage, clock, random, setTimeout, clearTimeout }) {
    this.#clock = clock;
    this.#random = random;
    // Browsers refuse to set a timer as a method of ours.
    this.#setTimeout = (wake, delayMs) => setTimeout(wake, delayMs);
    this.#clearTimeout = (timer) => clearTimeout(timer);
    // A fault on the page must not hold up the keys; it is still to be seen.
    this.#news = new News((fault) => setTimeout(() => raise(fault), 0));
    this.#attempts = new Attempts(storage);
    /** @type {Listener} */
    const listener = {
      welcomed: () => this.#welcomed(),
      received: (message) => this.#receive(message),
      lost: (code) => this.#lost(code),
      wanted: () => this.#busy,
    };
    this.#connection = new Connection({ url, WebSocket, token, clock, random, listener });
    this.#racing = new Racing({
      connection: this.#connection,
      clock,
      news: this.#news,
      listener: {
        asked: () => this.#turn(),
        given: (message) => this.#race(message),
        left: () => {
          this.#leaveCurrent();
          this.#turn();
        },
      },
    });
  }

  /** The race on this line. */
  get racing() {
    return this.#racing;
  }

  get user() {
    return this.#connection.user;
  }

  get serverOffsetMs() {
    return this.#connection.serverOffsetMs;
  }

  /**
   * Be told.
   * @template {keyof NewsByName} Name
   * @param {Name} name
   * @param {(payload: NewsByName[Name]) => void} listener
   * @returns {() => void} unsubscribes
   */
  on(name, listener) {
    return this.#news.on(name, listener);
  }

  /**
   * Connect and stay connected; again, when the network is back: try at once. What the server has
   * stopped stays so until a person opens an attempt or takes one over.
   */
  start() {
    this.#attempts.recall(this.#clock.nowMs());
    if (!this.#connection.stopped) this.#connection.connect();
    this.#turn();
  }

  /**
   * Begin a new attempt; one that is open is left, and handed in as far as it was typed.
   * @param {{source: Source, rules?: Rules}} options
   */
  open({ source, rules }) {
    this.#leaveCurrent();
    if (bytes(source) > SOURCE_BYTES_MAX) {
      const message = 'The text is too long.';
      this.#news.tell('refused', { code: 'bad_field', message, retryMs: null });
      return;
    }
    const openedAtMs = Math.round(this.#clock.nowMs());
    const id = newId(this.#random);
    this.#attempts.begin(new AttemptLog({ id, source, rules, openedAtMs }));
    this.#connection.wake();
    this.#turn();
  }

  /**
   * Go on with the attempt that a reload or a crash has cut short.
   * @param {(source: Source|null) => boolean} [fits] only an attempt at such a source
   * @returns {boolean} is there one?
   */
  resume(fits) {
    const log = this.#attempts.resume(this.#clock.nowMs(), null, fits);
    if (!log) return false;
    this.#emitOpened(log, true);
    this.#turn();
    return true;
  }

  /**
   * Type a key: drawn and kept at once, sent soon.
   * @param {string} key a grapheme, "\b", "\u0017", "\n", "\t" or "…"
   * @param {number} [timeStampMs] when it went down, by the clock's count
   * @returns {boolean} false if nothing is open or it does not count
   */
  press(key, timeStampMs) {
    const log = this.#current;
    if (!log?.attempt || this.#attempts.superseded) return false;
    if (log.raced && log.beganAtMs === null) this.#begin(log);
    const atMs = this.#pressedAtMs(timeStampMs);
    let counts = false;
    for (const piece of keysOf(key)) {
      if (!log.press(piece, atMs)) continue;
      counts = true;
      this.#attempts.keepLast(log);
    }
    if (counts && log.attempt.complete) this.#news.tell('over', { attempt: log.attempt });
    this.#turn();
    return counts;
  }

  /**
   * End the open attempt. A complete text needs no end.
   * @param {import('./protocol.js').Ending} why
   */
  finish(why) {
    const log = this.#current;
    if (!log || log.ended) return;
    if (log.attempt && !this.#attempts.superseded) this.#attempts.end(log, why);
    else this.#leaveCurrent();
    this.#turn();
  }

  /** Take back the attempt that another window has taken. */
  takeOver() {
    if (!this.#attempts.superseded) return;
    // The other window may have typed on: what it kept is newer than what we remember.
    const log = this.#attempts.reread();
    if (log?.attempt) this.#emitOpened(log, true);
    this.#connection.connect();
    this.#turn();
  }

  /** Who we are has changed, and all we have typed has come along: say hello anew and go on. */
  reintroduce() {
    if (this.#attempts.superseded) this.takeOver();
    else this.#connection.reintroduce();
    this.#turn();
  }

  get #current() {
    return this.#attempts.current;
  }

  get #busy() {
    return !this.#attempts.empty || this.#racing.active;
  }

  #leaveCurrent() {
    const log = this.#current;
    if (log?.last === 0 && this.#delivery?.log === log) {
      this.#delivery.leave();
      this.#delivery = null;
    }
    this.#attempts.leaveCurrent();
  }

  // Races

  /**
   * The server has given us an attempt at a race. What was typed of it before goes on.
   * @param {RaceState} message
   */
  #race(message) {
    if (this.#attempts.find(message.attempt ?? '')) return;
    this.#leaveCurrent();
    this.#delivery = null; // one that was being handed in can wait, and the server has closed it
    const nowMs = this.#clock.nowMs();
    const resumed = this.#attempts.resume(nowMs, message.attempt);
    if (resumed) this.#emitOpened(resumed, true);
    else if (this.#racing.race?.typing) this.#beginRace(AttemptLog.ofRace(message, nowMs), message.h ?? null);
  }

  /** @param {AttemptLog} log @param {number|null} handle */
  #beginRace(log, handle) {
    this.#attempts.begin(log);
    if (!log.opened || handle === null) return; // opening it tells what may be typed already
    this.#delivery = this.#deliver(log, handle);
    this.#changed(log);
  }

  /**
   * All clocks of a race start at one moment, for us as well as the quickest ping could tell.
   * @param {AttemptLog} log
   */
  #begin(log) {
    const startsAtMs = (log.startsAtMs ?? Infinity) - this.#connection.serverOffsetMs;
    if (this.#clock.nowMs() >= startsAtMs) log.begin(startsAtMs);
  }

  // What the connection brings

  #welcomed() {
    this.#racing.welcomed();
    this.#turn();
  }

  /** @param {ServerMessage} message */
  #receive(message) {
    if (message.type === 'done') this.#done(message);
    else if (!this.#racing.receive(message)) this.#delivery?.receive(message);
    if (message.type === 'ack' && this.#delivery?.owns(message)) this.#progress(message);
    this.#turn();
  }

  /** @param {Ack} ack */
  #progress({ position, wpm, raw_wpm, accuracy, errors, keys }) {
    if (this.#delivery?.log !== this.#current) return;
    this.#news.tell('progress', { position, wpm, raw_wpm, accuracy, errors, keys });
  }

  /** @param {Done} done */
  #done({ attempt: id, result, verdict, why }) {
    const log = this.#attempts.find(id);
    const name = log === this.#current ? 'done' : 'settled';
    this.#forget(id);
    this.#connection.send({ type: 'got', attempt: id });
    if (!log) return;
    log.attempt?.end();
    this.#news.tell(name, { id, result: result ?? null, verdict, why: why ?? [], attempt: log.attempt });
  }

  /** @param {string} id */
  #forget(id) {
    if (this.#delivery?.log.id === id) this.#delivery = null;
    this.#attempts.forget(id);
  }

  /** @param {number | null} code */
  #lost(code) {
    const log = this.#delivery?.log;
    this.#delivery = null;
    if (code === SUPERSEDED || code === CONFLICT) this.#lostTheAttempt(code, log);
    else if (log) this.#attempts.postpone(log);
    this.#turn();
  }

  /** @param {number} code @param {AttemptLog | undefined} log */
  #lostTheAttempt(code, log) {
    const current = log !== undefined && log === this.#current;
    if (code === CONFLICT && log) this.#attempts.forget(log.id);
    if (!current) {
      // It was only being handed in: whoever has taken it does that now, and nobody need be asked.
      if (log) this.#attempts.letGo(log);
      this.#connection.connect();
    } else if (code === SUPERSEDED) {
      this.#attempts.superseded = true;
      this.#news.tell('superseded', {});
    } else this.#news.tell('voided', {});
  }

  // What the delivery brings

  /** @param {AttemptLog} log @param {number|null} [handle] by which the server has opened it itself */
  #deliver(log, handle = null) {
    return new Delivery({
      log,
      handle,
      connection: this.#connection,
      clock: this.#clock,
      listener: {
        opened: ({ state }, anew) => anew && this.#changed(log, state),
        refused: (error, forGood) => this.#refused(log, error, forGood),
        amended: () => this.#changed(log),
        missing: () => {
          const message = 'This attempt has ended elsewhere.';
          this.#refused(log, { code: 'finished', message }, true);
        },
      },
    });
  }

  /**
   * The attempt was made anew, and whoever draws it must begin again.
   * @param {AttemptLog} log
   * @param {AttemptState} [state]
   */
  #changed(log, state) {
    this.#attempts.keepAll(log);
    if (log === this.#current) this.#emitOpened(log, log.last > 0, state);
  }

  /** @param {AttemptLog} log @param {OpenRefusal} refusal @param {boolean} forGood */
  #refused(log, { code, message, retryMs }, forGood) {
    const current = log === this.#current;
    if (forGood) this.#forget(log.id);
    if (current) this.#news.tell('refused', { code, message, retryMs: retryMs ?? null });
  }

  // Time

  /** Do all that is due, and set a timer for what will be. */
  #turn() {
    this.#turnAgain = true;
    if (this.#turning) return;
    this.#turning = true;
    let wakesAtMs = Infinity;
    while (this.#turnAgain) {
      this.#turnAgain = false;
      wakesAtMs = this.#pass();
    }
    this.#turning = false;
    this.#sleepUntil(wakesAtMs);
  }

  #pass() {
    const timeUpAtMs = this.#endWhenTimeIsUp();
    if (this.#delivery?.stale || this.#racing.stale) this.#connection.renew();
    const busy = this.#busy;
    this.#connection.turn(busy);
    if (this.#connection.ready && !this.#delivery) {
      const log = this.#attempts.next;
      if (log) this.#delivery = this.#deliver(log);
    }
    const deliverAtMs = this.#delivery?.turn() ?? Infinity;
    const raceAtMs = this.#racing.turn();
    const reportAtMs = this.#report();
    return Math.min(timeUpAtMs, deliverAtMs, raceAtMs, reportAtMs, this.#connection.wakesAtMs(busy));
  }

  /** @param {number} wakesAtMs */
  #sleepUntil(wakesAtMs) {
    if (this.#timer !== null) this.#clearTimeout(this.#timer);
    this.#timer = null;
    if (wakesAtMs === Infinity) return;
    const delayMs = Math.max(1, Math.ceil(wakesAtMs - this.#clock.nowMs()));
    this.#timer = this.#setTimeout(() => this.#turn(), delayMs);
  }

  #endWhenTimeIsUp() {
    const log = this.#current;
    if (!log?.attempt || log.ended || this.#attempts.superseded) return Infinity;
    const dueAtMs = log.attempt.over ? 0 : log.timeUpAtMs + TIME_UP_GRACE_MS;
    if (this.#clock.nowMs() < dueAtMs) return dueAtMs;
    this.#attempts.end(log, 'time');
    this.#news.tell('over', { attempt: log.attempt });
    return Infinity;
  }

  /**
   * A time a key can have: stamps of some browsers and of synthetic events are of no use.
   * @param {number} [timeStampMs]
   */
  #pressedAtMs(timeStampMs = Number.NaN) {
    const nowMs = this.#clock.nowMs();
    const age = nowMs - timeStampMs;
    return age >= 0 && age <= STAMP_AGE_MS_MAX ? timeStampMs : nowMs;
  }

  // News

  /** @param {AttemptLog} log @param {boolean} resumed @param {AttemptState} [state] */
  #emitOpened(log, resumed, state = log.last > 0 ? 'running' : 'armed') {
    const { id, attempt, opened } = log;
    if (!attempt || !opened) return;
    this.#news.tell('opened', { id, attempt, resumed, state, ...opened });
  }

  /** Tell how safe the keys are, if that has changed. Returns when it may change by itself. */
  #report() {
    const nowMs = this.#clock.nowMs();
    const { news, behindAtMs } = safety(this.#connection, this.#attempts, nowMs);
    news.stalled = this.#delivery?.stalled ?? false;
    const told = JSON.stringify(news.state === 'saved' ? { ...news, unacked: 0 } : news);
    if (told !== this.#reported) {
      this.#reported = told;
      this.#news.tell('connection', news);
    }
    return nowMs < behindAtMs ? behindAtMs : Infinity;
  }
}

/** @param {unknown} fault */
function raise(fault) {
  throw fault;
}

/** @param {unknown} value */
function bytes(value) {
  return new TextEncoder().encode(JSON.stringify(value)).length;
}
