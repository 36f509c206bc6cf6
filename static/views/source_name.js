/** What was typed, in words. */

import { say } from './words.js';

/**
 * @import { Source } from '../net/protocol.js'
 */

/**
 * The kind of a source and what makes it this one, in few words.
 * @param {Source} source
 */
export function sourceName(source) {
  if (source.kind === 'random') return `${say('text')}: ${say(source.length)}`;
  if (source.kind === 'words') return say('wordsOf', source.count);
  if (source.kind === 'time') return say('secondsOf', source.seconds);
  if (source.kind === 'text') return say('textOf', source.text);
  if (source.kind === 'lesson') return say('lessonOf', lessonNumber(source.lesson));
  return say(source.kind);
}

/**
 * The third lesson of the first block is 1.3.
 * @param {string} lesson its id
 */
function lessonNumber(lesson) {
  return lesson.replace(/^block_(\d+)_lesson_(\d+)$/, '$1.$2');
}
