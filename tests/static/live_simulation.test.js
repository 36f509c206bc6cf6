/** Hundreds of attempts on a bad day, each from one seed: whatever breaks, what was typed arrives. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dice, World } from './fake_world.js';

const SEEDS = 300;
const TEXT = 'the quick brown fox jumps over the lazy dog, and ’tis no joke — is it?';
const RULES = ['free', 'stop', 'correct'];
const WRONG = ['x', '\b', '\b', '\u0017', ' ', '…', 'é'];
const CODES = [1001, 1006, 1011, 1012, 1013, 4001, 4008, 4013];

/** A person at a page that may be cut off, reloaded or slowed down between any two keys. */
class BadDay {
  pressed = [];

  constructor(seed) {
    this.random = dice(seed + 7);
    this.world = new World(seed);
    this.world.server.text = TEXT;
    this.rules = { errors: RULES[seed % RULES.length] };
    this.page = this.world.page();
    this.page.live.start();
    this.page.live.open({ source: { kind: 'words', count: 10, language: 'en' }, rules: this.rules });
    this.world.pass(100);
    this.id = this.page.last('opened').id;
  }

  below(n) {
    return Math.floor(this.random() * n);
  }

  press(key) {
    const { attempt, live } = this.page;
    if (live.press(key)) this.pressed.push(key);
    assert.ok(attempt.events <= this.pressed.length);
  }

  step() {
    this.world.pass(this.below(200));
    if (this.below(4) === 0) this.press(WRONG[this.below(WRONG.length)]);
    else this.press(this.page.attempt.text[this.page.attempt.position] ?? '\b');
    if (this.below(12) === 0) this.mishap();
  }

  mishap() {
    const { server } = this.world;
    const mishaps = [
      () => server.closeAll(CODES[this.below(CODES.length)]),
      () => (server.latencyMs = this.below(400)),
      () => (server.commitMs = this.below(250)),
      () => this.page.sockets.at(-1).vanish(),
      () => (server.down = !server.down),
      () => (server.silent = this.below(3) === 0),
      () => this.reload(),
      () => this.forget(),
      () => this.world.pass(this.below(8_000)),
    ];
    mishaps[this.below(mishaps.length)]();
  }

  reload() {
    this.page.crash();
    this.world.pass(this.below(3_000));
    const { position } = this.page.attempt;
    this.page = this.world.page();
    assert.equal(this.page.live.resume(), true);
    assert.equal(this.page.attempt.position, position);
    this.page.live.start();
  }

  /** The store loses its end: a fail-over to a copy that was behind. */
  forget() {
    const log = this.world.server.attempts.get(this.id);
    if (log.result !== undefined) return;
    log.events.length = Math.max(0, log.events.length - this.below(20));
    this.world.server.closeAll(1011);
  }

  heal() {
    Object.assign(this.world.server, { down: false, silent: false, latencyMs: 20, commitMs: 5 });
    this.world.pass(60_000);
  }
}

for (let first = 0; first < SEEDS; first += 50) {
  test(`seeds ${first} to ${first + 49}: all keys arrive, once, in order`, () => {
    for (let seed = first; seed < first + 50; seed += 1) {
      const day = new BadDay(seed);
      for (let i = 0; i < 90 && !day.page.attempt.complete; i += 1) day.step();
      day.heal();
      const log = day.world.server.attempts.get(day.id);
      const at = `seed ${seed}`;
      assert.deepEqual(
        log.events.map(([, key]) => key),
        day.pressed,
        at,
      );
      assert.equal(log.events[0][0], 0, at);
      assert.equal(day.page.all('voided').length + day.page.all('refused').length, 0, at);
      assert.equal(day.page.last('connection').state, 'saved', at);
      if (!day.page.attempt.complete) day.page.live.finish('quit');
      day.world.pass(1_000);
      assert.deepEqual(day.page.last('done').result, day.page.attempt.result(), at);
      assert.deepEqual([...day.world.storage.items.keys()], ['typing.token'], at);
    }
  });
}
