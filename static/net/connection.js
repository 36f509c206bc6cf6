/** One connection to the server that comes back by itself. It keeps no events: whoever uses it does. */

import { CLIENT, decode, isTerminal, MESSAGE_RATE, NORMAL, SUBPROTOCOL, TOKEN_REFUSED } from './protocol.js';

/**
 * @import { Pong, ServerMessage, User, Welcome } from './protocol.js'
 *
 * @typedef {{nowMs: () => number}} Clock
 *
 * @typedef {object} Token who we are; null is somebody new
 * @property {() => string|null|Promise<string|null>} read
 * @property {(token: string) => void} write a fresh one
 * @property {() => void} refused the next one read is another
 *
 * @typedef {object} Listener
 * @property {() => void} welcomed
 * @property {(message: ServerMessage) => void} received all but the welcome; each may change `wakesAtMs`
 * @property {(code: number|null) => void} lost comes before a new connection is ready
 * @property {() => boolean} wanted is there anything to deliver?
 * @property {() => boolean} comesBack does the server hold something that is to go on?
 * @property {() => void} advised `busy` has become true
 *
 * @typedef {() => Promise<number|null>} Ask why a socket did not open: for how many ms the server wants to be left
 *   alone; null if it does not say. A browser tells nothing of an answer that is no websocket.
 */

const ABNORMAL = 1006; // as a browser calls a connection that ended without a close
const BACK_OFF_MS_MIN = 250;
const BACK_OFF_MS_MAX = 10_000;
const RATE_WAIT_MS = 3_000; // closed for too many messages: its bucket is full again by then
const WELCOME_WAIT_MS = 5_000;
const PING_EVERY_MS = 5_000;
const IDLE_PING_EVERY_MS = 25_000;
const MEASURES = 5;
const MEASURE_EVERY_MS = 150;
const MEASURE_GOOD_MS = 60_000; // by then clocks may have drifted apart
const STEADY_AFTER_MS = 5_000; // a connection that lived so long was a good one
// Never more than 30 messages in any second, though the server would bear a burst of 90.
const MESSAGES_PER_SECOND = 25;
const MESSAGES_AT_ONCE = 5;
const MS_PER_SECOND = 1_000;

export class Connection {
  /** @type {User | null} */
  user = null;
  /** Server clock minus ours, from the quickest answer so far. */
  serverOffsetMs = 0;
  /** Since the page began, or since it was last connected, has trying failed? */
  failed = false;
  /** The server has too much to do, or restarts: it has said when to come again. */
  busy = false;
  /** @type {number | null} */
  closeCode = null;
  /** @type {string | null} */
  reason = null;

  /** @type {string} */
  #url;
  /** @type {typeof WebSocket} */
  #WebSocket;
  /** @type {Token} */
  #token;
  /** @type {Ask} */
  #ask;
  /** @type {Clock} */
  #clock;
  /** @type {() => number} */
  #random;
  /** @type {Listener} */
  #listener;

  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {'idle'|'waiting'|'greeting'|'ready'|'stopped'} */
  #phase = 'idle';
  #tries = 0;
  #dueAtMs = Infinity;
  #greetedAtMs = 0;
  #refused = false;
  #drainAtMs = Infinity;
  #pingedAtMs = 0;
  #pongDue = false;
  #roundTripMsMin = Infinity;
  #learnedAtMs = -Infinity;
  #measuresLeft = 0;
  #measureAtMs = 0;
  #requestId = 0;
  /** @type {object[]} */
  #outbox = [];
  #allowance = 0;
  #allowedAtMs = 0;

  /**
   * @param {object} options
   * @param {string} options.url
   * @param {typeof globalThis.WebSocket} options.WebSocket
   * @param {Token} options.token
   * @param {Ask} options.ask
   * @param {Clock} options.clock
   * @param {() => number} options.random
   * @param {Listener} options.listener
   */
  constructor({ url, WebSocket, token, ask, clock, random, listener }) {
    this.#url = url;
    this.#WebSocket = WebSocket;
    this.#token = token;
    this.#ask = ask;
    this.#clock = clock;
    this.#random = random;
    this.#listener = listener;
  }

  get ready() {
    return this.#phase === 'ready';
  }

  get stopped() {
    return this.#phase === 'stopped';
  }

  /** May another message go out now? */
  get free() {
    return this.ready && this.#outbox.length === 0 && this.#allowanceNow() >= 1;
  }

  /** When `free` may be true again. */
  get freeAtMs() {
    if (!this.ready) return Infinity;
    const missing = Math.max(0, this.#outbox.length + 1 - this.#allowanceNow());
    return this.#clock.nowMs() + Math.ceil((missing * MS_PER_SECOND) / MESSAGES_PER_SECOND);
  }

  nextRequestId() {
    this.#requestId += 1;
    return this.#requestId;
  }

  /** Connect now unless that is done or under way; also after a stop, since a person asks. */
  connect() {
    if (this.#phase === 'ready' || this.#phase === 'greeting') return;
    if (this.stopped) this.#tries = 0;
    this.failed = this.busy = false;
    this.#greet();
  }

  /** There is something to say again: connect if we stopped, or rested for want of it. */
  wake() {
    const rests = this.#phase === 'waiting' && this.#dueAtMs === Infinity;
    if (rests || this.stopped) this.connect();
  }

  /** Drop a connection that seems dead, without waiting for its close, and make another. */
  renew() {
    this.#forgiveOldFailures(this.#clock.nowMs());
    const first = this.#tries === 0;
    this.#drop();
    this.#listener.lost(null);
    this.#tries += 1;
    if (first) this.#greet();
    else this.#backOff();
  }

  /** Another token holds from now on: say hello with it, if there was a hello before. */
  reintroduce() {
    if (this.#phase !== 'greeting' && !this.ready) return;
    this.#drop();
    this.#listener.lost(null);
    this.#greet();
  }

  /** Learn the server's clock well: a few pings, of which the quickest counts. */
  measure() {
    const nowMs = this.#clock.nowMs();
    if (nowMs > this.#learnedAtMs + MEASURE_GOOD_MS) this.#roundTripMsMin = Infinity;
    this.#measuresLeft = MEASURES;
    this.#measureAtMs = nowMs;
  }

  /** @param {object} message sent in its turn; forgotten if the connection is lost before */
  send(message) {
    if (!this.ready) return;
    this.#outbox.push(message);
    this.#flush();
  }

  /** What we sent has come to lasting good: the next failure is the first. */
  prosper() {
    this.#tries = 0;
  }

  /**
   * Do what is due.
   * @param {boolean} busy is an attempt open?
   */
  turn(busy) {
    const nowMs = this.#clock.nowMs();
    if (this.#phase === 'waiting' && nowMs >= this.#dueAtMs) this.#greet();
    if (this.#phase === 'greeting' && nowMs >= this.#greetedAtMs + WELCOME_WAIT_MS) this.#fail();
    if (nowMs >= this.#drainAtMs) this.#leaveDraining();
    if (this.ready) this.#keepAlive(nowMs, busy ? PING_EVERY_MS : IDLE_PING_EVERY_MS);
    if (this.ready && this.#measuresLeft > 0 && nowMs >= this.#measureAtMs) this.#measureOnce(nowMs);
    this.#flush();
  }

  /**
   * When there is something to do.
   * @param {boolean} busy
   */
  wakesAtMs(busy) {
    if (this.#phase === 'waiting') return this.#dueAtMs;
    if (this.#phase === 'greeting') return this.#greetedAtMs + WELCOME_WAIT_MS;
    if (!this.ready) return Infinity;
    const pingAtMs = this.#pingedAtMs + (busy ? PING_EVERY_MS : IDLE_PING_EVERY_MS);
    const flushAtMs = this.#outbox.length ? this.freeAtMs : Infinity;
    const measureAtMs = this.#measuresLeft > 0 ? this.#measureAtMs : Infinity;
    return Math.min(this.#drainAtMs, pingAtMs, flushAtMs, measureAtMs);
  }

  #greet() {
    this.#drop();
    this.#phase = 'greeting';
    this.#greetedAtMs = this.#clock.nowMs();
    this.#drainAtMs = Infinity;
    this.closeCode = this.reason = null;
    // Who says so is let in where others must wait.
    const url = this.#listener.comesBack() ? `${this.#url}?resume` : this.#url;
    const socket = new this.#WebSocket(url, [SUBPROTOCOL]);
    this.#socket = socket;
    this.#refused = true; // until it opens
    // A socket that was dropped may still speak; nobody listens to it.
    socket.onopen = () => socket === this.#socket && this.#introduce(socket);
    socket.onmessage = ({ data }) => socket === this.#socket && this.#receive(decode(data));
    socket.onclose = ({ code, reason }) => socket === this.#socket && this.#closed(code, reason);
  }

  /** @param {WebSocket} socket */
  #introduce(socket) {
    this.#refused = false;
    /** @param {string|null} token */
    const hello = (token) => {
      if (socket === this.#socket)
        socket.send(JSON.stringify({ type: 'hello', client: CLIENT, ...(token && { token }) }));
    };
    const token = this.#token.read();
    if (token === null || typeof token === 'string') hello(token);
    else token.then(hello, () => socket === this.#socket && this.#closed(ABNORMAL, ''));
  }

  #drop() {
    const socket = this.#socket;
    this.#socket = null;
    this.#phase = 'idle';
    this.#outbox = [];
    socket?.close();
  }

  #fail() {
    this.#drop();
    this.#tries += 1;
    this.#backOff();
  }

  /** @param {number} [atLeastMs] */
  #backOff(atLeastMs = 0) {
    const limitMs = Math.min(BACK_OFF_MS_MAX, BACK_OFF_MS_MIN * 2 ** (this.#tries - 1));
    this.#phase = 'waiting';
    this.failed = true;
    this.#dueAtMs = this.#clock.nowMs() + Math.max(atLeastMs, this.#random() * limitMs);
  }

  /** @param {number} code @param {string} reason */
  #closed(code, reason) {
    const nowMs = this.#clock.nowMs();
    const drainAtMs = this.#drainAtMs;
    this.#forgiveOldFailures(nowMs);
    this.#drop();
    this.#drainAtMs = Infinity;
    this.#tries += 1;
    if (isTerminal(code)) this.#stop(code, reason);
    else if (code === TOKEN_REFUSED) this.#changeToken();
    else this.#backOff(waitMs(code, drainAtMs, nowMs));
    this.#listener.lost(code);
    if (code === NORMAL && this.#phase === 'waiting' && !this.#listener.wanted()) {
      this.#dueAtMs = Infinity; // nothing to say: come back with the next attempt
    }
    if (code === ABNORMAL && this.#refused && this.#phase === 'waiting') this.#askWhy();
  }

  #askWhy() {
    this.#refused = false;
    const tries = this.#tries;
    const advised = (/** @type {number|null} */ ms) => {
      if (ms === null || this.#phase !== 'waiting' || tries !== this.#tries) return;
      // A little later than told, each at another time: else all would come back together.
      this.#dueAtMs = Math.max(this.#dueAtMs, this.#clock.nowMs() + ms * (1 + this.#random() / 2));
      this.busy = true;
      this.#listener.advised();
    };
    this.#ask().then(advised, () => {}); // no answer at all: the network is away
  }

  /** @param {number} nowMs */
  #forgiveOldFailures(nowMs) {
    if (this.ready && nowMs >= this.#greetedAtMs + STEADY_AFTER_MS) this.#tries = 0;
  }

  /** @param {number} code @param {string} reason */
  #stop(code, reason) {
    this.#phase = 'stopped';
    this.failed = true;
    this.closeCode = code;
    this.reason = reason || null;
  }

  #changeToken() {
    this.#token.refused();
    this.#backOff();
    if (this.#tries === 1) this.#dueAtMs = this.#clock.nowMs();
  }

  #leaveDraining() {
    this.#drainAtMs = Infinity;
    this.#drop();
    this.#listener.lost(null);
    this.#greet();
  }

  /** @param {ServerMessage | null} message */
  #receive(message) {
    if (message === null) return;
    if (message.type === 'welcome') this.#welcome(message);
    else if (message.type === 'drain') this.#drainAtMs = this.#clock.nowMs() + message.in_ms;
    else if (message.type === 'pong') this.#pong(message);
    if (message.type !== 'welcome' && this.ready) this.#listener.received(message);
  }

  /** @param {Welcome} message */
  #welcome(message) {
    const nowMs = this.#clock.nowMs();
    this.#phase = 'ready';
    this.failed = this.busy = false;
    this.user = message.user;
    if (message.token) this.#token.write(message.token);
    this.#learnOffset(nowMs - this.#greetedAtMs, message.server_ms, nowMs);
    this.#allowance = MESSAGES_AT_ONCE - 1; // one went into the hello
    this.#allowedAtMs = nowMs;
    this.#pingedAtMs = nowMs;
    this.#pongDue = false;
    this.#listener.welcomed();
  }

  /** @param {number} nowMs @param {number} everyMs */
  #keepAlive(nowMs, everyMs) {
    if (nowMs < this.#pingedAtMs + everyMs) return;
    if (this.#pongDue) {
      this.renew();
      return;
    }
    this.#pingedAtMs = nowMs;
    this.#pongDue = true;
    this.send({ type: 'ping', c: Math.round(nowMs) });
  }

  /** @param {number} nowMs */
  #measureOnce(nowMs) {
    this.#measuresLeft -= 1;
    this.#measureAtMs = nowMs + MEASURE_EVERY_MS;
    this.send({ type: 'ping', c: Math.round(nowMs) });
  }

  /** @param {Pong} message */
  #pong({ c, server_ms: serverMs }) {
    const nowMs = this.#clock.nowMs();
    this.#pongDue = false;
    this.#learnOffset(nowMs - c, serverMs, nowMs);
  }

  /** @param {number} roundTripMs @param {number} serverMs @param {number} nowMs */
  #learnOffset(roundTripMs, serverMs, nowMs) {
    if (roundTripMs > this.#roundTripMsMin) return;
    this.#roundTripMsMin = roundTripMs;
    this.#learnedAtMs = nowMs;
    this.serverOffsetMs = Math.round(serverMs + roundTripMs / 2 - nowMs);
  }

  #allowanceNow() {
    const grown = ((this.#clock.nowMs() - this.#allowedAtMs) * MESSAGES_PER_SECOND) / MS_PER_SECOND;
    return Math.min(MESSAGES_AT_ONCE, this.#allowance + grown);
  }

  #flush() {
    while (this.ready && this.#outbox.length > 0 && this.#allowanceNow() >= 1) {
      this.#allowance = this.#allowanceNow() - 1;
      this.#allowedAtMs = this.#clock.nowMs();
      this.#socket?.send(JSON.stringify(this.#outbox.shift()));
    }
  }
}

/**
 * The least to wait after a close: as the drain said, or until we may speak again.
 * @param {number} code
 * @param {number} drainAtMs
 * @param {number} nowMs
 */
function waitMs(code, drainAtMs, nowMs) {
  if (drainAtMs !== Infinity) return Math.max(0, drainAtMs - nowMs);
  return code === MESSAGE_RATE ? RATE_WAIT_MS : 0;
}
