/** The drawn keyboard: where the next character is, which finger presses it, and which keys go wrong. */

import { DELETE, DELETE_WORD, ELLIPSIS } from '../core/attempt.js';
import { canonical, keyName } from '../core/text.js';
import { FINGERS, isNamed, Keyboard, rowsOf } from '../layouts.js';
import { element } from './dom.js';
import { keyCap, say } from './words.js';

/**
 * @import { Attempt } from '../core/attempt.js'
 * @import { Place } from '../layouts.js'
 */

/** @type {Record<string, string>} */
const CAPS = {
  Backspace: '⌫',
  Tab: '⇥',
  CapsLock: '⇪',
  Enter: '↵',
  ShiftLeft: '⇧',
  ShiftRight: '⇧',
  AltRight: 'AltGr',
  Space: '',
};
const MARK = /^\p{M}$/u;
const CIRCLE = '◌';
/** How the mark of a dead key is printed on it. */
const PRINTED = new Map(
  Object.entries({
    '\u0300': '`',
    '\u0301': '´',
    '\u0302': '^',
    '\u0303': '~',
    '\u0304': '¯',
    '\u0306': '˘',
    '\u0307': '˙',
    '\u0308': '¨',
    '\u030a': '˚',
    '\u030b': '˝',
    '\u030c': 'ˇ',
    '\u0327': '¸',
    '\u0328': '˛',
  }),
);
const HOME = new Set(['KeyF', 'KeyJ']);
/** Two presses of trust, so that one slip on a fresh key is not a blaze. */
const TRUSTED_PRESSES = 2;
const HEAT_FROM = [0, 0.03, 0.08, 0.16];

/**
 * The keys of a keyboard, row by row, into `root`; each by its code.
 * @param {HTMLElement} root
 * @param {Keyboard} keyboard
 * @param {'span'|'button'} [made] of what each key that carries characters is made
 */
export function drawKeys(root, keyboard, made = 'span') {
  /** @type {Map<string, HTMLElement>} */
  const keys = new Map();
  root.dataset.shape = keyboard.shape;
  root.replaceChildren(
    ...rowsOf(keyboard).map((codes) => {
      const row = document.createElement('div');
      row.className = 'row';
      for (const code of codes) {
        const key = keyOf(code, keyboard, made);
        keys.set(code, key);
        row.append(key);
      }
      return row;
    }),
  );
  return keys;
}

/**
 * What stands on a key: a letter once, as on real keys, else also what Shift gives.
 * @param {string[]} levels
 * @returns {[main: string, above: string]}
 */
export function legend([plain = '', shifted = '']) {
  const one = plain.toUpperCase() === shifted;
  return one ? [shifted, ''] : [shown(plain), shown(shifted)];
}

/**
 * A dead key's mark as it is printed; one that is printed on no key needs something to stand on.
 * @param {string} character
 */
export function shown(character) {
  return PRINTED.get(character) ?? (MARK.test(character) ? CIRCLE + character : character);
}

/** @param {string} code @param {Keyboard} keyboard @param {'span'|'button'} made */
function keyOf(code, keyboard, made) {
  const key = document.createElement(isNamed(code) ? 'span' : made);
  key.className = 'key';
  key.dataset.code = code;
  if (isNamed(code)) key.classList.add('named');
  if (HOME.has(code)) key.classList.add('home');
  const [main, above] = legend(keyboard.characters.get(code) ?? []);
  key.textContent = CAPS[code] ?? main;
  if (above) key.dataset.above = above;
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

const NAMED_KEYS = new Map([
  ['\n', 'Enter'],
  ['\t', 'Tab'],
]);

/**
 * Where a grapheme of a text is, or one that is as good; null if it is nowhere.
 * @param {Keyboard} keyboard
 * @param {string} grapheme
 * @returns {Place|null}
 */
export function placeOf(keyboard, grapheme) {
  const named = NAMED_KEYS.get(grapheme);
  if (named) return { code: named, level: 'plain', dead: null };
  return keyboard.placeOf(canonical(grapheme)) ?? keyboard.placeOf(grapheme);
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
  #keyboard = new Keyboard('qwerty');
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
   * Draws a keyboard with all keys cold.
   * @param {Keyboard} keyboard
   */
  draw(keyboard) {
    this.#keyboard = keyboard;
    this.#darken();
    this.#keys = drawKeys(this.#root, keyboard);
  }

  /**
   * Lights the key of the next character, the finger for it, and what is held; a dead key before it, too.
   * @param {string | undefined} grapheme
   */
  next(grapheme) {
    this.#darken();
    this.#hint.textContent = '';
    if (grapheme === undefined) return;
    const place = placeOf(this.#keyboard, grapheme);
    if (!place) {
      this.#hint.textContent = say('keyNotHere', keyCap(grapheme));
      return;
    }
    if (place.dead) this.#lightAll(place.dead);
    this.#lightAll(place);
    const words = place.dead
      ? [place.dead, place].map((one) => this.#named(one)).join(say('andThen'))
      : this.#spoken(place);
    this.#hint.textContent = `${keyCap(grapheme)} · ${words}`;
  }

  /** @param {Place} place */
  #lightAll(place) {
    for (const code of [place.code, ...this.#keyboard.heldFor(place)]) {
      this.#light(this.#keys.get(code));
      this.#light(this.#fingers.get(this.#keyboard.fingerOf(code)));
    }
  }

  /**
   * One of two presses: the key, and how it is pressed.
   * @param {Place} place
   */
  #named(place) {
    const [plain = '', shifted = ''] = this.#keyboard.characters.get(place.code) ?? [];
    const cap = plain.toUpperCase() === shifted ? shifted : shown(place.level === 'shift' ? shifted : plain);
    return `${keyCap(cap)} (${this.#spoken(place)})`;
  }

  /**
   * The finger for a press, and what is held.
   * @param {Place} place
   */
  #spoken(place) {
    const shift = this.#keyboard.heldFor(place).find((code) => code.startsWith('Shift'));
    const altGr = this.#keyboard.heldFor(place).find((code) => code === 'AltRight');
    return say(
      'pressWith',
      say(this.#keyboard.fingerOf(place.code)),
      shift && say(this.#keyboard.fingerOf(shift)),
      altGr,
    );
  }

  /**
   * Lights keys that are to be practised, and the fingers for them.
   * @param {string[]} names
   */
  practise(names) {
    this.#darken();
    const placed = names.flatMap((name) => {
      const code = placeOf(this.#keyboard, name)?.code;
      return code ? [{ name, code, finger: this.#keyboard.fingerOf(code) }] : [];
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
    const code = deletes ? 'Backspace' : placeOf(this.#keyboard, key === ELLIPSIS ? '.' : key)?.code;
    this.#light(this.#keys.get(code ?? ''), right ? 'next' : 'missed');
    this.#light(this.#fingers.get(this.#keyboard.fingerOf(code ?? '')));
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
    const drawn = this.#keys.get(placeOf(this.#keyboard, name)?.code ?? '');
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
