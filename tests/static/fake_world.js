/** A world for Live in virtual time: clock, timers, network, storage, and a server that keeps the protocol. */

import { Attempt } from '../../static/core/attempt.js';
import { Live } from '../../static/net/live.js';
import { Session } from '../../static/net/session.js';

const START_MS = 1_700_000_000_000;

/** A repeatable source of numbers from 0 up to 1 (a linear congruence is random enough here). */
export function dice(seed) {
  let state = (seed * 2_654_435_761 + 1) >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

export class MemoryStorage {
  items = new Map();
  /** Characters; more is refused as a browser does. */
  quota = Infinity;
  writes = 0;

  get length() {
    return this.items.size;
  }

  key(i) {
    return [...this.items.keys()][i] ?? null;
  }

  getItem(key) {
    return this.items.get(key) ?? null;
  }

  setItem(key, value) {
    const others = [...this.items].filter(([name]) => name !== key);
    const used = others.reduce((sum, [name, kept]) => sum + name.length + kept.length, 0);
    if (used + key.length + value.length > this.quota) throw new Error('QuotaExceededError');
    this.writes += 1;
    this.items.set(key, value);
  }

  removeItem(key) {
    this.items.delete(key);
  }
}

const offline = () => Promise.reject(new TypeError('There is no API here.'));

export class World {
  nowMs = START_MS;
  storage = new MemoryStorage();
  random;
  #timers = new Map();
  #timerId = 0;

  constructor(seed = 1) {
    this.random = dice(seed);
    this.server = new FakeServer(this);
  }

  after(delayMs, act) {
    this.#timerId += 1;
    this.#timers.set(this.#timerId, { atMs: this.nowMs + delayMs, act });
    return this.#timerId;
  }

  /** Let time pass; everything due happens in its order. */
  pass(ms) {
    const endMs = this.nowMs + ms;
    for (;;) {
      const due = [...this.#timers].filter(([, timer]) => timer.atMs <= endMs);
      if (due.length === 0) break;
      const [id, timer] = due.reduce((first, other) => (other[1].atMs < first[1].atMs ? other : first));
      this.#timers.delete(id);
      this.nowMs = Math.max(this.nowMs, timer.atMs);
      timer.act();
    }
    this.nowMs = endMs;
  }

  /** A page: its Live and all it has told. A second one shares the storage, as a second tab does. */
  page({ storage = this.storage, skewMs = 0 } = {}) {
    const page = { alive: true, told: [], attempt: null, sockets: [] };
    const world = this;
    class WebSocket extends FakeSocket {
      constructor(url, protocols) {
        super(world, url, protocols);
        page.sockets.push(this);
      }
    }
    page.live = new Live({
      url: 'ws://test/ws',
      WebSocket,
      token: new Session({ fetch: offline, shared: storage, own: null, nowMs: () => world.nowMs }),
      ask: () => world.server.ask(),
      storage,
      clock: { nowMs: () => world.nowMs + skewMs },
      random: () => world.random(),
      setTimeout: (act, ms) => world.after(ms, () => page.alive && act()),
      clearTimeout: (id) => world.#timers.delete(id),
    });
    for (const name of EVENTS) {
      page.live.on(name, (payload) => page.alive && page.told.push({ name, ...payload }));
    }
    page.live.on('opened', ({ attempt }) => (page.attempt = attempt));
    page.all = (name) => page.told.filter((event) => event.name === name);
    page.last = (name) => page.all(name).at(-1);
    /** Type a string, one key each `everyMs`. */
    page.type = (keys, everyMs = 100) => {
      for (const key of keys) {
        this.pass(everyMs);
        page.live.press(key);
      }
    };
    /** The tab is gone without a word. */
    page.crash = () => {
      page.alive = false;
      for (const socket of page.sockets) socket.vanish();
    };
    return page;
  }
}

const EVENTS = [
  ...['connection', 'opened', 'progress', 'over', 'done', 'settled', 'refused', 'superseded', 'voided'],
  ...['race', 'raceMoved', 'raceRefused'],
];

class FakeSocket {
  onopen = null;
  onmessage = null;
  onclose = null;
  #world;
  #closed = false;
  /** Neither side hears anything more, and nobody is told. */
  deaf = false;

  constructor(world, url, protocols) {
    this.#world = world;
    this.url = url;
    this.protocols = protocols;
    const { server } = world;
    world.after(server.latencyMs, () => {
      if (this.#closed) return;
      if (server.down) this.closeFromServer(1006);
      else if (!server.silent) {
        server.connect(this);
        this.onopen?.();
      }
    });
  }

  send(frame) {
    const { server } = this.#world;
    if (this.deaf || this.#closed) return;
    this.#world.after(server.latencyMs, () => !this.deaf && server.receive(this, JSON.parse(frame)));
  }

  close() {
    if (this.#closed) return;
    this.#closed = true;
    const { server } = this.#world;
    server.disconnect(this);
    // A browser tells the end of a socket that was let go, too; of a dead one long after.
    this.#world.after(this.deaf ? 10_000 : server.latencyMs, () => this.onclose?.({ code: 1006, reason: '' }));
  }

  deliver(message) {
    const { server } = this.#world;
    const frame = JSON.stringify(message);
    const delayMs = server.latencyMs + server.answerLagMs;
    this.#world.after(delayMs, () => !this.deaf && !this.#closed && this.onmessage?.({ data: frame }));
  }

  closeFromServer(code, reason = '') {
    this.#world.server.disconnect(this);
    this.#world.after(this.#world.server.latencyMs, () => {
      if (this.#closed || this.deaf) return;
      this.#closed = true;
      this.onclose?.({ code, reason });
    });
  }

  vanish() {
    this.deaf = true;
    this.#world.server.disconnect(this);
  }
}

/** Keeps the protocol as far as a page can tell, and remembers all it was told. */
class FakeServer {
  latencyMs = 10;
  /** How much longer an answer takes than a request. */
  answerLagMs = 0;
  commitMs = 5;
  /** Refuses connections. */
  down = false;
  /** What it says over HTTP to who was refused: for how many ms to wait; null: nothing. */
  waitMs = null;
  asked = 0;
  /** Lets connections hang. */
  silent = false;
  stalled = false;
  text = 'the quick fox';
  attempts = new Map();
  connections = new Map();
  received = [];
  guests = 0;
  badTokens = new Set();
  /** Errors with which to answer the next requests to open. */
  refusals = [];
  /** Keys it would cut into several. */
  doubtful = new Set();
  /** Who answers what is asked of races. */
  race = null;
  #handles = 0;
  #world;

  constructor(world) {
    this.#world = world;
  }

  connect(socket) {
    this.connections.set(socket, { log: null, h: null, rejectedAtMs: 0 });
  }

  disconnect(socket) {
    this.connections.delete(socket);
  }

  closeAll(code, reason) {
    for (const socket of [...this.connections.keys()]) socket.closeFromServer(code, reason);
  }

  /** Tell all who are connected. */
  say(message) {
    for (const socket of this.connections.keys()) socket.deliver(message);
  }

  sent(type) {
    return this.received.filter((message) => message.type === type);
  }

  ask() {
    this.asked += 1;
    const { waitMs } = this;
    // Answered within the same moment: promises know no virtual time.
    // biome-ignore lint/suspicious/noThenProperty: one that is settled at once
    return { then: (settle) => settle(waitMs) };
  }

  get only() {
    return [...this.attempts.values()].at(-1);
  }

  receive(socket, message) {
    const connection = this.connections.get(socket);
    if (!connection) return;
    this.received.push({ atMs: this.#world.nowMs, socket, ...message });
    const { type } = message;
    if (type === 'hello') this.#hello(socket, message);
    else if (type === 'ping')
      this.#answer(socket, message, { type: 'pong', c: message.c, server_ms: this.#world.nowMs });
    else if (type === 'open') this.#open(socket, connection, message);
    else if (type === 'got') this.attempts.get(message.attempt).got = true;
    else if (type.startsWith('race.')) this.race.receive(socket, message);
    else if (connection.h === null || message.h !== connection.h) {
      this.#answer(socket, message, { type: 'error', code: 'unknown_handle', message: 'Open it first.' });
    } else if (type === 'keys') this.#keys(socket, connection, message);
    else if (type === 'finish') this.#finish(socket, connection, message);
  }

  #answer(socket, { id }, message) {
    socket.deliver(id === undefined ? message : { ...message, re: id });
  }

  #hello(socket, { token }) {
    if (token && this.badTokens.has(token)) {
      socket.closeFromServer(4003);
      return;
    }
    if (!token) this.guests += 1;
    const fresh = token ?? `token-${this.guests}`;
    const user = { id: fresh, name: 'Guest', guest: true };
    socket.deliver({ type: 'welcome', v: 1, user, token: fresh, server_ms: this.#world.nowMs });
  }

  #open(socket, connection, message) {
    if (this.refusals.length > 0) {
      this.#answer(socket, message, { type: 'error', ...this.refusals.shift() });
      return;
    }
    let log = this.attempts.get(message.attempt);
    if (!log && !message.source) {
      this.#answer(socket, message, { type: 'error', code: 'not_found', message: 'No such attempt.' });
      return;
    }
    if (!log) {
      log = this.#newLog(message);
      this.attempts.set(log.id, log);
    }
    for (const [other, { log: theirs }] of this.connections) {
      if (other !== socket && theirs === log) other.closeFromServer(4509);
    }
    if (connection.log !== log) connection.h = this.#handles += 1;
    connection.log = log;
    this.#answer(socket, message, this.#opened(log, connection.h));
    if (log.result !== undefined && !log.got) this.#tellDone(socket, log);
  }

  #newLog({ attempt: id, source, rules = { errors: 'free' } }) {
    const text = source.kind === 'custom' ? source.text : this.text;
    return { id, source, rules, text, events: [], state: 'armed', openedAtMs: this.#world.nowMs, firstAtMs: null };
  }

  /** Open an attempt of the server's own on that connection, as at the countdown of a race. */
  give(socket, { id, text, rules, startsAtMs }) {
    const source = { kind: 'race' };
    const log = { id, source, rules, text, events: [], state: 'armed', openedAtMs: startsAtMs, firstAtMs: null };
    this.attempts.set(id, log);
    const connection = this.connections.get(socket);
    connection.log = log;
    connection.h = this.#handles += 1;
    return connection.h;
  }

  attemptOf({ text, rules, source, events }) {
    const limitMs = source.kind === 'time' ? source.seconds * 1000 : null;
    const attempt = new Attempt({ text, rules, limitMs, fromStart: source.kind === 'race' });
    for (const [dtMs, key] of events) attempt.apply(dtMs, key);
    return attempt;
  }

  #opened(log, h) {
    const { id: attempt, events, state, text, rules, source, firstAtMs } = log;
    const typed = this.attemptOf(log);
    const elapsed_ms = firstAtMs === null ? 0 : this.#world.nowMs - firstAtMs;
    return {
      type: 'opened',
      attempt,
      h,
      seq: events.length,
      state,
      text,
      rules,
      source,
      typed: typed.typed.join(''),
      at_ms: typed.atMs,
      elapsed_ms,
      score: typed.progress(),
    };
  }

  #keys(socket, connection, { h, seq, events }) {
    const { log } = connection;
    const next = log.events.length + 1;
    const reject = (code) => socket.deliver({ type: 'reject', h, seq: next, code, message: code });
    if (log.result !== undefined) {
      reject('finished');
    } else if (this.#world.nowMs < log.openedAtMs - 50) {
      reject('early');
    } else if (seq > next) {
      if (this.#world.nowMs >= connection.rejectedAtMs + 200) reject('gap');
      connection.rejectedAtMs = this.#world.nowMs;
    } else if (this.#differs(log, seq, events)) {
      log.state = 'void';
      log.result = null;
      socket.closeFromServer(4510);
    } else if (this.#disbelieves(log, events.slice(next - seq))) reject('bad_event');
    else this.#store(socket, connection, events.slice(next - seq));
  }

  #differs(log, seq, events) {
    const stored = log.events.slice(seq - 1, seq - 1 + events.length);
    return stored.some((event, i) => JSON.stringify(event) !== JSON.stringify(events[i]));
  }

  #disbelieves(log, fresh) {
    if (fresh.some(([, key]) => this.doubtful.has(key))) return true;
    const claimedMs = [...log.events, ...fresh].reduce((sum, [dtMs]) => sum + dtMs, 0);
    return claimedMs > 1.01 * (this.#world.nowMs - log.openedAtMs) + 50;
  }

  /** Received events count at once, but only those committed are acked: here, after `commitMs`. */
  #store(socket, connection, fresh) {
    const { log, h } = connection;
    if (fresh.length > 0 && log.firstAtMs === null) log.firstAtMs = this.#world.nowMs;
    const attempt = this.attemptOf(log);
    for (const event of fresh) if (attempt.apply(...event)) log.events.push(event);
    if (log.events.length > 0) log.state = 'running';
    if (attempt.complete) {
      log.state = 'finished';
      log.result = attempt.result();
    }
    if (this.stalled) socket.deliver({ type: 'stall', h, on: true });
    else this.#world.after(this.commitMs, () => this.#acknowledge(socket, log, h));
  }

  #acknowledge(socket, log, h) {
    if (log.result !== undefined) {
      this.#tellDone(socket, log);
      return;
    }
    socket.deliver({ type: 'ack', h, seq: log.events.length, ...this.attemptOf(log).progress(), keys: {} });
  }

  #finish(socket, { log, h }, message) {
    const { seq, why } = message;
    const { length } = log.events;
    if (seq > length) socket.deliver({ type: 'reject', h, seq: length + 1, code: 'gap', message: 'gap' });
    else if (seq < length) this.#answer(socket, message, { type: 'error', code: 'conflict', message: 'More came.' });
    else {
      const limitMs = (log.source.seconds ?? Infinity) * 1000;
      const over = why === 'time' && this.#world.nowMs - log.firstAtMs >= limitMs;
      log.state = over ? 'finished' : 'abandoned';
      log.result ??= length > 0 ? this.attemptOf(log).result() : null;
      this.#tellDone(socket, log, message.id);
    }
  }

  #tellDone(socket, log, re) {
    const { id: attempt, events, result, state } = log;
    const verdict = state === 'finished' ? 'ranked' : 'unranked';
    socket.deliver({ type: 'done', attempt, seq: events.length, result, verdict, why: [], ...(re && { re }) });
  }
}

export const RANDOM = { kind: 'random', language: 'en', length: 'short' };

/** A page with an attempt open. */
export function opened(world = new World(), source = RANDOM, rules = undefined) {
  const page = world.page();
  page.live.start();
  page.live.open({ source, rules });
  world.pass(100);
  return page;
}

/** What the server holds of its only attempt. */
export function typedAtServer(world) {
  return world.server.attemptOf(world.server.only).typed.join('');
}
