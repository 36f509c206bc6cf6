/** What stands in the place of a page's content that has not come, cannot come, or is not there. */

import { Refusal } from '../net/session.js';
import { PLAN_REQUIRED, sentence } from './refusal.js';
import { say } from './words.js';

/** Sooner than this nobody needs to hear that something is on its way. */
const PATIENCE_MS = 300;

export class Standstill {
  #root;
  #content;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {() => void} says the same again, in whatever language is spoken then */
  #again = () => {};

  /**
   * @param {HTMLElement} root a live region
   * @param {HTMLElement} content is hidden while something stands in its place
   */
  constructor(root, content) {
    this.#root = root;
    this.#content = content;
    root.tabIndex = -1;
    content.tabIndex = -1;
  }

  /** Something is on its way. What is already there stays until it comes. */
  wait() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#root.setAttribute('aria-busy', 'true');
      this.#again = () => this.#put(say('onItsWay'), []);
      this.#again();
    }, PATIENCE_MS);
  }

  /** The content itself is there. */
  over() {
    const looked = this.#root === document.activeElement;
    this.#clear();
    this.#content.hidden = false;
    if (looked) this.#content.focus({ preventScroll: true });
  }

  /**
   * There is nothing to show, and this is why.
   * @param {string} message
   * @param {{href: string, message: string}} [way] where to go from here
   */
  empty(message, way) {
    this.#stand(() => this.#put(say(message), way ? [link(way.href, say(way.message))] : []));
  }

  /**
   * The server has said no, or nothing at all.
   * @param {unknown} error as `Session.ask` rejects
   * @param {() => void} retry
   */
  refused(error, retry) {
    this.#stand(() => {
      const mayRetry = !(error instanceof Refusal) || error.status === 429 || error.status >= 500;
      /** @type {HTMLElement[]} */
      const ways = mayRetry ? [button(say('tryAgain'), () => this.#retry(retry))] : [];
      if (error instanceof Refusal && error.status === 401) ways.push(link('/account', say('placeSignIn')));
      if (error instanceof Refusal && error.code === PLAN_REQUIRED) ways.push(link('/plans', say('toPlans')));
      this.#put(sentence(error), ways);
    });
  }

  /** Says it once more, as after a change of language. */
  draw() {
    this.#again();
  }

  /**
   * The button goes, and the eye is led to what comes.
   * @param {() => void} retry
   */
  #retry(retry) {
    this.#root.focus();
    retry();
  }

  /** @param {() => void} put */
  #stand(put) {
    this.#clear();
    this.#content.hidden = true;
    this.#again = put;
    put();
  }

  #clear() {
    clearTimeout(this.#timer);
    this.#again = () => {};
    this.#root.removeAttribute('aria-busy');
    this.#root.replaceChildren();
    this.#root.hidden = true;
  }

  /** @param {string} words @param {HTMLElement[]} ways */
  #put(words, ways) {
    const line = document.createElement('p');
    line.textContent = words;
    this.#root.replaceChildren(line, ...ways);
    this.#root.hidden = false;
  }
}

/** @param {string} href @param {string} words */
function link(href, words) {
  const made = document.createElement('a');
  made.className = 'button primary';
  made.href = href;
  made.textContent = words;
  return made;
}

/** @param {string} words @param {() => void} act */
function button(words, act) {
  const made = document.createElement('button');
  made.type = 'button';
  made.className = 'primary';
  made.textContent = words;
  made.addEventListener('click', act);
  return made;
}
