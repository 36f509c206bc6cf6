/** The races one was in, newest first. */

import { element } from './dom.js';
import { Standstill } from './standstill.js';
import { outWords } from './track_view.js';
import { duration, moment, number, percent, say } from './words.js';

/**
 * @import { Session } from '../net/session.js'
 *
 * @typedef {object} Raced
 * @property {string} race
 * @property {string} code
 * @property {number|null} finished_at
 * @property {number} racers
 * @property {number|null} place
 * @property {number|null} wpm
 * @property {number|null} accuracy
 * @property {number|null} duration_ms
 * @property {string|null} attempt
 * @property {string|null} dnf
 */

const NONE = '–';
/** After the address of a race: what is wanted is this race, not the one that followed it. */
export const ENDED = '#ended';

export class RaceHistory {
  #root;
  #more;
  #standstill;
  /** @type {Pick<Session, 'ask'|'known'>} */
  #session;
  /** @type {Raced[]} */
  #rows = [];
  #total = 0;
  /** @type {number|null} from where the next page goes on */
  #next = null;

  /** @param {HTMLElement} root @param {Pick<Session, 'ask'|'known'>} session */
  constructor(root, session) {
    this.#root = root;
    this.#session = session;
    this.#more = element(root, '.more');
    this.#more.addEventListener('click', () => this.#fetch());
    this.#standstill = new Standstill(element(root, '#raced-standstill'), element(root, '#raced-content'));
  }

  /** Asks for them anew. */
  async load() {
    this.#rows = [];
    this.#next = null;
    if (!this.#session.known) this.#standstill.empty('nobodyRaced');
    else await this.#fetch();
  }

  async #fetch() {
    this.#standstill.wait();
    try {
      const query = this.#next === null ? '' : `?${new URLSearchParams({ offset: String(this.#next) })}`;
      const page = await this.#session.ask('GET', `/users/me/races${query}`);
      this.#rows.push(...page.results);
      this.#total = page.total;
      this.#next = page.next;
      if (this.#rows.length === 0) this.#standstill.empty('nobodyRaced');
      else {
        this.#standstill.over();
        this.draw();
      }
    } catch (error) {
      this.#standstill.refused(error, () => this.#fetch());
    }
  }

  /** Once more, as after a change of language. */
  draw() {
    this.#standstill.draw();
    element(this.#root, 'tbody').replaceChildren(...this.#rows.map(row));
    element(this.#root, '.shown').textContent = say('shownOf', number(this.#rows.length), number(this.#total));
    this.#more.hidden = this.#next === null;
  }
}

/** @param {Raced} raced */
function row({ race, finished_at: finishedAtMs, racers, place, wpm, accuracy, duration_ms: durationMs, dnf }) {
  const made = document.createElement('tr');
  const when = document.createElement('th');
  when.scope = 'row';
  const link = document.createElement('a');
  link.href = `/race/${race}${finishedAtMs === null ? '' : ENDED}`;
  link.textContent =
    finishedAtMs === null ? say('stillOn') : moment(finishedAtMs, { dateStyle: 'medium', timeStyle: 'short' });
  when.append(link);
  const out = dnf === null ? NONE : outWords(dnf);
  made.append(
    when,
    cell(place === null ? out : say('placeOf', number(place), number(racers))),
    cell(wpm === null ? NONE : number(wpm, 1)),
    cell(accuracy === null ? NONE : percent(accuracy)),
    cell(durationMs === null ? NONE : duration(durationMs), 'wide'),
  );
  return made;
}

/** @param {string} words @param {string} [className] */
function cell(words, className = '') {
  const made = document.createElement('td');
  made.className = className;
  made.textContent = words;
  return made;
}
