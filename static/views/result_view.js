/** A result: its numbers, why it counts or not, its speed over time, its weak keys. */

import { speedChart, table } from './charts.js';
import { element } from './dom.js';
import { duration, keyCap, keySpoken, number, percent, say, sayIfKnown, translate } from './words.js';

/**
 * @import { SpeedChart } from './charts.js'
 * @import { Attempt, KeyScore, SpeedPoint } from '../core/attempt.js'
 * @import { Reason, Result, Verdict } from '../net/protocol.js'
 *
 * @typedef {object} Unseen what nobody knows of a result that was typed elsewhere
 * @property {number|null} raw_wpm
 * @property {number|null} consistency
 * @property {number|null} uncorrected
 *
 * @typedef {object} Ended
 * @property {Attempt|null} attempt null if its keys are not known
 * @property {Omit<Result, keyof Unseen> & Unseen} result
 * @property {Verdict|null} verdict null as long as the server has not said it
 * @property {Reason[]} why
 * @property {boolean} saved or on its way
 */

const MS_PER_SECOND = 1_000;
const CHART_HEIGHT_PX = 220;
const WEAK_KEYS = 3;
const CONFUSIONS = 12;
const POINTS_MAX = 150;
const UNKNOWN = '–';
/** The rule that speaks of an attempt which was given up, or cut short. */
const UNFINISHED = 'incomplete';

/** The actions and whatever else the root has of its own stand between the numbers and what they mean. */
const HEADLINE = `
<div class="headline">
  <dl class="big">
    <div><dd id="result-wpm"></dd><dt data-message="wpmLong"></dt></div>
    <div><dd id="result-accuracy"></dd><dt data-message="accuracy"></dt></div>
  </dl>
  <dl class="small">
    <div><dd id="result-raw"></dd><dt data-message="raw" data-title="rawLong"></dt></div>
    <div><dd id="result-consistency"></dd><dt data-message="consistency"></dt></div>
    <div><dd id="result-time"></dd><dt data-message="timeTaken"></dt></div>
    <div><dd id="result-errors"></dd><dt data-message="errors"></dt></div>
  </dl>
</div>`;
const JUDGEMENT = `
<div class="judgement">
  <p id="result-best" hidden></p>
  <div id="result-verdict" role="status"></div>
</div>`;
const FINDINGS = `
<div class="findings">
  <figure id="result-chart-figure">
    <figcaption>
      <span data-message="speedOverTime"></span>
      <span class="legend"><i class="thick"></i><span data-message="legendWpm"></span>
        <i class="thin"></i><span data-message="legendRaw"></span>
        <i class="crossed"></i><span data-message="legendErrors"></span></span>
    </figcaption>
    <div id="result-chart"></div>
    <details><summary data-message="asTable"></summary><div id="result-table" class="scroller"></div></details>
  </figure>
  <div class="keys-found">
    <h3 id="result-weak-title" data-message="weakKeys"></h3>
    <ul id="result-weak"></ul>
    <details id="result-confusions"><summary data-message="confusions"></summary><div class="scroller"></div></details>
  </div>
</div>`;

export class ResultView {
  /** @type {HTMLElement} */
  #root;
  /** @type {((atMs: number) => void) | null} */
  #seek;
  /** @type {SpeedChart | null} */
  #chart = null;
  /** @type {Ended | null} */
  #shown = null;

  /**
   * @param {HTMLElement} root with an element `.actions`
   * @param {{seek?: (atMs: number) => void}} [options] `seek`: a moment was chosen on the chart
   */
  constructor(root, { seek } = {}) {
    this.#root = root;
    this.#seek = seek ?? null;
    const actions = element(root, '.actions');
    actions.insertAdjacentHTML('beforebegin', HEADLINE);
    actions.insertAdjacentHTML('afterend', JUDGEMENT);
    root.insertAdjacentHTML('beforeend', FINDINGS);
    translate(root);
    new ResizeObserver(() => this.#drawChart()).observe(this.#part('chart'));
  }

  /** @param {Ended | null} ended null: none any more */
  show(ended) {
    this.#shown = ended;
    this.draw();
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

  /**
   * Shows on the chart which moment is looked at.
   * @param {number} atMs
   */
  mark(atMs) {
    this.#chart?.mark(atMs / MS_PER_SECOND);
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

  /** @param {Ended['result']} result */
  #drawNumbers(result) {
    const wpm = this.#part('wpm');
    wpm.textContent = number(result.wpm);
    wpm.dataset.value = String(result.wpm);
    wpm.title = number(result.wpm, 2);
    const accuracy = this.#part('accuracy');
    accuracy.textContent = percent(result.accuracy);
    accuracy.dataset.value = String(result.accuracy);
    accuracy.title = percent(result.accuracy, 2);
    this.#part('raw').textContent = result.raw_wpm === null ? UNKNOWN : number(result.raw_wpm, 1);
    this.#part('consistency').textContent = result.consistency === null ? UNKNOWN : percent(result.consistency);
    this.#part('time').textContent = duration(result.duration_ms);
    this.#part('errors').textContent = say('errorsLeft', number(result.errors), number(result.uncorrected ?? 0));
  }

  /** @param {Ended} ended */
  #drawVerdict({ verdict, why, saved }) {
    const root = this.#part('verdict');
    root.dataset.verdict = verdict ?? 'waiting';
    const sentence = document.createElement('p');
    sentence.textContent = verdict ? say(verdict) : say(saved ? 'verdictWaiting' : 'verdictOffline');
    const rules = why.map((reason) => {
      const item = document.createElement('li');
      item.textContent = reasonWords(reason);
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

  /** @param {Ended['result']} result */
  #drawBest({ personal_best: known }) {
    const best = this.#part('best');
    best.hidden = !known;
    best.classList.toggle('now', this.isBest);
    best.textContent = known ? say(this.isBest ? 'personalBest' : 'bestSoFar', number(known)) : '';
  }

  /** @param {Ended['result']} result */
  #drawWeakKeys({ keys }) {
    element(this.#root, '.findings').hidden = Object.keys(keys).length === 0;
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

  /** @param {Ended['result']} result */
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
    const points = condensed(this.#shown.attempt?.speeds() ?? []);
    const enough = points.length >= 2;
    this.#part('chart-figure').hidden = !enough;
    if (!enough || clientWidth === 0) return;
    const seek = this.#seek;
    this.#chart = speedChart(points, {
      width: clientWidth,
      height: CHART_HEIGHT_PX,
      label: say('chartLabel', number(this.#shown.result.wpm), number(Math.max(...points.map((p) => p.raw_wpm)))),
      describe: (p) => say('chartPoint', number(p.at_s), number(p.wpm), number(p.raw_wpm), p.errors),
      number,
      seek: seek && ((atS) => seek(atS * MS_PER_SECOND)),
    });
    this.#part('chart').replaceChildren(this.#chart.svg);
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
 * No more points than can be told apart: of a long attempt each stands for several seconds.
 * @param {SpeedPoint[]} points
 */
export function condensed(points) {
  const size = Math.ceil(points.length / POINTS_MAX);
  return Array.from({ length: Math.ceil(points.length / size) || 0 }, (_, i) => {
    const part = points.slice(i * size, (i + 1) * size);
    const { at_s, wpm } = part[part.length - 1];
    const raw_wpm = part.reduce((sum, point) => sum + point.raw_wpm, 0) / part.length;
    const errors = part.reduce((sum, point) => sum + point.errors, 0);
    return { at_s, wpm, raw_wpm, errors };
  });
}

/**
 * Was it typed to its end? What was not has a speed, but not of a text, and is no ghost to race against.
 * @param {{why: Reason[]}} attempt
 */
export function isFinished({ why }) {
  return !why.some(({ rule }) => rule === UNFINISHED);
}

/**
 * A rule that spoke, with what it saw and what it allows; rules this page does not know are shown as they are.
 * @param {Reason} reason
 */
export function reasonWords({ rule: name, value, limit }) {
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

/**
 * How often a key went wrong, and what was hit for it.
 * @param {Pick<KeyScore, 'presses'|'errors'|'confusions'>} key
 */
export function wrongKey({ presses, errors, confusions }) {
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
