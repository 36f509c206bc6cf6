/** An address says what is typed, and one that makes no sense asks for nothing. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asksForSource, readSource, writeSource } from '../../static/core/source.js';

const read = (query) => readSource(new URLSearchParams(query));

for (const [query, source] of [
  ['?kind=text&text=en-012', { kind: 'text', text: 'en-012' }],
  ['?kind=random&language=en&length=short', { kind: 'random', language: 'en', length: 'short' }],
  ['?kind=words&language=ru&count=25', { kind: 'words', language: 'ru', count: 25 }],
  ['?kind=time&language=en&seconds=600', { kind: 'time', language: 'en', seconds: 600 }],
  ['?kind=practice&language=ru&layout=jcuken', { kind: 'practice', language: 'ru', layout: 'jcuken' }],
  ['?kind=lesson&lesson=block_1_lesson_3', { kind: 'lesson', lesson: 'block_1_lesson_3' }],
  [
    '?kind=lesson&lesson=block_6_lesson_20&language=en&layout=colemak_dh',
    { kind: 'lesson', lesson: 'block_6_lesson_20', language: 'en', layout: 'colemak_dh' },
  ],
]) {
  test(`${query} is read and written alike`, () => {
    assert.deepEqual(read(query), source);
    assert.equal(writeSource(source), query);
  });
}

for (const query of [
  'kind=custom&text=anything',
  'kind=race',
  'kind=constructor',
  'kind=',
  'kind=text',
  'kind=text&text=',
  'kind=text&text=a%20b',
  'kind=text&kind=time&text=en-012',
  'kind=text&text=a&text=b',
  'kind=random&language=en&length=endless',
  'kind=words&language=en&count=9',
  'kind=words&language=en&count=501',
  'kind=words&language=en&count=25.0',
  'kind=words&language=en&count=0x20',
  'kind=words&count=25',
  'kind=time&language=en&seconds=14',
  'kind=time&language=%00&seconds=60',
  'kind=practice&language=en',
  'kind=lesson',
  'kind=lesson&lesson=block_1_lesson_1&layout=QWERTY',
  `kind=lesson&lesson=${'x'.repeat(65)}`,
]) {
  test(`${query} asks for nothing that can be typed`, () => {
    assert.ok(asksForSource(new URLSearchParams(query)));
    assert.equal(read(query), null);
  });
}

test('an address without a kind asks for nothing, whatever else it says', () => {
  assert.ok(!asksForSource(new URLSearchParams('?from=mail')));
});

test('what else stands in the address changes nothing', () => {
  assert.deepEqual(read('?from=mail&kind=text&text=en-1&language=ru'), { kind: 'text', text: 'en-1' });
});

test('a text of one’s own and a race have no address', () => {
  assert.equal(writeSource({ kind: 'custom', text: 'mine' }), '');
  assert.equal(writeSource({ kind: 'race' }), '');
});
