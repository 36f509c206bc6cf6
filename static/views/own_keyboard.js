/** The keyboard of the person: which layout they type each language with, its shape, and what they have changed. */

import { Keyboard, languageOf, layoutsFor, UNCHANGED } from '../layouts.js';

/**
 * @import { LayoutName, Level, Remaps, Shape } from '../layouts.js'
 * @import { Settings } from './settings.js'
 */

/** So many keys and fingers can be changed. */
export const REMAPS_MAX = 64;

/** Reads and writes the settings `layouts`, `shape` and `remaps`. */
export class OwnKeyboard {
  #settings;

  /** @param {Settings} settings */
  constructor(settings) {
    this.#settings = settings;
  }

  /**
   * The layout for a text: the one chosen for its language, or the usual one.
   * @param {string|null} language null is told by the text
   * @param {string} [text]
   * @returns {LayoutName}
   */
  layoutFor(language, text = '') {
    const known = language !== null && layoutsFor(language).length > 0 ? language : languageOf(text);
    const chosen = this.#read('layouts')[known];
    return layoutsFor(known).find((name) => name === chosen) ?? layoutsFor(known)[0];
  }

  /** @param {string} language @param {LayoutName} name */
  choose(language, name) {
    this.#write('layouts', { ...this.#read('layouts'), [language]: name });
  }

  /** @returns {Remaps} */
  get remaps() {
    const { keys, fingers } = this.#read('remaps');
    return { keys: Array.isArray(keys) ? keys : UNCHANGED.keys, fingers: fingers ?? UNCHANGED.fingers };
  }

  /** How many keys and fingers are changed. */
  get changes() {
    return this.remaps.keys.length + Object.keys(this.remaps.fingers).length;
  }

  /**
   * Puts a character on a key; an empty one leaves there what the layout has.
   * @param {LayoutName} layout
   * @param {string} code
   * @param {Level} level
   * @param {string} character
   */
  putCharacter(layout, code, level, character) {
    const { keys, fingers } = this.remaps;
    const others = keys.filter((one) => one.layout !== layout || one.code !== code || one.level !== level);
    const printed = new Keyboard(layout).characters.get(code)?.[LEVEL_AT[level]] ?? '';
    const own = character && character !== printed ? [{ layout, code, level, character }] : [];
    this.#writeRemaps({ keys: [...others, ...own], fingers });
  }

  /**
   * Gives a key to a finger; an empty one gives it back to the usual one.
   * @param {string} code
   * @param {string} finger a name of FINGER_NAMES
   */
  putFinger(code, finger) {
    const { keys, fingers } = this.remaps;
    const { [code]: _before, ...others } = fingers;
    this.#writeRemaps({ keys, fingers: finger ? { ...others, [code]: finger } : others });
  }

  /**
   * A key is again as it was.
   * @param {LayoutName} layout
   * @param {string} code
   */
  reset(layout, code) {
    const { keys, fingers } = this.remaps;
    const { [code]: _before, ...others } = fingers;
    this.#writeRemaps({ keys: keys.filter((one) => one.layout !== layout || one.code !== code), fingers: others });
  }

  /** All keys are as they were. */
  resetAll() {
    this.#writeRemaps({ keys: [], fingers: {} });
  }

  /**
   * The keyboard for a layout, as it is drawn and typed on.
   * @param {LayoutName} layout
   */
  keyboard(layout) {
    const shape = this.#settings.get('shape');
    return new Keyboard(layout, {
      shape: shape === 'auto' ? null : /** @type {Shape} */ (shape),
      remaps: this.remaps,
    });
  }

  /**
   * The keyboard for a text.
   * @param {string|null} language
   * @param {string} [text]
   */
  keyboardFor(language, text = '') {
    return this.keyboard(this.layoutFor(language, text));
  }

  /** @param {Remaps} remaps */
  #writeRemaps(remaps) {
    if (remaps.keys.length + Object.keys(remaps.fingers).length > REMAPS_MAX) throw new RangeError('too many remaps');
    this.#write('remaps', remaps);
  }

  /** @param {'layouts'|'remaps'} name @returns {Record<string, any>} */
  #read(name) {
    try {
      return JSON.parse(this.#settings.get(name) || '{}') ?? {};
    } catch {
      return {}; // not ours: nothing is chosen
    }
  }

  /** @param {'layouts'|'remaps'} name @param {object} value */
  #write(name, value) {
    this.#settings.set(name, JSON.stringify(value));
  }
}

const LEVEL_AT = { plain: 0, shift: 1, altgr: 2, shift_altgr: 3 };
