/** A race over the page's line: entering, the clock of the start, holes, cuts, reloads, leaving. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CODE, FakeRace } from './fake_race.js';
import { RANDOM, typedAtServer, World } from './fake_world.js';

/** A page in a lobby with a rival. */
function joined({ skewMs = 0, latencyMs = 10 } = {}) {
  const world = new World();
  world.server.latencyMs = latencyMs;
  const race = new FakeRace(world);
  const page = world.page({ skewMs });
  page.live.start();
  page.live.racing.join({ code: CODE });
  world.pass(3_000);
  race.rival('Bob');
  world.pass(1_000);
  return { world, race, page };
}

/** The same, a moment after the start. */
function started(options) {
  const all = joined(options);
  all.race.countDown();
  all.world.pass(3_000 + all.world.server.latencyMs);
  return all;
}

const at = (world, ms) => world.nowMs + ms;

test('a lobby is joined by its code, and what happens there is told', () => {
  const { world, race, page } = joined();
  const [entry] = world.server.sent('race.join');
  assert.equal(entry.code, CODE);
  const first = page.all('race')[0];
  assert.deepEqual([first.entered, first.event, first.race.code], [true, null, CODE]);
  assert.equal(page.last('race').event.event, 'joined');
  assert.deepEqual(
    page.last('race').race.racers.map(({ name }) => name),
    ['Me', 'Bob'],
  );
  page.live.racing.ready(true);
  world.pass(100);
  assert.deepEqual([page.all('race').at(-2).event.event, page.last('race').race.me.ready], ['ready', true]);
  assert.equal(race.n, page.last('race').race.n);
});

test('a race is asked for before there is a connection, and once', () => {
  const world = new World();
  new FakeRace(world);
  const page = world.page();
  page.live.racing.create({ private: true, source: RANDOM });
  page.live.start();
  world.pass(2_000);
  const [request, ...more] = world.server.sent('race.create');
  assert.deepEqual([request.private, request.source, more.length], [true, RANDOM, 0]);
  assert.equal(page.all('race').length, 1);
});

test('the attempt comes open with the countdown; no key counts before the start', () => {
  const { world, race, page } = joined();
  race.countDown();
  world.pass(100);
  const { state, resumed, text, rules, source } = page.last('opened');
  assert.deepEqual(
    [state, resumed, text, rules, source],
    ['armed', false, race.text, { errors: 'correct' }, { kind: 'race' }],
  );
  world.pass(2_850);
  assert.equal(page.live.press('t'), false);
  world.pass(60);
  assert.equal(page.live.press('t'), true);
  world.pass(200);
  assert.equal(world.server.sent('open').length, 0);
  assert.equal(typedAtServer(world), 't');
});

test('a key that went down before the start does not count, though it is handled after it', () => {
  const { world, page } = started();
  assert.equal(page.live.press('t', at(world, -15)), false);
  assert.equal(page.live.press('t', at(world, -5)), true);
});

test('the first dt counts from the start, by the clock of the server', () => {
  for (const skewMs of [0, -7_000, 90_000]) {
    const { world, race, page } = joined({ skewMs });
    race.countDown();
    world.pass(3_400);
    page.live.press('t');
    world.pass(250);
    page.live.press('h');
    world.pass(200);
    const dts = world.server.only.events.map(([dtMs]) => dtMs);
    assert.deepEqual(dts, [400, 250], `skew ${skewMs}`);
  }
});

test('the quickest of several pings sets the clock', () => {
  const { world, race, page } = joined({ skewMs: 4_000, latencyMs: 400 });
  assert.ok(world.server.sent('ping').length >= 5, 'a few pings');
  world.server.latencyMs = 5;
  race.countDown();
  world.pass(3_300);
  page.live.press('t');
  world.pass(100);
  const [[dtMs]] = world.server.only.events;
  assert.ok(Math.abs(dtMs - 300) <= 5, `${dtMs} ms after the start`);
});

test('pings that take longer do not spoil what a quick one has told', () => {
  const { world, race, page } = joined();
  world.server.answerLagMs = 600;
  race.countDown();
  world.pass(3_300);
  page.live.press('t');
  world.pass(1_000);
  assert.deepEqual(world.server.only.events, [[300, 't']]);
});

test('a race is typed, scored from its start and settled like any other attempt', () => {
  const { world, race, page } = started();
  page.type(race.text);
  world.pass(300);
  const done = page.last('done');
  assert.equal(done.verdict, 'ranked');
  assert.equal(done.result.duration_ms, 1_310);
  assert.deepEqual(done.attempt.result(), done.result);
  assert.deepEqual([...world.storage.items.keys()], ['typing.token']);
});

test('rejected as early, the keys are sent again', () => {
  const { world, race, page } = joined();
  race.countDown();
  world.pass(2_000);
  // The server's own idea of the start is later than what it told.
  world.server.only.openedAtMs += 400;
  world.pass(1_100);
  page.type('the');
  world.pass(1_500);
  assert.equal(typedAtServer(world), 'the');
  assert.equal(page.sockets.length, 1);
});

test('a missed event is asked for, and all that was missed is folded in order', () => {
  const { world, race, page } = joined();
  race.happen('ready', { slot: 1, ready: true }, page.sockets);
  race.happen('host', { slot: 1 });
  world.pass(100);
  const [sync, ...more] = world.server.sent('race.sync');
  assert.deepEqual([sync.race, sync.n, more.length], [race.id, 2, 0]);
  const { race: known } = page.last('race');
  assert.deepEqual([known.n, known.holed, known.host], [4, false, 0]);
  assert.deepEqual(
    page
      .all('race')
      .slice(-3)
      .map(({ event }) => event?.event ?? null),
    ['ready', 'host', null],
  );
});

test('progress tells where the others are, and that an event was missed', () => {
  const { world, race, page } = started();
  race.move([1, 5, 61.2, 0.97]);
  world.pass(50);
  assert.equal(page.last('raceMoved').race.racer(1).wpm, 61.2);
  assert.equal(world.server.sent('race.sync').length, 0);
  race.happen('connection', { slot: 1, connected: false }, page.sockets);
  race.move([1, 5, 61.2, 0.97]);
  world.pass(100);
  assert.equal(world.server.sent('race.sync').length, 1);
});

test('a hole that nobody can fill is asked about twice a second at the most', () => {
  const { world, race, page } = joined();
  race.happen('ready', { slot: 1, ready: true }, page.sockets);
  race.events = [];
  race.n += 5;
  const state = race.state.bind(race);
  race.state = (socket) => ({ ...state(socket), n: 1 });
  for (let tick = 0; tick < 20; tick += 1) {
    race.move();
    world.pass(100);
  }
  const syncs = world.server.sent('race.sync');
  assert.ok(syncs.length >= 2 && syncs.length <= 5, `${syncs.length} times in 2 s`);
});

test('typing goes on through a cut, and the race is known again', () => {
  const { world, race, page } = started();
  page.type('the q');
  world.server.closeAll(1006);
  world.server.down = true;
  race.seats.clear();
  page.type('uick');
  race.happen('connection', { slot: 0, connected: false });
  world.server.down = false;
  world.pass(3_000);
  const [sync] = world.server.sent('race.sync');
  assert.ok(sync.n < race.n);
  assert.deepEqual([page.last('race').race.n, page.last('race').entered], [race.n, false]);
  page.type(' fox');
  world.pass(300);
  assert.equal(page.last('done').verdict, 'ranked');
  assert.equal(world.server.sent('open').length, 1);
  assert.equal(page.all('opened').length, 1);
});

test('a reload brings back the race, and the attempt with keys that were never sent', () => {
  const { world, race, page } = started();
  page.type('the ');
  world.server.down = true;
  world.server.closeAll(1006);
  race.seats.clear();
  page.type('quick');
  page.crash();
  world.pass(2_000);
  world.server.down = false;
  const again = world.page();
  again.live.start();
  assert.equal(again.live.resume(), false, 'it is no solo attempt');
  again.live.racing.join({ code: CODE });
  world.pass(1_000);
  assert.equal(again.last('opened').resumed, true);
  assert.equal(again.attempt.typed.join(''), 'the quick');
  again.type(' fox');
  world.pass(300);
  const { result } = again.last('done');
  // 10 ms after the start, nine keys of 100 ms, 3 s of reload, four keys.
  assert.equal(result.duration_ms, 10 + 900 + 3_000 + 400);
  assert.deepEqual(again.last('done').attempt.result(), result);
});

test('a page with no memory of the race opens what the server holds', () => {
  const { world, race, page } = started();
  page.type('the q');
  world.pass(200);
  page.crash();
  race.seats.clear();
  world.storage.items.clear();
  const again = world.page();
  again.live.start();
  again.live.racing.join({ code: CODE });
  world.pass(500);
  assert.equal(again.attempt.typed.join(''), 'the q');
  again.type('uick fox');
  world.pass(300);
  assert.equal(again.last('done').result.duration_ms, 10 + 500 + 200 + 500 + 800);
});

test('the attempt of a race is left alone by the page for typing alone', () => {
  const { world, page } = started();
  page.type('the');
  world.pass(200);
  page.crash();
  const other = world.page();
  other.live.start();
  assert.equal(other.live.resume(), false);
  other.live.open({ source: RANDOM });
  world.pass(500);
  assert.equal(other.last('opened').source.kind, 'random');
  assert.equal(world.server.attempts.get('race-1-attempt-0').state, 'running');
});

test('leaving hands in what was typed, and the race is forgotten', () => {
  const { world, page } = started();
  page.type('the');
  page.live.racing.leave();
  world.pass(300);
  assert.equal(world.server.sent('race.leave').length, 1);
  assert.equal(world.server.only.state, 'abandoned');
  assert.equal(page.live.racing.active, false);
  const told = page.all('race').length;
  world.server.race.happen('go');
  world.pass(100);
  assert.equal(page.all('race').length, told);
});

test('who watches is given nothing to type, and stops watching', () => {
  const world = new World();
  const race = new FakeRace(world);
  race.rival('Bob');
  const page = world.page();
  page.live.start();
  page.live.racing.watch({ code: CODE });
  world.pass(300);
  race.countDown();
  world.pass(3_100);
  assert.equal(page.last('race').race.you, null);
  assert.equal(page.last('race').race.text, race.text);
  assert.equal(page.all('opened').length, 0);
  page.live.racing.leave();
  world.pass(100);
  assert.equal(world.server.sent('race.unwatch').length, 1);
});

test('an entry refused for good is told and not repeated', () => {
  const world = new World();
  const race = new FakeRace(world);
  race.refusals.push({ code: 'not_found', message: 'No such race.' });
  const page = world.page();
  page.live.start();
  page.live.racing.join({ code: 'WRONG2' });
  world.pass(6_000);
  const { asked, code, retryMs } = page.last('raceRefused');
  assert.deepEqual([asked, code, retryMs], ['race.join', 'not_found', null]);
  assert.equal(world.server.sent('race.join').length, 1);
  assert.equal(page.live.racing.active, false);
});

test('an entry refused for a while is asked for again in time', () => {
  const world = new World();
  const race = new FakeRace(world);
  race.refusals.push({ code: 'rate', message: 'Slow down.', retry_ms: 1_500 });
  const page = world.page();
  page.live.start();
  page.live.racing.quick('en');
  world.pass(1_000);
  assert.deepEqual([page.last('raceRefused').asked, page.last('raceRefused').retryMs], ['race.quick', 1_500]);
  world.pass(1_000);
  assert.equal(page.last('race').entered, true);
  assert.equal(world.server.sent('race.quick').length, 2);
});

test('an entry that was cut off is asked for again on the next connection', () => {
  const world = new World();
  const race = new FakeRace(world);
  race.silent = true;
  const page = world.page();
  page.live.start();
  page.live.racing.join({ code: CODE });
  world.pass(1_000);
  race.silent = false;
  world.server.closeAll(1012);
  world.pass(3_000);
  assert.equal(page.last('race').entered, true);
  assert.equal(world.server.sent('race.join').length, 2);
});

test('a connection that does not answer about the race is made anew', () => {
  const world = new World();
  const race = new FakeRace(world);
  race.silent = true;
  const page = world.page();
  page.live.start();
  page.live.racing.join({ code: CODE });
  world.pass(4_900);
  race.silent = false;
  world.pass(3_000);
  assert.equal(page.sockets.length, 2);
  assert.equal(page.last('race').entered, true);
});

test('once more, everybody meets in a new race', () => {
  const { world, race, page } = started();
  page.type(race.text);
  world.pass(300);
  race.phase = 'finished';
  race.happen('over', { places: [[0, 1, 1_310]] });
  world.pass(200);
  assert.equal(world.server.sent('race.sync').length, 1, 'the last word on everybody');
  page.live.racing.again();
  world.pass(200);
  const news = page.last('race');
  assert.deepEqual([news.entered, news.race.id, news.race.phase, news.attempt], [true, 'race-2', 'lobby', null]);
  race.countDown();
  world.pass(3_100);
  page.type('th');
  world.pass(200);
  assert.equal(world.server.attempts.get('race-2-attempt-0').events.length, 2);
});

test('who goes into the next race leaves what was not finished in the last one', () => {
  const { world, race, page } = started();
  page.type('the');
  race.phase = 'finished';
  race.happen('dnf', { slot: 0, why: 'time' });
  race.happen('over', { places: [[1, 1, 200]] });
  world.pass(100);
  page.type(' q');
  page.live.racing.again();
  world.pass(300);
  const left = world.server.attempts.get('race-1-attempt-0');
  assert.deepEqual([left.state, left.events.length], ['abandoned', 5]);
});

test('a rematch that somebody else has opened is joined', () => {
  const { world, race, page } = started();
  race.happen('again', { next: 'race-2', code: 'XYZ789' });
  world.pass(100);
  assert.equal(page.last('race').race.again, 'XYZ789');
  page.live.racing.again();
  world.pass(50);
  assert.equal(world.server.sent('race.again').length, 0);
  assert.equal(world.server.sent('race.join').at(-1).code, 'XYZ789');
});

test('an attempt that is still handed in does not hold up a race', () => {
  const world = new World();
  const race = new FakeRace(world);
  const page = world.page();
  page.live.start();
  page.live.open({ source: RANDOM });
  world.pass(100);
  page.type('th');
  world.server.stalled = true;
  page.live.racing.join({ code: CODE });
  world.pass(500);
  race.countDown();
  world.server.stalled = false;
  world.pass(3_100);
  page.type(race.text);
  world.pass(300);
  assert.equal(page.last('done').id, 'race-1-attempt-0');
  world.pass(3_000);
  assert.equal(page.last('settled').verdict, 'unranked');
});

test('nor does it hold up one that a reload comes back into', () => {
  const { world, page } = started();
  page.type('the ');
  world.pass(200);
  page.crash();
  world.server.race.seats.clear();
  const head = { id: 'a-solo', source: RANDOM, finish: 'quit', opened_at_ms: world.nowMs };
  const opened = { text: 'abc', source: RANDOM, rules: { errors: 'free' } };
  world.storage.setItem('typing.attempt.a-solo', JSON.stringify({ ...head, opened }));
  const typed = { last_at_ms: world.nowMs, events: [[0, 'a']] };
  world.storage.setItem('typing.events.a-solo.0', JSON.stringify(typed));
  world.server.refusals.push({ code: 'rate', message: 'Slow down.', retry_ms: 60_000 });
  const again = world.page();
  again.live.start();
  again.live.racing.join({ code: CODE });
  world.pass(500);
  again.type('quick');
  world.pass(300);
  assert.equal(world.server.sent('open')[0].attempt, 'a-solo');
  assert.equal(typedAtServer(world), 'the quick');
});
