/** What the server says of practice. */

/**
 * @import { Session } from './session.js'
 *
 * @typedef {{value: number, low: number, high: number}} Interval
 * @typedef {object} PracticeKey
 * @property {string} key
 * @property {boolean|null} unlocked null for what is no letter
 * @property {number|null} strength 0..100; null before the first press, as all that follows
 * @property {number|null} speed a share of the target
 * @property {number|null} accuracy
 * @property {number} presses
 * @property {Interval|null} error_rate
 * @property {Interval|null} latency_ms
 * @property {number|null} practised_at
 * @property {number|null} due_at
 *
 * @typedef {'new'|'errors'|'mixed_up'|'slow'|'unsure'|'due'|'kept'} Reason
 * @typedef {{part: string, reason: Reason, other: string|null, sentence: string, key: PracticeKey}} Chosen
 * @typedef {{key: string, before: number|null, strength: number}} Gain
 * @typedef {{language: string, layout: string, target: {wpm: number, accuracy: number}, speed_wpm: number|null,
 *   keys: PracticeKey[], next: Chosen[], forecast: {outlook: string, sentence: string}, gains: Gain[],
 *   opened: string[]}} Practice
 */

/**
 * How the practice of a language on a layout stands. Rejects as `Session.ask`.
 * @param {Pick<Session, 'ask'>} session
 * @param {string} language
 * @param {string} layout
 * @param {string} wordsIn the language of the sentences
 * @returns {Promise<Practice>}
 */
export function askPractice(session, language, layout, wordsIn) {
  return session.ask('GET', `/practice?${new URLSearchParams({ language, layout, words_in: wordsIn })}`);
}
