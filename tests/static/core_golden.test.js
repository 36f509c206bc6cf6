/** The page's scorer gives the very numbers of the server's: both read the same golden files. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Attempt } from '../../static/core/attempt.js';
import { graphemes, keyName, same } from '../../static/core/text.js';

function golden(name) {
  return JSON.parse(readFileSync(new URL(`../golden/${name}.json`, import.meta.url), 'utf8'));
}

for (const { name, text, rules, limit_ms: limitMs, race, events, late_ms, expect } of golden('scores')) {
  test(`golden score: ${name}`, () => {
    const attempt = new Attempt({ text, rules, limitMs, fromStart: race });
    let counted = 0;
    for (const [dtMs, key] of events) {
      if (!attempt.apply(dtMs, key)) break;
      counted += 1;
    }
    assert.deepEqual(
      {
        counted,
        complete: attempt.complete,
        typed: attempt.typed.join(''),
        result: attempt.result(late_ms),
      },
      expect,
    );
    assert.equal(attempt.events, counted);
  });
}

const { graphemes: cuts, same: pairs, key_names: keyNames } = golden('text');

test('texts are cut as the server cuts them', () => {
  for (const { text, graphemes: expected } of cuts) {
    assert.deepEqual(
      graphemes(text),
      expected.map((grapheme) => grapheme.normalize('NFC')),
    );
  }
});

test('what is equal to the server is equal here', () => {
  for (const { a, b, same: expected } of pairs) {
    assert.equal(same(a, b), expected, JSON.stringify([a, b]));
    assert.equal(same(b, a), expected, JSON.stringify([b, a]));
  }
});

test('keys have the names the server gives them', () => {
  for (const { grapheme, name } of keyNames) assert.equal(keyName(grapheme), name);
});
