/** The texts of a collection: to type, to race on and, for their owner, to change. */

import { writeSource } from '../core/source.js';
import { tagList } from './collection_list.js';
import { around, element } from './dom.js';
import { number, say } from './words.js';

/**
 * @typedef {object} CollectionText as the API lists it
 * @property {string} id
 * @property {number} n
 * @property {string} title
 * @property {string[]} tags
 * @property {number} length
 * @property {string} preview how it begins
 *
 * @typedef {object} Listener
 * @property {(text: CollectionText) => void} change
 * @property {(text: CollectionText) => void} remove
 */

const TITLE_CHARS = 48;

/** @param {CollectionText} text */
export function titleOf({ title, preview }) {
  const [line] = preview.split('\n');
  return title || (line.length > TITLE_CHARS ? `${line.slice(0, TITLE_CHARS).trimEnd()}…` : line);
}

export class CollectionTexts {
  #list;
  #none;
  /** @type {CollectionText[]} */
  #texts = [];
  #mine = false;
  /** Is there more than is listed? */
  #more = false;

  /** @param {HTMLElement} root @param {Listener} listener */
  constructor(root, { change, remove }) {
    this.#list = element(root, '#texts');
    this.#none = element(root, '#texts-none');
    this.#list.addEventListener('click', (event) => {
      const button = around(event, 'button[data-text]');
      const text = this.#texts.find(({ id }) => id === button?.dataset.text);
      if (!button || !text) return;
      if (button.classList.contains('change')) change(text);
      else remove(text);
    });
  }

  /** The number of the last one listed. */
  get last() {
    return this.#texts.at(-1)?.n ?? 0;
  }

  /** @param {CollectionText[]} texts @param {boolean} mine @param {boolean} more are there others behind them? */
  show(texts, mine, more) {
    this.#texts = texts;
    this.#mine = mine;
    this.#more = more;
    this.draw();
  }

  /** Those that come next. @param {CollectionText[]} texts @param {boolean} more */
  append(texts, more) {
    this.show([...this.#texts, ...texts], this.#mine, more);
  }

  /** A new one is at the end, which may not be listed yet. @param {CollectionText} text */
  add(text) {
    if (!this.#more) this.append([text], false);
  }

  /** @param {string} id @param {CollectionText|null} text what has become of it */
  replace(id, text) {
    this.#texts = this.#texts.flatMap((one) => (one.id === id ? (text ?? []) : one));
    this.draw();
  }

  /** @param {string} id that its own button has the focus again */
  focus(id) {
    const button = this.#list.querySelector(`.change[data-text="${id}"]`);
    if (button instanceof HTMLElement) button.focus();
  }

  draw() {
    this.#list.replaceChildren(...this.#texts.map((text) => this.#item(text)));
    this.#none.hidden = this.#texts.length > 0;
  }

  /** @param {CollectionText} text */
  #item(text) {
    const item = document.createElement('li');
    const title = document.createElement('h2');
    title.textContent = titleOf(text);
    const preview = document.createElement('p');
    preview.className = 'preview';
    preview.textContent = text.length > text.preview.length ? `${text.preview}…` : text.preview;
    const facts = document.createElement('p');
    facts.className = 'facts';
    facts.textContent = say('charactersCount', text.length, number(text.length));
    const actions = document.createElement('div');
    actions.className = 'actions';
    const query = writeSource({ kind: 'text', text: text.id });
    actions.append(link(`/${query}`, 'typeIt', text), link(`/race${query}`, 'raceOnIt', text));
    if (this.#mine) actions.append(button('change', text), button('remove', text));
    item.append(title, facts, preview, ...(text.tags.length > 0 ? [tagList(text.tags)] : []), actions);
    return item;
  }
}

/** @param {string} href @param {string} message @param {CollectionText} text */
function link(href, message, text) {
  const made = document.createElement('a');
  made.className = 'button';
  made.href = href;
  made.textContent = say(message);
  made.setAttribute('aria-label', `${say(message)}: ${titleOf(text)}`);
  return made;
}

/** @param {'change'|'remove'} what @param {CollectionText} text */
function button(what, text) {
  const made = document.createElement('button');
  made.type = 'button';
  made.className = what;
  made.dataset.text = text.id;
  const words = say(what === 'change' ? 'changeText' : 'deleteText');
  made.textContent = words;
  made.setAttribute('aria-label', `${words}: ${titleOf(text)}`);
  return made;
}
