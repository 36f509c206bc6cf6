/** What a practice has made stronger: below the result of an attempt. */

import { askPractice } from '../net/practice.js';
import { element, find } from './dom.js';
import { keyCap, number, say } from './words.js';

/**
 * @import { Practice } from '../net/practice.js'
 * @import { Source } from '../net/protocol.js'
 * @import { Session } from '../net/session.js'
 */

const GAINS_SHOWN = 6;

export class GainsView {
  #root;
  #session;
  /** @type {Practice|null} */
  #practice = null;
  /** Only what was asked last is shown. */
  #turn = 0;

  /** @param {HTMLElement} root a live region @param {Pick<Session, 'ask'>} session */
  constructor(root, session) {
    this.#root = root;
    this.#session = session;
  }

  /** The text is another one. */
  hide() {
    this.#turn += 1;
    this.#practice = null;
    this.#root.hidden = true;
  }

  /**
   * What the attempt that has just been stored has brought, if it was a practice.
   * @param {Source} source
   * @param {string} wordsIn
   */
  async show(source, wordsIn) {
    if (source.kind !== 'practice') return;
    this.#turn += 1;
    const mine = this.#turn;
    try {
      const practice = await askPractice(this.#session, source.language, source.layout, wordsIn);
      if (mine !== this.#turn) return;
      this.#practice = practice;
      this.draw();
    } catch {
      // The result stands without it, and the practice page says why.
    }
  }

  /** Once more, as after a change of language. */
  draw() {
    if (!this.#practice) return;
    const { gains, opened, language, layout } = this.#practice;
    const shown = gains.slice(0, GAINS_SHOWN).map(gainWords);
    if (gains.length > GAINS_SHOWN) shown.push(say('gainedMore', number(gains.length - GAINS_SHOWN)));
    const sentences = [shown.length ? `${say('gained')} ${shown.join(' · ')}` : say('gainedNothing')];
    if (opened.length) sentences.push(say('letterOpened', opened.map(keyCap).join(' ')));
    element(this.#root, '.gained').textContent = sentences.join('. ');
    const link = find(this.#root, 'a', HTMLAnchorElement);
    link.href = `/practice?${new URLSearchParams({ language, layout })}`;
    this.#root.hidden = false;
  }
}

/** @param {Practice['gains'][number]} gain */
function gainWords({ key, before, strength }) {
  return before === null
    ? say('gainNew', keyCap(key), number(strength))
    : say('gainOf', keyCap(key), number(before), number(strength));
}
