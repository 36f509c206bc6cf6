/** Nothing typed is lost: cuts, crashes, reloads, forgetful servers, full storage, two windows. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { opened, RANDOM, typedAtServer, World } from './fake_world.js';

test('typing goes on through a cut, and all of it arrives', () => {
  const world = new World();
  const page = opened(world);
  page.type('the ');
  world.server.closeAll(1006);
  world.server.down = true;
  page.type('quick fo');
  assert.equal(page.last('connection').state, 'offline');
  assert.equal(page.attempt.position, 12);
  world.server.down = false;
  world.pass(12_000);
  assert.equal(page.last('connection').state, 'saved');
  page.type('x');
  world.pass(200);
  assert.equal(page.last('done').result.position, 13);
  assert.equal(page.all('opened').length, 1);
});

test('an attempt asked for while offline is opened when the line is back', () => {
  const world = new World();
  world.server.down = true;
  const page = opened(world);
  assert.equal(page.live.press('t'), false);
  world.server.down = false;
  world.pass(12_000);
  assert.equal(page.all('opened').length, 1);
});

test('an attempt finished offline is settled before the next one is opened', () => {
  const world = new World();
  const page = opened(world);
  world.server.closeAll(1006);
  world.server.down = true;
  page.type('the quick fox');
  page.live.open({ source: RANDOM });
  world.server.down = false;
  world.pass(12_000);
  const [first, second] = world.server.attempts.values();
  assert.equal(first.state, 'finished');
  assert.equal(page.last('settled').id, first.id);
  assert.equal(page.last('opened').id, second.id);
});

test('a server that holds less than it had acked gets it again', () => {
  const world = new World();
  const page = opened(world);
  page.type('the quick');
  world.pass(300);
  world.server.only.events.length = 3;
  world.server.closeAll(1011);
  world.pass(1_000);
  assert.equal(typedAtServer(world), 'the quick');
  assert.equal(page.all('opened').length, 1);
});

test('keys that the server has lost count as not saved, until they are', () => {
  const world = new World();
  const page = opened(world);
  page.type('the quick');
  world.pass(300);
  world.server.only.events.length = 3;
  world.server.commitMs = 2_000;
  world.server.closeAll(1011);
  world.pass(1_500);
  const { state, unacked } = page.last('connection');
  assert.deepEqual([state, unacked], ['behind', 6]);
  world.pass(2_000);
  assert.equal(page.last('connection').state, 'saved');
});

test('a server that forgot the attempt gets all of it anew', () => {
  const world = new World();
  const page = opened(world, { kind: 'custom', text: 'all my own' });
  page.type('al');
  world.pass(10_000);
  page.type('l my');
  world.pass(300);
  world.server.attempts.clear();
  world.server.closeAll(1011);
  // The server's clock of the attempt starts anew, so that it believes them only as time passes.
  world.pass(14_000);
  assert.equal(typedAtServer(world), 'all my');
  assert.equal(page.all('refused').length, 0);
});

test('a gap is filled from its number on', () => {
  const world = new World();
  const page = opened(world);
  page.type('the q');
  world.pass(300);
  world.server.only.events.length = 2;
  page.type('uick');
  world.pass(500);
  assert.equal(typedAtServer(world), 'the quick');
  assert.equal(page.sockets.length, 1);
});

test('a reload goes on where the tab was, with keys that were never sent', () => {
  const world = new World();
  const page = opened(world);
  page.type('the ');
  world.server.down = true;
  world.server.closeAll(1006);
  page.type('quick');
  page.crash();
  const again = world.page();
  assert.equal(again.live.resume(), true);
  assert.equal(again.last('opened').resumed, true);
  assert.equal(again.attempt.typed.join(''), 'the quick');
  again.live.start();
  again.type(' f');
  world.server.down = false;
  world.pass(12_000);
  again.type('ox');
  world.pass(300);
  assert.equal(again.last('done').result.position, 13);
  assert.equal(again.all('opened').length, 1);
});

test('after a reload nothing is called unsaved before the server has spoken', () => {
  const world = new World();
  const page = opened(world);
  page.type('the ');
  world.pass(5_000);
  page.crash();
  const again = world.page();
  again.live.resume();
  again.live.start();
  world.pass(1_000);
  assert.deepEqual(
    again.all('connection').map(({ state }) => state),
    ['connecting', 'saved'],
  );
});

test('after a reload the clock goes on from the last event', () => {
  const world = new World();
  const page = opened(world);
  page.type('the ', 100);
  world.pass(300);
  page.crash();
  world.pass(2_000);
  const again = world.page();
  again.live.resume();
  again.live.start();
  world.pass(700);
  again.live.press('q');
  world.pass(300);
  assert.deepEqual(world.server.only.events.at(-1), [3_000, 'q']);
});

test('a clock that jumped over a reload is not believed against the server', () => {
  const world = new World();
  const page = opened(world);
  page.type('the ', 100);
  world.pass(300);
  page.crash();
  const again = world.page({ skewMs: 300_000 });
  again.live.resume();
  again.live.start();
  world.pass(700);
  again.live.press('q');
  world.pass(300);
  const [dtMs] = world.server.only.events.at(-1);
  assert.ok(Math.abs(dtMs - 1_000) <= 50, String(dtMs));
});

test('a page that lost its memory shows what the server holds', () => {
  const world = new World();
  const page = opened(world);
  page.type('thx\bw uuic');
  world.pass(300);
  const chunks = [...world.storage.items.keys()].filter((key) => key.startsWith('typing.events.'));
  const kept = JSON.parse(world.storage.getItem(chunks[0]));
  world.storage.setItem(chunks[0], JSON.stringify({ ...kept, events: kept.events.slice(0, 4) }));
  page.crash();
  const again = world.page();
  again.live.resume();
  again.live.start();
  world.pass(300);
  assert.equal(again.all('opened').length, 2);
  assert.equal(again.attempt.typed.join(''), typedAtServer(world));
  assert.deepEqual(again.attempt.progress(), world.server.attemptOf(world.server.only).progress());
  again.type('k');
  world.pass(300);
  assert.deepEqual(again.attempt.progress(), world.server.attemptOf(world.server.only).progress());
  again.crash();
  const third = world.page();
  third.live.resume();
  assert.equal(third.attempt.typed.join(''), typedAtServer(world), 'the standing is kept, too');
});

test('what was typed without storage is lost only to a crash', () => {
  const world = new World();
  const page = world.page({ storage: null });
  page.live.start();
  page.live.open({ source: RANDOM });
  world.pass(100);
  page.type('the quick fox');
  world.pass(200);
  assert.equal(page.last('done').result.position, 13);
});

test('a full storage keeps what it can and stops nobody', () => {
  const world = new World();
  world.server.text = 'abc '.repeat(50);
  world.storage.quota = 2_000;
  const page = opened(world);
  page.type('abc '.repeat(50));
  world.pass(300);
  assert.equal(page.last('done').result.position, 200);
});

test('an attempt left in a full storage is resumed from the server', () => {
  const world = new World();
  world.server.text = 'abc '.repeat(50);
  world.storage.quota = 2_000;
  const page = opened(world);
  page.type('abc '.repeat(40));
  world.pass(300);
  page.crash();
  const again = world.page();
  assert.equal(again.live.resume(), true);
  again.live.start();
  world.pass(300);
  assert.equal(again.attempt.position, 160);
});

test('each key writes one small piece of storage', () => {
  const world = new World();
  world.server.text = 'a'.repeat(2_000);
  const page = opened(world);
  page.type('a'.repeat(1_000), 60);
  const before = world.storage.writes;
  page.live.press('a');
  assert.equal(world.storage.writes, before + 1);
  const longest = Math.max(
    ...[...world.storage.items].filter(([key]) => key.startsWith('typing.events.')).map(([, kept]) => kept.length),
  );
  assert.ok(longest < 600, `${longest} characters at each key`);
});

test('rubbish in storage is no reason to fail', () => {
  const world = new World();
  world.storage.setItem('typing.attempt.x', '{"id":"x","opened":{"text":5,"source":{}},"opened_at_ms":9e15}');
  world.storage.setItem('typing.attempt.y', 'null');
  world.storage.setItem('typing.events.x.0', '{"last_at_ms":1,"events":[[0,"a"],null]}');
  const page = world.page();
  assert.equal(page.live.resume(), false);
  page.live.start();
  page.live.open({ source: RANDOM });
  world.pass(100);
  assert.equal(page.all('opened').length, 1);
});

test('what a dead tab left long ago is handed in quietly', () => {
  const world = new World();
  const page = opened(world);
  page.type('the');
  world.server.down = true;
  world.server.closeAll(1006);
  page.type(' qui');
  page.crash();
  world.pass(3_600_000);
  world.server.down = false;
  const next = world.page();
  assert.equal(next.live.resume(), false);
  next.live.start();
  next.live.open({ source: RANDOM });
  world.pass(500);
  const [old, fresh] = world.server.attempts.values();
  assert.equal(old.events.length, 7);
  assert.equal(old.got, true);
  assert.equal(next.last('opened').id, fresh.id);
  assert.equal(next.all('opened').length, 1);
});

test('a result that came while the tab was away is shown after the reload', () => {
  const world = new World();
  const page = opened(world);
  page.type('the quick fox');
  page.crash();
  world.pass(500);
  const again = world.page();
  assert.equal(again.live.resume(), true);
  again.live.start();
  world.pass(500);
  assert.equal(again.last('done').result.position, 13);
});

test('another window takes the attempt, and this one can take it back', () => {
  const world = new World();
  const first = opened(world);
  first.type('the ');
  const second = world.page();
  second.live.resume();
  second.live.start();
  world.pass(300);
  assert.equal(first.all('superseded').length, 1);
  assert.equal(first.last('connection').state, 'stopped');
  assert.equal(first.last('connection').closeCode, 4509);
  assert.equal(first.live.press('q'), false);
  second.type('quick');
  world.pass(30_000);
  assert.equal(first.sockets.length, 1, 'it does not come back by itself');
  first.live.takeOver();
  assert.equal(first.attempt.typed.join(''), 'the quick');
  world.pass(300);
  assert.equal(second.all('superseded').length, 1);
  first.type(' fox');
  world.pass(300);
  assert.equal(first.last('done').result.position, 13);
});

test('taking back what another window has settled tells that it is over', () => {
  const world = new World();
  const first = opened(world);
  first.type('the ');
  const second = world.page();
  second.live.resume();
  second.live.start();
  world.pass(300);
  second.type('quick fox');
  world.pass(300);
  assert.equal(second.all('done').length, 1);
  first.live.takeOver();
  world.pass(5_000);
  assert.equal(first.last('refused').code, 'finished');
  assert.equal(first.live.press('q'), false);
});

test('a window without the newer keys shows what the other has typed', () => {
  const world = new World();
  const first = opened(world);
  first.type('the ');
  world.pass(300);
  const second = world.page({ storage: world.storage });
  second.live.resume();
  second.live.start();
  world.pass(300);
  second.type('quick');
  world.pass(300);
  for (const key of [...world.storage.items.keys()]) world.storage.removeItem(key);
  first.live.takeOver();
  world.pass(300);
  assert.equal(first.attempt.typed.join(''), 'the quick');
});

test('conflicting history voids the attempt', () => {
  const world = new World();
  const page = opened(world);
  page.type('the ');
  world.pass(300);
  world.server.closeAll(4510);
  world.pass(300);
  assert.equal(page.all('voided').length, 1);
  assert.equal(page.last('connection').state, 'stopped');
  assert.equal(page.live.press('q'), false);
  page.live.open({ source: RANDOM });
  world.pass(300);
  assert.equal(page.last('connection').state, 'saved');
  assert.equal(page.all('opened').length, 2);
});
