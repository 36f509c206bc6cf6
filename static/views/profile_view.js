/** Who the person is to us: names, address, goals, password, devices. */

import { element } from './dom.js';
import { commonPassword } from './enter_view.js';
import { Form } from './form.js';
import { say } from './words.js';

/**
 * @import { Profile, Session } from '../net/session.js'
 */

const GOALS = ['wpm', 'minutes_a_day'];

export class ProfileView {
  #root;
  #forms;
  #names;
  #goals;
  /** @type {Profile|null} */
  #shown = null;

  /**
   * @param {Document} root
   * @param {Session} session
   * @param {{left: () => void}} then somebody has signed out
   */
  constructor(root, session, { left }) {
    this.#root = root;
    const names = new Form(root, '#names-form', async ({ name, full_name }) => {
      this.show(await session.change({ name, full_name: full_name.trim() || null }));
      names.tell(say('savedNow'));
    });
    const goals = new Form(root, '#goals-form', async (values) => {
      this.show(await session.change({ settings: { goals: goalsOf(values) } }));
      goals.tell(say('savedNow'));
    });
    const verify = new Form(root, '#verify-form', async () => {
      await session.ask('POST', '/auth/verify-email/send');
      verify.tell(say('linkSent', this.#shown?.email ?? ''));
    });
    const email = new Form(
      root,
      '#email-form',
      async ({ email: address, current_password }) => {
        this.show(await session.change({ email: address, current_password }));
        email.clear();
        email.tell(say('linkSent', address));
      },
      { email_taken: () => blame('email', 'denied_email_taken'), wrong_password: wrongPassword },
    );
    const password = new Form(
      root,
      '#password-form',
      async ({ current_password, new_password }) => {
        await session.changePassword({ current_password, new_password });
        password.clear();
        password.tell(say('passwordChanged'));
      },
      { weak_password: () => commonPassword('new_password'), wrong_password: wrongPassword },
    );
    const signOut = new Form(root, '#sign-out-form', async (_, submitter) => {
      await session.signOut(submitter instanceof HTMLButtonElement && submitter.value === 'yes');
      for (const form of this.#forms) form.clear();
      left();
    });
    this.#forms = [names, goals, verify, email, password, signOut];
    this.#names = names;
    this.#goals = goals;
  }

  /** @param {Profile} profile */
  show(profile) {
    this.#shown = profile;
    const { name, full_name, settings } = profile;
    this.#names.fill({ name, full_name });
    const { wpm, accuracy, minutes_a_day } = settings.goals ?? {};
    this.#goals.fill({ wpm, minutes_a_day, accuracy: accuracy == null ? null : Math.round(accuracy * 1000) / 10 });
    this.draw();
  }

  draw() {
    for (const form of this.#forms) form.draw();
    if (!this.#shown) return;
    const { email, email_verified: sure } = this.#shown;
    element(this.#root, '#address').textContent = email;
    element(this.#root, '#verified').textContent = say(sure ? 'verified' : 'notVerified');
    element(this.#root, '.address').classList.toggle('sure', sure);
    element(this.#root, '#verify-form').hidden = sure;
  }
}

/** @param {Record<string, string>} values */
function goalsOf(values) {
  /** @type {Record<string, number|null>} */
  const goals = Object.fromEntries(GOALS.map((name) => [name, values[name] === '' ? null : Number(values[name])]));
  // A person thinks in percent, the wire in shares.
  return { ...goals, accuracy: values.accuracy === '' ? null : Math.round(Number(values.accuracy) * 10) / 1000 };
}

export function wrongPassword(field = 'current_password') {
  return blame(field, 'denied_wrong_password');
}

/** @param {string} field @param {string} message */
function blame(field, message) {
  return { field, message: say(message), href: '', label: '' };
}
