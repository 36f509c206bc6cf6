/** Who the person is to the server, and the page's way to ask it: a guest, or an account that is signed in. */

/**
 * @typedef {{token: string, expiresAtMs: number, of: string|null}} Access `of`: whose it is
 * @typedef {{request: (name: string, act: () => Promise<any>) => Promise<any>}} Locks as browsers have them
 *
 * @typedef {object} Profile of an account or a guest, as `GET /users/me` gives it; times are Unix ms
 * @property {string} id
 * @property {string} name
 * @property {boolean} guest
 * @property {string|null} email
 * @property {boolean} email_verified
 * @property {string|null} full_name
 * @property {number|null} created_at
 * @property {{language?: string|null, text_language?: string|null, theme?: string|null, shape?: string|null,
 *   layouts?: Record<string, string>|null, remaps?: object|null,
 *   goals?: {wpm?: number|null, accuracy?: number|null, minutes_a_day?: number|null}|null}} settings
 *
 * @typedef {object} SignedIn what the server says of a new login
 * @property {string} access_token
 * @property {number} expires_in seconds
 * @property {string} [user_id]
 */

const API = '/api/v1';
const GUEST = 'typing.token';
const ACCOUNT = 'typing.account'; // set while a refresh token, which no script can read, waits in its cookie
const ACCESS = 'typing.access';
const PROFILE = 'typing.profile';
const LOCK = 'typing.session';
// Renewed a little before its end, so that it does not end on the way.
const SPARE_MS = 30_000;
const MS_PER_SECOND = 1_000;

/** The server has said no; `message` is its sentence, `fields` what is wrong with which field. */
export class Refusal extends Error {
  /**
   * @param {number} status
   * @param {{code?: string, message?: string, plan?: string,
   *   fields?: {field: string, message: string}[]}} problem `plan`: the least one that may do it
   * @param {number|null} retryS when it may be asked again
   */
  constructor(status, problem, retryS) {
    super(problem.message ?? `The server answered ${status}.`);
    this.name = 'Refusal';
    this.status = status;
    this.code = problem.code ?? 'unknown';
    this.fields = problem.fields ?? [];
    this.plan = problem.plan ?? '';
    this.retryS = retryS;
  }
}

/**
 * All tabs share the guest's token and the knowledge that somebody is signed in (`shared`); each keeps its
 * access token, which lives for minutes, and the profile to itself (`own`). Without storage both last as
 * long as the page. Whoever changes who the person is, or renews a login, does so while no other tab does.
 */
export class Session {
  #fetch;
  #shared;
  #own;
  #locks;
  #nowMs;
  /** @type {Promise<string|null>|null} one renewal serves all who wait for it */
  #renewing = null;
  /** @type {Promise<Profile>|null} one question serves all who ask it */
  #asking = null;
  /** @type {string|null} the guest's token that was read last */
  #given = null;
  /** @type {string|null} the one of which the server has said that it is none */
  #refused = null;

  /**
   * @param {object} options
   * @param {(path: string, init: RequestInit) => Promise<Response>} options.fetch
   * @param {Storage|null} options.shared
   * @param {Storage|null} options.own
   * @param {Locks|null} options.locks a browser has none for a page that came without TLS
   * @param {() => number} options.nowMs
   */
  constructor({ fetch, shared, own, locks, nowMs }) {
    this.#fetch = fetch;
    this.#shared = new Shelf(shared);
    this.#own = new Shelf(own);
    this.#locks = locks;
    this.#nowMs = nowMs;
  }

  /** Is an account signed in here, as far as is known without asking? */
  get signedIn() {
    return this.#account !== null;
  }

  /** Is there anybody whose history could be asked for? Who never typed here is nobody yet. */
  get known() {
    return this.signedIn || this.#guest !== null;
  }

  /** Who it is, to be compared with who it was: an account, the guest, or nobody. */
  get person() {
    if (this.signedIn) return `account ${this.#account}`;
    return this.#guest === null ? 'nobody' : 'guest';
  }

  /**
   * Does that entry of the shared storage tell who it is? Null is all of them.
   * @param {string|null} key
   */
  concerns(key) {
    return key === null || key === ACCOUNT || key === GUEST;
  }

  /**
   * The token that says who one is, null for somebody new. At once for a guest or while a token is fresh.
   * Rejects with Refusal when the login is over, with TypeError when there is no network.
   * @returns {string|null|Promise<string|null>}
   */
  read() {
    if (this.signedIn) return this.#access ?? this.#renew();
    this.#given = this.#guest;
    return this.#given !== null && this.#given === this.#refused ? this.#dropGuest(this.#given) : this.#given;
  }

  /**
   * A guest's token is replaced by a fresher one.
   * @param {string} token
   */
  write(token) {
    if (!this.signedIn) this.#shared.write(GUEST, token);
  }

  /** The server does not take the token: a guest becomes somebody new, an account's is renewed. */
  refused() {
    this.#own.remove(ACCESS);
    if (this.signedIn) return;
    if (this.#locks) this.#refused = this.#given;
    else this.#shared.remove(GUEST);
  }

  /**
   * The profile of an account, asked for once in each tab.
   * @returns {Promise<Profile>}
   */
  async profile() {
    if (this.keptProfile) return this.keptProfile;
    this.#asking ??= this.ask('GET', '/users/me').finally(() => {
      this.#asking = null;
    });
    return this.#keepProfile(await this.#asking);
  }

  /** What is known of the account without asking. */
  get keptProfile() {
    /** @type {{of: string|null, profile: Profile}|null} */
    const kept = parsed(this.#own.read(PROFILE));
    return kept !== null && kept.of === this.#account ? kept.profile : null;
  }

  /**
   * Change the account, and keep what it has become.
   * @param {object} changes
   * @returns {Promise<Profile>}
   */
  async change(changes) {
    const profile = await this.ask('PATCH', '/users/me', changes);
    return this.signedIn ? this.#keepProfile(profile) : profile;
  }

  /** The next `profile` asks again: it may have changed elsewhere. */
  forgetProfile() {
    this.#own.remove(PROFILE);
  }

  /**
   * Ask the API: `path` is below /api/v1. Rejects with Refusal, or with TypeError without a network.
   * @param {string} method
   * @param {string} path
   * @param {object} [body]
   * @returns {Promise<any>} the answer's JSON; null if it has none
   */
  async ask(method, path, body) {
    const response = await this.fetch(method, path, body);
    return response.status === 204 ? null : answered(response.json());
  }

  /**
   * As `ask`, but the response itself: for what is not JSON, or is read in pieces.
   * @param {string} method
   * @param {string} path
   * @param {object} [body]
   */
  async fetch(method, path, body) {
    const token = await this.read();
    const response = await this.#send(method, path, body, token);
    if (response.status !== 401 || token === null) return accepted(response);
    this.refused();
    return accepted(await this.#send(method, path, body, await this.read()));
  }

  /**
   * Make an account; what the guest here has typed is its own from then on.
   * @param {object} details
   */
  register(details) {
    return this.#enter('/auth/register', details);
  }

  /**
   * @param {{email: string, password: string}} credentials
   */
  signIn(credentials) {
    return this.#enter('/auth/login', credentials);
  }

  /**
   * All other logins of the account end.
   * @param {{current_password: string, new_password: string}} passwords
   */
  async changePassword(passwords) {
    this.#keepAccess(await this.ask('POST', '/auth/change-password', passwords));
  }

  /** @param {boolean} [everywhere] also on all other devices */
  async signOut(everywhere = false) {
    try {
      await this.ask('POST', everywhere ? '/auth/logout-all' : '/auth/logout', {});
    } catch (error) {
      const over = error instanceof Refusal && error.status === 401; // it had ended before
      if (!over) throw error;
    }
    this.forget();
  }

  /**
   * Delete the account, or the guest, with all that is theirs.
   * @param {string} password an account's; of a guest none is asked
   */
  async delete(password) {
    await this.ask('DELETE', '/users/me', { password });
    this.forget();
  }

  /** Nobody is known here any more. */
  forget() {
    for (const name of [GUEST, ACCOUNT]) this.#shared.remove(name);
    for (const name of [ACCESS, PROFILE]) this.#own.remove(name);
  }

  /** @param {string} path @param {object} body */
  #enter(path, body) {
    return this.#alone(() => this.#enterAlone(path, body));
  }

  /** @param {string} path @param {object} body */
  async #enterAlone(path, body) {
    // Nobody's login is renewed for this: only a guest has something to bring along.
    const guest = this.signedIn ? null : this.#guest;
    let response = await this.#send('POST', path, body, guest);
    if (response.status === 401 && guest !== null) {
      const answer = await response.clone().json();
      if (answer.error?.code === 'unauthorized') response = await this.#send('POST', path, body, null);
    }
    /** @type {SignedIn} */
    const signedIn = await answered((await accepted(response)).json());
    // In this order, so that to other tabs a guest becomes the account, and is not gone before.
    this.#shared.write(ACCOUNT, signedIn.user_id ?? '');
    this.#shared.remove(GUEST);
    this.forgetProfile();
    this.#keepAccess(signedIn);
    return signedIn;
  }

  get #account() {
    return this.#shared.read(ACCOUNT);
  }

  get #guest() {
    return this.#shared.read(GUEST);
  }

  get #access() {
    /** @type {Access|null} */
    const access = parsed(this.#own.read(ACCESS));
    const good = access !== null && access.of === this.#account && this.#nowMs() < access.expiresAtMs - SPARE_MS;
    return good ? access.token : null;
  }

  #renew() {
    this.#renewing ??= this.#alone(() => this.#askForAccess()).finally(() => {
      this.#renewing = null;
    });
    return this.#renewing;
  }

  async #askForAccess() {
    if (!this.signedIn) return this.read(); // signed out while others had their turn
    const response = await this.#send('POST', '/auth/refresh', {}, null);
    if (response.status === 401 || response.status === 403) this.forget();
    /** @type {SignedIn} */
    const access = await answered((await accepted(response)).json());
    this.#keepAccess(access);
    return access.access_token;
  }

  /**
   * Forget a guest whose token is refused, unless it is because the guest is signing in just now.
   * @param {string} token
   * @returns {Promise<string|null>}
   */
  async #dropGuest(token) {
    await this.#alone(async () => {
      if (this.#guest === token) this.#shared.remove(GUEST);
    });
    return this.read();
  }

  /**
   * @template T
   * @param {() => Promise<T>} act
   * @returns {Promise<T>}
   */
  #alone(act) {
    return this.#locks ? this.#locks.request(LOCK, act) : act();
  }

  /** @param {SignedIn} signedIn */
  #keepAccess({ access_token: token, expires_in: lifeS }) {
    /** @type {Access} */
    const access = { token, expiresAtMs: this.#nowMs() + lifeS * MS_PER_SECOND, of: this.#account };
    this.#own.write(ACCESS, JSON.stringify(access));
  }

  /** @param {Profile} profile */
  #keepProfile(profile) {
    this.#own.write(PROFILE, JSON.stringify({ of: this.#account, profile }));
    return profile;
  }

  /** @param {string} method @param {string} path @param {object|undefined} body @param {string|null} token */
  #send(method, path, body, token) {
    /** @type {Record<string, string>} */
    const headers = {};
    if (token !== null) headers.authorization = `Bearer ${token}`;
    if (body !== undefined) headers['content-type'] = 'application/json';
    return answered(this.#fetch(API + path, { method, headers, body: body && JSON.stringify(body) }));
  }
}

/**
 * However the network or the server fails to answer, it is told as browsers tell most of it.
 * @template T
 * @param {Promise<T>} answer
 * @returns {Promise<T>}
 */
async function answered(answer) {
  try {
    return await answer;
  } catch (error) {
    throw error instanceof TypeError ? error : new TypeError('The server gave no answer.', { cause: error });
  }
}

/** @param {string|null} json ours, unless somebody has written there by hand */
function parsed(json) {
  try {
    return JSON.parse(json ?? 'null');
  } catch {
    return null;
  }
}

/**
 * The response, if it is a success. Rejects with Refusal otherwise.
 * @param {Response} response
 */
async function accepted(response) {
  if (response.ok) return response;
  const answer = await response.json().catch(() => null);
  const retryS = Number(response.headers.get('retry-after')) || null;
  throw new Refusal(response.status, answer?.error ?? {}, retryS);
}

/** A storage that may be missing, full or forbidden; then this page remembers, and no other. */
class Shelf {
  /** @type {Map<string, string>} */
  #here = new Map();
  #storage;

  /** @param {Storage|null} storage */
  constructor(storage) {
    this.#storage = storage;
  }

  /** @param {string} name @returns {string|null} */
  read(name) {
    try {
      return this.#storage?.getItem(name) ?? this.#here.get(name) ?? null;
    } catch {
      return this.#here.get(name) ?? null;
    }
  }

  /** @param {string} name @param {string} value */
  write(name, value) {
    this.#here.delete(name);
    try {
      if (!this.#storage) throw new Error('no storage');
      this.#storage.setItem(name, value);
    } catch {
      this.#here.set(name, value);
    }
  }

  /** @param {string} name */
  remove(name) {
    this.#here.delete(name);
    try {
      this.#storage?.removeItem(name);
    } catch {
      // It could not have been written either.
    }
  }
}
