/** Leaderboards are named by what is typed for them. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BOARDS, boardOf, sourceOf } from '../../static/core/board.js';

test('a board and what is typed for it name each other', () => {
  for (const board of [...BOARDS, 'text:en-a.b_1']) assert.equal(boardOf(sourceOf(board)), board);
});

test('what has no board of its own is on none', () => {
  for (const source of [
    { kind: 'time', seconds: 45 },
    { kind: 'words', count: 60 },
    { kind: 'words', seconds: 60 },
    { kind: 'custom' },
    { kind: 'random', length: 'short' },
  ]) {
    assert.equal(boardOf(source), null);
  }
});

test('an address may ask for anything, and gets a board or none', () => {
  for (const board of ['', 'time', 'time:', 'time:16', 'words:15', 'text:', 'text:../x', `text:${'x'.repeat(65)}`]) {
    assert.equal(sourceOf(board), null, board);
  }
});
