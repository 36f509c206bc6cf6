/** Lessons, as the API tells of them. */

/**
 * @import { Source } from './protocol.js'
 *
 * @typedef {{attempts: number, best_wpm: number|null, best_errors: number|null, is_passed: boolean,
 *   is_unlocked: boolean}} Own
 * @typedef {{id: string, block_id: number, lesson_number: number, title: string, block_title: string,
 *   step_title: string, description: string, difficulty_level: string, target_wpm: number, max_errors: number, is_open: boolean,
 *   target_keys: string[], own: Own|null}} Lesson
 * @typedef {Lesson & {next: string|null}} OneLesson
 * @typedef {{language: string, layout: string, total: number, passed: number, suggested: string|null,
 *   lessons: Lesson[]}} Course
 */

/**
 * The source to type a lesson with.
 * @param {string} lesson
 * @param {{language: string, layout: string}} course
 * @returns {Source}
 */
export function lessonSource(lesson, { language, layout }) {
  return { kind: 'lesson', lesson, language, layout };
}

/**
 * Is a result good enough to pass the lesson, if the server believes it?
 * @param {Pick<Lesson, 'target_wpm'|'max_errors'>} lesson
 * @param {{wpm: number, errors: number}} result
 */
export function passes(lesson, { wpm, errors }) {
  return wpm >= lesson.target_wpm && errors <= lesson.max_errors;
}
