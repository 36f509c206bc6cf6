/** Means, spread, better or worse, and how days become marks. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { binsOf, lately, levelOf, meanOf, runningMean, runsOf, together } from '../../static/core/trend.js';

const one = (value) => ({ value, count: 1, spread: 0 });
const day = (number, more = {}) => ({
  day: number,
  attempts: 1,
  completed: 1,
  time_ms: 1000,
  errors: 0,
  wpm: 40,
  wpm_spread: 0,
  best_wpm: 40,
  accuracy: 1,
  consistency: 1,
  ...more,
});
const typed = (wpms) => {
  const { mean, spread } = meanOf(wpms.map(one));
  return { attempts: wpms.length, completed: wpms.length, wpm: mean, wpm_spread: spread, best_wpm: Math.max(...wpms) };
};
const close = (actual, expected) => assert.ok(Math.abs(actual - expected) < 1e-9, `${actual} is not ${expected}`);

test('a running mean is over the measures up to each, as many as there are', () => {
  const means = runningMean([10, 20, 60].map(one), 2);
  assert.deepEqual(
    means.map(({ mean }) => mean),
    [10, 15, 40],
  );
  assert.deepEqual(
    means.map(({ spread }) => spread),
    [0, 5, 20],
  );
});

test('days taken together say what their attempts say', () => {
  const wpms = [[30, 50, 55], [41], [20, 90]];
  const days = wpms.map((some, i) => day(i, typed(some)));
  const all = together(days);
  const expected = meanOf(wpms.flat().map(one));
  assert.equal(all.attempts, 6);
  assert.equal(all.best_wpm, 90);
  assert.equal(all.time_ms, 3000);
  close(all.wpm, expected.mean);
  close(all.wpm_spread, expected.spread);
});

test('shares of days are weighted by the attempts that were completed', () => {
  const days = [day(1, { completed: 3, accuracy: 0.9 }), day(2, { completed: 1, accuracy: 0.5, consistency: null })];
  const all = together(days);
  close(all.accuracy, 0.8);
  close(all.consistency, 1);
});

test('a day without a completed attempt counts, and has no means', () => {
  const nothing = { completed: 0, wpm: null, wpm_spread: null, best_wpm: null, accuracy: null, consistency: null };
  const all = together([day(1, nothing), day(2)]);
  assert.equal(all.attempts, 2);
  assert.deepEqual([all.wpm, all.accuracy, all.best_wpm], [40, 1, 40]);
  const none = together([day(1, nothing)]);
  assert.deepEqual([none.wpm, none.accuracy, none.best_wpm], [null, null, null]);
  assert.equal(together([]).attempts, 0);
});

test('the newest ten are compared with those before them, if there are enough', () => {
  assert.equal(lately(Array(14).fill(40)), null);
  const compared = lately([...Array(10).fill(50), ...Array(5).fill(40)]);
  assert.deepEqual(compared, { count: 10, now: 50, before: 40 });
});

test('runs end with the last day, whole ones only, and none is empty', () => {
  const days = [0, 1, 6, 7, 13, 20].map((number) => day(number));
  const runs = runsOf(days, 7).map((run) => run.map((one) => one.day));
  assert.deepEqual(runs, [[0, 1, 6], [7, 13], [20]]);
  assert.deepEqual(runsOf(days, 1).length, 6);
  assert.deepEqual(runsOf([], 7), []);
});

test('bins leave no gap, hold every attempt, and are never too many', () => {
  const speeds = [
    { from_wpm: 15, attempts: 1 },
    { from_wpm: 20, attempts: 2 },
    { from_wpm: 95, attempts: 4 },
  ];
  const fine = binsOf(speeds, 5, 24);
  assert.deepEqual(fine[0], { from: 15, to: 20, count: 1 });
  assert.deepEqual(fine.at(-1), { from: 95, to: 100, count: 4 });
  assert.equal(fine.length, 17);
  const coarse = binsOf(speeds, 5, 9);
  assert.deepEqual(coarse[0], { from: 10, to: 20, count: 1 });
  assert.equal(coarse.length, 9);
  assert.equal(
    coarse.reduce((sum, { count }) => sum + count, 0),
    7,
  );
  assert.deepEqual(binsOf([], 5, 24), []);
});

test('a level says in which quarter of the days with any typing a day is', () => {
  const level = levelOf([0, 10, 20, 30, 40]);
  assert.deepEqual([0, 10, 20, 30, 40, 41].map(level), [0, 1, 1, 2, 3, 4]);
  assert.equal(levelOf([])(5), 4);
});
