/** Settings that follow an account from one device to the next; the others stay in the browser. */

/**
 * @import { ProfileSettings, Session } from '../net/session.js'
 * @import { SettingName, Settings } from './settings.js'
 */

const UNSENT = 'typing-trainer.unsent';
const GATHER_MS = 600;
/** Each language is typed on a layout of its own, and a layout types one language. */
const LAYOUTS = { en: 'qwerty', ru: 'jcuken' };
/** @type {SettingName[]} */
const FOLLOWING = ['interface', 'theme', 'language'];

export class AccountSettings {
  #session;
  #settings;
  #storage;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #applying = false;

  /** @param {Session} session @param {Settings} settings @param {Storage|null} storage */
  constructor(session, settings, storage) {
    this.#session = session;
    this.#settings = settings;
    this.#storage = storage;
    settings.onChange((name) => {
      if (!this.#applying && FOLLOWING.includes(name)) this.#changed();
    });
  }

  /** Take over what the account has; what was changed here and never arrived goes there first. */
  async follow() {
    if (!this.#session.signedIn) return;
    if (this.#storage?.getItem(UNSENT)) await this.#send();
    else await this.#quietly(async () => this.#apply((await this.#session.profile()).settings));
  }

  /** @param {ProfileSettings} settings */
  #apply({ language, theme, layout }) {
    this.#applying = true;
    if (language) this.#settings.set('interface', language);
    if (theme) this.#settings.set('theme', theme);
    const typed = Object.entries(LAYOUTS).find(([, name]) => name === layout);
    if (typed && typed[0] !== this.#settings.language) this.#settings.set('language', typed[0]);
    this.#applying = false;
  }

  #changed() {
    if (!this.#session.signedIn) return;
    this.#storage?.setItem(UNSENT, '1');
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#send(), GATHER_MS);
  }

  #send() {
    const language = /** @type {keyof typeof LAYOUTS} */ (this.#settings.language);
    const settings = {
      language: this.#settings.interface,
      theme: this.#settings.get('theme'),
      layout: LAYOUTS[language],
    };
    return this.#quietly(async () => {
      await this.#session.changeProfile({ settings });
      this.#storage?.removeItem(UNSENT);
    });
  }

  /**
   * Nobody waits for this, and nothing is lost: it is tried again on the next page.
   * @param {() => Promise<void>} act
   */
  async #quietly(act) {
    try {
      await act();
    } catch (error) {
      if (!(error instanceof Error)) throw error;
    }
  }
}
