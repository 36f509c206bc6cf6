/** What is said besides the text: quiet lines for the eye, and a voice for screen readers. */

import { element } from './dom.js';
import { keySpoken, say } from './words.js';

/**
 * @import { Attempt } from '../core/attempt.js'
 */

const NOTICE_MS = 5000;
const WORDS_AHEAD = 2;

export class Notices {
  /** @type {HTMLElement} */
  #notice;
  /** @type {HTMLElement} */
  #caps;
  /** @type {HTMLElement} */
  #banner;
  /** @type {HTMLElement} */
  #speech;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {ParentNode} root */
  constructor(root) {
    this.#notice = element(root, '#notice');
    this.#caps = element(root, '#caps-lock');
    this.#banner = element(root, '#banner');
    this.#speech = element(root, '#speech');
  }

  /**
   * A line that goes away by itself.
   * @param {string} text
   */
  show(text) {
    this.#notice.textContent = text;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => (this.#notice.textContent = ''), NOTICE_MS);
  }

  /** @param {boolean} on */
  capsLock(on) {
    if (this.#caps.hidden === on) this.#caps.hidden = !on;
  }

  /**
   * A line that stays until it is dealt with, with one thing to do about it.
   * @param {string} text
   * @param {string} label
   * @param {() => void} act
   */
  banner(text, label, act) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'primary';
    button.textContent = label;
    button.addEventListener('click', () => {
      this.clearBanner();
      act();
    });
    const line = document.createElement('p');
    line.textContent = text;
    this.#banner.replaceChildren(line, button);
    this.#banner.hidden = false;
  }

  clearBanner() {
    this.#banner.hidden = true;
    this.#banner.replaceChildren();
  }

  /**
   * Read aloud when the reader has time; never shown.
   * @param {string} text
   */
  speak(text) {
    this.#speech.textContent = text;
  }

  /**
   * At the beginning of a word: what went wrong in the last one, and the next words.
   * @param {Attempt} attempt
   */
  speakWords(attempt) {
    const ahead = wordsFrom(attempt.text, attempt.position, WORDS_AHEAD);
    const wrong = wrongIn(attempt);
    this.speak(wrong ? say('wrongWordSpoken', wrong, ahead) : ahead);
  }
}

/** @param {string[]} text @param {number} position @param {number} count */
function wordsFrom(text, position, count) {
  let end = position;
  for (let words = 0; end < text.length && words < count; words++) {
    while (end < text.length && isGap(text[end])) end++;
    while (end < text.length && !isGap(text[end])) end++;
  }
  return text.slice(position, end).join('');
}

/**
 * The wrong places of the word just typed, as pairs of what was hit and what was meant.
 * @param {Attempt} attempt
 */
function wrongIn(attempt) {
  /** @type {string[]} */
  const wrong = [];
  for (let i = attempt.position - 1; i >= 0; i--) {
    if (attempt.rightAt(i) === false) {
      wrong.unshift(say('insteadSpoken', keySpoken(attempt.pressedAt(i) ?? ''), keySpoken(attempt.text[i] ?? '')));
    }
    if (i < attempt.position - 1 && isGap(attempt.text[i] ?? '')) break;
  }
  return wrong.join(', ');
}

/** @param {string} grapheme */
function isGap(grapheme) {
  return grapheme === ' ' || grapheme === '\n' || grapheme === '\t';
}
