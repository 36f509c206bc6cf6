/** What the history page asks the server for. What it has, it does not ask for again. */

import { conditions } from '../core/history_filter.js';

/**
 * @import { Day, Speed } from '../core/trend.js'
 * @import { Filter } from '../core/history_filter.js'
 * @import { Reason, Verdict } from './protocol.js'
 * @import { Session } from './session.js'
 *
 * @typedef {object} Row an attempt as the list shows it
 * @property {string} id
 * @property {Verdict} verdict
 * @property {Reason[]} why
 * @property {boolean} self_reported
 * @property {'monkeytype'|'keybr'|'typeracer'|'browser'|null} imported_from
 * @property {string} text_preview
 * @property {Record<string, string|number>} source
 * @property {string|null} language
 * @property {number} wpm
 * @property {number|null} raw_wpm
 * @property {number} accuracy
 * @property {number|null} consistency
 * @property {number} duration_ms
 * @property {number} finished_at
 *
 * @typedef {{total: number, results: Row[], next: string|null}} Page
 * @typedef {{id: string, mode: string, language: string|null, wpm: number, accuracy: number,
 *   finished_at: number, attempts: number}} Best
 * @typedef {Omit<Day, 'day'> & {date: string}} DatedDay
 * @typedef {{days: DatedDay[], speed_step_wpm: number, speeds: Speed[], bests: Best[],
 *   streak_days: {current: number, best: number},
 *   hidden_before: string|null}} Charts days before that are part of another plan
 * @typedef {{presses: number, errors: number, error_rate: number, latency_ms: number|null,
 *   confusions: Record<string, number>}} KeyStats
 * @typedef {{keys: Record<string, KeyStats>, bigrams: Record<string, KeyStats>, layout: string|null, layouts: string[],
 *   attempts: number, attempts_counted: number,
 *   attempts_max: number}} Keys `layouts` are all that were ever typed on, `layout` is the one asked for
 * @typedef {{key: string, recommendation: string}} WeakKey
 * @typedef {{weak_keys: WeakKey[], ai_insights: string}} Analysis
 *
 * @typedef {object} Span the days asked for; null is without end
 * @property {string|null} from
 * @property {string|null} to
 * @property {number|null} sinceMs when the first begins
 * @property {number|null} untilMs when the last is over
 * @property {number} utcOffsetMinutes
 */

export const PAGE_ROWS = 100;

export class History {
  #session;
  /** @type {Map<string, Promise<any>>} answers by what was asked */
  #known = new Map();

  /** @param {Pick<Session, 'ask'>} session */
  constructor(session) {
    this.#session = session;
  }

  /**
   * The newest attempts, or those after a page's `next`.
   * @param {Filter} filter
   * @param {Span} span
   * @param {string|null} cursor
   * @returns {Promise<Page>}
   */
  page(filter, { sinceMs, untilMs }, cursor = null) {
    const asked = { ...conditions(filter), from_date: sinceMs, to_date: untilMs, cursor };
    return this.#read('/users/me/progress', { ...asked, limit: PAGE_ROWS, keys: 'false' });
  }

  /** @param {Filter} filter @param {Span} span @returns {Promise<Charts>} */
  charts(filter, span) {
    return this.#read('/progress/charts', { ...conditions(filter), ...days(span) });
  }

  /**
   * @param {Filter} filter
   * @param {Span} span
   * @param {string|null} layout null is all of them together
   * @returns {Promise<Keys>}
   */
  keys(filter, span, layout = null) {
    return this.#read('/key-stats', { ...conditions(filter), ...days(span), layout });
  }

  /**
   * Which keys are weak, of all that was ever typed, in words.
   * @param {string} language of what was typed; '' is any
   * @param {string} wordsIn
   * @returns {Promise<Analysis>}
   */
  weakKeys(language, wordsIn) {
    const body = { words_in: wordsIn, ...(language && { language }) };
    return this.#keep(`analysis ${language} ${wordsIn}`, () =>
      this.#session.ask('POST', '/ai/weak-keys-analysis', body),
    );
  }

  /** @param {string} path @param {Record<string, string|number|null>} asked @returns {Promise<any>} */
  #read(path, asked) {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(asked)) if (value !== null) query.set(name, String(value));
    const whole = query.size ? `${path}?${query}` : path;
    return this.#keep(whole, () => this.#session.ask('GET', whole));
  }

  /** @param {string} name @param {() => Promise<any>} ask */
  #keep(name, ask) {
    const known = this.#known.get(name);
    if (known) return known;
    const answer = ask();
    this.#known.set(name, answer);
    // What failed is asked for again.
    answer.catch(() => this.#known.delete(name));
    return answer;
  }
}

/** @param {Span} span */
function days({ from, to, utcOffsetMinutes }) {
  return { from_day: from, to_day: to, utc_offset_minutes: utcOffsetMinutes };
}
