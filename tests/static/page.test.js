/** The page names only what there is: messages in each language, and modules to fetch ahead. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import en from '../../static/messages/en.js';
import ru from '../../static/messages/ru.js';

const page = readFileSync(new URL('../../static/index.html', import.meta.url), 'utf8');

function kinds(messages) {
  return Object.fromEntries(Object.entries(messages).map(([name, message]) => [name, typeof message]));
}

test('Russian has the same messages as English, and each takes values where its twin does', () => {
  assert.deepEqual(kinds(ru), kinds(en));
});

test('every message that the page names is there, and needs no values', () => {
  const named = Array.from(page.matchAll(/data-(?:message|label|title|placeholder)="([^"]+)"/g), ([, name]) => name);
  assert.notEqual(named.length, 0);
  for (const name of named) assert.equal(typeof en[name], 'string', name);
});

test('every module of the page but main.js is fetched ahead', () => {
  const ahead = new Set(Array.from(page.matchAll(/rel="modulepreload" href="\/static\/([^"]+)"/g), ([, path]) => path));
  const seen = new Set();
  const visit = (path) => {
    if (seen.has(path)) return;
    seen.add(path);
    const source = readFileSync(new URL(`../../static/${path}`, import.meta.url), 'utf8');
    for (const [, target] of source.matchAll(/^(?:import|export)[^;]*?from '([^']+)'/gm)) {
      visit(new URL(target, `file:///${path}`).pathname.slice(1));
    }
  };
  visit('main.js');
  seen.delete('main.js');
  assert.deepEqual([...ahead].sort(), [...seen].sort());
});
