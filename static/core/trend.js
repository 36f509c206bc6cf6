/** What a row of attempts, or of days, says of somebody's typing: means, spread, better or worse. */

/**
 * @typedef {object} Day days are counted from 1970-01-01; means are null where nothing was completed
 * @property {number} day
 * @property {number} attempts
 * @property {number} completed
 * @property {number} time_ms
 * @property {number} errors
 * @property {number|null} wpm
 * @property {number|null} wpm_spread the standard deviation
 * @property {number|null} best_wpm
 * @property {number|null} accuracy
 * @property {number|null} consistency
 *
 * @typedef {{value: number, count: number, spread: number}} Measure a mean of `count`, and their deviation
 * @typedef {{mean: number, spread: number}} Mean
 *
 * @typedef {{from_wpm: number, attempts: number}} Speed
 * @typedef {{from: number, to: number, count: number}} Bin
 */

const LATELY = 10;
/** Of fewer nothing is said: chance would speak. */
const BEFORE_MIN = 5;

/**
 * The mean at each place over the `reach` measures that end there, and how far values lie from it.
 * @param {Measure[]} measures in order of time
 * @param {number} reach
 * @returns {Mean[]}
 */
export function runningMean(measures, reach) {
  return measures.map((_, i) => meanOf(measures.slice(Math.max(0, i + 1 - reach), i + 1)));
}

/**
 * The mean of all that these measures were made of, and the deviation of it.
 * @param {Measure[]} measures
 * @returns {Mean}
 */
export function meanOf(measures) {
  const count = sum(measures.map((one) => one.count));
  const mean = sum(measures.map((one) => one.value * one.count)) / count;
  const squares = sum(measures.map((one) => one.count * (one.spread ** 2 + (one.value - mean) ** 2)));
  return { mean, spread: Math.sqrt(squares / count) };
}

/**
 * The mean of the newest ten and of those before them; null if there are too few to compare.
 * @param {number[]} newestFirst
 */
export function lately(newestFirst) {
  const before = newestFirst.slice(LATELY);
  if (before.length < BEFORE_MIN) return null;
  return { count: LATELY, now: mean(newestFirst.slice(0, LATELY)), before: mean(before) };
}

/**
 * Days as one: sums are added, means weighted. Null where there is nothing to take a mean of.
 * @param {Day[]} days
 * @returns {Day}
 */
export function together(days) {
  const done = days.filter((day) => day.completed > 0);
  /** @param {'accuracy'|'consistency'} name */
  const weighted = (name) => {
    const known = done.filter((day) => day[name] !== null);
    return known.length === 0
      ? null
      : meanOf(known.map((day) => ({ value: day[name] ?? 0, count: day.completed, spread: 0 }))).mean;
  };
  const wpm = done.length === 0 ? null : meanOf(done.map(speedOf));
  const bests = days.map((day) => day.best_wpm).filter((best) => best !== null);
  return {
    day: days[0]?.day ?? 0,
    attempts: sum(days.map((day) => day.attempts)),
    completed: sum(days.map((day) => day.completed)),
    time_ms: sum(days.map((day) => day.time_ms)),
    errors: sum(days.map((day) => day.errors)),
    wpm: wpm?.mean ?? null,
    wpm_spread: wpm?.spread ?? null,
    best_wpm: bests.length === 0 ? null : Math.max(...bests),
    accuracy: weighted('accuracy'),
    consistency: weighted('consistency'),
  };
}

/** @param {Day} day @returns {Measure} */
export function speedOf(day) {
  return { value: day.wpm ?? 0, count: day.completed, spread: day.wpm_spread ?? 0 };
}

/**
 * Runs of days that are `length` long, those without an attempt left out, so that there are not too
 * many marks; the last run ends with the last day.
 * @param {Day[]} days in order of time
 * @param {number} length
 * @returns {Day[][]}
 */
export function runsOf(days, length) {
  const last = days[days.length - 1]?.day ?? 0;
  /** @type {Map<number, Day[]>} */
  const runs = new Map();
  for (const day of days) {
    const run = Math.floor((last - day.day) / length);
    runs.set(run, [...(runs.get(run) ?? []), day]);
  }
  return [...runs.values()];
}

/**
 * Bars for a histogram, from the slowest to the fastest, gaps included: at most so many.
 * @param {Speed[]} speeds in rising order
 * @param {number} stepWpm
 * @param {number} binsMax
 * @returns {Bin[]}
 */
export function binsOf(speeds, stepWpm, binsMax) {
  if (speeds.length === 0) return [];
  const first = speeds[0].from_wpm;
  const end = speeds[speeds.length - 1].from_wpm + stepWpm;
  let width = stepWpm;
  while ((end - Math.floor(first / width) * width) / width > binsMax) width *= 2;
  const bins = [];
  for (let from = Math.floor(first / width) * width; from < end; from += width) {
    const within = speeds.filter((speed) => speed.from_wpm >= from && speed.from_wpm < from + width);
    bins.push({ from, to: from + width, count: sum(within.map((speed) => speed.attempts)) });
  }
  return bins;
}

/**
 * How much there was of a day's time, from 0 (none) to 4: by the quarters of all days with any.
 * @param {number[]} times
 * @returns {(time: number) => number}
 */
export function levelOf(times) {
  const sorted = times.filter((time) => time > 0).sort((a, b) => a - b);
  const edges = [0.25, 0.5, 0.75].map((share) => sorted[Math.floor(share * sorted.length)] ?? 0);
  return (time) => (time > 0 ? 1 + edges.filter((edge) => time > edge).length : 0);
}

/** @param {number[]} values */
function mean(values) {
  return sum(values) / values.length;
}

/** @param {number[]} values */
function sum(values) {
  return values.reduce((a, b) => a + b, 0);
}
