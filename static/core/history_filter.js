/** Which attempts the history page shows: as its address says it, and as the API is asked. */

/**
 * @typedef {'7'|'30'|'90'|'365'|'all'|'days'} Period so many days with today; `days` are chosen one by one
 *
 * @typedef {object} Filter an empty string is any
 * @property {Period} period
 * @property {string} from 2026-01-31
 * @property {string} to the last day, included
 * @property {string} language
 * @property {string} what a kind of source or one of its modes: time, time:60
 * @property {string} verdict
 */

/** @type {Period[]} */
export const PERIODS = ['7', '30', '90', '365', 'all', 'days'];
export const USUAL_PERIOD = '90';
const VERDICTS = ['ranked', 'unranked', 'review'];
const LANGUAGE = /^[A-Za-z][A-Za-z-]{1,15}$/;
const WHAT = /^(text|random|words|time|custom|lesson|practice|race)(:[A-Za-z0-9_.-]{1,64})?$/;
const DAY = /^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$/;

/**
 * The filter that an address asks for; what makes no sense in it is left out.
 * @param {URLSearchParams} given
 * @returns {Filter}
 */
export function readFilter(given) {
  /** @param {string} name @param {RegExp} pattern */
  const allowed = (name, pattern) => {
    const value = given.get(name) ?? '';
    return pattern.test(value) ? value : '';
  };
  const from = allowed('from', DAY);
  const to = allowed('to', DAY);
  const period = PERIODS.find((one) => one === given.get('period') && one !== 'days');
  const verdict = given.get('verdict') ?? '';
  return {
    period: from || to ? 'days' : (period ?? USUAL_PERIOD),
    // The other way round is meant all the same.
    from: from && to && from > to ? to : from,
    to: from && to && from > to ? from : to,
    language: allowed('language', LANGUAGE),
    what: allowed('what', WHAT),
    verdict: VERDICTS.includes(verdict) ? verdict : '',
  };
}

/**
 * The query of the page's address, without what is usual: '' or '?period=30'.
 * @param {Filter} filter
 */
export function writeFilter({ period, from, to, language, what, verdict }) {
  const query = new URLSearchParams();
  const given = {
    period: period === USUAL_PERIOD || period === 'days' ? '' : period,
    from: period === 'days' ? from : '',
    to: period === 'days' ? to : '',
    language,
    what,
    verdict,
  };
  for (const [name, value] of Object.entries(given)) if (value) query.set(name, value);
  const written = query.toString().replaceAll('%3A', ':');
  return written && `?${written}`;
}

/**
 * Are all attempts of these days shown, whatever was typed?
 * @param {Filter} filter
 */
export function isOfEverything({ language, what, verdict }) {
  return !language && !what && !verdict;
}

/**
 * The conditions of the filter, but for its days, as the API takes them.
 * @param {Filter} filter
 */
export function conditions({ language, what, verdict }) {
  /** @type {Record<string, string>} */
  const asked = {};
  if (language) asked.language = language;
  if (what) asked[what.includes(':') ? 'mode' : 'kind'] = what;
  if (verdict) asked.verdict = verdict;
  return asked;
}
