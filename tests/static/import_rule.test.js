/** The pages' layers: core <- net <- views <- pages; and the core is pure. */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const LAYERS = ['core', 'net', 'views'];
const STATIC = new URL('../../static/', import.meta.url);
const IMPURE =
  /\b(document|window|navigator|localStorage|fetch|WebSocket|Date|performance|setTimeout|setInterval|Math\.random)\b/;

function modules(layer) {
  const folder = new URL(`${layer}/`, STATIC);
  return readdirSync(folder)
    .filter((name) => name.endsWith('.js'))
    .map((name) => ({ name: `${layer}/${name}`, source: readFileSync(new URL(name, folder), 'utf8') }));
}

function imports({ name, source }) {
  const found = source.matchAll(/\bfrom\s+'([^']+)'|\bimport\s*\(?\s*'([^']+)'/g);
  return Array.from(found, ([, from, bare]) => {
    const target = new URL(from ?? bare, new URL(name, 'file:///'));
    return target.pathname.slice(1);
  });
}

function withoutComments(source) {
  return source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/.*$/gm, '');
}

for (const [depth, layer] of LAYERS.entries()) {
  const allowed = LAYERS.slice(0, depth + 1);
  test(`${layer} imports ${allowed.join(', ')} only`, () => {
    for (const module of modules(layer)) {
      for (const target of imports(module)) {
        const from = target.split('/')[0];
        // What lies beside the layers (layouts, days, messages) serves the views.
        const shared = layer === 'views' && !LAYERS.includes(from) && from !== 'pages';
        assert.ok(shared || allowed.includes(from), `${module.name} imports ${target}`);
      }
    }
  });
}

test('core knows no page, no clock, no dice, no network', () => {
  for (const { name, source } of modules('core')) {
    assert.doesNotMatch(withoutComments(source), IMPURE, name);
  }
});

test('net takes its clock, timers, dice and socket from whoever builds it', () => {
  const reached = /\b(document|window|navigator|localStorage|Date|performance|Math\.random|globalThis)\b/;
  for (const { name, source } of modules('net')) {
    assert.doesNotMatch(withoutComments(source), reached, name);
  }
});
