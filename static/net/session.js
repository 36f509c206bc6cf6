/** Who the person is to the server, and the page's way to ask it: a guest, or an account that is signed in. */

/**
 * @typedef {{token: string, expiresAtMs: number}} Access
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
// Renewed a little before its end, so that it does not end on the way.
const SPARE_MS = 30_000;
const MS_PER_SECOND = 1_000;

/** The server has said no; `message` is its sentence, `fields` what is wrong with which field. */
export class Refusal extends Error {
  /**
   * @param {number} status
   * @param {{code?: string, message?: string, fields?: {field: string, message: string}[]}} problem
   * @param {number|null} retryS when it may be asked again
   */
  constructor(status, problem, retryS) {
    super(problem.message ?? `The server answered ${status}.`);
    this.name = 'Refusal';
    this.status = status;
    this.code = problem.code ?? 'unknown';
    this.fields = problem.fields ?? [];
    this.retryS = retryS;
  }
}

/**
 * All tabs share the guest's token and the knowledge that somebody is signed in (`shared`); each keeps its
 * access token, which lives for minutes, to itself (`own`). Without storage both last as long as the page.
 */
export class Session {
  #fetch;
  #shared;
  #own;
  #nowMs;
  /** @type {Promise<string|null>|null} one renewal serves all who wait for it */
  #renewing = null;

  /**
   * @param {object} options
   * @param {(path: string, init: RequestInit) => Promise<Response>} options.fetch
   * @param {Storage|null} options.shared
   * @param {Storage|null} options.own
   * @param {() => number} options.nowMs
   */
  constructor({ fetch, shared, own, nowMs }) {
    this.#fetch = fetch;
    this.#shared = new Shelf(shared);
    this.#own = new Shelf(own);
    this.#nowMs = nowMs;
  }

  /** Is an account signed in here, as far as is known without asking? */
  get signedIn() {
    return this.#shared.read(ACCOUNT) !== null;
  }

  /** Is there anybody whose history could be asked for? Who never typed here is nobody yet. */
  get known() {
    return this.signedIn || this.#shared.read(GUEST) !== null;
  }

  /**
   * The token that says who one is, null for somebody new. At once for a guest or while a token is fresh.
   * Rejects with Refusal when the login is over, with TypeError when there is no network.
   * @returns {string|null|Promise<string|null>}
   */
  read() {
    if (!this.signedIn) return this.#shared.read(GUEST);
    return this.#access ?? this.#renew();
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
    if (!this.signedIn) this.#shared.remove(GUEST);
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
    return response.status === 204 ? null : response.json();
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

  /** @param {boolean} [everywhere] also on all other devices */
  async signOut(everywhere = false) {
    await this.ask('POST', everywhere ? '/auth/logout-all' : '/auth/logout', {});
    this.forget();
  }

  /** Nobody is known here any more. */
  forget() {
    for (const name of [GUEST, ACCOUNT]) this.#shared.remove(name);
    this.#own.remove(ACCESS);
  }

  /** @param {string} path @param {object} body */
  async #enter(path, body) {
    // Nobody's login is renewed for this: only a guest has something to bring along.
    const guest = this.signedIn ? null : this.#shared.read(GUEST);
    let response = await this.#send('POST', path, body, guest);
    if (response.status === 401 && guest !== null) {
      const { error } = await response.clone().json();
      if (error?.code === 'unauthorized') response = await this.#send('POST', path, body, null);
    }
    /** @type {SignedIn} */
    const signedIn = await (await accepted(response)).json();
    this.forget();
    this.#shared.write(ACCOUNT, signedIn.user_id ?? '');
    this.#keep(signedIn);
    return signedIn;
  }

  get #access() {
    /** @type {Access|null} */
    const access = JSON.parse(this.#own.read(ACCESS) ?? 'null');
    return access && this.#nowMs() < access.expiresAtMs - SPARE_MS ? access.token : null;
  }

  #renew() {
    this.#renewing ??= this.#askForAccess().finally(() => {
      this.#renewing = null;
    });
    return this.#renewing;
  }

  async #askForAccess() {
    const response = await this.#send('POST', '/auth/refresh', {}, null);
    if (response.status === 401 || response.status === 403) this.forget();
    const access = await (await accepted(response)).json();
    this.#keep(access);
    return access.access_token;
  }

  /** @param {SignedIn} signedIn */
  #keep({ access_token: token, expires_in: lifeS }) {
    /** @type {Access} */
    const access = { token, expiresAtMs: this.#nowMs() + lifeS * MS_PER_SECOND };
    this.#own.write(ACCESS, JSON.stringify(access));
  }

  /** @param {string} method @param {string} path @param {object|undefined} body @param {string|null} token */
  #send(method, path, body, token) {
    /** @type {Record<string, string>} */
    const headers = {};
    if (token !== null) headers.authorization = `Bearer ${token}`;
    if (body !== undefined) headers['content-type'] = 'application/json';
    return this.#fetch(API + path, { method, headers, body: body && JSON.stringify(body) });
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
