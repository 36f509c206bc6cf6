/** How it is going: speed, accuracy and what is left, once a second and no faster. */

import { Attempt } from '../core/attempt.js';
import { element } from './dom.js';
import { number, percent, say } from './words.js';

/**
 * @import { Progress } from '../core/attempt.js'
 */

/** Speed over less than this says nothing and jumps about. */
const CALM_AFTER_MS = 1500;

export class NumbersView {
  /** @type {Record<'wpm' | 'raw' | 'accuracy' | 'left' | 'leftName', HTMLElement>} */
  #elements;
  #attempt = new Attempt({ text: '' });
  /** @type {number | null} */
  #limitMs = null;
  /** @type {Progress | null} */
  #server = null;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.#elements = {
      wpm: element(root, '#wpm'),
      raw: element(root, '#raw'),
      accuracy: element(root, '#accuracy'),
      left: element(root, '#left'),
      leftName: element(root, '#left-name'),
    };
  }

  /** @param {Attempt} attempt @param {number | null} limitMs */
  begin(attempt, limitMs) {
    this.#attempt = attempt;
    this.#limitMs = limitMs;
    this.#server = null;
    this.show(0);
  }

  /**
   * The server's numbers; they win over the page's own where both speak of the same place.
   * @param {Progress} progress
   */
  heard(progress) {
    this.#server = progress;
  }

  /** @param {number} elapsedMs since the first key */
  show(elapsedMs) {
    const { wpm, raw, accuracy, left, leftName } = this.#elements;
    const numbers = this.#numbers();
    const calm = this.#attempt.atMs >= CALM_AFTER_MS;
    wpm.textContent = calm ? number(numbers.wpm) : '–';
    raw.textContent = calm ? number(numbers.raw_wpm) : '–';
    accuracy.textContent = this.#attempt.presses ? percent(numbers.accuracy) : '–';
    leftName.textContent = say(this.#limitMs === null ? 'typed' : 'timeLeft');
    left.textContent =
      this.#limitMs === null
        ? `${number(numbers.position)} / ${number(this.#attempt.text.length)}`
        : say('wholeSeconds', number(Math.max(0, Math.ceil((this.#limitMs - elapsedMs) / 1000))));
  }

  /** The numbers as one sentence to be read aloud. */
  spoken() {
    const { wpm, accuracy, position } = this.#numbers();
    return this.#limitMs === null
      ? say('numbersSpoken', number(wpm), percent(accuracy), percent(position / this.#attempt.text.length))
      : say('numbersSpokenTimed', number(wpm), percent(accuracy), this.#elements.left.textContent);
  }

  #numbers() {
    const own = this.#attempt.progress();
    return this.#server?.position === own.position ? this.#server : own;
  }
}
