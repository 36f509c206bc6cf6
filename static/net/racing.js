/** The race that this page is in, or looks at, over its one connection. Keeps what is known in step. */

import { Race } from '../core/race.js';

/**
 * @import { RaceEvent } from '../core/race.js'
 * @import { Clock, Connection } from './connection.js'
 * @import { News } from './news.js'
 * @import { NewRace, RaceMessage, RaceName, RaceState, Refusal, ServerMessage } from './protocol.js'
 *
 * @typedef {object} Listener
 * @property {() => void} asked something is to be sent
 * @property {(message: RaceState) => void} given an attempt of ours at this race
 * @property {() => void} left nothing more is typed in it
 */

const ANSWER_WAIT_MS = 5_000;
const SYNC_EVERY_MS = 500; // what is missing may still be on its way
const ENTRY = 'entry';
const SYNC = 'race.sync';

export class Racing {
  /** @type {Race|null} */
  race = null;
  /** The id of our attempt at it. @type {string|null} */
  attempt = null;

  /** @type {Connection} */
  #connection;
  /** @type {Clock} */
  #clock;
  /** @type {News} */
  #news;
  /** @type {Listener} */
  #listener;
  /** What brings us into a race; asked again until it is answered. @type {{type: string}|null} */
  #entry = null;
  #entryDueAtMs = Infinity;
  #syncDueAtMs = Infinity;
  #syncedAtMs = -Infinity;
  /** Requests without an answer, by their ids. @type {Map<number, {asked: string, atMs: number}>} */
  #waiting = new Map();

  /**
   * @param {object} options
   * @param {Connection} options.connection
   * @param {Clock} options.clock
   * @param {News} options.news
   * @param {Listener} options.listener
   */
  constructor({ connection, clock, news, listener }) {
    this.#connection = connection;
    this.#clock = clock;
    this.#news = news;
    this.#listener = listener;
  }

  /** Is there a race, or one asked for? */
  get active() {
    return this.#entry !== null || this.race !== null;
  }

  /** The server's clock, as well as we know it. */
  get nowMs() {
    return this.#clock.nowMs() + this.#connection.serverOffsetMs;
  }

  /** @param {NewRace} wanted */
  create(wanted) {
    this.#enter({ type: 'race.create', ...wanted });
  }

  /** @param {RaceName} name */
  join(name) {
    this.#enter({ type: 'race.join', ...name });
  }

  /** @param {RaceName} name */
  watch(name) {
    this.#enter({ type: 'race.watch', ...name });
  }

  /** @param {string} language */
  quick(language) {
    this.#enter({ type: 'race.quick', language });
  }

  /** The same racers once more: the race that somebody has opened already, or a new one. */
  again() {
    if (!this.race) return;
    if (this.race.again !== null) this.join({ code: this.race.again });
    else this.#enter({ type: 'race.again' });
  }

  /** @param {boolean} ready */
  ready(ready) {
    this.#request({ type: 'race.ready', ready });
  }

  start() {
    this.#request({ type: 'race.start' });
  }

  /** Out of it, or no longer looking at it. */
  leave() {
    if (this.race) this.#request({ type: this.race.you === null ? 'race.unwatch' : 'race.leave' });
    this.#entry = null;
    this.#forget();
    this.#listener.left();
  }

  // What the connection brings

  /** A new connection knows of nothing: ask for the race again. */
  welcomed() {
    this.#waiting.clear();
    if (!this.active) return;
    this.#connection.measure();
    const nowMs = this.#clock.nowMs();
    if (this.#entry) this.#entryDueAtMs = nowMs;
    if (this.race) this.#syncDueAtMs = nowMs;
  }

  /**
   * @param {ServerMessage} message
   * @returns {boolean} was it about the race?
   */
  receive(message) {
    if (message.type === 'error') return this.#refused(message);
    if (message.type === 'race') this.#known(message);
    else if (message.type === 'race.event') this.#happened(message);
    else if (message.type === 'race.progress') this.#moved(message);
    else return false;
    return true;
  }

  /**
   * Ask what is due.
   * @returns {number} when to come again
   */
  turn() {
    const nowMs = this.#clock.nowMs();
    if (this.#connection.ready) {
      if (this.#entry && this.#entryDueAtMs <= nowMs) {
        this.#entryDueAtMs = Infinity;
        this.#ask(this.#entry, ENTRY);
      }
      if (this.race && this.#syncDueAtMs <= nowMs) {
        this.#syncDueAtMs = Infinity;
        this.#syncedAtMs = nowMs;
        this.#ask({ type: SYNC, race: this.race.id, n: this.race.n }, SYNC);
      }
    }
    const dueAtMs = this.#connection.ready ? Math.min(this.#entryDueAtMs, this.#syncDueAtMs) : Infinity;
    return Math.min(dueAtMs, this.#staleAtMs());
  }

  /** Has the connection been silent for so long that it seems dead? */
  get stale() {
    return this.#clock.nowMs() >= this.#staleAtMs();
  }

  #staleAtMs() {
    if (!this.#connection.ready) return Infinity;
    return Math.min(...Array.from(this.#waiting.values(), ({ atMs }) => atMs + ANSWER_WAIT_MS));
  }

  // Asking

  /** @param {{type: string} & Record<string, unknown>} request */
  #enter(request) {
    this.#entry = request;
    this.#entryDueAtMs = this.#clock.nowMs();
    this.#connection.wake();
    if (this.#connection.ready) this.#connection.measure();
    this.#listener.asked();
  }

  /** @param {{type: string} & Record<string, unknown>} request gone if the connection is: the race goes on without */
  #request(request) {
    if (this.#connection.ready) this.#ask(request, request.type);
  }

  /** @param {{type: string} & Record<string, unknown>} request @param {string} asked */
  #ask(request, asked) {
    const id = this.#connection.nextRequestId();
    this.#waiting.set(id, { asked, atMs: this.#clock.nowMs() });
    this.#connection.send({ ...request, id });
  }

  #forget() {
    this.race = this.attempt = null;
    this.#syncDueAtMs = Infinity;
  }

  // What is said of the race

  /** @param {RaceState} message */
  #known(message) {
    const asked = this.#answered(message.re);
    const entered = asked === ENTRY;
    if (entered) this.#entry = null;
    if (!entered && this.race?.id !== message.race) return; // of a race that we have left
    if (this.race?.id !== message.race) {
      if (this.race) this.#listener.left();
      this.#forget();
      this.race = new Race(message, this.nowMs);
    } else if (!this.race.adopt(message, this.nowMs)) this.#syncIfHoled();
    if (message.attempt) this.attempt = message.attempt;
    this.#tell(null, entered);
    if (message.attempt) this.#listener.given(message);
  }

  /** @param {RaceEvent} event */
  #happened(event) {
    const { race } = this;
    if (race?.id !== event.race) return;
    if (race.apply(event, this.nowMs)) this.#tell(event, false);
    if (event.event === 'countdown') this.#connection.measure();
    // What was typed last, on another process too, is part of the state at the end.
    if (event.event === 'over') this.#syncDueAtMs = this.#clock.nowMs();
    this.#syncIfHoled();
  }

  /** @param {RaceMessage & {type: 'race.progress'}} moves */
  #moved(moves) {
    const { race } = this;
    if (race?.id !== moves.race) return;
    race.move(moves, this.nowMs);
    this.#news.tell('raceMoved', { race });
    this.#syncIfHoled();
  }

  #syncIfHoled() {
    const asked = Array.from(this.#waiting.values()).some((request) => request.asked === SYNC);
    if (!this.race?.holed || asked || this.#syncDueAtMs !== Infinity) return;
    this.#syncDueAtMs = Math.max(this.#clock.nowMs(), this.#syncedAtMs + SYNC_EVERY_MS);
  }

  /** @param {RaceEvent|null} event @param {boolean} entered */
  #tell(event, entered) {
    if (this.race) this.#news.tell('race', { race: this.race, event, entered, attempt: this.attempt });
  }

  /** @param {Refusal} refusal */
  #refused({ re, code, message, retry_ms: retryMs }) {
    const asked = this.#answered(re);
    if (asked === null) return false;
    const laterMs = retryMs === undefined ? null : this.#clock.nowMs() + retryMs;
    let name = asked;
    if (asked === ENTRY) {
      name = this.#entry?.type ?? asked;
      if (laterMs === null) this.#entry = null;
      else this.#entryDueAtMs = laterMs;
    } else if (asked === SYNC && laterMs !== null) this.#syncDueAtMs = laterMs;
    this.#news.tell('raceRefused', { asked: name, code, message, retryMs: retryMs ?? null });
    return true;
  }

  /** @param {number|undefined} re @returns {string|null} what was asked */
  #answered(re) {
    const request = re === undefined ? undefined : this.#waiting.get(re);
    if (re !== undefined) this.#waiting.delete(re);
    return request?.asked ?? null;
  }
}
