/** The drawn keyboard: where the next character is, which finger presses it, and which keys go wrong. */

import { canonical, keyName } from '../core/text.js';
import { FINGERS, LAYOUTS, ROWS, fingerOf, isNamed, keyFor, shiftFor } from '../layouts.js';
import { keyCap, say } from './words.js';

const CAPS = {
  Backspace: '⌫',
  Tab: '⇥',
  CapsLock: '⇪',
  Enter: '↵',
  ShiftLeft: '⇧',
  ShiftRight: '⇧',
  Space: '',
};
const HOME = new Set(['KeyF', 'KeyJ']);
/** Two presses of trust, so that one slip on a fresh key is not a blaze. */
const TRUSTED_PRESSES = 2;
const HEAT_FROM = [0, 0.03, 0.08, 0.16];

export class KeyboardView {
  #root;
  #hint;
  #keys = new Map();
  #fingers = new Map();
  #layout = null;
  #lit = [];

  constructor(root) {
    this.#root = root.querySelector('.keys');
    this.#hint = root.querySelector('#next-key');
    const hands = root.querySelector('.hands');
    for (const finger of FINGERS) {
      const element = document.createElement('span');
      element.dataset.finger = finger;
      hands.append(element);
      this.#fingers.set(finger, element);
    }
  }

  /** Draws a layout with all keys cold. */
  draw(layout) {
    this.#layout = layout;
    this.#darken();
    this.#keys.clear();
    this.#root.replaceChildren(
      ...ROWS.map((codes) => {
        const row = document.createElement('div');
        row.className = 'row';
        row.append(...codes.map((code) => this.#key(code)));
        return row;
      }),
    );
  }

  #key(code) {
    const element = document.createElement('span');
    element.className = 'key';
    element.dataset.code = code;
    if (isNamed(code)) element.classList.add('named');
    if (HOME.has(code)) element.classList.add('home');
    element.textContent = CAPS[code] ?? this.#cap(code);
    this.#keys.set(code, element);
    return element;
  }

  /** A letter is drawn once, as on real keys; other keys show their two characters. */
  #cap(code) {
    const [plain, shifted] = LAYOUTS[this.#layout].characters.get(code);
    return plain.toUpperCase() === shifted ? shifted : plain;
  }

  /** Lights the key of the next character, the finger for it, and Shift with its finger if needed. */
  next(grapheme) {
    this.#darken();
    const key = grapheme === undefined ? null : keyFor(this.#layout, canonical(grapheme));
    if (!key) {
      this.#hint.textContent = grapheme === undefined ? '' : say('keyNotHere', keyCap(grapheme));
      return;
    }
    const codes = key.shift ? [key.code, shiftFor(key.code)] : [key.code];
    for (const code of codes) {
      for (const element of [this.#keys.get(code), this.#fingers.get(fingerOf(code))]) {
        element.classList.add('next');
        this.#lit.push(element);
      }
    }
    const fingers = codes.map((code) => say(fingerOf(code)));
    this.#hint.textContent = say('nextKey', keyCap(grapheme), fingers[0], fingers[1]);
  }

  #darken() {
    for (const element of this.#lit) element.classList.remove('next');
    this.#lit = [];
  }

  /** How often a key went wrong so far. */
  heat(name, presses, errors) {
    const key = keyFor(this.#layout, name);
    if (!key) return;
    const element = this.#keys.get(key.code);
    const rate = errors / (presses + TRUSTED_PRESSES);
    const level = errors === 0 ? 0 : HEAT_FROM.filter((from) => rate >= from).length;
    if (element.dataset.heat !== String(level)) element.dataset.heat = level;
  }

  /** The heat of a whole attempt, as after a reload. */
  heatAll(keys) {
    for (const [name, { presses, errors }] of keys) this.heat(name, presses, errors);
  }

  /** The heat of the key that stands for a grapheme of the text. */
  heatOf(grapheme, keys) {
    const name = keyName(grapheme);
    const stats = keys.get(name);
    if (stats) this.heat(name, stats.presses, stats.errors);
  }
}
