/** Once a day a guest is told, under a result, that there are accounts. */

const SHOWN_ON = 'typing.invited';

export class Invitation {
  #root;
  #storage;

  /** @param {HTMLElement} root @param {Storage|null} storage */
  constructor(root, storage) {
    this.#root = root;
    this.#storage = storage;
  }

  /**
   * Shown unless it has been today. Without storage nobody could know, so it is not.
   * @param {Date} now
   */
  offer(now) {
    const today = now.toDateString();
    try {
      if (!this.#storage || this.#storage.getItem(SHOWN_ON) === today) return;
      this.#storage.setItem(SHOWN_ON, today);
      this.#root.hidden = false;
    } catch {
      // As without storage.
    }
  }

  hide() {
    this.#root.hidden = true;
  }
}
