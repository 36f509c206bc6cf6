/** One screen after the last key: what it was, why it counts or not, and what to do next. */

import { speedChart, table } from '../charts.js';
import { element } from './dom.js';
import { duration, keyCap, keySpoken, number, percent, say, sayIfKnown } from './words.js';

/**
 * @import { Attempt, KeyScore } from '../core/attempt.js'
 * @import { Reason, Result, Verdict } from '../net/protocol.js'
 *
 * @typedef {object} Ended
 * @property {Attempt} attempt
 * @property {Result} result
 * @property {Verdict|null} verdict null as long as the server has not said it
 * @property {Reason[]} why
 * @property {boolean} saved or on its way
 */

const CHART_HEIGHT_PX = 220;
const WEAK_KEYS = 3;
const CONFUSIONS = 12;
/** Keys pressed in the heat of the last word must not take the results away. */
const GUARD_MS = 700;

export class ResultsView {
  /** @type {HTMLElement} */
  #root;
  /** @type {Ended | null} */
  #shown = null;
  #shownAtMs = 0;

  /** @param {HTMLElement} root @param {{next: () => void}} listener what Enter does */
  constructor(root, { next }) {
    this.#root = root;
    root.addEventListener('keydown', (event) => this.#onKeydown(event, next), { capture: true });
    new ResizeObserver(() => this.#drawChart()).observe(this.#part('chart'));
  }

  /**
   * Shows a result: first by the page's own reckoning, again when the server has spoken.
   * @param {Ended} ended
   */
  show(ended) {
    const first = this.#shown === null;
    this.#shown = ended;
    this.#root.hidden = false;
    this.draw();
    if (!first) return;
    this.#shownAtMs = performance.now();
    this.#root.focus({ preventScroll: true });
    scrollTo({ top: 0 });
  }

  /** Draws the shown result once more, as after a change of language. */
  draw() {
    if (!this.#shown) return;
    const { result } = this.#shown;
    this.#drawNumbers(result);
    this.#drawVerdict(this.#shown);
    this.#drawBest(result);
    this.#drawWeakKeys(result);
    this.#drawConfusions(result);
    this.#drawChart();
  }

  hide() {
    this.#shown = null;
    this.#root.hidden = true;
  }

  /** The result as sentences to be read aloud. */
  spoken() {
    if (!this.#shown) return '';
    const { result } = this.#shown;
    const sentences = [say('resultSpoken', number(result.wpm), percent(result.accuracy), number(result.errors))];
    if (this.isBest) sentences.push(say('personalBest'));
    return sentences.join(' ');
  }

  /** @param {string} name */
  #part(name) {
    return element(this.#root, `#result-${name}`);
  }

  /** @param {KeyboardEvent} event @param {() => void} next */
  #onKeydown(event, next) {
    if (event.key !== 'Enter' && event.key !== ' ') return;
    if (performance.now() - this.#shownAtMs < GUARD_MS) {
      event.preventDefault();
    } else if (event.key === 'Enter' && event.target === this.#root) {
      event.preventDefault();
      next();
    }
  }

  /** @param {Result} result */
  #drawNumbers(result) {
    const wpm = this.#part('wpm');
    wpm.textContent = number(result.wpm);
    wpm.dataset.value = String(result.wpm);
    wpm.title = number(result.wpm, 2);
    const accuracy = this.#part('accuracy');
    accuracy.textContent = percent(result.accuracy);
    accuracy.dataset.value = String(result.accuracy);
    accuracy.title = percent(result.accuracy, 2);
    this.#part('raw').textContent = number(result.raw_wpm, 1);
    this.#part('consistency').textContent = percent(result.consistency);
    this.#part('time').textContent = duration(result.duration_ms);
    this.#part('errors').textContent = say('errorsLeft', number(result.errors), number(result.uncorrected));
  }

  /** @param {Ended} ended */
  #drawVerdict({ verdict, why, saved }) {
    const root = this.#part('verdict');
    root.dataset.verdict = verdict ?? 'waiting';
    const sentence = document.createElement('p');
    sentence.textContent = verdict ? say(verdict) : say(saved ? 'verdictWaiting' : 'verdictOffline');
    const rules = why.map((reason) => {
      const item = document.createElement('li');
      item.textContent = rule(reason);
      return item;
    });
    const list = document.createElement('ul');
    list.append(...rules);
    root.replaceChildren(sentence, ...(rules.length ? [list] : []));
  }

  /** Is the shown result a personal best that counts? */
  get isBest() {
    const best = this.#shown?.result.personal_best ?? 0;
    return this.#shown?.verdict === 'ranked' && best > 0 && this.#shown.result.wpm >= best;
  }

  /** @param {Result} result */
  #drawBest({ personal_best: known }) {
    const best = this.#part('best');
    best.hidden = !known;
    best.classList.toggle('now', this.isBest);
    best.textContent = known ? say(this.isBest ? 'personalBest' : 'bestSoFar', number(known)) : '';
  }

  /** @param {Result} result */
  #drawWeakKeys({ keys }) {
    const weak = weakest(keys);
    const slow = weak.length === 0;
    this.#part('weak-title').textContent = say(slow ? 'slowestKeys' : 'weakKeys');
    this.#part('weak').replaceChildren(
      ...(slow ? slowest(keys) : weak).map(([name, stats]) => {
        const item = document.createElement('li');
        const cap = document.createElement('kbd');
        cap.textContent = keyCap(name);
        const words = document.createElement('span');
        words.append(...(slow ? [say('milliseconds', number(stats.latency_ms ?? 0))] : wrongKey(stats)));
        item.append(cap, words);
        return item;
      }),
    );
    element(this.#root, '[data-action="practise"]').hidden = slow;
  }

  /** @param {Result} result */
  #drawConfusions({ keys }) {
    const found = Object.entries(keys)
      .flatMap(([name, { confusions }]) => Object.entries(confusions).map(([typed, count]) => ({ name, typed, count })))
      .sort((a, b) => b.count - a.count)
      .slice(0, CONFUSIONS);
    const details = this.#part('confusions');
    details.hidden = found.length === 0;
    element(details, 'div').replaceChildren(
      table({
        caption: say('confusions'),
        heads: [say('expectedKey'), say('typedKey'), say('times')],
        rows: found.map(({ name, typed, count }) => [keyCap(name), keyCap(typed), number(count)]),
      }),
    );
  }

  #drawChart() {
    const { clientWidth } = this.#part('chart');
    if (!this.#shown) return;
    const points = this.#shown.attempt.speeds();
    const enough = points.length >= 2;
    this.#part('chart-figure').hidden = !enough;
    if (!enough || clientWidth === 0) return;
    this.#part('chart').replaceChildren(
      speedChart(points, {
        width: clientWidth,
        height: CHART_HEIGHT_PX,
        label: say('chartLabel', number(this.#shown.result.wpm), number(Math.max(...points.map((p) => p.raw_wpm)))),
        describe: (p) => say('chartPoint', number(p.at_s), number(p.wpm), number(p.raw_wpm), p.errors),
        number,
      }),
    );
    this.#part('table').replaceChildren(
      table({
        caption: say('speedOverTime'),
        heads: [say('second'), say('wpm'), say('raw'), say('errors')],
        rows: points.map((p) => [number(p.at_s), number(p.wpm), number(p.raw_wpm), number(p.errors)]),
      }),
    );
  }
}

/**
 * A rule that spoke, with what it saw and what it allows; rules this page does not know are shown as they are.
 * @param {Reason} reason
 */
function rule({ rule: name, value, limit }) {
  const shares = ['same_interval_share', 'instant_share'];
  /** @param {number} x */
  const show = (x) => (shares.includes(name) ? percent(x, 1) : number(x, Number.isInteger(x) ? 0 : 2));
  return sayIfKnown(`rule_${name}`, show(value), show(limit)) ?? say('ruleUnknown', name, show(value), show(limit));
}

/** @param {Result['keys']} keys */
function weakest(keys) {
  return Object.entries(keys)
    .filter(([, { errors }]) => errors > 0)
    .sort(([, a], [, b]) => b.errors - a.errors || b.errors / b.presses - a.errors / a.presses)
    .slice(0, WEAK_KEYS);
}

/** @param {Result['keys']} keys */
function slowest(keys) {
  return Object.entries(keys)
    .filter(([, { latency_ms: latency }]) => latency !== null)
    .sort(([, a], [, b]) => (b.latency_ms ?? 0) - (a.latency_ms ?? 0))
    .slice(0, WEAK_KEYS);
}

/** @param {KeyScore} key */
function wrongKey({ presses, errors, confusions }) {
  const hits = Object.entries(confusions)
    .sort((a, b) => b[1] - a[1])
    .slice(0, WEAK_KEYS);
  const share = say('wrongOf', number(errors), number(presses));
  if (hits.length === 0) return [share];
  const instead = document.createElement('span');
  instead.className = 'instead';
  instead.append(say('insteadHit'), ' ');
  for (const [typed, count] of hits) {
    const cap = document.createElement('kbd');
    cap.textContent = keyCap(typed);
    cap.setAttribute('aria-label', keySpoken(typed));
    instead.append(cap, count > 1 ? ` ×${number(count)} ` : ' ');
  }
  return [share, instead];
}
