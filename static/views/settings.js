/** What the person likes, kept in the browser. */

import { preferredLanguage } from './words.js';

const STORAGE_KEY = 'typing-trainer.settings';

/** The choices of each setting, in the order of a list. */
export const CHOICES = {
  interface: ['auto', 'en', 'ru'],
  theme: ['system', 'light', 'dark'],
  size: ['small', 'medium', 'large', 'huge'],
  width: ['narrow', 'medium', 'wide'],
  font: ['mono', 'sans', 'serif'],
  keyboard: ['on', 'off'],
  shape: ['auto', 'ansi', 'iso'],
  numbers: ['on', 'off'],
  rivals: ['on', 'off'],
  sound: ['off', 'on'],
  language: ['auto', 'en', 'ru'],
  errors: ['free', 'stop', 'correct'],
  source: [
    'random-short',
    'random-medium',
    'random-long',
    'words-10',
    'words-25',
    'words-50',
    'words-100',
    'time-15',
    'time-30',
    'time-60',
    'time-120',
    'practice',
    'custom',
  ],
};

/**
 * @typedef {keyof typeof CHOICES} ChoiceName
 * @typedef {(typeof FREE)[number]} FreeName
 * @typedef {ChoiceName | FreeName} SettingName
 */

/** Settings that are any text: a text of one's own, and what own_keyboard.js keeps there as JSON. */
const FREE = /** @type {const} */ (['ownText', 'layouts', 'remaps']);

/** What is chosen until the person chooses, where it is not the first of the list. */
export const USUAL = { size: 'medium', width: 'medium', source: 'random-medium' };

/**
 * The settings that change how the page looks; each becomes a data attribute of the document.
 * @type {ChoiceName[]}
 */
const APPEARANCE = ['theme', 'size', 'width', 'font', 'keyboard', 'numbers', 'rivals'];

export class Settings {
  /** @type {Storage | null} */
  #storage;
  /** @type {Record<SettingName, string>} */
  #values;
  /** @type {((name: SettingName, value: string) => void)[]} */
  #listeners = [];

  /** @param {Storage|null} storage where they are kept; a full or forbidden one is done without */
  constructor(storage) {
    this.#storage = storage;
    this.#values = this.#read();
  }

  #read() {
    /** @type {Record<string, unknown>} */
    let kept = {};
    try {
      kept = JSON.parse(this.#storage?.getItem(STORAGE_KEY) ?? 'null') ?? {};
    } catch {
      // Not ours or not readable: the usual choices are fine.
    }
    /** @type {Record<string, string>} */
    const values = Object.fromEntries(
      FREE.map((name) => {
        const free = kept[name];
        return [name, typeof free === 'string' ? free : ''];
      }),
    );
    /** @type {Record<string, string>} */
    const usual = USUAL;
    for (const [name, choices] of Object.entries(CHOICES)) {
      const known = choices.find((choice) => choice === kept[name]);
      values[name] = known ?? usual[name] ?? choices[0];
    }
    return /** @type {Record<SettingName, string>} */ (values);
  }

  /** @param {SettingName} name */
  get(name) {
    return this.#values[name];
  }

  /** The language of the interface: chosen, or the browser's. */
  get interface() {
    return this.#values.interface === 'auto' ? preferredLanguage() : this.#values.interface;
  }

  /** The language of the texts: chosen, or that of the interface. */
  get language() {
    return this.#values.language === 'auto' ? this.interface : this.#values.language;
  }

  /** @param {SettingName} name @param {string} value */
  set(name, value) {
    if (this.#values[name] === value) return;
    this.#values[name] = value;
    try {
      this.#storage?.setItem(STORAGE_KEY, JSON.stringify(this.#values));
    } catch {
      // Kept for this visit only.
    }
    for (const listener of this.#listeners) listener(name, value);
  }

  /** @param {(name: SettingName, value: string) => void} listener */
  onChange(listener) {
    this.#listeners.push(listener);
  }

  /**
   * Shows the appearance on the document, from where the style sheet takes it.
   * @param {HTMLElement} root
   */
  showOn(root) {
    for (const name of APPEARANCE) root.dataset[name] = this.#values[name];
  }
}
