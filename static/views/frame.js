/** What every page has around it: the way to the other pages, who one is, the theme, the language. */

import { Session } from '../net/session.js';
import { AccountSettings } from './account_settings.js';
import { around, element, elements, find, shape } from './dom.js';
import { Settings } from './settings.js';
import { say, speakIn, translate } from './words.js';

/**
 * @import { SettingName } from './settings.js'
 */

/** The pages that the bar leads to, by the message that names each. */
const PLACES = [
  ['/', 'placeType'],
  ['/lessons', 'placeLessons'],
  ['/practice', 'placePractice'],
  ['/race', 'placeRace'],
  ['/collections', 'placeTexts'],
  ['/history', 'placeHistory'],
  ['/leaderboards', 'placeLeaderboards'],
];
const ACCOUNT = '/account';
/** What is kept of the page that led to the account, for this tab alone. */
const LEFT = 'typing.left';
const ANSWER_WAIT_MS = 20_000;

/** One for a page; it makes what all pages need of the browser. */
export class Frame {
  storage = allowed(() => localStorage);
  settings = new Settings(this.storage);
  #own = allowed(() => sessionStorage);
  session = new Session({
    fetch: fetchInTime,
    shared: this.storage,
    own: this.#own,
    locks: navigator.locks ?? null,
    nowMs: () => Date.now(),
  });

  /**
   * What a button with that `data-action` does; a page adds its own.
   * @type {Record<string, () => void>}
   */
  actions = {
    theme: () => this.#toggleTheme(),
    interface: () => this.settings.set('interface', this.settings.interface === 'en' ? 'ru' : 'en'),
  };

  #title;
  #redraw;
  #joined;
  #person;

  /**
   * @param {object} options
   * @param {string} [options.title] the message that names this page; none is the first page
   * @param {() => void} [options.redraw] the language, or another setting, has changed
   * @param {() => void} [options.joined] elsewhere the guest has become an account, with all it has
   */
  constructor({ title, redraw = () => {}, joined = () => location.reload() } = {}) {
    this.#title = title;
    this.#redraw = redraw;
    this.#joined = joined;
    this.#build();
    this.#person = this.session.person;
    this.following = new AccountSettings(this.settings, this.session, this.storage);
    this.settings.onChange(() => {
      this.draw();
      this.#redraw();
    });
    document.addEventListener('click', (event) => this.#clicked(event));
    addEventListener('storage', ({ key }) => this.#lookWhoItIs(key));
    addEventListener('pagehide', () => this.#leave());
    this.draw();
  }

  /** All that stands still on the page, in the language and the theme that are chosen. */
  draw() {
    speakIn(this.settings.interface);
    translate(document);
    document.title = [...(this.#title ? [say(this.#title)] : []), say('pageName')].join(' · ');
    this.#drawMe();
    this.settings.showOn(document.documentElement);
    for (const button of elements(document, '[data-setting]')) {
      const { setting, value } = button.dataset;
      const chosen =
        setting === 'interface' ? this.settings.interface : this.settings.get(/** @type {SettingName} */ (setting));
      button.setAttribute('aria-pressed', String(chosen === value));
    }
    document.body.dataset.phase ??= 'shown';
  }

  /**
   * The whole address of a page that led here. Its path stands in our own; what may follow that, such as the secret
   * of a link behind a #, is not to stand in an address again.
   * @param {string} path
   */
  whole(path) {
    const left = this.#own?.getItem(LEFT) ?? path;
    return new URL(left, location.origin).pathname === path ? left : path;
  }

  #leave() {
    if (location.pathname === ACCOUNT) return;
    this.#own?.setItem(LEFT, location.pathname + location.search + location.hash);
  }

  #toggleTheme() {
    const theme = this.settings.get('theme');
    const dark = theme === 'system' ? matchMedia('(prefers-color-scheme: dark)').matches : theme === 'dark';
    this.settings.set('theme', dark ? 'light' : 'dark');
  }

  #drawMe() {
    const { signedIn } = this.session;
    const me = find(document, '.me', HTMLAnchorElement);
    me.textContent = say(signedIn ? 'placeAccount' : 'placeSignIn');
    if (location.pathname === ACCOUNT) return;
    me.href = signedIn ? ACCOUNT : `${ACCOUNT}?from=${encodeURIComponent(location.pathname)}`;
  }

  /**
   * Another tab has changed who the person is. What this page shows is theirs only if a guest has signed in.
   * @param {string|null} key what was written in the storage; null is all of it
   */
  #lookWhoItIs(key) {
    if (!this.session.concerns(key)) return;
    const before = this.#person;
    this.#person = this.session.person;
    if (before === this.#person || this.#person === 'guest') return;
    if (before.startsWith('account') || this.#person === 'nobody') {
      location.reload();
      return;
    }
    this.#drawMe();
    this.#joined();
  }

  #build() {
    const bar = element(document, '.bar');
    const nav = document.createElement('nav');
    nav.dataset.label = 'places';
    nav.append(...PLACES.map(([path, message]) => placeLink(path, message)));
    bar.prepend(brand(), nav);
    const me = placeLink(ACCOUNT);
    me.classList.add('me');
    element(bar, '.tools').append(languageButton(), themeButton(), me);
  }

  /** @param {MouseEvent} event */
  #clicked(event) {
    const button = around(event, 'button');
    if (!button) return;
    const { action, setting, value } = button.dataset;
    if (button.dataset.close !== undefined) button.closest('dialog')?.close();
    if (setting && value) this.settings.set(/** @type {SettingName} */ (setting), value);
    if (action && Object.hasOwn(this.actions, action)) this.actions[action]();
  }
}

function brand() {
  const link = document.createElement('a');
  link.className = 'brand';
  link.href = '/';
  const mark = document.createElement('span');
  mark.className = 'brand-mark';
  mark.setAttribute('aria-hidden', 'true');
  const name = document.createElement('span');
  name.dataset.message = 'brand';
  link.append(mark, name);
  return link;
}

/** @param {string} path @param {string} [message] */
function placeLink(path, message) {
  const link = document.createElement('a');
  link.className = 'place';
  link.href = path;
  if (message) link.dataset.message = message;
  const below = path !== '/' && location.pathname.startsWith(`${path}/`);
  if (path === location.pathname || below) link.setAttribute('aria-current', 'page');
  return link;
}

/** @param {string} action */
function toolButton(action) {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'tool';
  button.dataset.action = action;
  return button;
}

function languageButton() {
  const button = toolButton('interface');
  button.dataset.message = 'otherLanguage';
  return button;
}

function themeButton() {
  const button = toolButton('theme');
  button.classList.add('icon');
  button.dataset.label = 'toggleTheme';
  const halfMoon = shape('svg', { viewBox: '0 0 20 20', 'aria-hidden': 'true' });
  halfMoon.append(shape('circle', { cx: 10, cy: 10, r: 7 }), shape('path', { d: 'M10 3a7 7 0 0 1 0 14z' }));
  button.append(halfMoon);
  return button;
}

/**
 * Whoever has not begun to answer by then is taken to be away.
 * @param {string} path
 * @param {RequestInit} init
 */
async function fetchInTime(path, init) {
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(), ANSWER_WAIT_MS);
  try {
    return await fetch(path, { ...init, signal: silence.signal });
  } finally {
    clearTimeout(timer);
  }
}

/**
 * A storage of the browser, or null where it is forbidden: then a reload forgets, and all else works.
 * @param {() => Storage} storage
 */
function allowed(storage) {
  try {
    return storage();
  } catch {
    return null;
  }
}
