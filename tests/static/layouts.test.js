/** The page finds every character where the server does, and draws what is there. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { KEYBOARDS } from '../../static/layout_data.js';
import {
  FINGERS,
  fingerOf,
  Keyboard,
  LAYOUT_NAMES,
  languageOf,
  layoutsFor,
  nearestLayout,
  rowsOf,
} from '../../static/layouts.js';

const GOLDEN = JSON.parse(readFileSync(new URL('../golden/layouts.json', import.meta.url), 'utf8'));

function pressed(keyboard, { code, level, dead }) {
  const own = [code, level, keyboard.fingerOf(code)].join(' ');
  return dead ? `${pressed(keyboard, dead)}, ${own}` : own;
}

for (const { name, languages, remaps, places } of GOLDEN) {
  const changed = remaps.keys.length ? ', with keys and fingers changed' : '';
  test(`every character of ${name}${changed} is where the server has it`, () => {
    const keyboard = new Keyboard(name, { remaps });
    const found = keyboard.typed.sort().map((one) => [one, pressed(keyboard, keyboard.placeOf(one))]);
    assert.deepEqual(Object.fromEntries(found), places);
    assert.deepEqual(KEYBOARDS[name].languages, languages);
  });
}

test('every key that is drawn has a finger, and the shapes differ as keyboards do', () => {
  for (const name of LAYOUT_NAMES) {
    for (const shape of ['ansi', 'iso']) {
      const keyboard = new Keyboard(name, { shape });
      const rows = rowsOf(keyboard);
      const codes = rows.flat();
      assert.equal(new Set(codes).size, codes.length);
      assert.ok(codes.every((code) => FINGERS.includes(fingerOf(code))));
      assert.equal(codes.includes('IntlBackslash'), shape === 'iso');
      assert.equal(rows[shape === 'iso' ? 1 : 2].at(-1), 'Enter');
      assert.equal(codes.includes('AltRight'), keyboard.hasAltGr);
    }
  }
  assert.equal(new Keyboard('azerty').shape, 'iso');
  assert.equal(new Keyboard('qwerty').shape, 'ansi');
});

test('Shift is held by the other hand, also where a finger was changed', () => {
  const usual = new Keyboard('qwerty');
  assert.deepEqual(usual.heldFor(usual.placeOf('Y')), ['ShiftLeft']);
  assert.deepEqual(usual.heldFor(usual.placeOf('a')), []);
  const own = new Keyboard('qwerty', { remaps: { keys: [], fingers: { KeyY: 'left_index' } } });
  assert.deepEqual(own.heldFor(own.placeOf('Y')), ['ShiftRight']);
  const polish = new Keyboard('polish');
  assert.deepEqual(polish.heldFor(polish.placeOf('Ł')), ['ShiftLeft', 'AltRight']);
});

test('remaps of another layout, and fingers nobody has, change nothing', () => {
  const keys = [{ layout: 'dvorak', code: 'KeyQ', level: 'plain', character: 'x' }];
  const keyboard = new Keyboard('qwerty', { remaps: { keys, fingers: { KeyQ: 'sixth' } } });
  assert.equal(keyboard.placeOf('q').code, 'KeyQ');
  assert.equal(keyboard.fingerOf('KeyQ'), 'leftPinky');
});

test('the usual layout of a language is the first', () => {
  assert.equal(layoutsFor('en')[0], 'qwerty');
  assert.deepEqual(layoutsFor('ru'), ['jcuken']);
  assert.deepEqual(layoutsFor('tlh'), []);
  assert.equal(languageOf('съешь ещё'), 'ru');
  assert.equal(languageOf('123'), 'en');
});

test('what the browser tells of a keyboard is known again, if it is near', () => {
  for (const name of LAYOUT_NAMES.filter((one) => one !== 'polish')) {
    const told = [...new Keyboard(name).characters].map(([code, [plain]]) => [code, plain === '\u0302' ? '^' : plain]);
    assert.equal(nearestLayout(new Map(told)), name);
  }
  assert.equal(nearestLayout(new Map([['KeyQ', 'ქ']])), null);
  assert.equal(nearestLayout(new Map()), null);
});
