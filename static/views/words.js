/** What the page says, in the language of the interface. */

import en from '../messages/en.js';
import ru from '../messages/ru.js';
import { elements } from './dom.js';

/**
 * @import { Message, Value } from '../messages/en.js'
 */

/**
 * A further language is a file in messages/ and a word here.
 * @type {Record<string, Record<string, Message>>}
 */
export const LANGUAGES = { en, ru };

let language = 'en';
/** @type {Map<number, Intl.NumberFormat>} */
const formats = new Map();

/**
 * From now on `say` and `number` speak this language; an unknown one is English.
 * @param {string} code
 */
export function speakIn(code) {
  language = code in LANGUAGES ? code : 'en';
  document.documentElement.lang = language;
  formats.clear();
}

/**
 * The person's own language as the browser tells it, if the page has it.
 * @param {readonly string[]} [languages]
 */
export function preferredLanguage(languages = navigator.languages ?? []) {
  return languages.map((tag) => tag.slice(0, 2).toLowerCase()).find((code) => code in LANGUAGES) ?? 'en';
}

/**
 * A message by its name; some take values.
 * @param {string} name
 * @param {...Value} values
 */
export function say(name, ...values) {
  const message = LANGUAGES[language][name] ?? LANGUAGES.en[name];
  return typeof message === 'function' ? message(...values) : message;
}

/**
 * A message if there is one by that name.
 * @param {string} name
 * @param {...Value} values
 */
export function sayIfKnown(name, ...values) {
  return name in en ? say(name, ...values) : null;
}

/**
 * All words in which a message may be looked for, whatever the language of the interface.
 * @param {string} name
 */
export function everyWording(name) {
  return Object.values(LANGUAGES)
    .map((messages) => messages[name])
    .filter((message) => typeof message === 'string');
}

/** @param {number} value @param {number} [digits] */
export function number(value, digits = 0) {
  let format = formats.get(digits);
  if (!format) {
    format = new Intl.NumberFormat(language, { minimumFractionDigits: digits, maximumFractionDigits: digits });
    formats.set(digits, format);
  }
  return format.format(value);
}

/** @param {number} share @param {number} [digits] */
export function percent(share, digits = 0) {
  return say('percent', number(share * 100, digits));
}

/**
 * 83,000 ms is 1:23; below a minute tenths count.
 * @param {number} durationMs
 */
export function duration(durationMs) {
  const seconds = durationMs / 1000;
  return seconds < 60 ? say('seconds', number(seconds, 1)) : clock(Math.round(seconds));
}

/**
 * 83 s is 1:23, 7 s is 0:07.
 * @param {number} wholeSeconds
 */
export function clock(wholeSeconds) {
  return `${Math.floor(wholeSeconds / 60)}:${String(wholeSeconds % 60).padStart(2, '0')}`;
}

/**
 * A moment of the calendar, where the person is.
 * @param {number} atMs Unix ms
 * @param {Intl.DateTimeFormatOptions} [style] the day and the time unless something else is wanted
 */
export function moment(atMs, style = { dateStyle: 'long', timeStyle: 'short' }) {
  return new Intl.DateTimeFormat(language, style).format(atMs);
}

/**
 * Hours and minutes, for what is long: 3 h 20 min.
 * @param {number} durationMs
 */
export function hours(durationMs) {
  const minutes = Math.round(durationMs / 60_000);
  if (minutes < 60) return say('minutes', number(minutes));
  return say('hoursAndMinutes', number(Math.floor(minutes / 60)), number(minutes % 60));
}

/**
 * A day that is counted from 1970-01-01.
 * @param {number} day
 * @param {Intl.DateTimeFormatOptions} [options]
 */
export function dayWords(day, options = { dateStyle: 'medium' }) {
  return moment(day * 86_400_000, { ...options, timeZone: 'UTC' });
}

/**
 * How a grapheme is shown where it must not be invisible.
 * @param {string} grapheme
 */
export function keyCap(grapheme) {
  if (grapheme === '\n') return '↵';
  if (grapheme === '\t') return '⇥';
  return /^\p{Zs}$/u.test(grapheme) ? '␣' : grapheme;
}

/**
 * How a grapheme is read aloud.
 * @param {string} grapheme
 */
export function keySpoken(grapheme) {
  if (grapheme === '\n') return say('keyEnter');
  if (grapheme === '\t') return say('keyTab');
  return /^\p{Zs}$/u.test(grapheme) ? say('keySpace') : grapheme;
}

/**
 * Puts the messages into the elements that name them.
 * @param {ParentNode} root
 */
export function translate(root) {
  for (const element of elements(root, '[data-message]')) {
    element.textContent = say(element.dataset.message ?? '');
  }
  for (const element of elements(root, '[data-label]')) {
    const label = say(element.dataset.label ?? '');
    element.setAttribute('aria-label', label);
    if (element.tagName === 'BUTTON') element.title = label;
  }
  for (const element of elements(root, '[data-title]')) element.title = say(element.dataset.title ?? '');
  for (const element of elements(root, '[data-placeholder]')) {
    element.setAttribute('placeholder', say(element.dataset.placeholder ?? ''));
  }
}
