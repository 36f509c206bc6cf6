/** The offer to bring along what the first version of this trainer left in this browser. */

import { becomeGuest } from '../net/guest.js';
import { OldResults } from '../net/imports.js';
import { applyCarried, carriedWords, chosenHere } from './carried_settings.js';
import { sentence } from './refusal.js';
import { number, say } from './words.js';

/**
 * @import { Session } from '../net/session.js'
 * @import { Report } from '../net/imports.js'
 * @import { Settings } from './settings.js'
 */

export class OldResultsView {
  #session;
  #settings;
  #old;
  #brought;
  #words = document.createElement('p');
  #button = document.createElement('button');
  /** @type {() => string} */
  #saying;

  /**
   * @param {HTMLElement} root a live region, hidden while there is nothing to offer
   * @param {Session} session
   * @param {Settings} settings
   * @param {Storage|null} storage
   * @param {(report: Report) => void} brought
   */
  constructor(root, session, settings, storage, brought) {
    this.#session = session;
    this.#settings = settings;
    this.#old = new OldResults(storage);
    this.#brought = brought;
    const { count } = this.#old;
    this.#saying = () => {
      const coming = carriedWords(this.#old.settings, chosenHere(settings));
      return [say('oldResults', count, number(count)), coming && say('settingsCome', coming)].join(' ').trim();
    };
    this.#button.type = 'button';
    this.#button.className = 'primary';
    this.#button.addEventListener('click', () => this.#bring());
    root.append(this.#words, this.#button);
    root.hidden = count === 0;
    this.draw();
  }

  /** Once more, as after a change of language. */
  draw() {
    this.#words.textContent = this.#saying();
    this.#button.textContent = say('bringOldResults');
  }

  async #bring() {
    this.#button.disabled = true;
    this.#tell(() => say('storing'));
    try {
      await becomeGuest(this.#session, liveUrl());
      const report = await this.#old.bring(this.#session, chosenHere(this.#settings));
      applyCarried(this.#settings, report.settings);
      this.#button.hidden = true;
      const left = report.bad > 0 ? ` ${say('oldResultsLeft', report.bad, number(report.bad))}` : '';
      this.#tell(() => {
        const kept = carriedWords(report.settings);
        return say('broughtAlong', report.new, number(report.new)) + left + (kept && ` ${say('settingsCame', kept)}`);
      });
      this.#brought(report);
    } catch (error) {
      this.#button.disabled = false;
      this.#tell(() => sentence(error));
    }
  }

  /** @param {() => string} saying */
  #tell(saying) {
    this.#saying = saying;
    this.draw();
  }
}

/** The live connection of this origin. */
export function liveUrl() {
  return `${location.origin.replace(/^http/, 'ws')}/ws`;
}
