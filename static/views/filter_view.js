/** Which attempts are shown: days, language, source, verdict. */

import { PERIODS } from '../core/history_filter.js';
import { around, element, elements, find } from './dom.js';
import { sourceName } from './source_name.js';
import { say, sayIfKnown } from './words.js';

/**
 * @import { Filter } from '../core/history_filter.js'
 * @import { Source } from '../net/protocol.js'
 */

const LANGUAGES = ['en', 'ru', 'und'];
const VERDICTS = ['ranked', 'unranked', 'review'];
const WHAT = [
  'time',
  'time:15',
  'time:30',
  'time:60',
  'time:120',
  'words',
  'words:10',
  'words:25',
  'words:50',
  'words:100',
  'random',
  'random:short',
  'random:medium',
  'random:long',
  'practice',
  'custom',
  'race',
  'lesson',
];

export class FilterView {
  #root;
  #from;
  #to;
  /** @type {{name: 'language'|'what'|'verdict', select: HTMLSelectElement}[]} */
  #selects;
  /** @type {Filter} */
  #filter;
  #choose;

  /**
   * @param {HTMLElement} root
   * @param {Filter} filter
   * @param {(filter: Filter) => void} choose another one is wanted
   */
  constructor(root, filter, choose) {
    this.#root = root;
    this.#filter = filter;
    this.#choose = choose;
    this.#from = find(root, '[name="from"]', HTMLInputElement);
    this.#to = find(root, '[name="to"]', HTMLInputElement);
    this.#selects = /** @type {const} */ (['language', 'what', 'verdict']).map((name) => ({
      name,
      select: find(root, `[name="${name}"]`, HTMLSelectElement),
    }));
    root.addEventListener('click', (event) => this.#onClick(event));
    root.addEventListener('change', () => this.#onChange());
    root.addEventListener('submit', (event) => event.preventDefault());
  }

  /** @param {Filter} filter */
  show(filter) {
    this.#filter = filter;
    this.draw();
  }

  /** Once more, as after a change of language. */
  draw() {
    const { period, from, to } = this.#filter;
    for (const button of elements(this.#root, '[data-period]')) {
      button.setAttribute('aria-pressed', String(button.dataset.period === period));
    }
    element(this.#root, '.days').hidden = period !== 'days';
    this.#from.value = from;
    this.#to.value = to;
    for (const { name, select } of this.#selects) {
      const known = { language: LANGUAGES, what: WHAT, verdict: VERDICTS }[name];
      const value = this.#filter[name];
      // An address may ask for what is in no list, such as a single text.
      const values = value && !known.includes(value) ? [...known, value] : known;
      const words = { language: languageName, what: modeName, verdict: verdictName }[name];
      select.replaceChildren(new Option(say(`any_${name}`), ''), ...values.map((one) => new Option(words(one), one)));
      select.value = value;
      select.classList.toggle('chosen', value !== '');
    }
  }

  /** @param {Event} event */
  #onClick(event) {
    const period = PERIODS.find((one) => one === around(event, '[data-period]')?.dataset.period);
    if (!period || period === this.#filter.period) return;
    if (period === 'days') {
      // Nothing is asked for until a day is chosen.
      this.show({ ...this.#filter, period });
      this.#from.focus();
    } else {
      this.#choose({ ...this.#filter, period, from: '', to: '' });
    }
  }

  #onChange() {
    const chosen = Object.fromEntries(this.#selects.map(({ name, select }) => [name, select.value]));
    const days = this.#filter.period === 'days' ? { from: this.#from.value, to: this.#to.value } : {};
    this.#choose({ ...this.#filter, ...chosen, ...days });
  }
}

/** @param {string|null} language */
export function languageName(language) {
  return sayIfKnown(`lang_${language ?? 'und'}`) ?? language ?? '';
}

/** @param {string} verdict */
export function verdictName(verdict) {
  return say(`short_${verdict}`);
}

/**
 * What was typed: a kind of source, or a mode of one.
 * @param {string} mode
 */
export function modeName(mode) {
  const [kind, parameter] = mode.split(':');
  if (parameter === undefined) return sayIfKnown(`kind_${kind}`) ?? say(kind);
  const named = { kind, text: parameter, length: parameter, lesson: parameter };
  return sourceName(/** @type {Source} */ ({ ...named, count: Number(parameter), seconds: Number(parameter) }));
}

/**
 * The mode of a source, as filters name it.
 * @param {Record<string, string|number>} source
 */
export function modeOf({ kind, text, length, count, seconds, lesson }) {
  const parameter = text ?? length ?? count ?? seconds ?? lesson;
  return parameter === undefined ? String(kind) : `${kind}:${parameter}`;
}
