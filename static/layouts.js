/** Which character is on which key, and which finger presses it. Keys are named by KeyboardEvent.code. */

/**
 * @typedef {'qwerty'|'jcuken'} LayoutName
 * @typedef {{code: string, shift: boolean}} Key where a character is
 * @typedef {{language: string, characters: Map<string, [plain: string, shifted: string]>,
 *   keys: Map<string, Key>}} Layout
 */

/** The keys that carry characters, row by row; the space bar is a row of its own. */
export const ROWS = [
  'Backquote Digit1 Digit2 Digit3 Digit4 Digit5 Digit6 Digit7 Digit8 Digit9 Digit0 Minus Equal Backspace',
  'Tab KeyQ KeyW KeyE KeyR KeyT KeyY KeyU KeyI KeyO KeyP BracketLeft BracketRight Backslash',
  'CapsLock KeyA KeyS KeyD KeyF KeyG KeyH KeyJ KeyK KeyL Semicolon Quote Enter',
  'ShiftLeft KeyZ KeyX KeyC KeyV KeyB KeyN KeyM Comma Period Slash ShiftRight',
  'Space',
].map((row) => row.split(' '));

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
  leftPinky: 'Backquote Digit1 Tab KeyQ CapsLock KeyA ShiftLeft KeyZ',
  leftRing: 'Digit2 KeyW KeyS KeyX',
  leftMiddle: 'Digit3 KeyE KeyD KeyC',
  leftIndex: 'Digit4 Digit5 KeyR KeyT KeyF KeyG KeyV KeyB',
  rightThumb: 'Space',
  rightIndex: 'Digit6 Digit7 KeyY KeyU KeyH KeyJ KeyN KeyM',
  rightMiddle: 'Digit8 KeyI KeyK Comma',
  rightRing: 'Digit9 KeyO KeyL Period',
  rightPinky:
    'Digit0 Minus Equal Backspace KeyP BracketLeft BracketRight Backslash Semicolon Quote Enter Slash ShiftRight',
};

const FINGER_OF_KEY = new Map(
  Object.entries(KEYS_OF_FINGER).flatMap(([finger, codes]) => codes.split(' ').map((code) => [code, finger])),
);

const CHARACTER_CODES = ROWS.slice(0, 4).map((row) => row.filter((code) => !isNamed(code)));

/**
 * Each row of a layout as two strings: without and with Shift.
 * @param {string} language
 * @param {[plain: string, shifted: string][]} rows
 * @returns {Layout}
 */
function layout(language, rows) {
  /** @type {Layout['characters']} */
  const characters = new Map();
  rows.forEach(([plain, shifted], row) => {
    [...plain].forEach((character, column) => {
      characters.set(CHARACTER_CODES[row][column], [character, [...shifted][column]]);
    });
  });
  characters.set('Space', [' ', ' ']);
  return { language, characters, keys: byCharacter(characters) };
}

/** @param {Layout['characters']} characters */
function byCharacter(characters) {
  const keys = new Map([
    ['\n', { code: 'Enter', shift: false }],
    ['\t', { code: 'Tab', shift: false }],
  ]);
  for (const [code, [plain, shifted]] of characters) {
    if (!keys.has(shifted)) keys.set(shifted, { code, shift: true });
    keys.set(plain, { code, shift: false });
  }
  return keys;
}

/** @type {Record<LayoutName, Layout>} */
export const LAYOUTS = {
  qwerty: layout('en', [
    ['`1234567890-=', '~!@#$%^&*()_+'],
    ['qwertyuiop[]\\', 'QWERTYUIOP{}|'],
    ["asdfghjkl;'", 'ASDFGHJKL:"'],
    ['zxcvbnm,./', 'ZXCVBNM<>?'],
  ]),
  jcuken: layout('ru', [
    ['ё1234567890-=', 'Ё!"№;%:?*()_+'],
    ['йцукенгшщзхъ\\', 'ЙЦУКЕНГШЩЗХЪ/'],
    ['фывапролджэ', 'ФЫВАПРОЛДЖЭ'],
    ['ячсмитьбю.', 'ЯЧСМИТЬБЮ,'],
  ]),
};

const LAYOUT_NAMES = /** @type {LayoutName[]} */ (Object.keys(LAYOUTS));

/**
 * The layout a text is usually typed with: by its language, or by most of its letters.
 * @param {string | null} language
 * @param {string} [text]
 * @returns {LayoutName}
 */
export function layoutFor(language, text = '') {
  const known = LAYOUT_NAMES.find((name) => LAYOUTS[name].language === language);
  if (known) return known;
  const cyrillic = text.match(/\p{Script=Cyrillic}/gu)?.length ?? 0;
  const latin = text.match(/\p{Script=Latin}/gu)?.length ?? 0;
  return cyrillic > latin ? 'jcuken' : 'qwerty';
}

/**
 * Keys with a name rather than a character.
 * @param {string} code
 */
export function isNamed(code) {
  return /^(Backspace|Tab|CapsLock|Enter|Shift)/.test(code);
}

/**
 * Where a character is: `{code, shift}`, or null if this layout does not have it.
 * @param {LayoutName} layoutName
 * @param {string} character
 */
export function keyFor(layoutName, character) {
  return LAYOUTS[layoutName].keys.get(character) ?? null;
}

/**
 * @returns {string} one of FINGERS; empty for a key that is not drawn
 * @param {string} code
 */
export function fingerOf(code) {
  return FINGER_OF_KEY.get(code) ?? '';
}

/**
 * Shift is held by the other hand.
 * @param {string} code
 */
export function shiftFor(code) {
  return fingerOf(code).startsWith('left') ? 'ShiftRight' : 'ShiftLeft';
}
