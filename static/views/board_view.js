/** A leaderboard: who stands where, and where oneself does. */

import { sourceOf } from '../core/board.js';
import { element } from './dom.js';
import { sourceName } from './source_name.js';
import { moment, number, percent, say, sayIfKnown } from './words.js';

/**
 * @import { Source } from '../net/protocol.js'
 *
 * @typedef {{rank: number, user_id: string, name: string, guest: boolean, wpm: number, accuracy: number,
 *   finished_at: number}} Place
 * @typedef {{board: string, period: string, language: string, total: number, results: Place[],
 *   next: number|null, me: Place|null}} Board
 */

export class BoardView {
  #root;
  /** @type {Board | null} */
  #board = null;
  /** @type {Place[]} of all pages that have come */
  #places = [];

  /** @param {HTMLElement} root */
  constructor(root) {
    this.#root = root;
  }

  /** From where the next page of it goes on. */
  get next() {
    return this.#board?.next ?? 0;
  }

  /**
   * @param {Board} board
   * @param {boolean} further a further page of the one that is shown
   */
  show(board, further) {
    const shown = further ? this.#places : [];
    this.#places = shown.concat(board.results);
    this.#board = board;
    this.draw();
    // The button that was pressed may be gone: the eye goes on at the first of the new places.
    if (further) element(this.#root, `#board-places tr:nth-child(${shown.length + 1})`).focus();
  }

  /** Draws it once more, as after a change of language. */
  draw() {
    const board = this.#board;
    if (!board) return;
    const mine = board.me;
    element(this.#root, 'caption').textContent = caption(board);
    element(this.#root, '#board-places').replaceChildren(...this.#places.map((place) => row(place, mine)));
    const below = mine !== null && !this.#places.some(({ user_id }) => user_id === mine.user_id);
    const own = element(this.#root, '#board-mine');
    own.hidden = !below;
    own.replaceChildren(...(below ? [row(mine, mine)] : []));
    element(this.#root, '#board-no-place').hidden = mine !== null;
    element(this.#root, '#board-more').hidden = board.next === null;
    element(this.#root, '#board-shown').textContent = say('shownOf', number(this.#places.length), number(board.total));
  }
}

/** @param {Board} board */
function caption({ board, language, period }) {
  const source = /** @type {Source} */ (sourceOf(board));
  const spoken = sayIfKnown(`lang_${language}`) ?? language;
  return [sourceName(source), spoken, say(`period_${period}`)].join(' · ');
}

/** @param {Place} place @param {Place | null} mine */
function row(place, mine) {
  const drawn = document.createElement('tr');
  drawn.tabIndex = -1;
  const own = place.user_id === mine?.user_id;
  drawn.classList.toggle('mine', own);
  const name = document.createElement('th');
  name.scope = 'row';
  name.append(Object.assign(document.createElement('bdi'), { textContent: place.name }));
  if (own) name.append(mark(say('boardYou')));
  const when = document.createElement('td');
  const time = document.createElement('time');
  time.dateTime = new Date(place.finished_at).toISOString();
  time.textContent = moment(place.finished_at, { dateStyle: 'medium' });
  time.title = moment(place.finished_at);
  when.append(time);
  drawn.append(cell(number(place.rank)), name, cell(number(place.wpm, 2)), cell(percent(place.accuracy, 1)), when);
  return drawn;
}

/** @param {string} text */
function cell(text) {
  return Object.assign(document.createElement('td'), { textContent: text });
}

/** @param {string} text */
function mark(text) {
  return Object.assign(document.createElement('span'), { className: 'mark', textContent: text });
}
