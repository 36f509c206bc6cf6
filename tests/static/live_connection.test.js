/** The line itself: close codes, draining servers, silence, stalls, events that are refused. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { opened, RANDOM, typedAtServer, World } from './fake_world.js';

test('a terminal close stops the line but not the typing, and a reload hands it in', () => {
  const world = new World();
  const page = opened(world);
  page.type('the ');
  world.server.closeAll(4508, 'too many connections');
  page.type('quick');
  world.pass(60_000);
  const { state, closeCode, reason, unacked } = page.last('connection');
  assert.deepEqual([state, closeCode, reason], ['stopped', 4508, 'too many connections']);
  assert.ok(unacked >= 5);
  assert.equal(page.sockets.length, 1);
  page.live.start();
  world.pass(1_000);
  assert.equal(page.sockets.length, 1, 'that the network is back is no reason');
  page.crash();
  const again = world.page();
  again.live.resume();
  again.live.start();
  world.pass(300);
  assert.equal(typedAtServer(world), 'the quick');
});

test('when the network is back the page connects at once', () => {
  const world = new World();
  const page = opened(world);
  world.server.down = true;
  world.server.closeAll(1006);
  world.pass(60_000);
  world.server.down = false;
  page.live.start();
  world.pass(100);
  assert.equal(page.last('connection').state, 'saved');
});

for (const [code, comesBack] of [
  [1001, true],
  [1006, true],
  [1011, true],
  [1012, true],
  [1013, true],
  [4001, true],
  [4008, true],
  [4013, true],
  [4444, true],
  [1003, false],
  [1007, false],
  [1009, false],
  [4500, false],
  [4501, false],
  [4505, false],
  [4506, false],
  [4511, false],
  [4999, false],
]) {
  test(`close ${code}: ${comesBack ? 'come back and resume' : 'stop'}`, () => {
    const world = new World();
    const page = opened(world);
    page.type('the ');
    world.server.closeAll(code);
    world.pass(20_000);
    assert.equal(page.sockets.length > 1, comesBack);
    assert.equal(page.last('connection').state, comesBack ? 'saved' : 'stopped');
  });
}

test('tries to connect spread out, up to 10 s', () => {
  const world = new World();
  const page = opened(world);
  world.server.down = true;
  world.server.closeAll(1006);
  world.pass(120_000);
  const tries = page.sockets.length;
  assert.ok(tries >= 12 && tries <= 60, `${tries} tries in two minutes`);
});

test('a server that drains is left at its word, and keys flow until then', () => {
  const world = new World();
  const page = opened(world);
  world.server.say({ type: 'drain', in_ms: 1_000 });
  page.type('the ', 200);
  assert.ok(world.server.only.events.length >= 3);
  assert.equal(page.sockets.length, 1);
  world.pass(500);
  assert.equal(page.sockets.length, 2);
  page.type('quick fox');
  world.pass(300);
  assert.equal(page.last('done').result.position, 13);
});

test('a server that drains and then closes is not called before its time', () => {
  const world = new World();
  const page = opened(world);
  world.server.say({ type: 'drain', in_ms: 3_000 });
  world.pass(100);
  world.server.closeAll(1012);
  world.pass(2_000);
  assert.equal(page.sockets.length, 1);
  world.pass(2_000);
  assert.equal(page.last('connection').state, 'saved');
});

test('a line that went silent is replaced after 3 s, without waiting for its close', () => {
  const world = new World();
  const page = opened(world);
  page.sockets[0].deaf = true;
  page.type('the quick');
  assert.equal(page.sockets.length, 1);
  world.pass(1_500);
  assert.equal(page.last('connection').state, 'behind');
  world.pass(1_500);
  assert.equal(page.sockets.length, 2);
  assert.equal(typedAtServer(world), 'the quick');
  assert.equal(page.last('connection').state, 'saved');
  world.pass(30_000);
  assert.equal(page.sockets.length, 2, 'the late end of the old line is nobody’s business');
});

test('a handshake that hangs is called offline as soon as keys wait, and given up after 5 s', () => {
  const world = new World();
  const page = opened(world);
  world.server.say({ type: 'drain', in_ms: 100 });
  world.server.silent = true;
  world.pass(200);
  assert.equal(page.last('connection').state, 'connecting');
  page.type('the quick');
  world.pass(600);
  assert.equal(page.last('connection').state, 'offline');
  world.server.silent = false;
  world.pass(5_000);
  assert.equal(page.last('connection').state, 'saved');
});

test('a line that went silent while nobody typed is found by its ping', () => {
  const world = new World();
  const page = opened(world);
  page.sockets[0].deaf = true;
  world.pass(11_000);
  assert.equal(page.sockets.length, 2);
});

test('a stalled store is waited for', () => {
  const world = new World();
  const page = opened(world);
  world.server.stalled = true;
  page.type('the quick');
  world.pass(30_000);
  assert.equal(page.sockets.length, 1);
  assert.equal(page.last('connection').stalled, true);
  world.server.stalled = false;
  world.server.say({ type: 'stall', h: 1, on: false });
  page.type(' ');
  world.pass(300);
  assert.equal(page.last('connection').stalled, false);
  assert.equal(page.last('connection').state, 'saved');
});

test('a key the server cuts differently is given up after a few tries, the others arrive', () => {
  const world = new World();
  world.server.text = 'ab😀cd';
  world.server.doubtful.add('😀');
  const page = opened(world);
  page.type(['a', 'b', '😀', 'c']);
  world.pass(10_000);
  assert.deepEqual(
    world.server.only.events.map(([, key]) => key),
    ['a', 'b', 'c'],
  );
  assert.equal(page.attempt.typed.join(''), 'abc');
  assert.equal(page.last('connection').state, 'saved');
});

test('after a key was given up the next one has all its tries again', () => {
  const world = new World();
  world.server.doubtful.add('😀');
  const page = opened(world);
  page.type(['t', '😀', 'h']);
  world.pass(3_000);
  world.server.doubtful.add('h');
  world.pass(1_000);
  assert.equal(page.attempt.typed.join(''), 'th');
  world.server.doubtful.clear();
  world.pass(3_000);
  assert.equal(typedAtServer(world), 'th');
});

test('a clock that runs fast is waited for, and no key is dropped', () => {
  const world = new World();
  const page = opened(world);
  page.live.press('t');
  world.pass(200);
  world.server.only.openedAtMs += 150;
  page.type('he', 100);
  world.pass(5_000);
  assert.equal(typedAtServer(world), 'the');
});

test('a text the server cuts into other pieces is ended all the same', () => {
  const world = new World();
  const page = opened(world);
  page.type('the quick fo');
  world.server.only.text += '!';
  page.type('x');
  world.pass(5_000);
  assert.equal(page.last('done').result.position, 13);
});

test('a connection closed for want of anything to say rests until there is', () => {
  const world = new World();
  const page = world.page();
  page.live.start();
  world.pass(100);
  world.server.closeAll(1000);
  world.pass(60_000);
  assert.equal(page.sockets.length, 1);
  page.live.open({ source: RANDOM });
  world.pass(300);
  assert.equal(page.all('opened').length, 1);
});

test('who is refused asks why, waits as told and a little more, and says so', () => {
  const world = new World();
  const page = opened(world);
  page.type('the ');
  world.server.down = true;
  world.server.waitMs = 8_000;
  world.server.closeAll(1006);
  world.pass(2_000);
  assert.equal(page.sockets.length, 2, 'one try, and the answer holds');
  assert.equal(world.server.asked, 1);
  const { state, busy } = page.last('connection');
  assert.deepEqual([state, busy], ['offline', true]);
  world.server.down = false;
  world.pass(5_500);
  assert.equal(page.sockets.length, 2);
  world.pass(5_000);
  assert.deepEqual([page.last('connection').state, page.last('connection').busy], ['saved', false]);
});

test('a network that is away says nothing of when to come back', () => {
  const world = new World();
  const page = opened(world);
  world.server.down = true;
  world.server.closeAll(1006);
  world.pass(10_000);
  assert.ok(page.sockets.length > 3);
  assert.equal(page.last('connection').busy, false);
});

test('who has something to go on with says so, and a newcomer does not', () => {
  const world = new World();
  const page = opened(world);
  world.server.closeAll(1006);
  world.pass(5_000);
  const urls = page.sockets.map(({ url }) => url);
  assert.deepEqual([urls[0], urls.at(-1)], ['ws://test/ws', 'ws://test/ws?resume']);
});
