/** The attempt as a page uses it; its scores are in the golden files. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Attempt } from '../../static/core/attempt.js';
import { roundHalfEven } from '../../static/core/score.js';
import { graphemes, isSpace, keyName } from '../../static/core/text.js';

function typed(keys, { text = 'the quick fox', everyMs = 100, ...options } = {}) {
  const attempt = new Attempt({ text, ...options });
  for (const key of keys) attempt.apply(everyMs, key);
  return attempt;
}

test('numbers are rounded as Python rounds them', () => {
  // Each row as printed by Python: x, digits, round(x, digits).
  const rows = [
    [0.125, 2, 0.12],
    [0.375, 2, 0.38],
    [2.675, 2, 2.67],
    [1.005, 2, 1],
    [0.5, 0, 0],
    [0.25, 1, 0.2],
    [0.75, 1, 0.8],
    [1234.125, 2, 1234.12],
    [0.00005, 4, 0.0001],
    [0.03125, 4, 0.0312],
    [0.09375, 4, 0.0938],
    [65, 2, 65],
    [0, 2, 0],
    [99.995, 2, 100],
    [12.345, 2, 12.35],
    [8 / 3, 2, 2.67],
  ];
  for (const [x, digits, expected] of rows) assert.equal(roundHalfEven(x, digits), expected, String(x));
});

test('a wrong key stays in its place with the rule free', () => {
  const attempt = typed(['t', 'x', 'e']);
  assert.deepEqual([attempt.rightAt(0), attempt.rightAt(1), attempt.rightAt(3)], [true, false, undefined]);
  assert.deepEqual([attempt.pressedAt(0), attempt.pressedAt(1), attempt.pressedAt(3)], [null, 'x', null]);
});

test('a wrong key is shown at the cursor with the rule stop, until the right one comes', () => {
  const attempt = typed(['t', 'x'], { rules: { errors: 'stop' } });
  assert.deepEqual([attempt.position, attempt.pressedAt(1)], [1, 'x']);
  attempt.apply(100, 'h');
  assert.equal(attempt.pressedAt(1), null);
});

test('what stands past the end is wrong, and shown', () => {
  const attempt = typed(['a', 'x', 'y'], { text: 'ab', rules: { errors: 'correct' } });
  assert.deepEqual([attempt.complete, attempt.rightAt(2), attempt.pressedAt(2)], [false, false, 'y']);
});

test('nothing counts after the end, or after the limit', () => {
  const complete = typed(['a', 'b', 'c'], { text: 'ab' });
  assert.deepEqual([complete.events, complete.over, complete.apply(1, '\b')], [2, true, false]);
  const late = typed(['a', 'b'], { limitMs: 99 });
  assert.deepEqual([late.events, late.over, late.complete], [1, true, false]);
});

test('speeds have a point for each second, pauses too', () => {
  const attempt = typed(['t', 'h'], { everyMs: 200 });
  attempt.apply(3_000, 'x');
  attempt.apply(400, ' ');
  const points = attempt.speeds();
  assert.deepEqual(
    points.map(({ at_s: atS }) => atS),
    [1, 2, 3, 3.6],
  );
  assert.deepEqual(
    points.map(({ errors }) => errors),
    [0, 0, 0, 1],
  );
  assert.deepEqual(
    points.map(({ raw_wpm: raw }) => raw),
    [24, 0, 0, 40],
  );
  assert.deepEqual(
    points.map(({ wpm }) => wpm),
    [24, 12, 8, 10],
  );
});

test('a key pressed on the last whole second is not lost from the chart', () => {
  const points = typed(['t', 'h', 'e'], { everyMs: 500 }).speeds();
  assert.deepEqual(
    points.map(({ at_s: atS }) => atS),
    [1],
  );
  assert.deepEqual(typed(['t']).speeds(), []);
});

test('an attempt goes on from where the server says it stands', () => {
  for (const errors of ['free', 'stop', 'correct']) {
    const keys = ['t', 'h', 'x', '\b', 'e', ' ', 'q', 'y'];
    const whole = typed(keys, { rules: { errors } });
    const standing = {
      events: whole.events,
      typed: whole.typed.join(''),
      atMs: whole.atMs,
      score: whole.progress(),
    };
    const part = new Attempt({ text: 'the quick fox', rules: { errors }, standing });
    assert.deepEqual([part.typed, part.progress()], [whole.typed, whole.progress()], errors);
    for (const key of ['i', '\b', '\u0017', 'q']) {
      assert.equal(part.apply(90, key), whole.apply(90, key));
    }
    assert.deepEqual([part.typed, part.progress()], [whole.typed, whole.progress()], errors);
  }
});

test('keys typed one by one are not merged when the server tells them side by side', () => {
  const score = { position: 2, raw_wpm: 24, errors: 1 };
  const standing = { events: 2, typed: 'e\u0301', atMs: 1_000, score };
  const attempt = new Attempt({ text: 'exit', standing });
  assert.deepEqual([attempt.position, attempt.rightAt(0), attempt.rightAt(1)], [2, true, false]);
  const odd = { events: 3, typed: 'e\u0301', atMs: 1_000, score: { ...score, position: 3 } };
  assert.equal(new Attempt({ text: 'exit', standing: odd }).position, 3);
});

test('a key costs the same in a text of any length', () => {
  const text = 'word '.repeat(2_000);
  const attempt = new Attempt({ text, rules: { errors: 'correct' } });
  const began = process.hrtime.bigint();
  for (const key of graphemes(text)) attempt.apply(10, key);
  const spentMs = Number(process.hrtime.bigint() - began) / 1e6;
  assert.equal(attempt.complete, true);
  assert.ok(spentMs < 1_000, `${spentMs} ms for 10,000 keys`);
});

test('key names are folded where JavaScript alone would not', () => {
  const names = ['ı', 'ẞ', 'ß', 'İ', 'ς', 'Ꭰ', 'ꭰ', '”', '\u00a0'].map(keyName);
  assert.deepEqual(names, ['ı', 'ss', 'ss', 'i̇', 'σ', 'Ꭰ', 'Ꭰ', '"', ' ']);
});

test('words are parted by spaces of all kinds, line ends and tabs', () => {
  assert.ok([' ', '\u00a0', '\u3000', '\n', '\t'].every(isSpace));
  assert.ok(!['a', '\u200b', '-'].some(isSpace));
});
