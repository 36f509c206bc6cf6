/** What the shown attempts amount to, in a row of numbers and a sentence or two. */

import { lately, together } from '../core/trend.js';
import { element } from './dom.js';
import { hours, number, percent, say } from './words.js';

/**
 * @import { Day } from '../core/trend.js'
 */

/** Less is no difference. */
const SAME_WPM = 0.5;

export class HistoryNumbers {
  #root;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.#root = root;
  }

  /**
   * @param {object} shown
   * @param {Day[]} shown.days those of the period
   * @param {number[]} shown.newestSpeeds of completed attempts
   * @param {{current: number, best: number}} shown.streak
   * @param {{doneMs: number, minutes: number}|null} shown.goal of today
   */
  show({ days, newestSpeeds, streak, goal }) {
    const { attempts, time_ms: timeMs, best_wpm: best, wpm, accuracy, consistency } = together(days);
    /** @param {number|null} value @param {(value: number) => string} words */
    const known = (value, words) => (value === null ? '–' : words(value));
    this.#put('attempts', number(attempts));
    this.#put('time', hours(timeMs));
    this.#put('best', known(best, number));
    this.#put('mean', known(wpm, number));
    this.#put(
      'accuracy',
      known(accuracy, (share) => percent(share, 1)),
    );
    this.#put('consistency', known(consistency, percent));
    this.#put('streak', say('daysOf', streak.current, number(streak.current)));
    this.#part('streak').title = say('longestStreak', say('daysOf', streak.best, number(streak.best)));
    const sentence = latelyWords(newestSpeeds);
    this.#part('lately').textContent = sentence;
    this.#part('lately').hidden = sentence === '';
    this.#drawGoal(goal);
  }

  /** @param {{doneMs: number, minutes: number}|null} goal */
  #drawGoal(goal) {
    const part = this.#part('goal');
    part.hidden = goal === null;
    if (goal === null) return;
    const goalMs = goal.minutes * 60_000;
    const bar = document.createElement('progress');
    bar.max = goalMs;
    bar.value = Math.min(goal.doneMs, goalMs);
    bar.setAttribute('aria-label', say('goalToday'));
    const words = document.createElement('span');
    words.textContent =
      goal.doneMs >= goalMs
        ? say('goalReached', hours(goal.doneMs))
        : say('goalSoFar', hours(goal.doneMs), hours(goalMs));
    part.replaceChildren(bar, words);
  }

  /** @param {string} name */
  #part(name) {
    return element(this.#root, `[data-number="${name}"]`);
  }

  /** @param {string} name @param {string} words */
  #put(name, words) {
    this.#part(name).textContent = words;
  }
}

/** @param {number[]} newestSpeeds */
function latelyWords(newestSpeeds) {
  const compared = lately(newestSpeeds);
  if (!compared) return '';
  const { count, now, before } = compared;
  const apart = Math.abs(now - before);
  const message = apart < SAME_WPM ? 'latelySame' : now > before ? 'latelyFaster' : 'latelySlower';
  return say(message, number(count), number(now, 1), number(apart, 1));
}
