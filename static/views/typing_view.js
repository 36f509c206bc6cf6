/** One attempt on screen, from the first key to the last: field, text, numbers and keyboard together. */

import { DELETE, DELETE_WORD } from '../core/attempt.js';
import { isSpace } from '../core/text.js';
import { LAYOUTS, layoutFor } from '../layouts.js';
import { around, element, find } from './dom.js';
import { Field } from './field.js';
import { KeyboardView } from './keyboard_view.js';
import { NumbersView } from './numbers_view.js';
import { TextView } from './text_view.js';
import { say } from './words.js';

/**
 * @import { Attempt } from '../core/attempt.js'
 * @import { Live } from '../net/live.js'
 * @import { OpenedNews, ProgressNews } from '../net/news.js'
 * @import { Source } from '../net/protocol.js'
 * @import { Notices } from './notices.js'
 */

const TICK_MS = 1000;
const IDLE_MS = 1500;
const POINTER_MOVED_PX = 4;
/** By then a touch has become its click, which must not hit what only now appears. */
const TAP_MS = 100;

export class TypingView {
  /** @type {Live} */
  #live;
  /** @type {Notices} */
  #notices;
  /** @type {() => void} */
  #ended;
  #body = document.body;
  /** @type {Field} */
  #field;
  /** @type {TextView} */
  #text;
  /** @type {NumbersView} */
  #numbers;
  /** @type {KeyboardView} */
  #keyboard;
  /** @type {Attempt | null} */
  #attempt = null;
  /** @type {number | null} */
  #limitMs = null;
  /** @type {number | null} When the clock of the attempt stood at 0, in Unix ms of the monotonic clock; null before the first key. */
  #startedAtMs = null;
  #language = '';
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #ticker;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #idleTimer;

  /**
   * @param {HTMLElement} root the stage
   * @param {{live: Live, notices: Notices, ended: () => void}} parts
   *   `ended` is called at the last key, before the server has spoken
   */
  constructor(root, { live, notices, ended }) {
    this.#live = live;
    this.#notices = notices;
    this.#ended = ended;
    this.#text = new TextView(element(root, '#text'));
    this.#numbers = new NumbersView(element(root, '#numbers'));
    this.#keyboard = new KeyboardView(element(root, '#keyboard'));
    this.#field = new Field(find(root, '#field', HTMLTextAreaElement), {
      press: (key, atMs) => this.#press(key, atMs),
      refuse: (message) => notices.show(say(message)),
      expected: () => this.#attempt?.text[this.#attempt.position],
      composing: (text) => this.#text.compose(text),
    });
    this.#watchPresence(root);
  }

  get attempt() {
    return this.#attempt;
  }

  /** The text on screen, to be shown to those who do not type it, too. */
  get text() {
    return this.#text;
  }

  get phase() {
    return this.#body.dataset.phase;
  }

  /** The language of the text on screen, as far as it is known. */
  get language() {
    return this.#language;
  }

  /** Is a text on screen of which nothing is typed? */
  get untouched() {
    return this.phase === 'ready' && this.#attempt?.events === 0;
  }

  /**
   * Is this the next character of the text?
   * @param {string} grapheme
   */
  expects(grapheme) {
    return this.#attempt?.text[this.#attempt.position] === grapheme;
  }

  /** Until the next attempt is shown the keys go nowhere. */
  wait() {
    this.#stopClock();
    this.#attempt = null;
    this.#body.dataset.phase = 'ready';
    this.#body.classList.remove('quiet');
    this.#body.classList.add('waiting');
  }

  /**
   * Shows an opened attempt: ready for its first key, or as far as it went.
   * @param {OpenedNews} news
   */
  show({ attempt, source, text }) {
    this.#stopClock();
    this.#attempt = attempt;
    this.#limitMs = source.kind === 'time' ? source.seconds * 1000 : null;
    this.#startedAtMs = null;
    this.#language = languageOf(source, text);
    this.#body.dataset.phase = 'ready';
    this.#body.classList.remove('quiet', 'waiting');
    this.#text.draw(attempt, this.#language);
    this.#numbers.begin(attempt, this.#limitMs);
    this.#keyboard.draw(layoutFor(this.#language, text));
    this.#keyboard.heatAll(attempt.keys);
    this.#keyboard.next(attempt.text[attempt.position]);
    this.#notices.speakWords(attempt);
    this.focus();
  }

  /**
   * The server's numbers of this attempt.
   * @param {ProgressNews} progress
   */
  heard(progress) {
    this.#numbers.heard(progress);
    for (const [name, [presses, errors]] of Object.entries(progress.keys ?? {})) {
      const known = this.#attempt?.keys.get(name);
      if (!known || known.presses <= presses) this.#keyboard.heat(name, presses, errors);
    }
  }

  /** After this the keys go nowhere; the phase is `done`. */
  end() {
    this.#stopClock();
    this.#numbers.show(this.#elapsedMs());
    this.#body.dataset.phase = 'done';
    this.#body.classList.remove('quiet');
  }

  focus() {
    this.#field.focus();
  }

  /** Draws again after the appearance or the language has changed. */
  redraw() {
    if (!this.#attempt) return;
    this.#text.layOut();
    this.#numbers.show(this.#elapsedMs());
    this.#keyboard.next(this.#attempt.text[this.#attempt.position]);
  }

  speakNumbers() {
    if (!this.#attempt) return;
    const sentence = this.#numbers.spoken();
    this.#notices.speak(sentence);
    this.#notices.show(sentence);
  }

  /** @param {string} key @param {number} atMs */
  #press(key, atMs) {
    const attempt = this.#attempt;
    if (!attempt || this.phase === 'done') return;
    const { position } = attempt;
    const expected = attempt.text[position];
    if (this.phase === 'ready' && key === '\n' && expected !== '\n') return;
    if (!this.#live.press(key, atMs)) return;
    this.#startedAtMs = atMs - attempt.atMs;
    this.#becomeBusy();
    this.#text.update(position);
    this.#keyboard.next(attempt.text[attempt.position]);
    if (expected !== undefined && key !== DELETE && key !== DELETE_WORD) {
      this.#keyboard.heatOf(expected, attempt.keys);
    }
    if (attempt.complete) this.#ended();
    else if (attempt.position > position && isSpace(attempt.text[attempt.position - 1] ?? '')) {
      this.#notices.speakWords(attempt);
    }
  }

  #becomeBusy() {
    if (this.phase === 'ready') {
      this.#body.dataset.phase = 'typing';
      this.#ticker = setInterval(() => this.#numbers.show(this.#elapsedMs()), TICK_MS);
    }
    this.#body.classList.add('quiet', 'busy');
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => this.#body.classList.remove('busy'), IDLE_MS);
  }

  #elapsedMs() {
    if (this.#startedAtMs === null) return this.#attempt?.atMs ?? 0;
    return performance.timeOrigin + performance.now() - this.#startedAtMs;
  }

  #stopClock() {
    clearInterval(this.#ticker);
    clearTimeout(this.#idleTimer);
    this.#body.classList.remove('busy');
  }

  /**
   * Says plainly when the keys go elsewhere, and takes them back at the first one.
   * @param {HTMLElement} root
   */
  #watchPresence(root) {
    const show = () => {
      const busyElsewhere = document.querySelector('dialog[open]') || this.phase === 'done';
      const here = document.hasFocus() && root.contains(document.activeElement);
      root.classList.toggle('away', !here && !busyElsewhere);
      if (!here) this.#body.classList.remove('quiet');
    };
    for (const name of ['focus', 'blur']) {
      addEventListener(name, () => setTimeout(show), { capture: true });
    }
    addEventListener('keydown', (event) => this.#onAnyKey(event), { capture: true });
    addEventListener('keyup', (event) => this.#noteCapsLock(event), { capture: true });
    addEventListener('pointerup', (event) => {
      if (!around(event, '.desk')) setTimeout(() => this.#body.classList.remove('quiet'), TAP_MS);
    });
    addEventListener('pointermove', (event) => {
      if (Math.abs(event.movementX) + Math.abs(event.movementY) >= POINTER_MOVED_PX) {
        this.#body.classList.remove('quiet');
      }
    });
  }

  /** @param {KeyboardEvent} event */
  #onAnyKey(event) {
    this.#noteCapsLock(event);
    if (event.key === 'Escape') this.#body.classList.remove('quiet');
    const types = event.key?.length === 1 && event.key !== ' ' && !event.ctrlKey && !event.metaKey && !event.altKey;
    const elsewhere = document.activeElement?.closest('input, textarea, dialog');
    if (types && !elsewhere && this.phase !== 'done') this.focus();
  }

  /** @param {MouseEvent | KeyboardEvent} event */
  #noteCapsLock(event) {
    if (event.getModifierState) this.#notices.capsLock(event.getModifierState('CapsLock'));
  }
}

/**
 * What was asked for, or what most letters of the text belong to.
 * @param {Source} source
 * @param {string} text
 */
function languageOf(source, text) {
  if ('language' in source && source.language) return source.language;
  return LAYOUTS[layoutFor(null, text)].language;
}
