/** One screen after the last key: the result, and what to do next. */

import { ResultView } from './result_view.js';

/**
 * @import { Ended } from './result_view.js'
 */

/** Keys pressed in the heat of the last word must not take the results away. */
const GUARD_MS = 700;

export class ResultsView {
  /** @type {HTMLElement} */
  #root;
  /** @type {ResultView} */
  #result;
  #shownAtMs = 0;

  /** @param {HTMLElement} root @param {{next: () => void}} listener what Enter does */
  constructor(root, { next }) {
    this.#root = root;
    this.#result = new ResultView(root);
    root.addEventListener('keydown', (event) => this.#onKeydown(event, next), { capture: true });
  }

  /**
   * Shows a result: first by the page's own reckoning, again when the server has spoken.
   * @param {Ended} ended
   */
  show(ended) {
    const first = this.#root.hidden;
    this.#root.hidden = false;
    this.#result.show(ended);
    if (!first) return;
    this.#shownAtMs = performance.now();
    this.#root.focus({ preventScroll: true });
    scrollTo({ top: 0 });
  }

  hide() {
    this.#result.show(null);
    this.#root.hidden = true;
  }

  draw() {
    this.#result.draw();
  }

  /** The result as sentences to be read aloud. */
  spoken() {
    return this.#result.spoken();
  }

  /** Is the shown result a personal best that counts? */
  get isBest() {
    return this.#result.isBest;
  }

  /** @param {KeyboardEvent} event @param {() => void} next */
  #onKeydown(event, next) {
    if (event.key !== 'Enter' && event.key !== ' ') return;
    if (performance.now() - this.#shownAtMs < GUARD_MS) {
      event.preventDefault();
    } else if (event.key === 'Enter' && event.target === this.#root) {
      event.preventDefault();
      next();
    }
  }
}
