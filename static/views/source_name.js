/** What was typed, in words. */

import { say, sayIfKnown } from './words.js';

/**
 * @import { Source } from '../net/protocol.js'
 */

const OF_COLLECTION = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * The kind of a source and what makes it this one, in few words.
 * @param {Source} source
 */
export function sourceName(source) {
  if (source.kind === 'random') return `${say('text')}: ${say(source.length)}`;
  if (source.kind === 'words') return say('wordsOf', source.count);
  if (source.kind === 'time') return say('secondsOf', source.seconds);
  if (source.kind === 'text') {
    return OF_COLLECTION.test(source.text) ? say('collectionText') : say('textOf', source.text);
  }
  if (source.kind === 'lesson') return lessonName(source.lesson ?? '');
  return say(source.kind);
}

/**
 * The third lesson of the first block is 1.3; the first version of this trainer had levels instead.
 * @param {string} lesson its id
 */
function lessonName(lesson) {
  const [, level] = lesson.split('migrated_lesson_');
  if (level) return say('levelOf', sayIfKnown(`level_${level}`) ?? level);
  return say('lessonOf', lesson.replace(/^block_(\d+)_lesson_(\d+)$/, '$1.$2'));
}
