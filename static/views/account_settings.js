/** The settings that follow an account from one device to the next; of a guest, those the server reckons with. */

import { Refusal } from '../net/session.js';

/**
 * @import { Profile, Session } from '../net/session.js'
 * @import { SettingName, Settings } from './settings.js'
 */

/**
 * What the server calls each; `auto` is no choice, and there it is null.
 * @satisfies {Partial<Record<SettingName, keyof Profile['settings']>>}
 */
const NAMES = /** @type {const} */ ({
  theme: 'theme',
  interface: 'language',
  language: 'text_language',
  shape: 'shape',
  layouts: 'layouts',
  remaps: 'remaps',
});
const FOLLOWING = /** @type {(keyof typeof NAMES)[]} */ (Object.keys(NAMES));
/** Kept here as JSON; they say where the keys are, whoever types. */
const OF_KEYS = /** @type {(keyof typeof NAMES)[]} */ (['layouts', 'remaps']);
const UNSENT = 'typing.unsent-settings';
const SEND_AFTER_MS = 800;

/** At the first page after a sign-in the account's choices hold; from then on the last change does. */
export class AccountSettings {
  #settings;
  #session;
  #storage;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #adopting = false;

  /** @param {Settings} settings @param {Session} session @param {Storage|null} storage */
  constructor(settings, session, storage) {
    this.#settings = settings;
    this.#session = session;
    this.#storage = storage;
    settings.onChange((name) => this.#changed(name));
    addEventListener('online', () => void this.#send());
    if (session.signedIn && session.keptProfile === null) void this.#adopt();
    else void this.#send();
  }

  /** What was not sent of somebody's choices stays unsent. */
  forget() {
    this.#keep([]);
  }

  async #adopt() {
    try {
      const { settings } = await this.#session.profile();
      const unsent = this.#unsent();
      this.#adopting = true;
      for (const name of FOLLOWING.filter((one) => !unsent.includes(one))) {
        const value = settings[NAMES[name]];
        if (value) this.#settings.set(name, typeof value === 'string' ? value : JSON.stringify(value));
      }
    } catch {
      return; // the server is away, or the login is over: the page itself will notice
    } finally {
      this.#adopting = false;
    }
    await this.#send();
  }

  /** @param {SettingName} name */
  #changed(name) {
    const follows = FOLLOWING.find((one) => one === name);
    if (!follows || this.#adopting || !this.#follow.includes(follows)) return;
    this.#keep([...new Set([...this.#unsent(), follows])]);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#send(), SEND_AFTER_MS);
  }

  /** Which settings follow whoever is here now. */
  get #follow() {
    return this.#session.signedIn ? FOLLOWING : OF_KEYS;
  }

  /** Send what has been changed; what cannot be sent now waits for the network or the next page. */
  async #send() {
    const names = this.#session.known ? this.#unsent() : [];
    if (names.length === 0) return;
    const values = names.map((name) => this.#settings.get(name));
    try {
      const choices = names.map((name, i) => [NAMES[name], sent(name, values[i])]);
      await this.#session.change({ settings: Object.fromEntries(choices) });
    } catch (error) {
      const willNeverDo = error instanceof Refusal && error.status === 422;
      if (!willNeverDo) return;
    }
    const done = names.filter((name, i) => this.#settings.get(name) === values[i]);
    this.#keep(this.#unsent().filter((name) => !done.includes(name)));
  }

  /** @returns {typeof FOLLOWING} of the person who is here now */
  #unsent() {
    try {
      const { of, names } = JSON.parse(this.#storage?.getItem(UNSENT) ?? '{}');
      const same = of === this.#session.person || (of === 'nobody' && this.#session.person === 'guest');
      return same && Array.isArray(names) ? this.#follow.filter((name) => names.includes(name)) : [];
    } catch {
      return [];
    }
  }

  /** @param {typeof FOLLOWING} names */
  #keep(names) {
    try {
      if (names.length === 0) this.#storage?.removeItem(UNSENT);
      else this.#storage?.setItem(UNSENT, JSON.stringify({ of: this.#session.person, names }));
    } catch {
      // Then they are sent from this page or not at all.
    }
  }
}

/**
 * A choice as the server takes it; null forgets it.
 * @param {keyof typeof NAMES} name
 * @param {string} value
 */
function sent(name, value) {
  if (value === 'auto' || value === '') return null;
  return OF_KEYS.includes(name) ? JSON.parse(value) : value;
}
