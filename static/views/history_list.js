/** The attempts one by one, newest first, and the best of each kind. */

import { element } from './dom.js';
import { languageName, modeName, modeOf, verdictName } from './filter_view.js';
import { reasonWords } from './result_view.js';
import { duration, moment, number, percent, say } from './words.js';

/**
 * @import { Best, Row } from '../net/history.js'
 */

/** So many are shown at first, and more at each wish. */
const ROWS_AT_ONCE = 20;
const NOTHING = '–';

export class HistoryList {
  #root;
  #more;
  /** @type {Row[]} */
  #rows = [];
  #total = 0;
  #shown = 0;
  #fetch;

  /**
   * @param {HTMLElement} root
   * @param {() => Promise<void>} fetch more rows are wanted than there are here: they come by `add`
   */
  constructor(root, fetch) {
    this.#root = root;
    this.#fetch = fetch;
    this.#more = element(root, '.more');
    this.#more.addEventListener('click', () => this.showMore());
  }

  /** @param {Row[]} rows @param {number} total */
  show(rows, total) {
    this.#rows = rows;
    this.#total = total;
    this.#shown = Math.min(ROWS_AT_ONCE, rows.length);
    this.draw();
  }

  /** @param {Row[]} rows */
  add(rows) {
    this.#rows = [...this.#rows, ...rows];
  }

  /** All rows that are here, shown or not yet. */
  get rows() {
    return this.#rows;
  }

  /** Once more, as after a change of language. */
  draw() {
    element(this.#root, 'tbody').replaceChildren(...this.#rows.slice(0, this.#shown).map(attemptRow));
    this.#count();
  }

  #count() {
    element(this.#root, '.shown').textContent = say('shownOf', number(this.#shown), number(this.#total));
    this.#more.hidden = this.#shown >= this.#total;
  }

  /** Shows some more of them, and fetches them if need be. */
  async showMore() {
    const before = this.#shown;
    if (before + ROWS_AT_ONCE > this.#rows.length && this.#rows.length < this.#total) await this.#fetch();
    const more = this.#rows.slice(before, before + ROWS_AT_ONCE).map(attemptRow);
    this.#shown += more.length;
    element(this.#root, 'tbody').append(...more);
    this.#count();
    // The eye goes on where the new rows begin.
    more[0]?.querySelector('a')?.focus();
  }
}

/**
 * The best of each kind of text, as rows.
 * @param {Best[]} bests
 */
export function bestRows(bests) {
  return bests.map((best) => {
    const row = document.createElement('tr');
    row.append(
      cell(link(best.id, [modeName(best.mode), languageName(best.language)].join(' · ')), 'what', 'row'),
      cell(number(best.wpm, 1), 'wpm'),
      cell(percent(best.accuracy, 1)),
      cell(moment(best.finished_at, { dateStyle: 'medium' }), 'wide'),
    );
    return row;
  });
}

/**
 * The rows as a table for other programs.
 * @param {Row[]} rows
 */
export function asCsv(rows) {
  const heads = [
    'id',
    'finished_at',
    'mode',
    'language',
    'wpm',
    'raw_wpm',
    'accuracy',
    'consistency',
    'duration_ms',
    'verdict',
  ];
  const lines = rows.map((row) =>
    [row.id, new Date(row.finished_at).toISOString(), modeOf(row.source), row.language, row.wpm, row.raw_wpm]
      .concat([row.accuracy, row.consistency, row.duration_ms, row.verdict])
      .map((value) => value ?? '')
      .join(','),
  );
  return [heads.join(','), ...lines, ''].join('\r\n');
}

/** @param {Row} attempt */
function attemptRow(attempt) {
  const row = document.createElement('tr');
  const preview = document.createElement('span');
  preview.className = 'preview';
  preview.lang = attempt.language ?? '';
  preview.textContent = attempt.text_preview;
  const what = document.createElement('span');
  what.textContent = [modeName(modeOf(attempt.source)), languageName(attempt.language)].join(' · ');
  row.append(
    cell(link(attempt.id, moment(attempt.finished_at, { dateStyle: 'medium', timeStyle: 'short' })), 'when', 'row'),
    cell([what, preview], 'what'),
    cell(number(attempt.wpm, 1), 'wpm'),
    cell(attempt.raw_wpm === null ? NOTHING : number(attempt.raw_wpm, 1), 'wide'),
    cell(percent(attempt.accuracy, 1)),
    cell(attempt.consistency === null ? NOTHING : percent(attempt.consistency), 'wide'),
    cell(attempt.duration_ms === 0 ? NOTHING : duration(attempt.duration_ms), 'wide'),
    cell(verdictOf(attempt), 'verdict'),
  );
  return row;
}

/** @param {Row} attempt */
function verdictOf({ verdict, why, self_reported: reported, imported_from: from }) {
  const word = document.createElement('span');
  word.className = 'mark';
  word.dataset.verdict = verdict;
  word.textContent = reported ? say(from ? `from_${from}` : 'selfReported') : verdictName(verdict);
  if (reported || why.length === 0) return [word];
  const reasons = document.createElement('span');
  reasons.className = 'why';
  reasons.textContent = why.map(reasonWords).join(' ');
  return [word, reasons];
}

/** @param {string} id @param {string} words */
function link(id, words) {
  const made = document.createElement('a');
  made.href = `/attempts/${id}`;
  made.textContent = words;
  return made;
}

/**
 * @param {string|Node|Node[]} content
 * @param {string} [className]
 * @param {'row'} [scope] of a cell that names its row
 */
function cell(content, className, scope) {
  const made = document.createElement(scope ? 'th' : 'td');
  if (scope) made.scope = scope;
  if (className) made.className = className;
  made.append(...(Array.isArray(content) ? content : [content]));
  return made;
}
