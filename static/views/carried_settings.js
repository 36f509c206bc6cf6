/** The settings of the first version that are taken over where nothing has been chosen here. */

import { CARRIED } from '../net/imports.js';
import { CHOICES } from './settings.js';
import { say } from './words.js';

/**
 * @import { OldSettings } from '../net/imports.js'
 * @import { Settings } from './settings.js'
 */

/** Those that the page keeps, too, under its own names. */
const HERE = /** @type {const} */ ([
  ['theme', 'theme'],
  ['language', 'interface'],
]);
const MESSAGES = /** @type {const} */ ({ theme: 'theme', language: 'interface', layout: 'layout', goals: 'goals' });

/** Which of them have been chosen here. @param {Settings} settings @returns {(keyof OldSettings)[]} */
export function chosenHere(settings) {
  return HERE.filter(([, name]) => settings.get(name) !== CHOICES[name][0]).map(([carried]) => carried);
}

/**
 * They are called by their names, parted by commas; nothing if there are none.
 * @param {OldSettings} settings
 * @param {(keyof OldSettings)[]} [chosen] these stay as they are
 */
export function carriedWords(settings, chosen = []) {
  return CARRIED.filter((name) => settings[name] != null && isChoice(name, settings[name]) && !chosen.includes(name))
    .map((name) => say(MESSAGES[name]).toLocaleLowerCase())
    .join(', ');
}

/**
 * Has the page go by them where nothing has been chosen.
 * @param {Settings} settings
 * @param {OldSettings} carried
 */
export function applyCarried(settings, carried) {
  const chosen = chosenHere(settings);
  for (const [name, here] of HERE) {
    const value = carried[name];
    if (value != null && isChoice(name, value) && !chosen.includes(name)) settings.set(here, value);
  }
}

/**
 * Whether the page could choose it; of what the server alone keeps it does not know.
 * @param {keyof OldSettings} name
 * @param {unknown} value
 */
function isChoice(name, value) {
  const [, here] = HERE.find(([carried]) => carried === name) ?? [];
  return here === undefined || CHOICES[here].some((choice) => choice === value);
}
