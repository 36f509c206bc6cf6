/** Pages name only what there is: messages in each language, and modules to fetch ahead. */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import en from '../../static/messages/en.js';
import ru from '../../static/messages/ru.js';

const STATIC = new URL('../../static/', import.meta.url);
const read = (path) => readFileSync(new URL(path, STATIC), 'utf8');
const NAMED = /data-(?:message|label|title|placeholder)="([^"]+)"/g;
const pages = readdirSync(new URL('pages/', STATIC))
  .filter((name) => name.endsWith('.html'))
  .map((name) => ({ name, html: read(`pages/${name}`) }));

function kinds(messages) {
  return Object.fromEntries(Object.entries(messages).map(([name, message]) => [name, typeof message]));
}

function messagesIn(markup) {
  return Array.from(markup.matchAll(NAMED), ([, found]) => found);
}

/** The modules that a page fetches, itself apart. */
function modulesOf(entry) {
  const seen = new Set();
  const visit = (path) => {
    if (seen.has(path)) return;
    seen.add(path);
    for (const [, target] of read(path).matchAll(/^(?:import|export)[^;]*?from '([^']+)'/gm)) {
      visit(new URL(target, `file:///${path}`).pathname.slice(1));
    }
  };
  visit(entry);
  seen.delete(entry);
  return [...seen].sort();
}

test('Russian has the same messages as English, and each takes values where its twin does', () => {
  assert.deepEqual(kinds(ru), kinds(en));
});

test('there are pages to look at', () => {
  assert.ok(pages.some(({ name }) => name === 'typing.html'));
});

test('every message that the markup in a view names is there, and needs no values', () => {
  const named = readdirSync(new URL('views/', STATIC)).flatMap((name) => messagesIn(read(`views/${name}`)));
  assert.notEqual(named.length, 0);
  for (const message of named) assert.equal(typeof en[message], 'string', message);
});

for (const { name, html } of pages) {
  test(`${name}: every message that it names is there, and needs no values`, () => {
    assert.notEqual(messagesIn(html).length, 0);
    for (const message of messagesIn(html)) assert.equal(typeof en[message], 'string', message);
  });

  test(`${name}: every module but its own is fetched ahead`, () => {
    const ahead = Array.from(html.matchAll(/rel="modulepreload" href="\/static\/([^"]+)"/g), ([, path]) => path);
    assert.deepEqual(ahead.sort(), modulesOf(`pages/${name.replace('.html', '.js')}`));
  });
}
