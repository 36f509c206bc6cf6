/** What the page says, in the language of the interface. */

import en from '../messages/en.js';
import ru from '../messages/ru.js';

/** A further language is a file in messages/ and a word here. */
export const LANGUAGES = { en, ru };

let language = 'en';
const formats = new Map();

/** From now on `say` and `number` speak this language; an unknown one is English. */
export function speakIn(code) {
  language = code in LANGUAGES ? code : 'en';
  document.documentElement.lang = language;
  formats.clear();
}

/** The person's own language as the browser tells it, if the page has it. */
export function preferredLanguage(languages = navigator.languages ?? []) {
  return languages.map((tag) => tag.slice(0, 2).toLowerCase()).find((code) => code in LANGUAGES) ?? 'en';
}

/** A message by its name; some take values. */
export function say(name, ...values) {
  const message = LANGUAGES[language][name] ?? en[name];
  return typeof message === 'function' ? message(...values) : message;
}

/** A message if there is one by that name. */
export function sayIfKnown(name, ...values) {
  return name in en ? say(name, ...values) : null;
}

/** All words in which a message may be looked for, whatever the language of the interface. */
export function everyWording(name) {
  return Object.values(LANGUAGES)
    .map((messages) => messages[name])
    .filter((message) => typeof message === 'string');
}

export function number(value, digits = 0) {
  let format = formats.get(digits);
  if (!format) {
    format = new Intl.NumberFormat(language, { minimumFractionDigits: digits, maximumFractionDigits: digits });
    formats.set(digits, format);
  }
  return format.format(value);
}

export function percent(share, digits = 0) {
  return say('percent', number(share * 100, digits));
}

/** 83,000 ms is 1:23; below a minute tenths count. */
export function duration(durationMs) {
  const seconds = durationMs / 1000;
  if (seconds < 60) return say('seconds', number(seconds, 1));
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

/** How a grapheme is shown where it must not be invisible. */
export function keyCap(grapheme) {
  if (grapheme === '\n') return '↵';
  if (grapheme === '\t') return '⇥';
  return /^\p{Zs}$/u.test(grapheme) ? '␣' : grapheme;
}

/** How a grapheme is read aloud. */
export function keySpoken(grapheme) {
  if (grapheme === '\n') return say('keyEnter');
  if (grapheme === '\t') return say('keyTab');
  return /^\p{Zs}$/u.test(grapheme) ? say('keySpace') : grapheme;
}

/** Puts the messages into the elements that name them. */
export function translate(root) {
  document.title = say('pageName');
  for (const element of root.querySelectorAll('[data-message]')) {
    element.textContent = say(element.dataset.message);
  }
  for (const element of root.querySelectorAll('[data-label]')) {
    const label = say(element.dataset.label);
    element.setAttribute('aria-label', label);
    if (element.tagName === 'BUTTON') element.title = label;
  }
  for (const element of root.querySelectorAll('[data-title]')) element.title = say(element.dataset.title);
  for (const element of root.querySelectorAll('[data-placeholder]')) {
    element.placeholder = say(element.dataset.placeholder);
  }
}
