/** The numbers of an attempt, scorer version 1: the same floats as the server's, digit by digit. */

export const MS_PER_SECOND = 1_000;
const CHARS_PER_WORD = 5; // A "word" in words per minute is five characters, by convention.
const MS_PER_MINUTE = 60_000;
const LAST_PART_MS_MIN = 500;

/**
 * `x` (not negative) to so many decimal digits; a tie goes to the even digit.
 * @param {number} x
 * @param {number} digits
 */
export function roundHalfEven(x, digits) {
  const halves = x * 2 ** (digits + 1);
  // A binary fraction lies in the middle of two decimals only if its halves are odd and whole.
  if (!Number.isInteger(halves) || halves % 2 === 0) return Number(x.toFixed(digits));
  const scaled = x * 10 ** digits;
  const below = Math.floor(scaled);
  return (below % 2 === 0 ? below : below + 1) / 10 ** digits;
}

/**
 * `count` graphemes over `durationMs`, to 0.01; 0 when no time has passed.
 * @param {number} count
 * @param {number} durationMs
 */
export function wordsPerMinute(count, durationMs) {
  if (durationMs <= 0) return 0;
  return roundHalfEven((count * MS_PER_MINUTE) / (CHARS_PER_WORD * durationMs), 2);
}

/**
 * The share of right presses, 0..1 to 0.0001; 1 before the first press.
 * @param {number} presses
 * @param {number} errors
 */
export function accuracy(presses, errors) {
  return presses === 0 ? 1 : roundHalfEven((presses - errors) / presses, 4);
}

/**
 * How even the pace was, 0..1 to 0.0001.
 * @param {number[]} pressesPerSecond presses in [k, k+1) s; seconds may be missing at the end
 * @param {number} durationMs whole seconds of it count, and a last part of half a second or more
 */
export function consistency(pressesPerSecond, durationMs) {
  const rates = ratesPerSecond(pressesPerSecond, durationMs);
  const mean = rates.length ? sum(rates) / rates.length : 0;
  if (mean === 0) return 0;
  const c = Math.sqrt(sum(rates.map((rate) => (rate - mean) * (rate - mean))) / rates.length) / mean;
  return roundHalfEven(1 - Math.tanh(c + (c * c * c) / 3 + (c * c * c * c * c) / 5), 4);
}

/**
 * Presses per second for each second that counts, the last part scaled up to a whole one.
 * @param {number[]} pressesPerSecond
 * @param {number} durationMs
 */
function ratesPerSecond(pressesPerSecond, durationMs) {
  const wholeSeconds = Math.floor(durationMs / MS_PER_SECOND);
  const restMs = durationMs % MS_PER_SECOND;
  const rates = Array.from({ length: wholeSeconds }, (_, second) => pressesPerSecond[second] ?? 0);
  if (restMs >= LAST_PART_MS_MIN) {
    rates.push(((pressesPerSecond[wholeSeconds] ?? 0) * MS_PER_SECOND) / restMs);
  }
  return rates;
}

/** @param {number[]} numbers */
function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}
