/** Everything of one's own, to take away or to have deleted; an account's or a guest's. */

import { received } from '../net/download.js';
import { element } from './dom.js';
import { Form } from './form.js';
import { wrongPassword } from './profile_view.js';
import { number, say } from './words.js';

/**
 * @import { Profile, Session } from '../net/session.js'
 */

const FILE = 'typing-trainer.json';
const BYTES_PER_MEGABYTE = 1_000_000;

export class OwnDataView {
  #root;
  #forms;
  /** @type {Profile|null} null is the guest of this browser */
  #person = null;

  /**
   * @param {Document} root
   * @param {Session} session
   * @param {{gone: () => void}} then all of it is deleted
   */
  constructor(root, session, { gone }) {
    this.#root = root;
    const exported = new Form(root, '#export-form', async () => {
      exported.tell(say('exportBegun'), true);
      const file = await received(await session.fetch('GET', '/users/me/export'), (bytes) =>
        exported.tell(say('exportSoFar', megabytes(bytes)), true),
      );
      save(file);
      exported.tell(say('exported', FILE, megabytes(file.size)));
    });
    const deleted = new Form(
      root,
      '#delete-form',
      async ({ password }) => {
        await session.delete(password);
        deleted.clear();
        gone();
      },
      { wrong_password: () => wrongPassword('password') },
    );
    this.#forms = [exported, deleted];
  }

  /** @param {Profile|null} person */
  show(person) {
    this.#person = person;
    element(this.#root, '#delete-proof-field').hidden = person === null;
    const username = this.#root.querySelector('#delete-form [name="username"]');
    if (username instanceof HTMLInputElement) username.value = person?.email ?? '';
    this.draw();
  }

  draw() {
    for (const form of this.#forms) form.draw();
    const guest = this.#person === null;
    element(this.#root, '#data-of').textContent = guest ? say('guestData') : '';
    element(this.#root, '#delete-summary').textContent = say(guest ? 'deleteGuest' : 'deleteAccount');
    element(this.#root, '#delete-help').textContent = say(guest ? 'deleteGuestHelp' : 'deleteHelp');
  }
}

/** @param {number} bytes */
function megabytes(bytes) {
  return say('megabytes', number(bytes / BYTES_PER_MEGABYTE, 1));
}

/** @param {Blob} file */
function save(file) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = FILE;
  link.click();
  // The browser has taken hold of it by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
