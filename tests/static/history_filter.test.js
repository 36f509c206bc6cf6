/** The page's address says which attempts are shown, and what makes no sense in it does no harm. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conditions, isOfEverything, readFilter, writeFilter } from '../../static/core/history_filter.js';
import { beginMs, dayNamed, dayOf, nameOf, weekday } from '../../static/days.js';

const read = (query) => readFilter(new URLSearchParams(query));

test('an address without a question is about the usual days', () => {
  const filter = read('');
  assert.equal(filter.period, '90');
  assert.ok(isOfEverything(filter));
  assert.equal(writeFilter(filter), '');
});

for (const query of [
  '?period=7',
  '?period=all&language=ru&what=time:60&verdict=ranked',
  '?from=2026-01-01&to=2026-01-31&what=words',
  '?from=2026-01-01',
  '?to=2026-01-31&language=und',
  '?what=text:en-012',
]) {
  test(`${query} is read and written alike`, () => assert.equal(writeFilter(read(query)), query));
}

for (const query of [
  'period=century',
  'period=days',
  'from=yesterday',
  'to=2026-13-01',
  'language=%00',
  'what=nothing',
  'what=time:%27',
  'verdict=void',
]) {
  test(`${query} makes no sense and is left out`, () => assert.equal(writeFilter(read(query)), ''));
}

test('days the other way round are meant all the same', () => {
  const { from, to } = read('from=2026-02-01&to=2026-01-01');
  assert.deepEqual([from, to], ['2026-01-01', '2026-02-01']);
});

test('the API is asked for a kind, or for a mode of it', () => {
  assert.deepEqual(conditions(read('what=time&language=en')), { language: 'en', kind: 'time' });
  assert.deepEqual(conditions(read('what=time:60&verdict=review')), { mode: 'time:60', verdict: 'review' });
  assert.deepEqual(conditions(read('')), {});
});

test('days are counted on the clock of the person', () => {
  assert.equal(nameOf(0), '1970-01-01');
  const newYear = Date.UTC(2026, 0, 1);
  assert.equal(nameOf(dayOf(newYear, 0)), '2026-01-01');
  assert.equal(nameOf(dayOf(newYear - 1, 0)), '2025-12-31');
  assert.equal(nameOf(dayOf(newYear - 1, 1)), '2026-01-01');
  assert.equal(nameOf(dayOf(newYear, -1)), '2025-12-31');
  assert.equal(beginMs(dayOf(newYear, 60), 60), newYear - 3_600_000);
});

test('a day has a name and back, and there is no 31st of February', () => {
  for (const name of ['1970-01-01', '2024-02-29', '2026-12-31', '1969-12-31']) {
    assert.equal(nameOf(dayNamed(name) ?? Number.NaN), name);
  }
  for (const name of ['2026-02-31', '2026-2-1', '', 'today']) assert.equal(dayNamed(name), null, name);
});

test('weeks begin with Monday', () => {
  assert.equal(weekday(dayNamed('2026-11-16') ?? 0), 0);
  assert.equal(weekday(dayNamed('2026-11-22') ?? 0), 6);
  assert.equal(weekday(dayNamed('1969-12-29') ?? 0), 0);
});
