/** What is to be typed: what the page's address asks for, or else what is chosen in the row. */

import { asksForSource, readSource, writeSource } from '../core/source.js';
import { layoutFor } from '../layouts.js';
import { USUAL } from './settings.js';
import { sourceFor } from './source_view.js';

/**
 * @import { Source } from '../net/protocol.js'
 * @import { SettingName, Settings } from './settings.js'
 */

export class Wanted {
  #settings;
  /** @type {Source|null} */
  #asked;
  /** Did the address ask for what nobody understands? Then it is left, and the row holds. */
  misread = false;

  /** @param {Settings} settings */
  constructor(settings) {
    this.#settings = settings;
    const query = new URLSearchParams(location.search);
    this.#asked = readSource(query);
    if (this.#asked || !asksForSource(query)) return;
    this.misread = true;
    this.leave();
  }

  /** What the address asks for; null if it asks for nothing. */
  get asked() {
    return this.#asked;
  }

  /** @returns {Source} of the next attempt */
  get source() {
    if (this.#asked) return this.#asked;
    const ownText = this.#settings.get('ownText');
    if (this.#settings.get('source') === 'custom' && !ownText) this.#settings.set('source', USUAL.source);
    return sourceFor(this.#settings.get('source'), this.#settings.language, ownText);
  }

  /**
   * Something is chosen in the row. Another source leaves the address; another language changes what it asks for.
   * @param {SettingName} name
   * @param {string} value
   */
  choose(name, value) {
    if (name === 'source') this.leave();
    // A text is of one language; asking for another one asks for another text.
    if (name === 'language' && this.#asked?.kind === 'text') this.leave();
    if (name === 'language' && this.#asked) this.#translate(value);
    if (name === 'language' && !this.#asked && this.#settings.get('source') === 'custom') {
      this.#settings.set('source', USUAL.source);
    }
    this.#settings.set(name, value);
  }

  /**
   * From now on the address asks for this.
   * @param {Source} source
   */
  ask(source) {
    this.#asked = source;
    history.replaceState(null, '', writeSource(source));
  }

  /** The address asks for nothing any more. */
  leave() {
    this.#asked = null;
    if (location.search !== '') history.replaceState(null, '', location.pathname);
  }

  /** @param {string} language */
  #translate(language) {
    const asked = this.#asked;
    if (asked?.kind === 'lesson' || asked?.kind === 'practice') {
      this.ask({ ...asked, language, layout: layoutFor(language) });
    } else if (asked && 'language' in asked) this.ask({ ...asked, language });
  }
}
