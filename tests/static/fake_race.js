/** A race at the server of the fake world: it numbers what happens and tells those who are in it. */

const COUNTDOWN_MS = 3_000;
export const CODE = 'ABC234';

export class FakeRace {
  id = 'race-1';
  code = CODE;
  n = 0;
  phase = 'lobby';
  text = 'the quick fox';
  rules = { errors: 'correct' };
  startsAtMs = null;
  racers = new Map();
  events = [];
  /** Errors with which to answer the next requests. */
  refusals = [];
  /** Leave requests without an answer. */
  silent = false;
  /** Which connections hear of it, and the slot of each. */
  seats = new Map();
  #world;

  constructor(world) {
    this.#world = world;
    world.server.race = this;
  }

  receive(socket, message) {
    if (this.silent) return;
    const { type, id } = message;
    const refusal = this.refusals.shift();
    if (refusal) {
      socket.deliver({ type: 'error', re: id, ...refusal });
      return;
    }
    if (type === 'race.again') this.#begin();
    if (type === 'race.sync') this.#tellMissing(socket, message.n);
    else if (type === 'race.watch') this.seats.set(socket, null);
    else if (type === 'race.ready') this.#makeReady(this.seats.get(socket), message.ready);
    else if (type === 'race.start') this.countDown();
    else if (type === 'race.leave') this.#leave(socket);
    else if (type !== 'race.unwatch') this.#seat(socket);
    socket.deliver({ ...this.state(socket), re: id });
  }

  /** What happens is numbered and told, but to those who miss it. */
  happen(event, fields = {}, missedBy = []) {
    this.n += 1;
    const message = { type: 'race.event', race: this.id, n: this.n, event, ...fields };
    this.events.push(message);
    for (const socket of this.seats.keys()) if (!missedBy.includes(socket)) socket.deliver(message);
  }

  move(...racers) {
    for (const socket of this.seats.keys()) {
      socket.deliver({ type: 'race.progress', race: this.id, n: this.n, racers });
    }
  }

  rival(name) {
    this.#join(name);
  }

  /** The text, and to each racer an attempt, open on their connection. */
  countDown() {
    this.phase = 'countdown';
    this.startsAtMs = this.#world.nowMs + COUNTDOWN_MS;
    this.happen('countdown', { text: this.text, starts_at_ms: this.startsAtMs });
    for (const [socket, slot] of this.seats) {
      if (slot === null) continue;
      const attempt = this.#attemptOf(slot);
      const h = this.#world.server.give(socket, { ...this, id: attempt });
      socket.deliver({ ...this.state(socket), h });
    }
    this.#world.after(COUNTDOWN_MS, () => {
      this.phase = 'running';
      this.happen('go');
    });
  }

  state(socket) {
    const slot = this.seats.get(socket) ?? null;
    const counted = this.phase !== 'lobby';
    return {
      ...{ type: 'race', race: this.id, code: this.code, n: this.n, phase: this.phase, host: 0, private: true },
      ...{ you: slot, racers: [...this.racers.values()], watchers: 0, language: 'en', text_length: 13 },
      ...(counted && { text: this.text, starts_at_ms: this.startsAtMs, rules: this.rules }),
      ...(counted && slot !== null && { attempt: this.#attemptOf(slot) }),
    };
  }

  #attemptOf(slot) {
    return `${this.id}-attempt-${slot}`;
  }

  #seat(socket) {
    if (this.seats.has(socket)) return;
    // The fake world has one person: a connection that comes later is theirs, too.
    const slot = this.racers.size === 0 || ![...this.racers.values()][0].mine ? this.#join('Me', true) : 0;
    this.seats.set(socket, slot);
  }

  #join(name, mine = false) {
    const slot = this.racers.size;
    const start = { ready: false, connected: true, position: 0, wpm: 0, accuracy: 1 };
    this.racers.set(slot, { slot, name, ghost: false, mine, ...start });
    this.happen('joined', { slot, name, ghost: false });
    return slot;
  }

  #makeReady(slot, ready) {
    this.racers.get(slot).ready = ready;
    this.happen('ready', { slot, ready });
  }

  #leave(socket) {
    this.happen('left', { slot: this.seats.get(socket) });
    this.seats.delete(socket);
  }

  /** Everybody meets in a new lobby. */
  #begin() {
    this.id = 'race-2';
    this.code = 'XYZ789';
    this.phase = 'lobby';
    this.n = 2;
    this.events = [];
  }

  #tellMissing(socket, n) {
    const mine = [...this.racers.values()].some((racer) => racer.mine);
    if (!this.seats.has(socket)) this.seats.set(socket, mine ? 0 : null);
    for (const event of this.events.filter((one) => one.n > n)) socket.deliver(event);
  }
}
