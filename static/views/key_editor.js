/** The drawn keyboard on which one chooses a key, and the form that changes its characters and its finger. */

import { graphemes } from '../core/text.js';
import { FINGER_NAMES, FINGERS, fingerOf, Keyboard, LEVELS } from '../layouts.js';
import { around, element, elements, find } from './dom.js';
import { drawKeys, shown } from './keyboard_view.js';
import { REMAPS_MAX } from './own_keyboard.js';
import { keySpoken, number, say } from './words.js';

/**
 * @import { LayoutName, Level } from '../layouts.js'
 * @import { OwnKeyboard } from './own_keyboard.js'
 */

const UNSEEN = /^[\s\p{C}\p{M}]/u;

export class KeyEditor {
  #picture;
  #form;
  #own;
  /** @type {LayoutName} */
  #layout = 'qwerty';
  /** @type {string|null} the key that is chosen */
  #code = null;

  /**
   * @param {HTMLElement} picture
   * @param {HTMLFormElement} form
   * @param {OwnKeyboard} own
   */
  constructor(picture, form, own) {
    this.#picture = picture;
    this.#form = form;
    this.#own = own;
    picture.addEventListener('click', (event) => this.#choose(around(event, 'button')?.dataset.code ?? null));
    form.addEventListener('change', ({ target }) => this.#changed(target));
    form.addEventListener('submit', (event) => event.preventDefault());
  }

  /**
   * Draws a layout with what is changed of it.
   * @param {LayoutName} layout
   */
  draw(layout) {
    this.#layout = layout;
    const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.code : undefined;
    const keyboard = this.#own.keyboard(layout);
    const { keys, fingers } = this.#own.remaps;
    for (const [code, key] of drawKeys(this.#picture, keyboard, 'button')) {
      if (!(key instanceof HTMLButtonElement)) continue;
      key.type = 'button';
      const changed = code in fingers || keys.some((one) => one.layout === layout && one.code === code);
      key.classList.toggle('changed', changed);
      key.setAttribute('aria-pressed', String(code === this.#code));
      key.setAttribute(
        'aria-label',
        [nameOf(keyboard, code), say(keyboard.fingerOf(code)), ...(changed ? [say('keyChanged')] : [])].join(', '),
      );
      if (code === focused) key.focus();
    }
    this.#fill(keyboard);
    element(document, '#changes').textContent = say('keysChanged', number(this.#own.changes), number(REMAPS_MAX));
  }

  /** The chosen key is again as it was. */
  reset() {
    if (this.#code === null) return;
    this.#say('');
    this.#own.reset(this.#layout, this.#code);
  }

  /** @param {string|null} code */
  #choose(code) {
    if (code === null) return;
    this.#code = code;
    this.#say('');
    this.draw(this.#layout);
  }

  /** @param {Keyboard} keyboard */
  #fill(keyboard) {
    this.#form.hidden = this.#code === null;
    if (this.#code === null) return;
    const code = this.#code;
    element(this.#form, '#key-name').textContent = say('chosenKey', nameOf(keyboard, code));
    const printed = new Keyboard(this.#layout).characters.get(code) ?? [];
    LEVELS.forEach((level, i) => {
      const input = find(this.#form, `[name="${level}"]`, HTMLInputElement);
      const character = keyboard.characters.get(code)?.[i] ?? '';
      input.value = shown(character);
      input.classList.toggle('own', character !== (printed[i] ?? ''));
      input.disabled = code === 'Space';
      input.ariaInvalid = null;
    });
    const select = find(this.#form, '[name="finger"]', HTMLSelectElement);
    const usual = new Option(say('fingerUsual', say(fingerOf(code))), '');
    const names = Object.entries(FINGER_NAMES).sort(([, a], [, b]) => FINGERS.indexOf(a) - FINGERS.indexOf(b));
    select.replaceChildren(usual, ...names.map(([name, finger]) => new Option(say(finger), name)));
    select.value = this.#own.remaps.fingers[code] ?? '';
    select.classList.toggle('own', select.value !== '');
  }

  /** @param {EventTarget|null} target */
  #changed(target) {
    const code = this.#code;
    if (code === null) return;
    try {
      if (target instanceof HTMLSelectElement) this.#own.putFinger(code, target.value);
      if (target instanceof HTMLInputElement) this.#put(code, target);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.#say(say('tooManyKeys', number(REMAPS_MAX)));
      this.draw(this.#layout);
    }
  }

  /** @param {string} code @param {HTMLInputElement} input */
  #put(code, input) {
    const character = input.value.normalize('NFC');
    const good = character === '' || (graphemes(character).length === 1 && !UNSEEN.test(character));
    input.ariaInvalid = good ? null : 'true';
    this.#say(good ? '' : say('oneCharacter'));
    if (!good) return;
    this.#own.putCharacter(this.#layout, code, /** @type {Level} */ (input.name), character);
    this.draw(this.#layout);
  }

  /** @param {string} words */
  #say(words) {
    element(document, '#told').textContent = words;
    if (words === '') for (const input of elements(this.#form, '[aria-invalid]')) input.ariaInvalid = null;
  }
}

/**
 * What a key is called: by the character on it, as it is drawn.
 * @param {Keyboard} keyboard
 * @param {string} code
 */
function nameOf(keyboard, code) {
  const [plain = ''] = keyboard.characters.get(code) ?? [];
  return code === 'Space' ? keySpoken(' ') : shown(plain).toUpperCase() || code;
}
