/** A replay stands, at any moment and from wherever one comes, as the attempt stood then. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Attempt } from '../../static/core/attempt.js';
import { Replay } from '../../static/core/replay.js';

const golden = JSON.parse(readFileSync(new URL('../golden/scores.json', import.meta.url), 'utf8'));

function replayOf({ text, rules, limit_ms: limitMs, race, events }) {
  return new Replay({ text, rules, limitMs, fromStart: race, events });
}

/** What can be seen of an attempt. */
function seen(attempt) {
  const places = attempt.text.map((_, i) => [attempt.rightAt(i), attempt.pressedAt(i), attempt.slippedAt(i)]);
  const { typed, complete, events, atMs } = attempt;
  return { typed, complete, events, atMs, places, result: attempt.result(), speeds: attempt.speeds() };
}

/** The attempt typed from its beginning, by nothing but the events up to a moment. */
function typedUpTo({ text, rules, limit_ms: limitMs, race, events }, atMs) {
  const attempt = new Attempt({ text, rules, limitMs, fromStart: race });
  let sumMs = 0;
  for (const [i, [dtMs, key]] of events.entries()) {
    sumMs += i === 0 && !race ? 0 : dtMs;
    if (sumMs > atMs || !attempt.apply(dtMs, key)) break;
  }
  return attempt;
}

for (const golden_ of golden) {
  test(`golden replay: ${golden_.name}`, () => {
    const replay = replayOf(golden_);
    assert.deepEqual(replay.whole.result(golden_.late_ms), golden_.expect.result);
    for (const share of [1, 0, 0.5, 0.25, 0.75, 0.76, 1]) {
      replay.seek(share * replay.endMs);
      assert.deepEqual(seen(replay.attempt), seen(typedUpTo(golden_, replay.atMs)));
    }
    assert.equal(replay.attempt.typed.join(''), golden_.expect.typed);
  });
}

// Long enough for several copies, with slips that are mended and one that stays.
const text = 'many a slip between the cup and the lip '.repeat(60);
const events = [...text].flatMap((key, i) => {
  if (i === 0) return [[0, key]];
  if (i % 97 === 0)
    return [
      [90, '7'],
      [140, '\b'],
      [80, key],
    ];
  return i === 1300 ? [[100, 'x']] : [[100 + (i % 7), key]];
});
const long = { text, rules: { errors: 'free' }, limit_ms: null, race: false, events };

test('a long replay stands right whatever is sought after whatever', () => {
  const replay = replayOf(long);
  let seed = 11;
  for (let n = 0; n < 40; n++) {
    seed = (seed * 48271) % 2147483647;
    replay.seek((seed / 2147483647) * replay.endMs);
    assert.deepEqual(seen(replay.attempt), seen(typedUpTo(long, replay.atMs)));
  }
});

test('going on yields each key once, in order, and after seeking too', () => {
  const replay = replayOf(long);
  assert.equal(replay.lastKey, null);
  const keys = [];
  for (let atMs = 0; atMs <= replay.endMs; atMs += 16) keys.push(...replay.forward(atMs));
  keys.push(...replay.forward(replay.endMs));
  assert.deepEqual(
    keys,
    events.map(([, key]) => key),
  );
  assert.equal(replay.lastKey, ' ');

  replay.seek(60_000);
  const before = replay.attempt.events;
  assert.deepEqual([...replay.forward(61_000)], keys.slice(before, replay.attempt.events));
  assert.ok(replay.attempt.events > before);
});

test('nothing before the beginning, nothing after the end', () => {
  const replay = replayOf(long);
  replay.seek(-5);
  assert.equal(replay.atMs, 0);
  replay.seek(Number.POSITIVE_INFINITY);
  assert.equal(replay.atMs, replay.endMs);
  assert.ok(replay.attempt.complete);
});

test('of a pause its ends are left when it is passed over', () => {
  const pausing = { text: 'abcd', rules: { errors: 'free' }, limit_ms: null, race: false };
  const quick = replayOf({
    ...pausing,
    events: [
      [0, 'a'],
      [2000, 'b'],
      [100, 'c'],
      [100, 'd'],
    ],
  });
  assert.equal(quick.hasPauses, false);
  const replay = replayOf({
    ...pausing,
    events: [
      [0, 'a'],
      [100, 'b'],
      [9000, 'c'],
      [100, 'd'],
    ],
  });
  assert.equal(replay.hasPauses, true);
  const stops = [0, 100, 599, 600, 5000, 8600, 9000, 9150].map((atMs) => {
    replay.seek(atMs);
    return replay.afterPause;
  });
  assert.deepEqual(stops, [0, 100, 599, 8600, 8600, 8600, 9000, 9150]);
});

test('a timed attempt that ended early has a pause to its limit', () => {
  const replay = replayOf({
    ...long,
    limit_ms: 15_000,
    events: [
      [0, 'm'],
      [100, 'a'],
    ],
  });
  assert.equal(replay.endMs, 15_000);
  assert.equal(replay.hasPauses, true);
});
