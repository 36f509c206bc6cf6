/** The one real text field: everything typed comes through it, whatever keyboard or input method made it. */

import { graphemes } from '../core/text.js';

/**
 * @typedef {object} Listener
 * @property {(key: string, atMs: number) => void} press one grapheme or deletion at a time, with Unix ms
 *   of the monotonic clock
 * @property {(message: string) => void} refuse something that is not typing: a message by its name
 * @property {() => string|undefined} expected the next character of the text
 * @property {(text: string) => void} composing what an input method shows but has not yielded yet
 */

const DELETE_ONE = '\b';
const DELETE_WORD = '\u0017';
/** Touch keyboards report a deletion only if there is something to delete. */
const FILLING = '  ';
/** A dead key that found no partner gives two characters at once; more come from a word list. */
const GRAPHEMES_AT_ONCE_MAX = 2;
const KEYDOWN_FRESH_MS = 1000;

/** @type {Record<string, string>} */
const DELETES = {
  deleteContentBackward: DELETE_ONE,
  deleteWordBackward: DELETE_WORD,
  deleteSoftLineBackward: DELETE_WORD,
  deleteHardLineBackward: DELETE_WORD,
};
const BREAKS = new Set(['insertLineBreak', 'insertParagraph']);
/** @type {Record<string, string>} */
const REFUSALS = {
  insertFromPaste: 'refusedPaste',
  insertFromPasteAsQuotation: 'refusedPaste',
  insertFromYank: 'refusedPaste',
  insertFromDrop: 'refusedDrop',
  insertReplacementText: 'refusedReplacement',
};
/** Scripts whose composition shows other letters than it yields. */
const CONVERTED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u;

export class Field {
  /** @type {HTMLTextAreaElement} */
  #field;
  /** @type {Listener} */
  #listener;
  /** The name of the last key pressed outside a composition; touch keyboards have none. */
  #keyName = 'Unidentified';
  /** @type {number | null} When the last key went down, until something typed has taken that time. */
  #downAtMs = null;
  /** @type {{event: Event | null, atMs: number}} */
  #stamp = { event: null, atMs: 0 };
  /** @type {string[] | null} What of the running composition is already typed (touch keyboards compose every word). */
  #composed = null;

  /**
   * @param {HTMLTextAreaElement} field
   * @param {Listener} listener
   */
  constructor(field, listener) {
    this.#field = field;
    this.#listener = listener;
    field.addEventListener('keydown', (event) => this.#onKeydown(event));
    field.addEventListener('beforeinput', (event) => this.#onBeforeInput(event));
    field.addEventListener('input', (event) => event.isComposing || this.#fill());
    field.addEventListener('compositionstart', () => (this.#composed = []));
    field.addEventListener('compositionupdate', (event) => this.#onCompositionUpdate(event));
    field.addEventListener('compositionend', (event) => this.#onCompositionEnd(event));
    field.addEventListener('focus', () => this.#fill());
    field.addEventListener('dragover', (event) => this.#onDrop(event));
    field.addEventListener('drop', (event) => this.#onDrop(event));
    this.#fill();
  }

  focus() {
    this.#field.focus({ preventScroll: true });
  }

  #fill() {
    this.#field.value = FILLING;
    this.#field.setSelectionRange(FILLING.length, FILLING.length);
  }

  /** @param {KeyboardEvent} event */
  #onKeydown(event) {
    this.#downAtMs = event.timeStamp;
    if (event.isComposing) return;
    this.#keyName = event.key;
    if (event.key === 'Backspace') {
      // Taken here, so that every system's way to delete a word is one; the input event never comes.
      event.preventDefault();
      const whole = event.ctrlKey || event.altKey || event.metaKey;
      this.#press(whole ? DELETE_WORD : DELETE_ONE, event);
    } else if (event.key === 'Tab' && !event.shiftKey && this.#listener.expected() === '\t') {
      event.preventDefault();
      if (!event.repeat) this.#press('\t', event);
    } else if (event.repeat && (event.key.length === 1 || event.key === 'Enter')) {
      event.preventDefault(); // a letter held down is typed once
    }
  }

  /** @param {InputEvent} event */
  #onBeforeInput(event) {
    const { inputType, data } = event;
    if (inputType === 'insertCompositionText' || event.isComposing) return;
    event.preventDefault();
    if (inputType === 'insertText') this.#insert(data ?? '', event);
    else if (BREAKS.has(inputType)) this.#press('\n', event);
    else if (inputType in DELETES) this.#press(DELETES[inputType], event);
    else if (inputType in REFUSALS) this.#listener.refuse(REFUSALS[inputType]);
  }

  /** @param {string} data @param {Event} event */
  #insert(data, event) {
    const typed = graphemes(data);
    if (typed.length > GRAPHEMES_AT_ONCE_MAX) {
      this.#listener.refuse('refusedReplacement');
      return;
    }
    for (const grapheme of typed) this.#press(grapheme, event);
  }

  /** @param {CompositionEvent} event */
  #onCompositionUpdate(event) {
    this.#listener.composing(this.#composesAsTyped() ? '' : event.data);
    if (this.#composesAsTyped()) this.#follow(event);
  }

  /** @param {CompositionEvent} event */
  #onCompositionEnd(event) {
    this.#listener.composing('');
    this.#follow(event);
    this.#composed = null;
    this.#fill();
  }

  /** Touch keyboards give letters no name of their own and compose whole words that are typed letter by letter. */
  #composesAsTyped() {
    return this.#keyName === 'Unidentified' && !CONVERTED.test(this.#listener.expected() ?? '');
  }

  /**
   * Types what the composition has beyond what is typed of it already, and deletes what it took back.
   * @param {CompositionEvent} event
   */
  #follow(event) {
    const before = this.#composed ?? [];
    const now = graphemes(event.data ?? '');
    const common = before.length <= now.length ? before : before.slice(0, now.length);
    if (!common.every((grapheme, i) => grapheme === now[i])) {
      this.#listener.refuse('refusedReplacement');
    } else {
      for (let i = now.length; i < before.length; i++) this.#press(DELETE_ONE, event);
      for (const grapheme of now.slice(before.length)) this.#press(grapheme, event);
    }
    this.#composed = now;
  }

  /** @param {DragEvent} event */
  #onDrop(event) {
    event.preventDefault();
    if (event.type === 'drop') this.#listener.refuse('refusedDrop');
  }

  /** @param {string} key @param {Event} event */
  #press(key, event) {
    if (this.#stamp.event !== event) this.#stamp = { event, atMs: this.#timeOf(event) };
    this.#listener.press(key, this.#stamp.atMs);
  }

  /**
   * The key's own time is nearer to the finger than that of the input it led to.
   * @param {Event} event
   */
  #timeOf(event) {
    const down = this.#downAtMs;
    this.#downAtMs = null;
    const fresh = down !== null && event.timeStamp - down < KEYDOWN_FRESH_MS;
    return performance.timeOrigin + (fresh ? down : event.timeStamp);
  }
}
