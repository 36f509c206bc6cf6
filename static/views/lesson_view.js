/** A lesson around its text: what is asked before, whether it was passed after, and what comes next. */

import { lessonSource, passes } from '../net/lessons.js';
import { element } from './dom.js';
import { number, say, translate } from './words.js';

/**
 * @import { OneLesson } from '../net/lessons.js'
 * @import { Source, Verdict } from '../net/protocol.js'
 * @import { Session } from '../net/session.js'
 * @import { Settings } from './settings.js'
 *
 * @typedef {Extract<Source, {kind: 'lesson'}>} LessonSource
 * @typedef {{wpm: number, errors: number}} Reached
 */

export class LessonView {
  #about;
  #outcome;
  #next;
  #skip;
  #again;
  #session;
  #settings;
  /** @type {LessonSource|null} what is typed, if it is a lesson */
  #source = null;
  /** @type {OneLesson|null} null until the server has told of it */
  #lesson = null;
  /** @type {{result: Reached, verdict: Verdict|null}|null} */
  #ended = null;

  /**
   * @param {HTMLElement} about above the text
   * @param {HTMLElement} results with an element `#lesson-outcome`, and the button for what comes next
   * @param {{session: Session, settings: Settings}} frame
   */
  constructor(about, results, { session, settings }) {
    this.#about = about;
    this.#outcome = element(results, '#lesson-outcome');
    this.#next = element(results, '[data-action="next"] [data-message]');
    this.#skip = element(results, '[data-action="nextLesson"]');
    this.#again = element(results, '[data-action="again"]');
    this.#session = session;
    this.#settings = settings;
  }

  /**
   * Another attempt is on screen.
   * @param {Source} source
   */
  begin(source) {
    this.#ended = null;
    this.#source = source.kind === 'lesson' ? source : null;
    if (this.#source?.lesson !== this.#lesson?.id) this.#lesson = null;
    this.draw();
    if (this.#source) void this.#ask(this.#source);
  }

  /**
   * It has ended: first as the page reckons, then with what the server says.
   * @param {Reached} result
   * @param {Verdict|null} verdict null as long as the server has not said it
   */
  end(result, verdict) {
    this.#ended = { result, verdict };
    this.draw();
  }

  /** Was the lesson on screen passed, as far as is known? */
  get passed() {
    if (!this.#lesson || !this.#ended) return false;
    const { result, verdict } = this.#ended;
    return passes(this.#lesson, result) && (verdict === null || verdict === 'ranked');
  }

  /** Is the course over with the lesson on screen? */
  get isLast() {
    return this.#lesson !== null && this.#lesson.next === null;
  }

  /** The lesson after the one on screen, in its language; null if there is none, or nobody knows it. */
  get following() {
    const { lesson, language, layout } = { ...this.#source };
    const next = this.#lesson?.id === lesson ? this.#lesson?.next : null;
    return next && language && layout ? lessonSource(next, { language, layout }) : null;
  }

  /** The outcome as sentences to be read aloud; empty if there is none. */
  spoken() {
    return this.#lesson && this.#ended ? this.#sentence(this.#lesson, this.#ended.result) : '';
  }

  /** Draws once more, as after a change of language. */
  draw() {
    const lesson = this.#source ? this.#lesson : null;
    this.#about.hidden = !lesson;
    if (lesson) {
      const goal = say('lessonGoal', number(lesson.target_wpm), number(lesson.max_errors));
      this.#about.textContent = `${lesson.title} · ${goal}`;
    }
    this.#outcome.hidden = !lesson || !this.#ended;
    if (lesson && this.#ended) {
      this.#outcome.classList.toggle('passed', this.passed);
      this.#outcome.textContent = this.#sentence(lesson, this.#ended.result);
    }
    this.#next.dataset.message = this.#whatNext(lesson !== null);
    this.#skip.hidden = !lesson || !this.#ended || this.passed || !this.following;
    this.#again.hidden = this.#next.dataset.message === 'lessonAgain';
    translate(this.#next.parentElement ?? document);
  }

  /** @param {boolean} known */
  #whatNext(known) {
    if (!known) return 'next';
    if (!this.passed) return 'lessonAgain';
    return this.isLast ? 'placeLessons' : 'nextLesson';
  }

  /** @param {OneLesson} lesson @param {Reached} result */
  #sentence(lesson, result) {
    const values = [number(result.wpm), number(lesson.target_wpm), number(result.errors), number(lesson.max_errors)];
    if (this.passed) return say('lessonPassed', ...values);
    return say(passes(lesson, result) ? 'lessonNotRanked' : 'lessonNotPassed', ...values);
  }

  /** @param {LessonSource} source */
  async #ask(source) {
    const { lesson, language = '', layout = '' } = source;
    const query = new URLSearchParams({ language, layout, words_in: this.#settings.interface });
    try {
      const told = await this.#session.ask('GET', `/lessons/${lesson}?${query}`);
      if (this.#source !== source) return;
      this.#lesson = told;
      this.draw();
    } catch {
      // Without it the lesson is typed all the same.
    }
  }
}
