/** The page's one line to the server, and the attempt that is open on it. */

import { AttemptLog, keysOf } from './attempt_log.js';
import { Attempts } from './attempts.js';
import { Connection } from './connection.js';
import { Delivery } from './delivery.js';
import { CONFLICT, SUPERSEDED } from './protocol.js';

const BEHIND_AFTER_MS = 1_000;
const TIME_UP_GRACE_MS = 50; // a key may have gone down in time and still stand in the queue
const STAMP_AGE_MS_MAX = 10_000;
const SOURCE_BYTES_MAX = 65_000;

export class Live {
  #clock;
  #random;
  #setTimeout;
  #clearTimeout;
  #attempts;
  #connection;
  #listeners = new Map();
  /** @type {Delivery|null} of the one attempt that is open on the connection */
  #delivery = null;
  #reported = '';
  #timer = null;
  #turning = false;
  #turnAgain = false;

  /**
   * @param {object} options
   * @param {string} options.url
   * @param {typeof WebSocket} options.WebSocket
   * @param {Storage|null} options.storage
   * @param {{nowMs: () => number}} options.clock Unix ms that never run backwards
   * @param {() => number} options.random 0 up to 1
   * @param {typeof setTimeout} options.setTimeout
   * @param {typeof clearTimeout} options.clearTimeout
   */
  constructor({ url, WebSocket, storage, clock, random, setTimeout, clearTimeout }) {
    this.#clock = clock;
    this.#random = random;
    // Browsers refuse to set a timer as a method of ours.
    this.#setTimeout = (wake, delayMs) => setTimeout(wake, delayMs);
    this.#clearTimeout = (timer) => clearTimeout(timer);
    this.#attempts = new Attempts(storage);
    const listener = {
      welcomed: () => this.#turn(),
      received: (message) => this.#receive(message),
      lost: (code) => this.#lost(code),
      wanted: () => !this.#attempts.empty,
    };
    const { token } = this.#attempts;
    this.#connection = new Connection({ url, WebSocket, token, clock, random, listener });
  }

  /** @returns {{id: string, name: string, guest: boolean}|null} */
  get user() {
    return this.#connection.user;
  }

  get serverOffsetMs() {
    return this.#connection.serverOffsetMs;
  }

  /**
   * Be told. `connection opened progress over done settled refused superseded voided`.
   * @param {string} name
   * @param {(payload: object) => void} listener
   * @returns {() => void} unsubscribes
   */
  on(name, listener) {
    if (!this.#listeners.has(name)) this.#listeners.set(name, new Set());
    this.#listeners.get(name).add(listener);
    return () => this.#listeners.get(name).delete(listener);
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
   * @param {{source: object, rules?: {errors: string}}} options
   */
  open({ source, rules }) {
    this.#leaveCurrent();
    if (bytes(source) > SOURCE_BYTES_MAX) {
      const message = 'The text is too long.';
      this.#emit('refused', { code: 'bad_field', message, retryMs: null });
      return;
    }
    const openedAtMs = Math.round(this.#clock.nowMs());
    const id = uuid(this.#random);
    this.#attempts.begin(new AttemptLog({ id, source, rules, openedAtMs }));
    this.#connection.wake();
    this.#turn();
  }

  /**
   * Go on with the attempt that a reload or a crash has cut short.
   * @returns {boolean} is there one?
   */
  resume() {
    if (!this.#attempts.resume(this.#clock.nowMs())) return false;
    this.#emitOpened(this.#current, true);
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
    const atMs = this.#pressedAtMs(timeStampMs);
    let counts = false;
    for (const piece of keysOf(key)) {
      if (!log.press(piece, atMs)) continue;
      counts = true;
      this.#attempts.keepLast(log);
    }
    if (counts && log.attempt.complete) this.#emit('over', { attempt: log.attempt });
    this.#turn();
    return counts;
  }

  /**
   * End the open attempt. A complete text needs no end.
   * @param {'quit'|'time'|'done'} why
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

  get #current() {
    return this.#attempts.current;
  }

  #leaveCurrent() {
    const log = this.#current;
    if (log?.last === 0 && this.#delivery?.log === log) {
      this.#delivery.leave();
      this.#delivery = null;
    }
    this.#attempts.leaveCurrent();
  }

  // What the connection brings

  #receive(message) {
    if (message.type === 'done') this.#done(message);
    else this.#delivery?.receive(message);
    if (message.type === 'ack' && this.#delivery?.owns(message)) this.#progress(message);
    this.#turn();
  }

  #progress({ position, wpm, raw_wpm, accuracy, errors, keys }) {
    if (this.#delivery.log !== this.#current) return;
    this.#emit('progress', { position, wpm, raw_wpm, accuracy, errors, keys });
  }

  #done({ attempt: id, result, verdict, why }) {
    const log = this.#attempts.find(id);
    const name = log === this.#current ? 'done' : 'settled';
    this.#forget(id);
    this.#connection.send({ type: 'got', attempt: id });
    if (!log) return;
    log.attempt?.end();
    this.#emit(name, { id, result: result ?? null, verdict, why: why ?? [], attempt: log.attempt });
  }

  #forget(id) {
    if (this.#delivery?.log.id === id) this.#delivery = null;
    this.#attempts.forget(id);
  }

  #lost(code) {
    const log = this.#delivery?.log;
    this.#delivery = null;
    if (code === SUPERSEDED || code === CONFLICT) this.#lostTheAttempt(code, log);
    else if (log) this.#attempts.postpone(log);
    this.#turn();
  }

  #lostTheAttempt(code, log) {
    const current = log !== undefined && log === this.#current;
    if (code === CONFLICT && log) this.#attempts.forget(log.id);
    if (!current) {
      // It was only being handed in: whoever has taken it does that now, and nobody need be asked.
      if (log) this.#attempts.letGo(log);
      this.#connection.connect();
    } else if (code === SUPERSEDED) {
      this.#attempts.superseded = true;
      this.#emit('superseded', {});
    } else this.#emit('voided', {});
  }

  // What the delivery brings

  #deliver(log) {
    return new Delivery({
      log,
      connection: this.#connection,
      clock: this.#clock,
      listener: {
        opened: (message, anew) => anew && this.#changed(log, message.state),
        refused: (error, forGood) => this.#refused(log, error, forGood),
        amended: () => this.#changed(log),
        missing: () => {
          const message = 'This attempt has ended elsewhere.';
          this.#refused(log, { code: 'finished', message }, true);
        },
      },
    });
  }

  /** The attempt was made anew, and whoever draws it must begin again. */
  #changed(log, state) {
    this.#attempts.keepAll(log);
    if (log === this.#current) this.#emitOpened(log, log.last > 0, state);
  }

  #refused(log, { code, message, retryMs = null }, forGood) {
    const current = log === this.#current;
    if (forGood) this.#forget(log.id);
    if (current) this.#emit('refused', { code, message, retryMs });
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
    if (this.#delivery?.stale) this.#connection.renew();
    const busy = !this.#attempts.empty;
    this.#connection.turn(busy);
    if (this.#connection.ready && !this.#delivery) {
      const log = this.#attempts.next;
      if (log) this.#delivery = this.#deliver(log);
    }
    const deliverAtMs = this.#delivery?.turn() ?? Infinity;
    const reportAtMs = this.#report();
    return Math.min(timeUpAtMs, deliverAtMs, reportAtMs, this.#connection.wakesAtMs(busy));
  }

  #sleepUntil(wakesAtMs) {
    this.#clearTimeout(this.#timer);
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
    this.#emit('over', { attempt: log.attempt });
    return Infinity;
  }

  /** A time a key can have: stamps of some browsers and of synthetic events are of no use. */
  #pressedAtMs(timeStampMs) {
    const nowMs = this.#clock.nowMs();
    const age = nowMs - timeStampMs;
    return age >= 0 && age <= STAMP_AGE_MS_MAX ? timeStampMs : nowMs;
  }

  // News

  #emit(name, payload) {
    for (const listener of this.#listeners.get(name) ?? []) {
      try {
        listener(payload);
      } catch (error) {
        // A fault on the page must not hold up the keys; it is still to be seen.
        this.#setTimeout(() => {
          throw error;
        }, 0);
      }
    }
  }

  #emitOpened(log, resumed, state = log.last > 0 ? 'running' : 'armed') {
    const { id, attempt, opened } = log;
    this.#emit('opened', { id, attempt, resumed, state, ...opened });
  }

  /** Tell how safe the keys are, if that has changed. Returns when it may change by itself. */
  #report() {
    const { closeCode, reason } = this.#connection;
    const { unsaved } = this.#attempts;
    const unacked = unsaved.reduce((count, log) => count + log.unacked, 0);
    const behindAtMs = unacked > 0 ? BEHIND_AFTER_MS + unsavedSinceMs(unsaved[0]) : Infinity;
    const state = this.#connectionState(behindAtMs);
    const stalled = this.#delivery?.stalled ?? false;
    const news = { state, unacked, stalled, closeCode, reason };
    const told = JSON.stringify(state === 'saved' ? { ...news, unacked: 0 } : news);
    if (told !== this.#reported) {
      this.#reported = told;
      this.#emit('connection', news);
    }
    return this.#clock.nowMs() < behindAtMs ? behindAtMs : Infinity;
  }

  #connectionState(behindAtMs) {
    if (this.#connection.stopped) return 'stopped';
    // What we read back from storage may long be saved: the server has yet to say.
    const recalled = this.#current?.recalled === true;
    const behind = !recalled && this.#clock.nowMs() >= behindAtMs;
    if (!this.#connection.ready) return behind || this.#connection.failed ? 'offline' : 'connecting';
    if (recalled) return 'connecting';
    return behind ? 'behind' : 'saved';
  }
}

function unsavedSinceMs(log) {
  return log.typedAtMs(Math.max(log.durable, log.standing.events) + 1);
}

function bytes(value) {
  return new TextEncoder().encode(JSON.stringify(value)).length;
}

/** A random UUID (version 4) from a source of numbers that may be a seeded one. */
function uuid(random) {
  return 'xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx'.replace(/[xy]/g, (place) => {
    const digit = Math.floor(random() * 16);
    return (place === 'x' ? digit : (digit & 3) | 8).toString(16);
  });
}
