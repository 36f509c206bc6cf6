/** Brings one attempt's log to the server over one connection. A new connection gets a new one. */

import { BATCH_MAX, WINDOW } from './protocol.js';

/**
 * @import { AttemptLog } from './attempt_log.js'
 * @import { Clock, Connection } from './connection.js'
 * @import { Ack, Opened, Refusal, Reject, ServerMessage } from './protocol.js'
 *
 * @typedef {{code: string, message: string, retryMs?: number}} OpenRefusal
 *
 * @typedef {object} Listener
 * @property {(message: Opened, anew: boolean) => void} opened
 * @property {(refusal: OpenRefusal, forGood: boolean) => void} refused
 * @property {() => void} amended an event was taken out
 * @property {() => void} missing the result went elsewhere
 */

const BATCH_EVERY_MS = 50;
const BATCH_AT_ONCE = 16;
const ACK_WAIT_MS = 3_000;
const ANSWER_WAIT_MS = 5_000;
const REOPEN_WAIT_MS = 1_000;
const EARLY_WAIT_MS = 250;
const DOUBT_WAIT_MS = 500;
const DOUBTS_MAX = 3;
const OVER = new Set(['finished', 'abandoned', 'void']);

export class Delivery {
  /** @type {AttemptLog} */
  log;
  /** The store is slow or away: acks will come later. */
  stalled = false;

  /** @type {Connection} */
  #connection;
  /** @type {Clock} */
  #clock;
  /** @type {Listener} */
  #listener;
  /** @type {number | null} */
  #handle = null;
  #requestId = 0;
  #requestedAtMs = Infinity;
  #askAtMs = 0;
  /** @type {boolean} */
  #withSource;
  /** The server has said that nothing more counts. */
  #over = false;
  #missingAtMs = Infinity;
  #openedAtMs = 0;
  #sentTo = 0;
  #sentAtMs = -Infinity;
  #heldUntilMs = 0;
  #finishId = 0;
  /** Since when the server has owed us anything without giving something. */
  #owedSinceMs = Infinity;
  /** Events up to `to` go one by one, to find the one at `seq` that was refused `times` times. */
  #doubt = { seq: 0, to: 0, times: 0 };

  /**
   * @param {object} options
   * @param {AttemptLog} options.log
   * @param {Connection} options.connection a ready one
   * @param {Clock} options.clock
   * @param {Listener} options.listener
   * @param {number|null} [options.handle] the server has opened a fresh attempt on this connection by itself
   */
  constructor({ log, connection, clock, listener, handle = null }) {
    this.log = log;
    this.#connection = connection;
    this.#clock = clock;
    this.#listener = listener;
    this.#withSource = log.opened === null;
    if (handle === null) return;
    this.#handle = handle;
    this.#askAtMs = Infinity;
    this.#openedAtMs = clock.nowMs();
  }

  /** Has the server opened the attempt on this connection? */
  get open() {
    return this.#handle !== null;
  }

  /**
   * Send what is due.
   * @returns {number} when to come again
   */
  turn() {
    const nowMs = this.#clock.nowMs();
    if (this.#askAtMs <= nowMs) this.#ask(nowMs);
    if (this.#missingAtMs <= nowMs) {
      this.#missingAtMs = Infinity;
      this.#listener.missing();
      return Infinity;
    }
    const sends = this.open && !this.#over;
    const sendsAtMs = sends ? Math.min(this.#sendEvents(nowMs), this.#sendFinish(nowMs)) : Infinity;
    return Math.min(sendsAtMs, this.#askAtMs, this.#missingAtMs, this.#staleAtMs());
  }

  /** Has the connection been silent for so long that it seems dead? */
  get stale() {
    return this.#clock.nowMs() >= this.#staleAtMs();
  }

  /** @param {ServerMessage} message one that is about an open attempt */
  receive(message) {
    const nowMs = this.#clock.nowMs();
    if (message.type === 'opened') this.#opened(message, nowMs);
    else if (message.type === 'error') this.#refused(message, nowMs);
    else if (!this.owns(message)) return;
    else if (message.type === 'ack') this.#acked(message, nowMs);
    else if (message.type === 'reject') this.#rejected(message, nowMs);
    else if (message.type === 'stall') this.#stall(message.on, nowMs);
  }

  /** Leave an attempt that nothing was typed in; nobody waits for the answer. */
  leave() {
    if (!this.open || this.#over) return;
    this.#connection.send({ type: 'finish', h: this.#handle, seq: this.log.last, why: 'quit' });
  }

  /**
   * Is this message about our attempt?
   * @param {ServerMessage} message
   */
  owns(message) {
    return this.open && 'h' in message && message.h === this.#handle;
  }

  /** @param {number} nowMs */
  #ask(nowMs) {
    const { id: attempt, source, rules, layout } = this.log;
    this.#requestId = this.#connection.nextRequestId();
    const asked = this.#withSource && source ? { source, ...(rules && { rules }), ...(layout && { layout }) } : {};
    this.#connection.send({ type: 'open', id: this.#requestId, attempt, ...asked });
    this.#askAtMs = Infinity;
    this.#requestedAtMs = nowMs;
  }

  /** @param {Opened} message @param {number} nowMs */
  #opened(message, nowMs) {
    if (message.attempt !== this.log.id) return;
    this.#requestedAtMs = Infinity;
    this.#handle = message.h;
    this.#over = OVER.has(message.state);
    this.stalled = false;
    this.#finishId = 0;
    const anew = this.log.reconcile(message, nowMs);
    this.#sentTo = message.seq;
    this.#openedAtMs = nowMs;
    this.#owedSinceMs = Infinity;
    // `done` follows, unless somebody has had it: then nothing does.
    this.#missingAtMs = this.#over ? nowMs + ACK_WAIT_MS : Infinity;
    this.#listener.opened(message, anew);
  }

  /** @param {Refusal} refusal @param {number} nowMs */
  #refused({ re, code, retry_ms: retryMs, message }, nowMs) {
    if (re !== undefined && re === this.#requestId) {
      this.#openRefused({ code, message, retryMs }, nowMs);
    } else if (code === 'unknown_handle' || (re !== undefined && re === this.#finishId)) {
      this.#reopen(nowMs + (retryMs ?? REOPEN_WAIT_MS));
    } else if (re === undefined && retryMs !== undefined && this.open) {
      this.#rewind(this.log.durable + 1, nowMs + retryMs);
    }
  }

  /** @param {OpenRefusal} error @param {number} nowMs */
  #openRefused(error, nowMs) {
    this.#requestedAtMs = Infinity;
    const forgotten = error.code === 'not_found' && !this.#withSource && this.log.source !== null;
    if (forgotten) {
      // A store that was put back to an earlier day does not know the attempt: begin it again.
      this.#withSource = true;
      this.#askAtMs = nowMs;
      return;
    }
    if (error.retryMs !== undefined) this.#askAtMs = nowMs + error.retryMs;
    this.#listener.refused(error, error.retryMs === undefined);
  }

  /** @param {number} atMs */
  #reopen(atMs) {
    this.#handle = null;
    this.#owedSinceMs = Infinity;
    this.#askAtMs = atMs;
  }

  /** @param {Ack} ack @param {number} nowMs */
  #acked({ seq }, nowMs) {
    const before = this.log.durable;
    this.log.acknowledge(seq, nowMs);
    if (this.log.durable === before) return;
    this.#connection.prosper();
    this.#owedSinceMs = this.#owesAck() || this.log.ended ? nowMs : Infinity;
  }

  /** @param {Reject} reject @param {number} nowMs */
  #rejected({ code, seq }, nowMs) {
    if (code === 'finished') this.#endedThere(nowMs);
    else if (code === 'early') this.#rewind(seq, nowMs + EARLY_WAIT_MS);
    else if (code === 'gap') this.#rewind(seq, nowMs);
    else if (code === 'bad_event') this.#doubted(seq, nowMs);
  }

  /** @param {number} nowMs */
  #endedThere(nowMs) {
    if (this.#over) return;
    this.#over = true;
    this.#askAtMs = nowMs + ACK_WAIT_MS; // `done` is on its way; if it is lost, asking repeats it
  }

  /** @param {number} seq @param {number} heldUntilMs */
  #rewind(seq, heldUntilMs) {
    if (seq <= this.log.standing.events) {
      // It asks for what we no longer have: what it does have, it shall tell us.
      this.#reopen(this.#clock.nowMs() + REOPEN_WAIT_MS);
      return;
    }
    this.log.durable = Math.min(this.log.durable, seq - 1);
    this.#sentTo = Math.min(this.#sentTo, seq - 1);
    this.#finishId = 0;
    this.#heldUntilMs = Math.max(this.#heldUntilMs, heldUntilMs);
  }

  /**
   * Either the server's clock is behind ours, which time mends, or it cuts a key into several,
   * which nothing mends. So try again one by one, and give up the one that never passes.
   * @param {number} seq
   * @param {number} nowMs
   */
  #doubted(seq, nowMs) {
    if (seq > this.log.last) return;
    const earlyMs = this.log.tooEarlyByMs(seq, nowMs);
    const again = this.#doubt.seq === seq ? this.#doubt.times : 0;
    const times = earlyMs > 0 ? again : again + 1;
    this.#doubt = { seq, to: Math.max(this.#sentTo, this.#doubt.to), times };
    this.#rewind(seq, nowMs + (earlyMs > 0 ? earlyMs : DOUBT_WAIT_MS * 2 ** (times - 1)));
    if (times <= DOUBTS_MAX) return;
    this.#doubt.times = 0; // the next one has this number now
    this.#heldUntilMs = nowMs;
    this.log.drop(seq);
    this.#listener.amended();
  }

  /** @param {boolean} on @param {number} nowMs */
  #stall(on, nowMs) {
    this.stalled = on === true;
    if (this.#owedSinceMs !== Infinity) this.#owedSinceMs = nowMs;
  }

  /**
   * Send all batches that may go now. Returns when the next may.
   * @param {number} nowMs
   */
  #sendEvents(nowMs) {
    while (this.#sentTo < this.log.last) {
      const readyAtMs = Math.max(this.#heldUntilMs, this.#batchReadyAtMs());
      if (readyAtMs > nowMs) return readyAtMs;
      if (!this.#connection.free) return this.#connection.freeAtMs;
      const to = this.#batchEnd();
      if (to === this.#sentTo) return Infinity; // the window is full: an ack will wake us
      this.#sendBatch(to, nowMs);
    }
    return Infinity;
  }

  #batchReadyAtMs() {
    const waiting = this.log.last - this.#sentTo;
    return waiting >= BATCH_AT_ONCE ? -Infinity : this.#sentAtMs + BATCH_EVERY_MS;
  }

  #batchEnd() {
    const inDoubt = this.#sentTo < this.#doubt.to;
    // One of which nobody knows whether it passes: the next one waits for the answer.
    if (inDoubt && this.#owesAck()) return this.#sentTo;
    const end = this.#sentTo + (inDoubt ? 1 : BATCH_MAX);
    return Math.min(end, this.log.last, this.log.durable + WINDOW);
  }

  /** @param {number} to @param {number} nowMs */
  #sendBatch(to, nowMs) {
    if (!this.#owesAck()) this.#owedSinceMs = nowMs;
    const seq = this.#sentTo + 1;
    const events = this.log.slice(seq, to);
    this.#connection.send({ type: 'keys', h: this.#handle, seq, events });
    this.#sentTo = to;
    this.#sentAtMs = nowMs;
  }

  /**
   * Say that the attempt has ended, once all of it is sent. Returns when that is to be done.
   * @param {number} nowMs
   */
  #sendFinish(nowMs) {
    if (this.#finishId !== 0 || this.#sentTo < this.log.last || !this.log.ended) return Infinity;
    const dueAtMs = this.#finishDueAtMs();
    if (dueAtMs > nowMs) return dueAtMs;
    if (!this.#connection.free) return this.#connection.freeAtMs;
    this.#finishId = this.#connection.nextRequestId();
    this.#owedSinceMs = nowMs;
    const why = this.log.finish ?? 'done';
    const seq = this.log.last;
    this.#connection.send({ type: 'finish', id: this.#finishId, h: this.#handle, seq, why });
    return Infinity;
  }

  #finishDueAtMs() {
    if (this.log.finish === 'time') return this.log.timeUpForAllAtMs;
    if (this.log.finish !== null) return 0;
    // A complete text is finished by the server itself, unless it cuts the text into other pieces.
    if (this.#owesAck() || this.stalled) return Infinity;
    return Math.max(this.#sentAtMs, this.#openedAtMs) + ACK_WAIT_MS;
  }

  #owesAck() {
    return this.#sentTo > this.log.durable;
  }

  #staleAtMs() {
    if (this.#requestedAtMs !== Infinity) return this.#requestedAtMs + ANSWER_WAIT_MS;
    if (this.stalled || this.#over) return Infinity;
    if (this.#finishId !== 0) return this.#owedSinceMs + ANSWER_WAIT_MS;
    return this.#owesAck() ? this.#owedSinceMs + ACK_WAIT_MS : Infinity;
  }
}
