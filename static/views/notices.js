/** What is said besides the text: quiet lines for the eye, and a voice for screen readers. */

import { keySpoken, say } from './words.js';

const NOTICE_MS = 5000;
const WORDS_AHEAD = 2;

export class Notices {
  #notice;
  #caps;
  #banner;
  #speech;
  #timer = null;

  constructor(root) {
    this.#notice = root.querySelector('#notice');
    this.#caps = root.querySelector('#caps-lock');
    this.#banner = root.querySelector('#banner');
    this.#speech = root.querySelector('#speech');
  }

  /** A line that goes away by itself. */
  show(text) {
    this.#notice.textContent = text;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => (this.#notice.textContent = ''), NOTICE_MS);
  }

  capsLock(on) {
    if (this.#caps.hidden === on) this.#caps.hidden = !on;
  }

  /** A line that stays until it is dealt with, with one thing to do about it. */
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

  /** Read aloud when the reader has time; never shown. */
  speak(text) {
    this.#speech.textContent = text;
  }

  /** At the beginning of a word: what went wrong in the last one, and the next words. */
  speakWords(attempt) {
    const ahead = wordsFrom(attempt.text, attempt.position, WORDS_AHEAD);
    const wrong = wrongIn(attempt);
    this.speak(wrong ? say('wrongWordSpoken', wrong, ahead) : ahead);
  }
}

function wordsFrom(text, position, count) {
  let end = position;
  for (let words = 0; end < text.length && words < count; words++) {
    while (end < text.length && isGap(text[end])) end++;
    while (end < text.length && !isGap(text[end])) end++;
  }
  return text.slice(position, end).join('');
}

/** The wrong places of the word just typed, as pairs of what was hit and what was meant. */
function wrongIn(attempt) {
  const wrong = [];
  for (let i = attempt.position - 1; i >= 0; i--) {
    if (attempt.rightAt(i) === false) {
      wrong.unshift(say('insteadSpoken', keySpoken(attempt.pressedAt(i) ?? ''), keySpoken(attempt.text[i] ?? '')));
    }
    if (i < attempt.position - 1 && isGap(attempt.text[i] ?? '')) break;
  }
  return wrong.join(', ');
}

function isGap(grapheme) {
  return grapheme === ' ' || grapheme === '\n' || grapheme === '\t';
}
