/** The connection speaks softly: a dot, words on demand, and never anything in the way. */

import { element } from './dom.js';
import { number, say, sayIfKnown } from './words.js';

/**
 * @import { ConnectionNews } from '../net/news.js'
 * @import { Notices } from './notices.js'
 */

export class ConnectionView {
  /** @type {HTMLElement} */
  #root;
  /** @type {HTMLElement} */
  #words;
  /** @type {Notices} */
  #notices;
  /** @type {ConnectionNews} */
  #now = { state: 'connecting', unacked: 0, stalled: false, busy: false, closeCode: null, reason: null };

  /** @param {HTMLElement} root @param {Notices} notices says aloud what changed for the person */
  constructor(root, notices) {
    this.#root = root;
    this.#words = element(root, '.words');
    this.#notices = notices;
  }

  /** @param {ConnectionNews} connection */
  show(connection) {
    const { state: before, busy: wasBusy } = this.#now;
    this.#now = connection;
    this.draw();
    if (connection.busy && !wasBusy) this.#notices.speak(this.sentence);
    if (connection.state === before) return;
    if (connection.state === 'offline' && !connection.busy) this.#notices.speak(say('offline'));
    if (connection.state === 'saved' && before === 'offline') this.#notices.speak(say('backOnline'));
  }

  get state() {
    return this.#now.state;
  }

  /** Draws the state once more, as after a change of language. */
  draw() {
    const words = this.sentence;
    this.#root.dataset.state = this.#now.state;
    this.#words.textContent = words;
    this.#root.setAttribute('aria-label', words);
  }

  /** The state in words. */
  get sentence() {
    const { state, unacked, stalled, busy, closeCode } = this.#now;
    if (state === 'stopped') return sayIfKnown(`closed${closeCode}`) ?? say('stopped');
    if (busy && state === 'offline') return say('serverFull');
    if (stalled) return say('stalled', unacked, number(unacked));
    return say(state, unacked, number(unacked));
  }
}
