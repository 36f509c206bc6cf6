/** The page's line to the server on a good day, and the small print of it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { opened, RANDOM, World } from './fake_world.js';

test('a text is opened, typed, scored and settled', () => {
  const world = new World();
  const page = opened(world);
  assert.equal(page.last('opened').text, 'the quick fox');
  assert.equal(page.last('opened').resumed, false);
  page.type('the quick fox');
  world.pass(200);
  const done = page.last('done');
  assert.equal(done.result.wpm, done.attempt.result().wpm);
  assert.equal(done.verdict, 'ranked');
  assert.equal(world.server.only.got, true);
  assert.deepEqual([...world.storage.items.keys()], ['typing.token']);
  assert.equal(page.live.press('x'), false);
});

test('a key is drawn at once, before the server has heard of it', () => {
  const page = opened();
  assert.equal(page.live.press('t'), true);
  assert.deepEqual(page.attempt.typed, ['t']);
  assert.equal(page.attempt.rightAt(0), true);
});

test('the first key goes at once, the others at most every 50 ms', () => {
  const world = new World();
  const page = opened(world);
  page.type('the quick', 10);
  world.pass(500);
  const keys = world.server.sent('keys');
  assert.equal(keys[0].events.length, 1);
  const gapsMs = keys.slice(1).map(({ atMs }, i) => atMs - keys[i].atMs);
  assert.ok(
    gapsMs.every((ms) => ms >= 50),
    String(gapsMs),
  );
  assert.equal(keys.flatMap(({ events }) => events).length, 9);
});

test('the first dt is 0 and the sum of all is the time typed, to the ms', () => {
  const world = new World();
  const page = opened(world);
  for (const [atMs, key] of [
    [0.4, 't'],
    [33.6, 'h'],
    [66.7, 'e'],
    [100.4, ' '],
  ]) {
    page.live.press(key, world.nowMs - 1000 + atMs);
  }
  world.pass(300);
  const dts = world.server.only.events.map(([dtMs]) => dtMs);
  assert.equal(dts[0], 0);
  assert.equal(
    dts.reduce((sum, dtMs) => sum + dtMs),
    100,
  );
  assert.ok(dts.every(Number.isInteger));
});

test('a stamp from nowhere is replaced by the time of now', () => {
  const world = new World();
  const page = opened(world);
  page.live.press('t', 12.5);
  world.pass(80);
  page.live.press('h', world.nowMs + 9_000);
  world.pass(200);
  assert.deepEqual(world.server.only.events, [
    [0, 't'],
    [80, 'h'],
  ]);
});

test('keys that no server would take are not pressed; a composition of several is', () => {
  const world = new World();
  const page = opened(world);
  for (const key of ['\ud800', '\u0007', `e${'\u0301'.repeat(9)}`, '']) {
    assert.equal(page.live.press(key), false);
  }
  assert.equal(page.live.press('th'), true);
  world.pass(200);
  assert.deepEqual(world.server.only.events, [
    [0, 't'],
    [0, 'h'],
  ]);
});

test('a key is sent composed', () => {
  const world = new World();
  world.server.text = 'été';
  const page = opened(world);
  page.live.press('e\u0301');
  world.pass(100);
  assert.deepEqual(page.attempt.typed, ['é']);
  assert.equal(world.server.attemptOf(world.server.only).errors, 0);
});

test('an ack tells the numbers of the server', () => {
  const world = new World();
  const page = opened(world);
  page.type('thx');
  world.pass(200);
  assert.equal(page.last('progress').errors, 1);
  assert.equal(page.last('progress').position, 3);
});

test('a guest is the same guest again', () => {
  const world = new World();
  opened(world).crash();
  const again = opened(world);
  assert.equal(world.server.guests, 1);
  assert.equal(again.live.user.id, 'token-1');
});

test('a token that has expired is laid down, and a new guest greeted', () => {
  const world = new World();
  world.storage.setItem('typing.token', 'old');
  world.server.badTokens.add('old');
  const page = opened(world);
  world.pass(300);
  assert.equal(page.live.user.id, 'token-1');
  assert.equal(world.storage.getItem('typing.token'), 'token-1');
  assert.equal(page.all('opened').length, 1);
});

test('the clock of the server is learned from pings', () => {
  const world = new World();
  const page = world.page({ skewMs: -5_000 });
  page.live.start();
  world.pass(100);
  assert.ok(Math.abs(page.live.serverOffsetMs - 5_000) <= world.server.latencyMs);
});

test('a new attempt hands in the one it replaces', () => {
  const world = new World();
  const page = opened(world);
  page.type('the q');
  page.live.open({ source: RANDOM });
  world.pass(300);
  const [first, second] = world.server.attempts.values();
  assert.equal(first.events.length, 5);
  assert.equal(first.state, 'abandoned');
  assert.equal(page.last('settled').id, first.id);
  assert.equal(page.all('done').length, 0);
  assert.equal(page.last('opened').id, second.id);
});

test('a new attempt at once when nothing was typed in the old one', () => {
  const world = new World();
  const page = opened(world);
  page.live.open({ source: RANDOM });
  world.pass(25);
  assert.equal(page.all('opened').length, 2);
  world.pass(100);
  assert.equal(page.all('done').length + page.all('settled').length, 0);
});

test('leaving an attempt unfinished gives an unranked result', () => {
  const world = new World();
  const page = opened(world);
  page.type('the');
  page.live.finish('quit');
  assert.equal(page.live.press(' '), false);
  world.pass(200);
  assert.equal(page.last('done').verdict, 'unranked');
  assert.equal(page.last('done').result.position, 3);
});

test('a timed attempt ends by itself when its time is over', () => {
  const world = new World();
  world.server.text = 'word '.repeat(200);
  const page = opened(world, { kind: 'time', seconds: 15, language: 'en' });
  page.type('word word', 500);
  world.pass(12_000);
  assert.equal(page.attempt.over, true);
  assert.equal(page.live.press('x'), false);
  assert.equal(page.all('over').length, 1);
  assert.equal(page.last('done').verdict, 'ranked');
  assert.equal(world.server.sent('finish').at(-1).why, 'time');
});

test('a timed attempt typed through a cut is not taken for one that was quit', () => {
  const world = new World();
  world.server.text = 'word '.repeat(200);
  const page = opened(world, { kind: 'time', seconds: 15, language: 'en' });
  world.server.closeAll(1006);
  world.server.down = true;
  page.type('word word', 500);
  world.pass(9_000);
  world.server.down = false;
  world.pass(40_000);
  assert.equal(page.last('done').verdict, 'ranked');
  assert.equal(world.server.only.events.length, 9);
});

test('an answer that done came twice is harmless', () => {
  const world = new World();
  const page = opened(world);
  page.type('the quick fox');
  world.pass(100);
  const { id, result } = page.last('done');
  world.server.say({ type: 'done', attempt: id, seq: 13, result, verdict: 'ranked', why: [] });
  world.pass(100);
  assert.equal(page.all('done').length, 1);
});

test('a request refused for a while is made again in time', () => {
  const world = new World();
  const page = opened(world);
  const before = world.server.sent('open').length;
  world.server.refusals.push({ code: 'rate', message: 'Slow down.', retry_ms: 1_500 });
  page.live.open({ source: RANDOM });
  world.pass(1_000);
  assert.deepEqual([page.last('refused').code, page.last('refused').retryMs], ['rate', 1_500]);
  assert.equal(world.server.sent('open').length, before + 1);
  world.pass(1_000);
  assert.equal(page.all('opened').length, 2);
});

test('a request refused for good is told once and forgotten', () => {
  const world = new World();
  world.server.refusals.push({ code: 'bad_field', message: 'No.' });
  const page = opened(world);
  world.pass(10_000);
  assert.equal(page.all('refused').length, 1);
  assert.equal(page.live.press('t'), false);
  assert.equal(world.server.sent('open').length, 1);
  assert.deepEqual([...world.storage.items.keys()], ['typing.token']);
});

test('more text than a message can hold is refused here, not by a closed connection', () => {
  const world = new World();
  const page = opened(world, { kind: 'custom', text: 'ж'.repeat(40_000) });
  assert.equal(page.last('refused').code, 'bad_field');
  assert.equal(world.server.sent('open').length, 0);
});

test('messages never exceed 30 in a second nor 64 events', () => {
  const world = new World();
  world.server.text = 'a'.repeat(5_000);
  const page = opened(world);
  world.server.closeAll(1006);
  world.server.down = true;
  page.type('a'.repeat(4_000), 40);
  world.server.down = false;
  world.pass(30_000);
  const { received } = world.server;
  for (const { atMs } of received) {
    const inSecond = received.filter((other) => other.atMs >= atMs && other.atMs < atMs + 1000);
    assert.ok(inSecond.length <= 30, `${inSecond.length} messages in a second`);
  }
  assert.ok(world.server.sent('keys').every(({ events }) => events.length <= 64));
  assert.equal(world.server.only.events.length, 4_000);
});

test('no more than 512 events are on their way, however many are typed', () => {
  const world = new World();
  world.server.text = 'a'.repeat(5_000);
  const page = opened(world);
  world.server.stalled = true;
  page.type('a'.repeat(2_000), 20);
  assert.equal(world.server.only.events.length, 512);
  assert.equal(page.attempt.position, 2_000);
  assert.equal(page.last('connection').stalled, true);
  assert.equal(page.last('connection').state, 'behind');
});

test('a fault in a listener does not hold up the keys', () => {
  const world = new World();
  const page = opened(world);
  page.live.on('progress', () => {
    throw new Error('a fault of the page');
  });
  assert.throws(() => page.type('the'), /a fault of the page/);
  page.live.press('h');
  assert.throws(() => world.pass(300), /a fault of the page/);
  assert.deepEqual(
    world.server.only.events.map(([, key]) => key),
    ['t', 'h'],
  );
});
