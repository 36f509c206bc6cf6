import assert from 'node:assert/strict';
import { test } from 'node:test';
import { levelOf } from '../../static/views/practice_view.js';

test('a strength has one of five levels', () => {
  assert.deepEqual([0, 19, 20, 39, 40, 60, 79, 80, 100].map(levelOf), [1, 1, 2, 2, 3, 4, 4, 5, 5]);
});
