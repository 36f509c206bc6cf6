/** Days counted from 1970-01-01, on the person's own clock. */

const MS_PER_DAY = 86_400_000;
const MS_PER_MINUTE = 60_000;
const DAYS_PER_WEEK = 7;
/** 1970-01-01 was a Thursday; weeks begin with Monday. */
const THURSDAY = 3;

/** How far the person's clock is ahead of UTC just now. */
export function utcOffsetMinutes() {
  return -new Date().getTimezoneOffset() || 0;
}

/**
 * The day of an instant on a clock so far ahead of UTC.
 * @param {number} atMs
 * @param {number} offsetMinutes
 */
export function dayOf(atMs, offsetMinutes) {
  return Math.floor((atMs + offsetMinutes * MS_PER_MINUTE) / MS_PER_DAY);
}

/**
 * When a day begins.
 * @param {number} day
 * @param {number} offsetMinutes
 */
export function beginMs(day, offsetMinutes) {
  return day * MS_PER_DAY - offsetMinutes * MS_PER_MINUTE;
}

/**
 * 2026-01-31 as a number; null if there is no such day.
 * @param {string} name
 */
export function dayNamed(name) {
  const atMs = /^\d{4}-\d\d-\d\d$/.test(name) ? Date.parse(`${name}T00:00:00Z`) : Number.NaN;
  const day = atMs / MS_PER_DAY;
  // 2026-02-31 is read as a day of March.
  return Number.isNaN(day) || nameOf(day) !== name ? null : day;
}

/**
 * A day as 2026-01-31.
 * @param {number} day
 */
export function nameOf(day) {
  return new Date(day * MS_PER_DAY).toISOString().slice(0, 10);
}

/**
 * 0 is Monday.
 * @param {number} day
 */
export function weekday(day) {
  return (((day + THURSDAY) % DAYS_PER_WEEK) + DAYS_PER_WEEK) % DAYS_PER_WEEK;
}
