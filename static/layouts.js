/**
 * Which characters are on which keys, and which finger presses them: server/core/layout.py for the pages.
 * Keys are named by KeyboardEvent.code.
 */

import { KEYBOARDS } from './layout_data.js';

/**
 * @typedef {keyof typeof KEYBOARDS} LayoutName
 * @typedef {'ansi'|'iso'} Shape
 * @typedef {'plain'|'shift'|'altgr'|'shift_altgr'} Level
 * @typedef {{code: string, level: Level, dead: Place|null}} Place where a character is; `dead` is pressed before it
 * @typedef {{layout: string, code: string, level: string, character: string}} KeyRemap
 * @typedef {{keys: KeyRemap[], fingers: Record<string, string>}} Remaps as `PATCH /users/me` takes them
 */

/** @type {Level[]} */
export const LEVELS = ['plain', 'shift', 'altgr', 'shift_altgr'];
export const LAYOUT_NAMES = /** @type {LayoutName[]} */ (Object.keys(KEYBOARDS));
/** @type {Readonly<Remaps>} */
export const UNCHANGED = { keys: [], fingers: {} };

/** The keys that carry characters, as the rows of the data: from the left, on an ISO keyboard. */
const CODES = [
  'Backquote Digit1 Digit2 Digit3 Digit4 Digit5 Digit6 Digit7 Digit8 Digit9 Digit0 Minus Equal',
  'KeyQ KeyW KeyE KeyR KeyT KeyY KeyU KeyI KeyO KeyP BracketLeft BracketRight',
  'KeyA KeyS KeyD KeyF KeyG KeyH KeyJ KeyK KeyL Semicolon Quote Backslash',
  'IntlBackslash KeyZ KeyX KeyC KeyV KeyB KeyN KeyM Comma Period Slash',
].map((row) => row.split(' '));
const FIRST_COLUMN = [0, 1, 1, 0];
/** So many keys must be as the browser tells. */
const NEAR = 0.8;

/** Left to right, as the hands lie on the keys. */
export const FINGERS = [
  'leftPinky',
  'leftRing',
  'leftMiddle',
  'leftIndex',
  'leftThumb',
  'rightThumb',
  'rightIndex',
  'rightMiddle',
  'rightRing',
  'rightPinky',
];

/** Fingers belong to the physical key, so one table serves all layouts. */
const KEYS_OF_FINGER = {
  leftPinky: 'Backquote Digit1 Tab KeyQ CapsLock KeyA ShiftLeft IntlBackslash KeyZ',
  leftRing: 'Digit2 KeyW KeyS KeyX',
  leftMiddle: 'Digit3 KeyE KeyD KeyC',
  leftIndex: 'Digit4 Digit5 KeyR KeyT KeyF KeyG KeyV KeyB',
  rightThumb: 'Space AltRight',
  rightIndex: 'Digit6 Digit7 KeyY KeyU KeyH KeyJ KeyN KeyM',
  rightMiddle: 'Digit8 KeyI KeyK Comma',
  rightRing: 'Digit9 KeyO KeyL Period',
  rightPinky:
    'Digit0 Minus Equal Backspace KeyP BracketLeft BracketRight Backslash Semicolon Quote Enter Slash ShiftRight',
};
const FINGER_OF_KEY = new Map(
  Object.entries(KEYS_OF_FINGER).flatMap(([finger, codes]) => codes.split(' ').map((code) => [code, finger])),
);

/** What `fingers` of the remaps calls each finger; either thumb is one. */
export const FINGER_NAMES = {
  left_pinky: 'leftPinky',
  left_ring: 'leftRing',
  left_middle: 'leftMiddle',
  left_index: 'leftIndex',
  thumb: 'rightThumb',
  right_index: 'rightIndex',
  right_middle: 'rightMiddle',
  right_ring: 'rightRing',
  right_pinky: 'rightPinky',
};

const NOTHING = '◌';
const MARK = /^\p{M}$/u;
const LETTER = /^\p{L}$/u;
/** Of the number row, the top, the home and the bottom row; less is easier, and the space bar is 0. */
const EASE_OF_ROW = [4, 2, 1, 3];
const EASE_OF_FINGER = ['Thumb', 'Index', 'Middle', 'Ring', 'Pinky'];
/** A dead key and the space bar give the mark by itself, everywhere alike for these. */
const ALONE = new Map([
  ['\u0300', '`'],
  ['\u0302', '^'],
  ['\u0303', '~'],
]);

/** A layout on a keyboard, with what the person has changed of it. */
export class Keyboard {
  /** @type {Map<string, string[]>} what is on each key, level by level; a dead key's is its mark, '' is nothing */
  characters;
  /** @type {Map<string, string>} */
  #fingers = new Map(FINGER_OF_KEY);
  /** @type {Map<string, Place>} */
  #places;
  #backslashIsBelow;

  /**
   * @param {LayoutName} name
   * @param {{shape?: Shape|null, remaps?: Readonly<Remaps>}} [own] the shape, if not the layout's usual one
   */
  constructor(name, { shape = null, remaps = UNCHANGED } = {}) {
    const { title, shape: usual, rows } = KEYBOARDS[name];
    this.name = name;
    this.title = title;
    this.shape = shape ?? /** @type {Shape} */ (usual);
    this.#backslashIsBelow = usual === 'iso';
    for (const [code, finger] of Object.entries(remaps.fingers)) {
      this.#fingers.set(code, FINGER_NAMES[/** @type {keyof typeof FINGER_NAMES} */ (finger)] ?? fingerOf(code));
    }
    const printed = new Map(rows.flatMap((row, i) => row.split(' ').map((key, j) => [CODES[i][j], readKey(key)])));
    printed.set('Space', [' ']);
    const own = ownCharacters(remaps.keys.filter(({ layout }) => layout === name));
    this.characters = new Map(printed);
    for (const [code, levels] of own) {
      const before = printed.get(code) ?? [];
      this.characters.set(
        code,
        LEVELS.map((_, level) => levels[level] ?? before[level] ?? ''),
      );
    }
    const theirs = new Map([...printed].map(([code, levels]) => [code, without(levels, own.get(code))]));
    const found = new Map([...this.#easiest(theirs), ...this.#easiest(own)]);
    this.#places = new Map([...this.#twoPresses(found), ...[...found].filter(([character]) => !MARK.test(character))]);
  }

  /** Every character that can be typed. */
  get typed() {
    return [...this.#places.keys()];
  }

  /** Is anything on it with AltGr? */
  get hasAltGr() {
    return [...this.characters.values()].some((levels) => levels[2] || levels[3]);
  }

  /**
   * Where a character is, or null if this keyboard does not have it.
   * @param {string} character
   */
  placeOf(character) {
    return this.#places.get(character) ?? null;
  }

  /**
   * @returns {string} one of FINGERS; empty for a key that is not drawn
   * @param {string} code
   */
  fingerOf(code) {
    return this.#fingers.get(code) ?? '';
  }

  /**
   * The keys to be held for a place. Shift is held by the other hand.
   * @param {Place} place
   */
  heldFor({ code, level }) {
    const shift = this.fingerOf(code).startsWith('left') ? 'ShiftRight' : 'ShiftLeft';
    return [
      ...(level === 'shift' || level === 'shift_altgr' ? [shift] : []),
      ...(level === 'altgr' || level === 'shift_altgr' ? ['AltRight'] : []),
    ];
  }

  /** @param {Map<string, (string|undefined)[]>} keys */
  #easiest(keys) {
    /** @type {Map<string, Place>} */
    const found = new Map();
    for (const [code, levels] of keys) {
      levels.forEach((character, level) => {
        if (character) this.#keepEasier(found, character, { code, level: LEVELS[level], dead: null });
      });
    }
    return found;
  }

  /**
   * What dead keys make of the letters: é of ´ and e.
   * @param {Map<string, Place>} found
   */
  #twoPresses(found) {
    /** @type {Map<string, Place>} */
    const made = new Map();
    for (const [mark, dead] of [...found].filter(([character]) => MARK.test(character))) {
      const alone = ALONE.get(mark);
      const space = found.get(' ');
      if (alone && space) this.#keepEasier(made, alone, { ...space, dead });
      for (const [letter, place] of found) {
        const character = (letter + mark).normalize('NFC');
        if (LETTER.test(letter) && character.length === 1) this.#keepEasier(made, character, { ...place, dead });
      }
    }
    return made;
  }

  /** @param {Map<string, Place>} found @param {string} character @param {Place} place */
  #keepEasier(found, character, place) {
    const there = found.get(character);
    if (!there || isLess(this.#effort(place), this.#effort(there))) found.set(character, place);
  }

  /** @param {Place} place @returns {number[]} */
  #effort({ code, level, dead }) {
    const [row, column] = this.#at(code);
    const finger = EASE_OF_FINGER.findIndex((name) => this.fingerOf(code).endsWith(name));
    const own = [LEVELS.indexOf(level), row === -1 ? 0 : EASE_OF_ROW[row], finger, column];
    return dead ? [1, ...this.#effort(dead), ...own] : [0, ...own];
  }

  /** @param {string} code @returns {[row: number, column: number]} */
  #at(code) {
    if (code === 'Backslash' && !this.#backslashIsBelow) return [1, 13];
    const row = CODES.findIndex((codes) => codes.includes(code));
    return row === -1 ? [-1, 0] : [row, CODES[row].indexOf(code) + FIRST_COLUMN[row]];
  }
}

/**
 * The characters of the levels: a mark belongs to the circle before it.
 * @param {string} key
 */
function readKey(key) {
  /** @type {string[]} */
  const levels = [];
  for (const character of key) {
    if (MARK.test(character)) levels[levels.length - 1] = character;
    else levels.push(character === NOTHING ? '' : character);
  }
  return levels;
}

/**
 * What one has put on keys. A letter without Shift takes its capital along, unless that is put elsewhere.
 * @param {KeyRemap[]} remaps
 */
function ownCharacters(remaps) {
  /** @type {Map<string, (string|undefined)[]>} */
  const own = new Map();
  for (const { code, level, character } of remaps) {
    const levels = own.get(code) ?? [];
    levels[LEVELS.indexOf(/** @type {Level} */ (level))] = character;
    own.set(code, levels);
  }
  for (const levels of own.values()) {
    const capital = levels[0]?.toUpperCase() ?? '';
    if ([...capital].length === 1 && capital !== levels[0]) levels[1] ??= capital;
  }
  return own;
}

/** @param {string[]} levels @param {(string|undefined)[]} [own] */
function without(levels, own = []) {
  return levels.map((character, level) => (own[level] === undefined ? character : ''));
}

/** @param {number[]} these @param {number[]} those */
function isLess(these, those) {
  const i = these.findIndex((one, at) => one !== those[at]);
  return i !== -1 && these[i] < (those[i] ?? 0);
}

/**
 * The usual finger for a key, whoever sits there; empty for a key that is not drawn.
 * @param {string} code
 */
export function fingerOf(code) {
  return FINGER_OF_KEY.get(code) ?? '';
}

/**
 * Keys with a name rather than a character.
 * @param {string} code
 */
export function isNamed(code) {
  return /^(Backspace|Tab|CapsLock|Enter|Shift|AltRight)/.test(code);
}

/**
 * The keys of a keyboard as it is drawn, row by row.
 * @param {Keyboard} keyboard
 */
export function rowsOf({ shape, hasAltGr }) {
  const [number, top, home, bottom] = CODES;
  const iso = shape === 'iso';
  return [
    [...number, 'Backspace'],
    ['Tab', ...top, iso ? 'Enter' : 'Backslash'],
    ['CapsLock', ...(iso ? home : [...home.slice(0, -1), 'Enter'])],
    ['ShiftLeft', ...(iso ? bottom : bottom.slice(1)), 'ShiftRight'],
    ['Space', ...(hasAltGr ? ['AltRight'] : [])],
  ];
}

// Layouts and languages

/**
 * The layouts that type a language, the usual one first.
 * @param {string} language
 */
export function layoutsFor(language) {
  return LAYOUT_NAMES.filter((name) => KEYBOARDS[name].languages.includes(language));
}

/**
 * What a text is probably written in, by most of its letters.
 * @param {string} text
 */
export function languageOf(text) {
  const cyrillic = text.match(/\p{Script=Cyrillic}/gu)?.length ?? 0;
  const latin = text.match(/\p{Script=Latin}/gu)?.length ?? 0;
  return cyrillic > latin ? 'ru' : 'en';
}

/**
 * The layout whose keys are most nearly those that the browser tells of, or null if none is near.
 * @param {ReadonlyMap<string, string>} told what each key gives by itself, by its code
 * @returns {LayoutName|null}
 */
export function nearestLayout(told) {
  const near = LAYOUT_NAMES.map((name) => ({ name, share: shareAlike(new Keyboard(name), told) }));
  const best = near.reduce((one, other) => (other.share > one.share ? other : one));
  return best.share > NEAR ? best.name : null;
}

/** @param {Keyboard} keyboard @param {ReadonlyMap<string, string>} told */
function shareAlike({ characters }, told) {
  const keys = [...characters].filter(([code]) => told.has(code) && code !== 'Space');
  const alike = keys.filter(([code, levels]) => levels[0] === told.get(code) || MARK.test(levels[0] ?? ''));
  return keys.length === 0 ? 0 : alike.length / keys.length;
}
