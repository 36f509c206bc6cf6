/** Ghosts: what one has typed before, to race against. All of a race are at one text. */

import { element, find } from './dom.js';
import { sentence } from './refusal.js';
import { isFinished } from './result_view.js';
import { moment, number, say } from './words.js';

/**
 * @import { Reason } from '../net/protocol.js'
 * @import { Session } from '../net/session.js'
 *
 * @typedef {{id: string, text_preview: string, wpm: number, finished_at: number,
 *   self_reported: boolean, why: Reason[]}} Typed
 */

const RECENT = 20;

export class GhostList {
  #root;
  #rows;
  /** @type {Pick<Session, 'ask'|'known'>} */
  #session;
  /** @type {Typed[]|null} */
  #typed = null;
  /** @type {Set<string>} */
  #chosen = new Set();
  /** @type {() => void} */
  #changed;
  /** @type {unknown} why there are none */
  #error = null;

  /**
   * @param {HTMLDetailsElement} root
   * @param {Pick<Session, 'ask'|'known'>} session
   * @param {() => void} changed
   */
  constructor(root, session, changed) {
    this.#root = root;
    this.#session = session;
    this.#changed = changed;
    this.#rows = element(root, '.rows');
    root.addEventListener('toggle', () => root.open && this.#fetch());
    this.#rows.addEventListener('change', (event) => this.#choose(event));
  }

  /** The attempts that are chosen. */
  get chosen() {
    return [...this.#chosen];
  }

  /**
   * That one is wanted, as by a link to it.
   * @param {string} id
   */
  async want(id) {
    this.#chosen.add(id);
    this.#root.open = true;
    await this.#fetch();
    if (this.#typed?.some((typed) => typed.id === id)) return;
    try {
      /** @type {Typed} */
      const typed = await this.#session.ask('GET', `/attempts/${id}`);
      this.#typed = [typed, ...(this.#typed ?? [])];
    } catch {
      // Somebody else's, from a leaderboard: the server knows whether it may be raced against.
      const unknown = { id, text_preview: '', wpm: 0, finished_at: 0, self_reported: false, why: [] };
      this.#typed = [unknown, ...(this.#typed ?? [])];
    }
    this.draw();
    this.#changed();
  }

  async #fetch() {
    if (this.#typed !== null || !this.#session.known) {
      this.draw();
      return;
    }
    this.#error = null;
    try {
      const page = await this.#session.ask('GET', `/users/me/progress?limit=${RECENT}&keys=false`);
      this.#typed = page.results.filter((/** @type {Typed} */ typed) => !typed.self_reported && isFinished(typed));
    } catch (error) {
      this.#error = error;
    }
    this.draw();
  }

  /** Once more, as after a change of language. */
  draw() {
    const told = element(this.#root, '.told');
    const none = this.#session.known && this.#typed?.length !== 0 ? '' : say('noGhosts');
    told.textContent = this.#error === null ? none : sentence(this.#error);
    this.#rows.replaceChildren(...(this.#typed ?? []).map((typed) => this.#row(typed)));
    this.#allow();
  }

  /** @param {Typed} typed */
  #row({ id, text_preview: preview, wpm, finished_at: finishedAtMs }) {
    const label = document.createElement('label');
    const box = document.createElement('input');
    box.type = 'checkbox';
    box.value = id;
    box.checked = this.#chosen.has(id);
    box.dataset.text = preview;
    const words = document.createElement('span');
    words.textContent = wpm ? say('wpmOf', number(wpm)) : say('ghost');
    const when = document.createElement('span');
    when.className = 'when';
    when.textContent = finishedAtMs ? moment(finishedAtMs, { dateStyle: 'medium', timeStyle: 'short' }) : '';
    const text = document.createElement('span');
    text.className = 'preview';
    text.textContent = preview;
    label.append(box, words, when, text);
    return label;
  }

  /** @param {Event} event */
  #choose({ target }) {
    if (!(target instanceof HTMLInputElement)) return;
    if (target.checked) this.#chosen.add(target.value);
    else this.#chosen.delete(target.value);
    this.#allow();
    this.#changed();
  }

  /** Only what was typed at the text that is chosen already. */
  #allow() {
    const boxes = Array.from(this.#rows.querySelectorAll('input'));
    const text = boxes.find((box) => box.checked)?.dataset.text;
    for (const box of boxes) box.disabled = text !== undefined && box.dataset.text !== text;
  }
}

/** @param {ParentNode} root */
export function ghostsIn(root) {
  return find(root, '#ghosts', HTMLDetailsElement);
}
