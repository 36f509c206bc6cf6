/** The dialog of settings: a row of choices for each that a page names. */

import { element } from './dom.js';
import { CHOICES } from './settings.js';

/**
 * @import { ChoiceName } from './settings.js'
 */

/**
 * The message that names a setting, where it is not the setting's own name.
 * @type {Partial<Record<ChoiceName, string>>}
 */
const MESSAGES = { numbers: 'liveNumbers', rivals: 'rivalCarets' };
/** A language is called by its own name, whatever the page speaks. */
const LANGUAGES = { en: 'English', ru: 'Русский' };

/** @param {ChoiceName} name */
export function settingMessage(name) {
  return MESSAGES[name] ?? name;
}

/**
 * Puts the rows into the dialog. The frame translates them, marks what is chosen and hears the buttons.
 * @param {ParentNode} dialog
 * @param {ChoiceName[]} names
 */
export function buildSettings(dialog, names) {
  element(dialog, '.settings').replaceChildren(...names.map(row));
}

/** @param {ChoiceName} name */
function row(name) {
  const group = document.createElement('div');
  group.className = 'group';
  group.setAttribute('role', 'group');
  const title = document.createElement('span');
  title.className = 'name';
  title.id = `set-${name}`;
  title.dataset.message = settingMessage(name);
  group.setAttribute('aria-labelledby', title.id);
  const buttons = name === 'interface' ? Object.entries(LANGUAGES).map(languageButton) : CHOICES[name].map(button);
  group.append(title, ...buttons);
  return group;

  /** @param {string} value */
  function button(value) {
    const made = document.createElement('button');
    made.type = 'button';
    made.dataset.setting = name;
    made.dataset.value = value;
    if (name !== 'interface') made.dataset.message = `${name}_${value}`;
    return made;
  }

  /** @param {[code: string, itself: string]} language */
  function languageButton([code, itself]) {
    const made = button(code);
    made.lang = code;
    made.textContent = itself;
    return made;
  }
}
