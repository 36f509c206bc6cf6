/** What a file says, before it is brought along and after: numbers, a chart, the first rows, the bad ones. */

import { dayNamed } from '../days.js';
import { carriedWords } from './carried_settings.js';
import { table } from './charts.js';
import { element, find } from './dom.js';
import { languageName, modeName } from './filter_view.js';
import { TrendChart } from './trend_chart.js';
import { dayWords, duration, hours, moment, number, percent, say } from './words.js';

/**
 * @import { Report } from '../net/imports.js'
 * @import { Mark } from './trend_chart.js'
 */

const NOTHING = '–';

export class ImportReport {
  #root;
  #chart;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.#root = root;
    this.#chart = new TrendChart(element(root, '#coming'));
  }

  /** @param {Report} report */
  show(report) {
    this.#root.hidden = false;
    element(this.#root, '#recognised').textContent = say('recognised', say(`from_${report.imported_from}`));
    element(this.#root, '#counts').textContent = countsOf(report);
    this.#showNumbers(report);
    this.#showChart(report);
    this.#showFirst(report);
    this.#showBad(report);
  }

  hide() {
    this.#root.hidden = true;
  }

  /** @param {Report} report */
  #showNumbers({
    good,
    wpm,
    best_wpm: best,
    accuracy,
    duration_ms: time,
    key_presses: presses,
    first_at: from,
    last_at: to,
  }) {
    /** @type {Record<string, string>} */
    const numbers = {
      attempts: number(good),
      mean: wpm === null ? NOTHING : number(wpm, 1),
      best: best === null ? NOTHING : number(best, 1),
      accuracy: accuracy === null ? NOTHING : percent(accuracy, 1),
      time: time === 0 ? NOTHING : hours(time),
      keys: presses === 0 ? NOTHING : number(presses),
      dates: from === null || to === null ? NOTHING : rangeOf(from, to),
    };
    for (const [name, words] of Object.entries(numbers)) {
      element(this.#root, `[data-number="${name}"]`).textContent = words;
    }
  }

  /** @param {Report} report */
  #showChart({ chart, chart_by: by }) {
    const figure = element(this.#root, '#coming');
    figure.hidden = chart.length < 2;
    if (figure.hidden) return;
    element(figure, '.points-are').textContent = say(by === 'month' ? 'pointIsMonth' : 'pointIs_day');
    this.#chart.show(chart.map(markOf(by)), { window: 1, label: say('comingLabel') });
  }

  /** @param {Report} report */
  #showFirst({ first, good }) {
    element(this.#root, '#first-rows').hidden = first.length === 0;
    element(this.#root, '#first-rows .scroller').replaceChildren(
      table({
        caption: say('firstRows', number(first.length), number(good)),
        heads: [say('when'), say('what'), say('wpm'), say('accuracy'), say('time')],
        rows: first.map((row) => [
          moment(row.finished_at, { dateStyle: 'medium', timeStyle: 'short' }),
          [modeName(row.mode), languageName(row.language)].join(' · '),
          number(row.wpm, 1),
          percent(row.accuracy, 1),
          row.duration_ms === 0 ? NOTHING : duration(row.duration_ms),
        ]),
      }),
    );
  }

  /** @param {Report} report */
  #showBad({ bad, bad_rows: rows }) {
    const details = find(this.#root, '#bad-rows', HTMLDetailsElement);
    details.hidden = bad === 0;
    if (bad === 0) return;
    element(details, 'summary').textContent = say('badRows', bad, number(bad));
    element(details, '.scroller').replaceChildren(
      table({
        caption: rows.length < bad ? say('badRowsShown', number(rows.length), number(bad)) : say('badRowsWhy'),
        heads: [say('rowNumber'), say('reason')],
        rows: rows.map(({ row, code, field }) => [
          number(row),
          say(`row_${code}`) + (field === null ? '' : ` (${field})`),
        ]),
      }),
    );
  }
}

/** @param {Report} report */
function countsOf({ preview, good, bad, known, new: fresh, settings }) {
  const parts = preview ? [say('rowsGood', good, number(good))] : [];
  if (bad > 0) parts.push(say('rowsBad', bad, number(bad)));
  if (known > 0) parts.push(fresh === 0 ? say('rowsAllKnown') : say('rowsKnown', known, number(known)));
  const carried = carriedWords(settings);
  if (carried) parts.push(say(preview ? 'settingsCome' : 'settingsCame', carried));
  return parts.join(' ');
}

/** @param {number} from @param {number} to */
function rangeOf(from, to) {
  const [first, last] = [from, to].map((at) => moment(at, { dateStyle: 'medium' }));
  return first === last ? first : `${first} – ${last}`;
}

/** @param {'day'|'month'} by @returns {(point: Report['chart'][0]) => Mark} */
function markOf(by) {
  return ({ date, attempts, wpm, accuracy }) => {
    const day = dayNamed(date) ?? 0;
    const name = by === 'month' ? dayWords(day, { month: 'long', year: 'numeric' }) : dayWords(day);
    const parts = [name, say('meanWpmOf', number(wpm, 1)), percent(accuracy, 1)];
    return {
      x: day,
      name,
      when: dayWords(day, by === 'month' ? { month: 'short', year: 'numeric' } : { day: 'numeric', month: 'short' }),
      speed: { value: wpm, count: attempts, spread: 0 },
      accuracy: { value: accuracy, count: attempts, spread: 0 },
      words: [...parts, say('attemptsOf', attempts, number(attempts))].join(' · '),
      href: null,
    };
  };
}
