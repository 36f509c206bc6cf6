/** How practice stands: the strength of each key on the drawn keyboard, what is next and why, and the forecast. */

import { Keyboard } from '../layouts.js';
import { table } from './charts.js';
import { element, fillWhenOpen } from './dom.js';
import { drawKeys, placeOf } from './keyboard_view.js';
import { keyCap, keySpoken, moment, number, percent, say } from './words.js';

/**
 * @import { Chosen, Interval, Practice, PracticeKey } from '../net/practice.js'
 */

const LEVEL = 20;
const SPOKEN_WEAKEST = 5;

export class PracticeView {
  #root;
  #nowMs;
  /** @type {Practice|null} */
  #practice = null;
  #keyboard = new Keyboard('qwerty');

  /** @param {HTMLElement} root @param {() => number} nowMs */
  constructor(root, nowMs) {
    this.#root = root;
    this.#nowMs = nowMs;
  }

  /** @param {Practice|null} practice null: nothing was ever typed here @param {Keyboard} keyboard */
  show(practice, keyboard) {
    this.#practice = practice;
    this.#keyboard = keyboard;
    this.#drawKeyboard();
    const known = practice !== null && practice.speed_wpm !== null;
    element(this.#root, '#first').hidden = known;
    element(this.#root, '#chosen').replaceChildren(...(known ? practice.next.map(chosenItem) : []));
    element(this.#root, '[aria-labelledby="target-title"]').hidden = practice === null;
    element(this.#root, '#table').hidden = !known;
    this.#drawLetters();
    if (practice === null) return;
    const { target, speed_wpm: speed, forecast } = practice;
    element(this.#root, '#target').textContent =
      say('practiceTargetIs', number(target.wpm), percent(target.accuracy)) +
      (speed === null ? '' : ` ${say('practiceSpeedIs', number(speed))}`);
    element(this.#root, '#forecast').textContent = forecast.sentence;
    this.#drawTable(practice.keys);
  }

  #drawKeyboard() {
    const map = element(this.#root, '#strengths');
    const drawn = drawKeys(map, this.#keyboard);
    const chosen = new Set(this.#practice?.next.flatMap(({ part }) => [...part]));
    for (const found of this.#practice?.keys ?? []) {
      const key = drawn.get(placeOf(this.#keyboard, found.key)?.code ?? '');
      if (!key) continue;
      key.classList.toggle('locked', found.unlocked === false);
      key.classList.toggle('chosen', chosen.has(found.key));
      key.classList.toggle('due', this.#isDue(found));
      if (found.strength !== null) mark(key, found.strength);
    }
    map.setAttribute('aria-label', this.#spoken());
  }

  /** The picture in words. */
  #spoken() {
    const known = (this.#practice?.keys ?? []).filter(({ strength }) => strength !== null);
    if (known.length === 0) return say('practiceNothing');
    const weakest = known.sort((a, b) => (a.strength ?? 0) - (b.strength ?? 0)).slice(0, SPOKEN_WEAKEST);
    return say('practiceSpoken', weakest.map(({ key, strength }) => `${keySpoken(key)} ${strength}`).join(', '));
  }

  #drawLetters() {
    const keys = this.#practice?.keys ?? [];
    const due = keys.filter((key) => key.unlocked && this.#isDue(key)).map(({ key }) => key);
    const locked = keys.filter(({ unlocked }) => unlocked === false).map(({ key }) => key);
    for (const [id, letters] of /** @type {[string, string[]][]} */ ([
      ['#due-letters', due],
      ['#locked-letters', locked],
    ])) {
      const row = element(this.#root, id);
      row.hidden = letters.length === 0;
      element(row, 'dd').replaceChildren(...letters.map(cap));
    }
  }

  /** @param {PracticeKey[]} keys */
  #drawTable(keys) {
    fillWhenOpen(this.#root, '#table', () =>
      table({
        caption: say('practiceTable'),
        heads: [
          say('key'),
          say('practiceStrength'),
          say('presses'),
          say('errors'),
          say('latency'),
          say('practiceDueAt'),
        ],
        rows: keys.map(({ key, strength, presses, error_rate, latency_ms, due_at }) => [
          keyCap(key),
          strength === null ? '–' : number(strength),
          number(presses),
          interval(error_rate, (value) => percent(value, 1)),
          interval(latency_ms, (value) => say('milliseconds', number(value))),
          due_at === null ? '–' : moment(due_at, { dateStyle: 'medium', timeStyle: 'short' }),
        ]),
      }),
    );
  }

  /** @param {PracticeKey} key */
  #isDue({ due_at }) {
    return due_at !== null && due_at <= this.#nowMs();
  }
}

/** @param {HTMLElement} key @param {number} strength */
function mark(key, strength) {
  key.dataset.level = String(levelOf(strength));
  const value = document.createElement('b');
  value.className = 'value';
  value.textContent = number(strength);
  key.append(value);
}

/**
 * From 1 (weakest) to 5.
 * @param {number} strength
 */
export function levelOf(strength) {
  return Math.min(5, Math.floor(strength / LEVEL) + 1);
}

/** @param {Chosen} chosen */
function chosenItem({ part, sentence, key: { strength } }) {
  const item = document.createElement('li');
  const words = document.createElement('span');
  words.className = 'why';
  words.textContent = sentence;
  const value = document.createElement('span');
  value.className = 'strength';
  value.textContent = strength === null ? '–' : number(strength);
  value.title = say('practiceStrength');
  if (strength !== null) value.dataset.level = String(levelOf(strength));
  item.append(cap(part), value, words);
  return item;
}

/** @param {string} part one key, or two in a row */
function cap(part) {
  const drawn = document.createElement('kbd');
  drawn.textContent = part.length === 1 ? keyCap(part) : part;
  drawn.setAttribute('aria-label', [...part].map(keySpoken).join(' '));
  return drawn;
}

/** @param {Interval|null} found @param {(value: number) => string} words */
function interval(found, words) {
  return found === null ? '–' : say('practiceInterval', words(found.value), words(found.low), words(found.high));
}
