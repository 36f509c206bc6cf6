/** Moves over the marks of a chart, by pointer or arrow keys, and says in words what each is. */

import { element } from './dom.js';

/**
 * @typedef {object} Marks what there is to move over, in the order of the arrow keys
 * @property {number} count
 * @property {string} label what the chart is, in a sentence
 * @property {(i: number) => string} words
 * @property {(i: number) => string|null} href where a mark leads
 * @property {(i: number) => void} point shows which mark is meant
 * @property {(x: number, y: number) => number} nearest the mark at a place, in px of the drawing
 */

/** One key moves one mark; the others a handful. */
const KEYS = { ArrowRight: 1, ArrowLeft: -1, ArrowUp: 1, ArrowDown: -1, PageUp: 10, PageDown: -10 };

export class Scrubber {
  /** @type {HTMLElement} */
  #plot;
  /** @type {HTMLElement} */
  #readout;
  /** @type {Record<string, number>} */
  #keys;
  /** @type {Marks|null} */
  #marks = null;
  #at = 0;

  /**
   * @param {HTMLElement} figure has a `.plot`, where the chart is drawn, and a `.readout`
   * @param {Record<string, number>} [keys] how many marks a key moves on, where it is not the usual number
   */
  constructor(figure, keys = {}) {
    this.#plot = element(figure, '.plot');
    this.#readout = element(figure, '.readout');
    this.#keys = { ...KEYS, ...keys };
    this.#plot.setAttribute('role', 'slider');
    this.#plot.tabIndex = 0;
    this.#plot.addEventListener('keydown', (event) => this.#onKeydown(event));
    this.#plot.addEventListener('pointermove', (event) => this.#follow(event));
    this.#plot.addEventListener('click', (event) => {
      this.#follow(event);
      // A finger covers what it points at: it reads first, and follows the link below.
      if (event instanceof PointerEvent && event.pointerType === 'mouse') this.#go();
    });
  }

  /**
   * New marks; the last one is meant first.
   * @param {Marks} marks
   */
  show(marks) {
    this.#marks = marks;
    this.#plot.setAttribute('aria-label', marks.label);
    this.#plot.setAttribute('aria-valuemin', '1');
    this.#plot.setAttribute('aria-valuemax', String(marks.count));
    this.#move(marks.count - 1);
  }

  /** The same marks, drawn anew. */
  redraw() {
    this.#move(this.#at);
  }

  /** @param {number} to */
  #move(to) {
    if (!this.#marks) return;
    const { count, words, href, point } = this.#marks;
    this.#at = Math.min(Math.max(to, 0), count - 1);
    point(this.#at);
    this.#plot.setAttribute('aria-valuenow', String(this.#at + 1));
    this.#plot.setAttribute('aria-valuetext', words(this.#at));
    const target = href(this.#at);
    const said = document.createElement(target ? 'a' : 'span');
    if (said instanceof HTMLAnchorElement && target) said.href = target;
    said.textContent = words(this.#at);
    this.#readout.replaceChildren(said);
  }

  #go() {
    const target = this.#marks?.href(this.#at);
    if (target) location.assign(target);
  }

  /** @param {MouseEvent} event */
  #follow(event) {
    const box = this.#plot.getBoundingClientRect();
    const at = this.#marks?.nearest(event.clientX - box.left, event.clientY - box.top) ?? -1;
    if (at >= 0 && at !== this.#at) this.#move(at);
  }

  /** @param {KeyboardEvent} event */
  #onKeydown(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === 'Enter') this.#go();
    else if (event.key === 'Home') this.#move(0);
    else if (event.key === 'End') this.#move(Number.POSITIVE_INFINITY);
    else if (event.key in this.#keys) this.#move(this.#at + this.#keys[event.key]);
    else return;
    event.preventDefault();
  }
}
