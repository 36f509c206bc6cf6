/** The drawn keyboard: where the next character is, which finger presses it, and which keys go wrong. */

import { DELETE, DELETE_WORD, ELLIPSIS } from '../core/attempt.js';
import { canonical, keyName } from '../core/text.js';
import { FINGERS, fingerOf, isNamed, keyFor, LAYOUTS, ROWS, shiftFor } from '../layouts.js';
import { element } from './dom.js';
import { keyCap, say } from './words.js';

/**
 * @import { Attempt } from '../core/attempt.js'
 * @import { LayoutName } from '../layouts.js'
 */

/** @type {Record<string, string>} */
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

/**
 * The keys of a layout, row by row, into `root`; each by its code.
 * @param {HTMLElement} root
 * @param {LayoutName} layout
 */
export function drawKeys(root, layout) {
  /** @type {Map<string, HTMLElement>} */
  const keys = new Map();
  root.replaceChildren(
    ...ROWS.map((codes) => {
      const row = document.createElement('div');
      row.className = 'row';
      for (const code of codes) {
        const key = keyOf(code, layout);
        keys.set(code, key);
        row.append(key);
      }
      return row;
    }),
  );
  return keys;
}

/** @param {string} code @param {LayoutName} layout */
function keyOf(code, layout) {
  const key = document.createElement('span');
  key.className = 'key';
  key.dataset.code = code;
  if (isNamed(code)) key.classList.add('named');
  if (HOME.has(code)) key.classList.add('home');
  // A letter is drawn once, as on real keys; other keys show their two characters.
  const [plain, shifted] = LAYOUTS[layout].characters.get(code) ?? ['', ''];
  key.textContent = CAPS[code] ?? (plain.toUpperCase() === shifted ? shifted : plain);
  return key;
}

/**
 * How hot a key is, from 0 to 4, by how often it went wrong.
 * @param {number} presses
 * @param {number} errors
 */
export function errorHeat(presses, errors) {
  const rate = errors / (presses + TRUSTED_PRESSES);
  return errors === 0 ? 0 : HEAT_FROM.filter((from) => rate >= from).length;
}

export class KeyboardView {
  /** @type {HTMLElement} */
  #root;
  /** @type {HTMLElement} */
  #hint;
  /** @type {Map<string, HTMLElement>} */
  #keys = new Map();
  /** @type {Map<string, HTMLElement>} */
  #fingers = new Map();
  /** @type {LayoutName} */
  #layout = 'qwerty';
  /** @type {HTMLElement[]} */
  #lit = [];

  /** @param {HTMLElement} root */
  constructor(root) {
    this.#root = element(root, '.keys');
    this.#hint = element(root, '#next-key');
    const hands = element(root, '.hands');
    for (const finger of FINGERS) {
      const drawn = document.createElement('span');
      drawn.dataset.finger = finger;
      hands.append(drawn);
      this.#fingers.set(finger, drawn);
    }
  }

  /**
   * Draws a layout with all keys cold.
   * @param {LayoutName} layout
   */
  draw(layout) {
    this.#layout = layout;
    this.#darken();
    this.#keys = drawKeys(this.#root, layout);
  }

  /**
   * Lights the key of the next character, the finger for it, and Shift with its finger if needed.
   * @param {string | undefined} grapheme
   */
  next(grapheme) {
    this.#darken();
    this.#hint.textContent = '';
    if (grapheme === undefined) return;
    const key = keyFor(this.#layout, canonical(grapheme));
    if (!key) {
      this.#hint.textContent = say('keyNotHere', keyCap(grapheme));
      return;
    }
    const codes = key.shift ? [key.code, shiftFor(key.code)] : [key.code];
    for (const code of codes) {
      this.#light(this.#keys.get(code));
      this.#light(this.#fingers.get(fingerOf(code)));
    }
    const fingers = codes.map((code) => say(fingerOf(code)));
    this.#hint.textContent = say('nextKey', keyCap(grapheme), fingers[0], fingers[1]);
  }

  /**
   * Lights keys that are to be practised, and the fingers for them.
   * @param {string[]} names
   */
  practise(names) {
    this.#darken();
    const placed = names.flatMap((name) => {
      const key = keyFor(this.#layout, name);
      return key ? [{ name, code: key.code, finger: fingerOf(key.code) }] : [];
    });
    for (const { code, finger } of placed) {
      this.#light(this.#keys.get(code));
      this.#light(this.#fingers.get(finger));
    }
    const lines = FINGERS.flatMap((finger) => {
      const caps = placed.filter((one) => one.finger === finger).map(({ name }) => keyCap(name).toUpperCase());
      return caps.length > 0 ? [`${say(finger)}: ${caps.join(' ')}`] : [];
    });
    this.#hint.textContent = lines.join(' · ');
  }

  /**
   * Lights the key that was pressed, as in a replay.
   * @param {string | null} key a grapheme, or what deletes; null lights none
   * @param {boolean} right
   */
  pressed(key, right) {
    this.#darken();
    if (key === null) return;
    const deletes = key === DELETE || key === DELETE_WORD;
    const code = deletes ? 'Backspace' : keyFor(this.#layout, key === ELLIPSIS ? '.' : canonical(key))?.code;
    this.#light(this.#keys.get(code ?? ''), right ? 'next' : 'missed');
    this.#light(this.#fingers.get(fingerOf(code ?? '')));
  }

  /** @param {HTMLElement | undefined} drawn @param {'next' | 'missed'} [how] */
  #light(drawn, how = 'next') {
    if (!drawn) return;
    drawn.classList.add(how);
    this.#lit.push(drawn);
  }

  #darken() {
    for (const drawn of this.#lit) drawn.classList.remove('next', 'missed');
    this.#lit = [];
  }

  /**
   * How often a key went wrong so far.
   * @param {string} name
   * @param {number} presses
   * @param {number} errors
   */
  heat(name, presses, errors) {
    const drawn = this.#keys.get(keyFor(this.#layout, name)?.code ?? '');
    if (!drawn) return;
    const level = String(errorHeat(presses, errors));
    if (drawn.dataset.heat !== level) drawn.dataset.heat = level;
  }

  /**
   * The heat of a whole attempt, as after a reload; all other keys are cold.
   * @param {Attempt['keys']} keys
   */
  heatAll(keys) {
    for (const drawn of this.#keys.values()) delete drawn.dataset.heat;
    for (const [name, { presses, errors }] of keys) this.heat(name, presses, errors);
  }

  /**
   * The heat of the key that stands for a grapheme of the text.
   * @param {string} grapheme
   * @param {Attempt['keys']} keys
   */
  heatOf(grapheme, keys) {
    const name = keyName(grapheme);
    const stats = keys.get(name);
    if (stats) this.heat(name, stats.presses, stats.errors);
  }
}
