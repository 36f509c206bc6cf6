/** The page's fold of a race: numbered events, holes, repeats, snapshots, order, absence. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { curveOf, Race } from '../../static/core/race.js';

const RACE = 'a-race';
const START_MS = 1_000_000;

/** A lobby with its host (slot 0, who looks at it) and a guest. */
function lobby(changes = {}) {
  return {
    race: RACE,
    code: 'ABC234',
    n: 3,
    phase: 'lobby',
    host: 0,
    private: true,
    you: 0,
    racers: [racer(0, 'Ada'), racer(1, 'Bob')],
    watchers: 0,
    language: 'en',
    text_length: 0,
    ...changes,
  };
}

function racer(slot, name, changes = {}) {
  return {
    slot,
    name,
    ghost: false,
    ready: false,
    connected: true,
    position: 0,
    wpm: 0,
    accuracy: 1,
    ...changes,
  };
}

function happens(race, ...events) {
  for (const event of events) race.apply({ race: RACE, n: race.n + 1, ...event }, START_MS);
}

function running(changes = {}) {
  const race = new Race(lobby(changes), START_MS - 3_000);
  happens(race, { event: 'countdown', text: 'the quick fox', starts_at_ms: START_MS }, { event: 'go' });
  return race;
}

const names = (racers) => racers.map(({ name }) => name);

test('people come, get ready, leave, and hand the race on', () => {
  const race = new Race(lobby(), 0);
  happens(
    race,
    { event: 'joined', slot: 2, name: 'Cleo', ghost: false },
    { event: 'ready', slot: 2, ready: true },
    { event: 'left', slot: 0 },
    { event: 'host', slot: 1 },
  );
  assert.deepEqual(names(race.racers), ['Bob', 'Cleo']);
  assert.equal(race.racer(2).ready, true);
  assert.equal(race.host, 1);
  assert.equal(race.you, null);
  assert.equal(race.n, 7);
});

test('a slot that was left is taken by somebody with nothing of the one before', () => {
  const race = new Race(lobby({ racers: [racer(0, 'Ada'), racer(1, 'Bob', { ready: true })] }), 0);
  happens(race, { event: 'left', slot: 1 }, { event: 'joined', slot: 1, name: 'Cleo', ghost: false });
  assert.deepEqual([race.racer(1).name, race.racer(1).ready], ['Cleo', false]);
});

test('the host may start once somebody else is there', () => {
  const alone = new Race(lobby({ racers: [racer(0, 'Ada')] }), 0);
  assert.equal(alone.mayStart, false);
  happens(alone, { event: 'joined', slot: 1, name: 'Ghost', ghost: true });
  assert.equal(alone.mayStart, true);
  assert.deepEqual(alone.unready, []);
  assert.equal(new Race(lobby({ you: 1 }), 0).mayStart, false);
  assert.equal(running().mayStart, false);
});

test('the host waits for those who are not ready', () => {
  const race = new Race(lobby(), 0);
  assert.deepEqual(names(race.unready), ['Bob']);
  happens(race, { event: 'ready', slot: 1, ready: true });
  assert.deepEqual(race.unready, []);
});

test('the text and its length come with the countdown', () => {
  const race = new Race(lobby(), START_MS - 3_000);
  assert.equal(race.startsInMs(START_MS), null);
  happens(race, { event: 'countdown', text: 'été', starts_at_ms: START_MS });
  assert.deepEqual([race.phase, race.text, race.textLength], ['countdown', 'été', 3]);
  assert.equal(race.startsInMs(START_MS - 2_400), 2_400);
  assert.ok(race.startsInMs(START_MS + 1) < 0);
});

test('an event that is known already changes nothing', () => {
  const race = new Race(lobby(), 0);
  const left = { race: RACE, n: 4, event: 'left', slot: 1 };
  assert.equal(race.apply(left, 0), true);
  assert.equal(race.apply(left, 0), false);
  happens(race, { event: 'joined', slot: 1, name: 'Cleo', ghost: false });
  assert.equal(race.apply(left, 0), false);
  assert.deepEqual(names(race.racers), ['Ada', 'Cleo']);
  assert.equal(race.holed, false);
});

test('an event after a hole waits until the missing ones have come', () => {
  const race = new Race(lobby(), 0);
  const missing = { race: RACE, n: 4, event: 'joined', slot: 2, name: 'Cleo', ghost: false };
  const ahead = { race: RACE, n: 5, event: 'ready', slot: 2, ready: true };
  assert.equal(race.apply(ahead, 0), false);
  assert.deepEqual([race.holed, race.n], [true, 3]);
  assert.equal(race.apply(missing, 0), true);
  assert.equal(race.apply(ahead, 0), true);
  assert.deepEqual([race.n, race.racer(2).ready], [5, true]);
});

test('progress that has seen more events than we have shows a hole too', () => {
  const race = running();
  race.move({ race: RACE, n: race.n, racers: [[1, 4, 50, 1]] }, START_MS + 900);
  assert.equal(race.holed, false);
  race.move({ race: RACE, n: race.n + 1, racers: [] }, START_MS + 1_000);
  assert.equal(race.holed, true);
});

test('a snapshot heals a hole, and an older one takes nothing back', () => {
  const race = new Race(lobby(), 0);
  race.apply({ race: RACE, n: 9, event: 'go' }, 0);
  assert.equal(race.holed, true);
  const healed = lobby({ n: 9, phase: 'running', racers: [racer(0, 'Ada'), racer(2, 'Cleo')] });
  assert.equal(race.adopt(healed, 0), true);
  assert.deepEqual([race.n, race.phase, race.holed], [9, 'running', false]);
  assert.deepEqual(names(race.racers), ['Ada', 'Cleo']);
  assert.equal(race.adopt(lobby(), 0), false);
  assert.equal(race.phase, 'running');
});

test('the newest progress is right, backwards too, and a stranger in it is nobody', () => {
  const race = running();
  race.move({ race: RACE, n: race.n, racers: [[1, 9, 60.5, 0.9]] }, START_MS + 2_000);
  race.move(
    {
      race: RACE,
      n: race.n - 1,
      racers: [
        [1, 7, 55.25, 0.88],
        [7, 1, 1, 1],
      ],
    },
    START_MS + 2_200,
  );
  const { position, wpm, accuracy } = race.racer(1);
  assert.deepEqual([position, wpm, accuracy], [7, 55.25, 0.88]);
  assert.equal(race.racers.length, 2);
});

test('whoever is ahead stands first; a place is final whatever the others do', () => {
  const race = running({ racers: [racer(0, 'Ada'), racer(1, 'Bob'), racer(2, 'Cleo'), racer(3, 'Dan')] });
  race.move(
    {
      race: RACE,
      n: race.n,
      racers: [
        [0, 4, 40, 1],
        [1, 13, 70, 1],
        [2, 9, 60, 1],
      ],
    },
    START_MS + 3_000,
  );
  assert.deepEqual(names(race.order), ['Bob', 'Cleo', 'Ada', 'Dan']);
  happens(race, { event: 'placed', slot: 2, place: 1, duration_ms: 2_900 }, { event: 'dnf', slot: 1, why: 'left' });
  assert.deepEqual(names(race.order), ['Cleo', 'Ada', 'Dan', 'Bob']);
  assert.deepEqual(
    [...race.places],
    [
      [2, 1],
      [0, 2],
      [3, 3],
    ],
  );
  assert.equal(race.racer(2).position, 13);
});

test('equal places in the text go by the slot, equal times too', () => {
  const race = running();
  assert.deepEqual(names(race.order), ['Ada', 'Bob']);
  const done = { finished_ms: 5_000 };
  race.adopt(lobby({ n: 9, phase: 'running', racers: [racer(0, 'Ada', done), racer(1, 'Bob', done)] }), START_MS);
  assert.deepEqual(names(race.order), ['Ada', 'Bob']);
});

test('it is told how long somebody has been away', () => {
  const race = running();
  assert.equal(race.awayMs(race.racer(1), START_MS), null);
  race.apply({ race: RACE, n: race.n + 1, event: 'connection', slot: 1, connected: false }, START_MS + 1_000);
  assert.equal(race.awayMs(race.racer(1), START_MS + 5_000), 4_000);
  const away = lobby({ n: race.n, phase: 'running', racers: [racer(0, 'Ada'), racer(1, 'Bob', { connected: false })] });
  race.adopt(away, START_MS + 6_000);
  assert.equal(race.awayMs(race.racer(1), START_MS + 8_000), 7_000);
  race.apply({ race: RACE, n: race.n + 1, event: 'connection', slot: 1, connected: true }, START_MS + 9_000);
  assert.equal(race.awayMs(race.racer(1), START_MS + 9_000), null);
});

test('the end gives the places that were not told one by one, and leaves the ghost that still types', () => {
  const race = running({ racers: [racer(0, 'Ada'), racer(1, 'Bob'), racer(2, 'Ghost', { ghost: true })] });
  happens(
    race,
    { event: 'placed', slot: 1, place: 1, duration_ms: 4_000 },
    {
      event: 'over',
      places: [
        [1, 1, 4_000],
        [0, 2, 4_500],
      ],
    },
    { event: 'again', next: 'race-2', code: 'XYZ789' },
  );
  assert.deepEqual([race.phase, race.live, race.again], ['finished', false, 'XYZ789']);
  assert.deepEqual([race.me.place, race.me.finishedMs], [2, 4_500]);
  assert.equal(race.racer(2).place, null);
});

test('a snapshot tells of the next race, and whether this one starts by itself', () => {
  const race = new Race(lobby({ quick: true }), 0);
  assert.deepEqual([race.quick, race.again], [true, null]);
  race.adopt(lobby({ n: 9, phase: 'finished', again: { next: 'race-2', code: 'XYZ789' } }), 0);
  assert.deepEqual([race.quick, race.again], [false, 'XYZ789']);
});

test('a race that is cancelled says why', () => {
  const race = new Race(lobby(), 0);
  happens(race, { event: 'cancelled', why: 'empty' });
  assert.deepEqual([race.phase, race.cancelled, race.live], ['cancelled', 'empty', false]);
});

test('an event from a newer server counts, and changes nothing that is known here', () => {
  const race = new Race(lobby(), 0);
  happens(race, { event: 'applauded', slot: 1 });
  assert.deepEqual([race.n, race.holed], [4, false]);
});

test('a speed curve has a point a second and ends with the result', () => {
  const race = running();
  for (const [atMs, wpm] of [
    [-200, 9],
    [400, 30],
    [900, 40],
    [1_300, 45],
    [2_600, 50],
  ]) {
    race.move({ race: RACE, n: race.n, racers: [[1, 5, wpm, 1]] }, START_MS + atMs);
  }
  const points = [
    { at_s: 0.9, wpm: 40 },
    { at_s: 1.3, wpm: 45 },
    { at_s: 2.6, wpm: 50 },
  ];
  assert.deepEqual(race.racer(1).speeds, points);
  happens(race, { event: 'placed', slot: 1, place: 1, duration_ms: 2_500 });
  race.move({ race: RACE, n: race.n, racers: [[1, 13, 62.4, 1]] }, START_MS + 2_700);
  assert.deepEqual(curveOf(race.racer(1), race.textLength), [...points.slice(0, 2), { at_s: 2.5, wpm: 62.4 }]);
});

test('a snapshot keeps the curves that were heard', () => {
  const race = running();
  race.move({ race: RACE, n: race.n, racers: [[1, 5, 44, 1]] }, START_MS + 1_500);
  race.adopt(lobby({ n: race.n + 2, phase: 'running' }), START_MS + 2_000);
  assert.deepEqual(race.racer(1).speeds, [{ at_s: 1.5, wpm: 44 }]);
});
