/** Whose history is it? What the log of an attempt makes of the server's word. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AttemptLog, keysOf } from '../../static/net/attempt_log.js';

const NOW_MS = 1_000_000;

function opened(more = {}) {
  return {
    seq: 0,
    typed: '',
    at_ms: 0,
    elapsed_ms: 0,
    text: 'the quick fox',
    rules: { errors: 'free' },
    source: { kind: 'words' },
    score: { position: 0, raw_wpm: 0, errors: 0 },
    ...more,
  };
}

function typedLog(keys = 'the qu') {
  const log = new AttemptLog({ id: 'one', source: { kind: 'words' }, openedAtMs: NOW_MS });
  log.reconcile(opened(), NOW_MS);
  for (const [i, key] of [...keys].entries()) log.press(key, NOW_MS + 100 * i);
  return log;
}

test('the server that holds a part of our events gets the rest', () => {
  const log = typedLog();
  log.acknowledge(6, NOW_MS);
  assert.equal(log.reconcile(opened({ seq: 4, typed: 'the ', at_ms: 300 }), NOW_MS + 600), false);
  assert.deepEqual([log.durable, log.unacked, log.last], [4, 2, 6]);
});

test('the server that holds more than we know is right', () => {
  const log = typedLog();
  const score = { position: 8, raw_wpm: 100, errors: 0 };
  const message = opened({ seq: 8, typed: 'the quic', at_ms: 700, elapsed_ms: 1_700, score });
  assert.equal(log.reconcile(message, NOW_MS + 2_000), true);
  assert.equal(log.attempt.typed.join(''), 'the quic');
  assert.deepEqual([log.last, log.unacked, log.events], [8, 0, []]);
  log.press('k', NOW_MS + 2_000);
  assert.deepEqual(log.slice(9, 9), [[1_000, 'k']], 'the clock goes on from the last event there');
});

test('another history of the same length is the server’s, not ours', () => {
  const log = typedLog();
  const score = { position: 5, raw_wpm: 100, errors: 0 };
  const message = opened({ seq: 5, typed: 'thexx', at_ms: 410, elapsed_ms: 500, score });
  assert.equal(log.reconcile(message, NOW_MS + 600), true);
  assert.equal(log.attempt.typed.join(''), 'thexx');
});

test('another text makes all of our events void', () => {
  const log = typedLog();
  assert.equal(log.reconcile(opened({ text: 'something else' }), NOW_MS + 600), true);
  assert.deepEqual([log.last, log.attempt.position, log.lastAtMs], [0, 0, null]);
});

test('events before those at hand can not be sent, so the server is believed', () => {
  const log = typedLog('');
  const score = { position: 4, raw_wpm: 100, errors: 0 };
  log.reconcile(opened({ seq: 4, typed: 'the ', at_ms: 300, score }), NOW_MS);
  log.press('q', NOW_MS + 100);
  const less = opened({ seq: 2, typed: 'th', at_ms: 100, score: { ...score, position: 2 } });
  assert.equal(log.reconcile(less, NOW_MS + 600), true);
  assert.deepEqual([log.last, log.attempt.typed.join('')], [2, 'th']);
});

test('a key taken out leaves its time to the next', () => {
  const log = typedLog();
  log.drop(3);
  assert.deepEqual(
    log.events.map(([dtMs]) => dtMs),
    [0, 100, 200, 100, 100],
  );
  assert.equal(log.attempt.typed.join(''), 'th qu');
  log.drop(5);
  log.press('u', NOW_MS + 500);
  assert.deepEqual(log.events.at(-1), [100, 'u']);
});

test('a pause longer than any dt may be is cut, and the clock goes on', () => {
  const log = typedLog('t');
  log.press('h', NOW_MS + 3_600_000);
  log.press('e', NOW_MS + 3_600_100);
  assert.deepEqual(log.events, [
    [0, 't'],
    [600_000, 'h'],
    [100, 'e'],
  ]);
});

test('keys are cut into what a server takes', () => {
  assert.deepEqual(keysOf('\u0017'), ['\u0017']);
  assert.deepEqual(keysOf('…'), ['…']);
  assert.deepEqual(keysOf('e\u0301'), ['é']);
  assert.deepEqual(keysOf('\n'), ['\n']);
  assert.deepEqual(keysOf('你好'), ['你', '好']);
  assert.deepEqual(keysOf('a\u0000b'), ['a', 'b']);
  assert.deepEqual(keysOf('\udc00'), []);
});

test('in a race time goes on from its start, whatever the server says of the first event', () => {
  const log = new AttemptLog({ id: 'one', source: null, openedAtMs: NOW_MS, startsAtMs: NOW_MS });
  log.reconcile(opened(), NOW_MS);
  log.begin(NOW_MS);
  log.press('t', NOW_MS + 300);
  const elsewhere = opened({ seq: 3, typed: 'the', at_ms: 700, elapsed_ms: 500, score: { position: 3 } });
  assert.equal(log.reconcile(elsewhere, NOW_MS + 900), true);
  log.press(' ', NOW_MS + 1_000);
  assert.deepEqual(log.events, [[300, ' ']]);
});
