/** The attempts of this page that are not settled yet, each with its copy in storage. */

import { AttemptLog } from './attempt_log.js';
import { Mirror } from './mirror.js';

/**
 * @import { Kept } from './mirror.js'
 * @import { Ending, Source } from './protocol.js'
 */

const ABANDONED_AFTER_MS = 600_000; // the server, too, gives up an attempt by then

export class Attempts {
  /** @type {AttemptLog|null} the one being typed, or whose result the person waits for */
  current = null;
  /** Our memory of the current one is no good: another window types it. */
  superseded = false;

  #mirror;
  /** @type {AttemptLog[]} those the person has left, to be handed in one by one */
  #leaving = [];
  /** @type {Set<AttemptLog>} Those that broke a connection once: they must not hold up the current one again. */
  #postponed = new Set();
  /** @type {AttemptLog[]} cut short by a reload or a crash, the newest first */
  #resumable = [];
  #recalled = false;

  /** @param {Storage|null} storage */
  constructor(storage) {
    this.#mirror = new Mirror(storage);
  }

  get empty() {
    return this.current === null && this.#leaving.length === 0;
  }

  /** The attempts with events that the server has not stored. */
  get unsaved() {
    const all = this.current ? [...this.#leaving, this.current] : this.#leaving;
    return all.filter((log) => log.unacked > 0);
  }

  /** The attempt that should be open on the connection now. */
  get next() {
    const waiting = this.superseded ? null : this.current;
    if (waiting?.raced) return waiting; // a race waits for nobody
    const first = this.#leaving.find((log) => !this.#postponed.has(log));
    return first ?? waiting ?? this.#leaving[0] ?? null;
  }

  /** @param {string} id @returns {AttemptLog | null} */
  find(id) {
    return [this.current, ...this.#leaving].find((log) => log?.id === id) ?? null;
  }

  /** @param {AttemptLog} log */
  begin(log) {
    this.current = log;
    this.#mirror.keepHead(log.head);
  }

  /**
   * Write down the key just pressed.
   * @param {AttemptLog} log
   */
  keepLast(log) {
    this.#mirror.keepLast(log.id, log.events, log.lastAtMs);
  }

  /**
   * Write an attempt anew, after its history has changed.
   * @param {AttemptLog} log
   */
  keepAll(log) {
    this.#mirror.keepHead(log.head);
    this.#mirror.keepAll(log.id, log.events, log.lastAtMs);
  }

  /**
   * It ends here, before its text is complete.
   * @param {AttemptLog} log
   * @param {Ending} why
   */
  end(log, why) {
    log.finish = why;
    log.attempt?.end();
    this.#mirror.keepHead(log.head);
  }

  /** Make room for another attempt; what was typed of this one is still handed in. */
  leaveCurrent() {
    const log = this.current;
    if (log && !this.superseded) {
      if (log.last === 0) this.#mirror.forget(log.id);
      else {
        if (!log.ended) this.end(log, 'quit');
        this.#leaving.push(log);
      }
    }
    this.current = null;
    this.superseded = false;
  }

  /**
   * The connection broke over it.
   * @param {AttemptLog} log
   */
  postpone(log) {
    if (this.#leaving.includes(log)) this.#postponed.add(log);
  }

  /**
   * Let go of an attempt; its copy stays, since another window has taken it.
   * @param {AttemptLog} log
   */
  letGo(log) {
    if (this.current === log) this.current = null;
    this.#leaving = this.#leaving.filter((one) => one !== log);
    this.#postponed.delete(log);
  }

  /**
   * It is settled: nobody needs its events any more.
   * @param {string} id
   */
  forget(id) {
    this.#mirror.forget(id);
    const log = this.find(id);
    if (log) this.letGo(log);
  }

  /**
   * Make the attempt current that a reload or a crash has cut short; of those of races only the one named.
   * @param {number} nowMs
   * @param {string|null} [raced] the id of a race's attempt
   * @param {(source: Source|null) => boolean} [fits] of others only one at such a source
   * @returns {AttemptLog|null} it, if there is one
   */
  resume(nowMs, raced = null, fits = () => true) {
    this.recall(nowMs);
    if (this.current) return null;
    const log = this.#resumable.find(({ id, source, raced: isRaced }) =>
      raced === null ? !isRaced && fits(source) : id === raced,
    );
    if (!log) return null;
    this.#resumable = this.#resumable.filter((one) => one !== log);
    this.current = log;
    return log;
  }

  /** Read the current attempt again, as another window has left it. */
  reread() {
    this.superseded = false;
    const kept = this.current && this.#mirror.find(this.current.id);
    const log = kept && this.#read(kept);
    if (log) this.current = log;
    return log;
  }

  /**
   * Read what storage holds, the first time.
   * @param {number} nowMs
   */
  recall(nowMs) {
    if (this.#recalled) return;
    this.#recalled = true;
    for (const kept of this.#mirror.all()) this.#sort(kept, nowMs - kept.touchedAtMs);
  }

  /** @param {Kept} kept @param {number} idleMs */
  #sort(kept, idleMs) {
    const log = this.#read(kept);
    const abandoned = idleMs > ABANDONED_AFTER_MS;
    if (!log || log.last === 0) {
      // Nothing was typed. A fresh one may be open in another window.
      if (!log || abandoned) this.#mirror.forget(kept.head.id);
    } else if (abandoned || log.finish !== null || (log.raced && log.ended)) {
      if (!log.ended) this.end(log, 'quit');
      this.#leaving.push(log);
    } else this.#resumable.push(log);
  }

  /** @param {Kept} kept */
  #read(kept) {
    try {
      return AttemptLog.recall(kept);
    } catch {
      return null; // written by another version, or by hand
    }
  }
}
