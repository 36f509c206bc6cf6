/** The ways in: signing in, registering, and a new password for one that was forgotten. */

import { element, elements } from './dom.js';
import { Form } from './form.js';
import { say } from './words.js';

/**
 * @import { Session } from '../net/session.js'
 * @import { Settings } from './settings.js'
 * @import { Remedy } from './form.js'
 */

export class EnterView {
  #root;
  /** @type {Record<string, Form>} each under the place that shows it */
  #forms;

  /**
   * @param {Document} root
   * @param {Session} session
   * @param {Settings} settings
   * @param {object} then
   * @param {() => void} then.entered somebody has signed in
   * @param {() => string} then.token what the link of a mail brought
   * @param {() => void} then.reset the password is a new one
   */
  constructor(root, session, settings, { entered, token, reset }) {
    this.#root = root;
    const signIn = new Form(root, '#sign-in-form', async ({ email, password }) => {
      await session.signIn({ email, password });
      this.#clear();
      entered();
    });
    const register = new Form(
      root,
      '#register-form',
      async ({ email, name, password }) => {
        const named = name.trim() && { name: name.trim() };
        await session.register({ email, password, language: settings.interface, ...named });
        this.#clear();
        entered();
      },
      { email_taken: emailTaken, weak_password: () => commonPassword('password') },
    );
    const forgot = new Form(root, '#forgot-form', async ({ email }) => {
      await session.ask('POST', '/auth/forgot-password', { email, language: settings.interface });
      forgot.tell(say('linkSentIfKnown', email));
    });
    const newPassword = new Form(
      root,
      '#reset-form',
      async ({ new_password }) => {
        await session.ask('POST', '/auth/reset-password', { token: token(), new_password });
        this.#clear();
        reset();
      },
      { weak_password: () => commonPassword('new_password'), bad_link: badLink },
    );
    this.#forms = { 'sign-in': signIn, register, forgot, 'reset-password': newPassword };
  }

  /** @param {string} place @param {boolean} guest */
  show(place, guest) {
    for (const [name, { element: form }] of Object.entries(this.#forms)) form.hidden = name !== place;
    element(this.#root, '#ways').hidden = place !== 'sign-in' && place !== 'register';
    for (const note of elements(this.#root, '.guest-note')) note.hidden = !guest;
  }

  draw() {
    for (const form of Object.values(this.#forms)) form.draw();
  }

  #clear() {
    for (const form of Object.values(this.#forms)) form.clear();
  }
}

/** @returns {Remedy} */
function emailTaken() {
  return { field: 'email', message: say('denied_email_taken'), href: '#sign-in', label: say('signInInstead') };
}

/** @returns {Remedy} */
function badLink() {
  return { field: 'new_password', message: say('denied_bad_link'), href: '#forgot', label: say('anotherLink') };
}

/**
 * The rules that can be seen are kept by then.
 * @param {string} field
 * @returns {Remedy}
 */
export function commonPassword(field) {
  return { field, message: say('passwordCommon'), href: '', label: '' };
}
