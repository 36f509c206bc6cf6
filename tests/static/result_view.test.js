/** The chart of a long attempt says the same in fewer points. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { condensed } from '../../static/views/result_view.js';

const points = Array.from({ length: 1000 }, (_, i) => ({
  at_s: i + 1,
  wpm: 60 + i / 100,
  raw_wpm: 60 + (i % 5),
  errors: i % 3 === 0 ? 1 : 0,
}));
const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

test('few points stay as they are', () => {
  assert.deepEqual(condensed(points.slice(0, 150)), points.slice(0, 150));
  assert.deepEqual(condensed([]), []);
});

test('many become no more than 150, with all errors, the same mean and the same end', () => {
  const few = condensed(points);
  assert.ok(few.length > 100 && few.length <= 150);
  assert.equal(sum(few.map(({ errors }) => errors)), sum(points.map(({ errors }) => errors)));
  const { at_s, wpm } = few.at(-1);
  assert.deepEqual({ at_s, wpm }, { at_s: 1000, wpm: points[999].wpm });
  assert.ok(Math.abs(sum(few.map((p) => p.raw_wpm)) / few.length - 62) < 0.1);
  assert.ok(few.every((point, i) => i === 0 || point.at_s > few[i - 1].at_s));
});
