/** Who the person is to the server, over a network that answers as it is told to. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Refusal, Session } from '../../static/net/session.js';

class FakeStorage {
  entries = new Map();
  getItem = (name) => this.entries.get(name) ?? null;
  setItem = (name, value) => this.entries.set(name, value);
  removeItem = (name) => this.entries.delete(name);
}

const refusal = (status, code, headers = {}) =>
  Response.json({ error: { code, message: `no: ${code}` } }, { status, headers });
const access = (token) => Response.json({ access_token: token, expires_in: 900 });
const signedIn = (token, user_id = 'u1') => Response.json({ access_token: token, expires_in: 900, user_id });

/** As browsers do it: one holder of a name at a time. */
function fakeLocks() {
  let last = Promise.resolve();
  return {
    request(_name, act) {
      const turn = last.then(act);
      last = turn.catch(() => {});
      return turn;
    },
  };
}

/** A browser with tabs; `answers` are given in their order, each a response or a function that makes one. */
function browser({ storage = new FakeStorage() } = {}) {
  const world = { nowMs: 1_000_000, asked: [], answers: [], shared: storage, locks: fakeLocks() };
  world.tab = () =>
    new Session({
      fetch: async (path, { method, headers, body }) => {
        world.asked.push([method, path, headers.authorization ?? null, body && JSON.parse(body)]);
        const answer = world.answers.shift();
        assert.ok(answer, `nobody expected ${method} ${path}`);
        return typeof answer === 'function' ? answer() : answer;
      },
      shared: world.shared,
      own: new FakeStorage(),
      locks: world.locks,
      nowMs: () => world.nowMs,
    });
  return world;
}

test('who was never here is nobody, and a guest from the first token on', async () => {
  const world = browser();
  const session = world.tab();
  assert.deepEqual([session.person, session.known, session.read()], ['nobody', false, null]);
  session.write('guest-1');
  assert.deepEqual([session.person, session.known, session.read()], ['guest', true, 'guest-1']);
});

test('a guest that registers brings its token along, and is the account in every tab', async () => {
  const world = browser();
  const [one, other] = [world.tab(), world.tab()];
  one.write('guest-1');
  world.answers.push(signedIn('access-1'), access('access-2'));
  await one.register({ email: 'a@example.com' });
  assert.deepEqual(world.asked[0].slice(0, 3), ['POST', '/api/v1/auth/register', 'Bearer guest-1']);
  assert.equal(one.read(), 'access-1');
  assert.equal(other.person, 'account u1');
  assert.equal(await other.read(), 'access-2');
  assert.equal(world.asked[1][1], '/api/v1/auth/refresh');
});

test('to other tabs the guest becomes the account: at no time is there nobody', async () => {
  const storage = new FakeStorage();
  const world = browser({ storage });
  const [one, other] = [world.tab(), world.tab()];
  one.write('guest-1');
  const seen = [];
  for (const name of ['setItem', 'removeItem']) {
    const act = storage[name];
    storage[name] = (...entry) => {
      act(...entry);
      seen.push(other.person);
    };
  }
  world.answers.push(signedIn('access-1'));
  await one.signIn({});
  assert.deepEqual([...new Set(seen)], ['account u1']);
});

test('a guest whose own token is no good signs in without it', async () => {
  const world = browser();
  const session = world.tab();
  session.write('guest-1');
  world.answers.push(refusal(401, 'unauthorized'), signedIn('access-1'));
  await session.signIn({});
  assert.deepEqual(
    world.asked.map(([, , token]) => token),
    ['Bearer guest-1', null],
  );
});

test('a wrong password is a refusal, tried once, and leaves the guest alone', async () => {
  const world = browser();
  const session = world.tab();
  session.write('guest-1');
  world.answers.push(refusal(401, 'bad_credentials'));
  await assert.rejects(session.signIn({}), (error) => error instanceof Refusal && error.code === 'bad_credentials');
  assert.deepEqual([world.asked.length, session.read()], [1, 'guest-1']);
});

test('a guest that the server refuses while it signs in elsewhere is the account, not somebody new', async () => {
  const world = browser();
  const [one, other] = [world.tab(), world.tab()];
  one.write('guest-1');
  other.read();
  let answer;
  world.answers.push(() => new Promise((resolve) => (answer = resolve)), access('access-2'));
  const entering = one.signIn({});
  await new Promise(setImmediate);
  other.refused();
  const token = other.read();
  answer(signedIn('access-1'));
  await entering;
  assert.equal(await token, 'access-2');
});

test('a guest that the server refuses is forgotten, but not a fresher one', async () => {
  const world = browser();
  const [one, other] = [world.tab(), world.tab()];
  one.write('guest-1');
  one.read();
  one.refused();
  assert.equal(await one.read(), null);
  one.write('guest-2');
  one.read();
  other.write('guest-3');
  one.refused();
  assert.equal(await one.read(), 'guest-3');
});

test('a guest that came while another was being dropped stays', async () => {
  const world = browser();
  const [one, other] = [world.tab(), world.tab()];
  one.write('guest-1');
  one.read();
  one.refused();
  const token = one.read();
  other.write('guest-2');
  assert.equal(await token, 'guest-2');
});

test('a token near its end is renewed once for all who wait', async () => {
  const world = browser();
  const session = world.tab();
  world.answers.push(signedIn('access-1'));
  await session.signIn({});
  world.nowMs += 880_000;
  world.answers.push(access('access-2'));
  assert.deepEqual(await Promise.all([session.read(), session.read()]), ['access-2', 'access-2']);
  assert.equal(session.read(), 'access-2');
});

test('a token that is refused is renewed and the question asked again, once', async () => {
  const world = browser();
  const session = world.tab();
  world.answers.push(signedIn('access-1'));
  await session.signIn({});
  world.answers.push(refusal(401, 'unauthorized'), access('access-2'), Response.json({ id: 'u1' }));
  assert.deepEqual(await session.ask('GET', '/users/me'), { id: 'u1' });
  assert.deepEqual(
    world.asked.slice(1).map(([, , token]) => token),
    ['Bearer access-1', null, 'Bearer access-2'],
  );
});

test('a login that is over leaves nobody; a server that is away leaves all as it was', async () => {
  const world = browser();
  const session = world.tab();
  world.answers.push(signedIn('access-1'));
  await session.signIn({});
  world.nowMs += 900_000;
  world.answers.push(() => Promise.reject(new DOMException('too long', 'AbortError')));
  await assert.rejects(async () => session.read(), TypeError);
  world.answers.push(new Response('<html>', { status: 503 }));
  await assert.rejects(
    async () => session.read(),
    (error) => error instanceof Refusal && error.status === 503,
  );
  assert.equal(session.signedIn, true);
  world.answers.push(refusal(401, 'invalid_refresh_token'));
  await assert.rejects(async () => session.read(), Refusal);
  assert.equal(session.person, 'nobody');
});

test('one account’s token is never taken for another’s', async () => {
  const world = browser();
  const [one, other] = [world.tab(), world.tab()];
  world.answers.push(signedIn('access-1', 'u1'));
  await one.signIn({});
  other.forget();
  world.answers.push(signedIn('access-2', 'u2'), access('access-3'));
  await other.signIn({});
  assert.equal(await one.read(), 'access-3');
});

test('a refusal says what is wrong with which field, and when to ask again', async () => {
  const world = browser();
  const session = world.tab();
  const fields = [{ field: 'email', message: 'This is no e-mail address.' }];
  world.answers.push(
    Response.json({ error: { code: 'invalid', message: 'No.', fields } }, { status: 422 }),
    refusal(429, 'rate', { 'retry-after': '90' }),
  );
  await assert.rejects(session.register({}), (error) => error.fields[0].field === 'email');
  await assert.rejects(session.register({}), (error) => error.retryS === 90);
});

test('the profile is asked for once, kept as it was changed, and not after somebody else came', async () => {
  const world = browser();
  const session = world.tab();
  world.answers.push(
    signedIn('access-1'),
    Response.json({ id: 'u1', name: 'A' }),
    Response.json({ id: 'u1', name: 'B' }),
  );
  await session.signIn({});
  const [first, second] = await Promise.all([session.profile(), session.profile()]);
  assert.deepEqual([first.name, second.name], ['A', 'A']);
  await session.change({ name: 'B' });
  assert.equal((await session.profile()).name, 'B');
  const other = world.tab();
  other.forget();
  world.answers.push(signedIn('access-2', 'u2'), access('access-3'), Response.json({ id: 'u2', name: 'C' }));
  await other.signIn({});
  assert.equal((await session.profile()).name, 'C');
});

test('who signs out is nobody, also when the login had ended before, but not when nobody has heard', async () => {
  for (const answers of [[Response.json({})], [refusal(401, 'unauthorized'), refusal(401, 'invalid_refresh_token')]]) {
    const world = browser();
    const session = world.tab();
    world.answers.push(signedIn('access-1'), ...answers);
    await session.signIn({});
    await session.signOut();
    assert.equal(session.person, 'nobody');
  }
  const world = browser();
  const session = world.tab();
  world.answers.push(signedIn('access-1'), () => Promise.reject(new TypeError('offline')));
  await session.signIn({});
  await assert.rejects(session.signOut(), TypeError);
  assert.equal(session.signedIn, true);
});

test('storage that is full, forbidden or written by hand is no obstacle', async () => {
  const forbidden = { getItem: () => raise(), setItem: () => raise(), removeItem: () => raise() };
  const world = browser({ storage: forbidden });
  const session = world.tab();
  session.write('guest-1');
  assert.equal(session.read(), 'guest-1');
  world.answers.push(signedIn('access-1'));
  await session.signIn({});
  assert.equal(session.read(), 'access-1');
});

function raise() {
  throw new Error('forbidden');
}
