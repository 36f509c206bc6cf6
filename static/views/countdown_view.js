/** 3, 2, 1 in the middle of the text, in step on every screen: each page counts by the server's clock. */

import { number, say } from './words.js';

/**
 * @import { Race } from '../core/race.js'
 */

const MS_PER_SECOND = 1_000;
const GO_SHOWN_MS = 700;
const LATE_MS = 500; // who comes later than that after the start sees a race that runs

export class CountdownView {
  #root;
  #nowMs;
  #counted;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {Race|null} */
  #race = null;
  #shown = '';

  /**
   * @param {HTMLElement} root
   * @param {object} listener
   * @param {() => number} listener.nowMs the server's clock
   * @param {(secondsLeft: number) => void} listener.counted another second is shown; 0: go
   */
  constructor(root, { nowMs, counted }) {
    this.#root = root;
    this.#nowMs = nowMs;
    this.#counted = counted;
  }

  /**
   * Counts down to the start of this race; none of them: no more.
   * @param {Race|null} race
   */
  show(race) {
    const counts = race?.phase === 'countdown' || (race?.phase === 'running' && this.#race === race);
    const same = counts && this.#race === race && this.#shown !== '';
    this.#race = counts ? race : null;
    if (same) return;
    clearTimeout(this.#timer);
    this.#shown = '';
    if (this.#race) this.#count();
    else this.#root.hidden = true;
  }

  #count() {
    const leftMs = this.#race?.startsInMs(this.#nowMs()) ?? null;
    if (leftMs === null || leftMs <= -LATE_MS) {
      this.#root.hidden = true;
      return;
    }
    const seconds = Math.max(0, Math.ceil(leftMs / MS_PER_SECOND));
    this.#put(seconds);
    // A timer that rings too early counts the same second once more.
    const nextMs = seconds === 0 ? GO_SHOWN_MS + LATE_MS : leftMs - (seconds - 1) * MS_PER_SECOND;
    this.#timer = setTimeout(() => this.#count(), Math.max(1, Math.min(nextMs, GO_SHOWN_MS + LATE_MS)));
  }

  /** @param {number} seconds */
  #put(seconds) {
    const words = seconds === 0 ? say('go') : number(seconds);
    this.#root.hidden = false;
    if (words === this.#shown) return;
    this.#shown = words;
    this.#root.textContent = words;
    this.#root.classList.toggle('go', seconds === 0);
    this.#counted(seconds);
  }
}
