/** All commands of the palette, and the list of keys. */

import { CHOICES } from './settings.js';
import { settingMessage } from './settings_view.js';
import { choiceName } from './source_view.js';
import { everyWording, say } from './words.js';

/**
 * @import { Command } from './palette.js'
 * @import { ChoiceName, SettingName, Settings } from './settings.js'
 *
 * @typedef {Record<string, () => void>} Actions
 * @typedef {(name: SettingName, value: string) => void} Choose a change of what is typed brings a new text
 */

/** @type {ChoiceName[]} */
const SETTINGS = ['theme', 'size', 'width', 'font', 'keyboard', 'numbers'];

/**
 * @param {Actions} actions
 * @param {Settings} settings
 * @param {string|undefined} phase of the attempt on screen
 * @param {Choose} choose
 * @returns {Command[]}
 */
export function commandsFor(actions, settings, phase, choose) {
  /** @type {(name: string, keys?: string) => Command} */
  const act = (name, keys) => ({
    label: say(name),
    group: say('groupDo'),
    keys,
    also: everyWording(name),
    run: actions[name],
  });
  return [
    act('next', phase === 'done' ? 'Enter' : 'Tab Enter'),
    act('again'),
    act('practise'),
    ...(phase === 'typing' ? [act('finish')] : []),
    ...(phase === 'done' ? [act('watchAgain')] : []),
    act('numbers', 'F2'),
    act('quickRace'),
    ...CHOICES.source.map((choice) => sourceCommand(choice, actions, settings, choose)),
    ...CHOICES.errors.map((errors) => ({
      label: say(errors),
      group: say('rules'),
      also: [...everyWording(errors), ...everyWording('rules')],
      on: settings.get('errors') === errors,
      run: () => choose('errors', errors),
    })),
    ...['en', 'ru'].map((language) => ({
      label: say(`lang_${language}`),
      group: say('textLanguage'),
      also: everyWording('textLanguage'),
      on: settings.language === language,
      run: () => choose('language', language),
    })),
    ...['en', 'ru'].map((language) => ({
      label: say(`lang_${language}`),
      group: say('interface'),
      also: everyWording('interface'),
      on: settings.interface === language,
      run: () => settings.set('interface', language),
    })),
    ...SETTINGS.flatMap((name) => settingCommands(name, settings)),
    act('settings'),
    act('keys', '?'),
  ];
}

/** @param {string} choice @param {Actions} actions @param {Settings} settings @param {Choose} choose @returns {Command} */
function sourceCommand(choice, actions, settings, choose) {
  return {
    label: choiceName(choice),
    group: say('source'),
    also: everyWording('source'),
    on: settings.get('source') === choice,
    run: () => (choice === 'custom' ? actions.ownText() : choose('source', choice)),
  };
}

/** @param {ChoiceName} name @param {Settings} settings @returns {Command[]} */
function settingCommands(name, settings) {
  const message = settingMessage(name);
  return CHOICES[name].map((choice) => ({
    label: say(`${name}_${choice}`),
    group: say(message),
    also: [...everyWording(message), ...everyWording(`${name}_${choice}`)],
    on: settings.get(name) === choice,
    run: () => settings.set(name, choice),
  }));
}

/** The keys of the page, as terms and descriptions. */
export function keysHelp() {
  const keys = [
    ['Tab → Enter', 'keysRestart'],
    ['Esc', 'keysPalette'],
    ['?', 'keysHelp'],
    ['F2', 'keysNumbers'],
    ['Backspace', 'keysDelete'],
    ['Ctrl+Backspace', 'keysDeleteWord'],
    ['Enter', 'keysNext'],
    ['Shift+Tab', 'keysBack'],
  ];
  return keys.map(([key, message]) => {
    const pair = document.createElement('div');
    const term = document.createElement('dt');
    const cap = document.createElement('kbd');
    cap.textContent = key;
    term.append(cap);
    const description = document.createElement('dd');
    description.textContent = say(message);
    pair.append(term, description);
    return pair;
  });
}
