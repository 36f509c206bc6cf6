/** Speed and accuracy from attempt to attempt, or from day to day: points, their running mean, its spread. */

import { runningMean } from '../core/trend.js';
import { caption, MARGIN, niceStep } from './charts.js';
import { element, shape } from './dom.js';
import { Scrubber } from './scrubber.js';
import { number, percent } from './words.js';

/**
 * @import { Mean, Measure } from '../core/trend.js'
 *
 * @typedef {object} Mark
 * @property {number} x its place among the others
 * @property {string} name when it was
 * @property {string} when for the axis
 * @property {Measure} speed
 * @property {Measure|null} accuracy
 * @property {string} words
 * @property {string|null} href
 *
 * @typedef {object} Panel one of the two drawings
 * @property {SVGSVGElement} svg
 * @property {SVGElement} ring
 * @property {(i: number) => number|null} y
 */

const SPEED_HEIGHT_PX = 240;
const ACCURACY_HEIGHT_PX = 110;
const TICK_WIDTH_PX = 90;
const POINT_PX = 3;
const RING_PX = 6;
/** Room for a hundred per cent. */
const LEFT_PX = 48;
const TICK_PX = 38;
const ALL_RIGHT = 1;
const PER_CENT = 0.01;
const UNITS_MIN = 4;

export class TrendChart {
  #plot;
  #scrubber;
  /** @type {Mark[]} */
  #marks = [];
  #window = 1;
  #label = '';
  /** @type {Panel[]} */
  #panels = [];
  /** @type {(i: number) => number} */
  #x = () => 0;

  /** @param {HTMLElement} figure */
  constructor(figure) {
    this.#plot = element(figure, '.plot');
    this.#scrubber = new Scrubber(figure);
    new ResizeObserver(() => this.#draw()).observe(this.#plot);
  }

  /**
   * @param {Mark[]} marks in order of time, at least one
   * @param {{window: number, label: string}} options over how many marks a mean is taken
   */
  show(marks, { window, label }) {
    this.#marks = marks;
    this.#window = window;
    this.#label = label;
    this.#panels = [];
    this.#draw();
    this.#scrubber.show({
      count: marks.length,
      label: this.#label,
      words: (i) => marks[i].words,
      href: (i) => marks[i].href,
      point: (i) => this.#point(i),
      nearest: (x) => this.#nearest(x),
    });
  }

  #draw() {
    const width = this.#plot.clientWidth;
    if (this.#marks.length === 0 || width === 0) return;
    const first = this.#marks[0].x;
    const span = Math.max(this.#marks[this.#marks.length - 1].x - first, 1);
    const inner = width - LEFT_PX - MARGIN.right;
    const alone = this.#marks.length === 1;
    this.#x = (i) => LEFT_PX + (alone ? 0.5 : (this.#marks[i].x - first) / span) * inner;
    this.#panels = [
      this.#panel(width, SPEED_HEIGHT_PX, (mark) => mark.speed, {
        className: 'speed',
        number,
        most: Number.POSITIVE_INFINITY,
        unit: 1,
        dated: false,
      }),
      // Both have the same days: they stand below the lower one.
      this.#panel(width, ACCURACY_HEIGHT_PX, (mark) => mark.accuracy, {
        className: 'accuracy',
        number: percent,
        most: ALL_RIGHT,
        unit: PER_CENT,
        dated: true,
      }),
    ];
    this.#plot.replaceChildren(...this.#panels.map(({ svg }) => svg));
    this.#scrubber.redraw();
  }

  /**
   * @param {number} width
   * @param {number} height
   * @param {(mark: Mark) => Measure|null} measureOf
   * @param {{className: string, number: (value: number) => string, most: number, unit: number, dated: boolean}} options
   * @returns {Panel}
   */
  #panel(width, height, measureOf, { className, number: shown, most, unit, dated }) {
    const known = this.#marks.flatMap((mark, i) => {
      const measure = measureOf(mark);
      return measure ? [{ i, measure }] : [];
    });
    const means = runningMean(
      known.map(({ measure }) => measure),
      this.#window,
    );
    const svg = shape('svg', { class: `chart ${className}`, viewBox: `0 0 ${width} ${height}`, width, height });
    svg.setAttribute('aria-hidden', 'true');
    const ring = shape('circle', { class: 'ring', r: RING_PX, visibility: 'hidden' });
    if (known.length === 0) return { svg, ring, y: () => null };
    const scale = scaleOf(
      known.map(({ measure }) => measure.value),
      means,
      { height: height - MARGIN.top - (dated ? MARGIN.bottom : MARGIN.top), most, unit },
    );
    const places = means.map((mean, at) => ({ x: this.#x(known[at].i), mean }));
    svg.append(...scale.ticks.flatMap((tick) => gridLine(scale.y(tick), width, shown(tick))));
    svg.append(band(places, scale.y), ...(dated ? this.#timeAxis(width, height) : []));
    for (const { i, measure } of known) {
      svg.append(shape('circle', { class: 'point', cx: this.#x(i), cy: scale.y(measure.value), r: POINT_PX }));
    }
    svg.append(meanLine(places, scale.y), ring);
    const values = new Map(known.map(({ i, measure }) => [i, measure.value]));
    return {
      svg,
      ring,
      y: (i) => {
        const value = values.get(i);
        return value === undefined ? null : scale.y(value);
      },
    };
  }

  /** @param {number} width @param {number} height */
  #timeAxis(width, height) {
    const count = Math.max(2, Math.floor((width - LEFT_PX - MARGIN.right) / TICK_WIDTH_PX));
    const ticks = [];
    let before = { when: '', x: Number.NEGATIVE_INFINITY };
    for (let i = 0; i < this.#marks.length; i++) {
      const { when } = this.#marks[i];
      const x = this.#x(i);
      if (when === before.when || x - before.x < (width - LEFT_PX - MARGIN.right) / count) continue;
      // The first and the last stay within the drawing.
      const anchor = x < LEFT_PX + TICK_WIDTH_PX / 2 ? 'start' : x > width - TICK_WIDTH_PX / 2 ? 'end' : 'middle';
      ticks.push(caption(when, x, height - 6, anchor));
      before = { when, x };
    }
    return ticks;
  }

  /** @param {number} i */
  #point(i) {
    for (const { ring, y } of this.#panels) {
      const at = y(i);
      ring.setAttribute('visibility', at === null ? 'hidden' : 'visible');
      if (at === null) continue;
      ring.setAttribute('cx', String(this.#x(i)));
      ring.setAttribute('cy', String(at));
    }
  }

  /** @param {number} x */
  #nearest(x) {
    let nearest = 0;
    for (let i = 1; i < this.#marks.length; i++) {
      if (Math.abs(this.#x(i) - x) < Math.abs(this.#x(nearest) - x)) nearest = i;
    }
    return nearest;
  }
}

/**
 * Not from zero: what changes is what is looked for. But never so close that chance looks like change.
 * @param {number[]} values
 * @param {Mean[]} means
 * @param {{height: number, most: number, unit: number}} options the narrowest range is UNITS_MIN units
 */
function scaleOf(values, means, { height, most, unit }) {
  const all = [...values, ...means.flatMap(({ mean, spread }) => [mean - spread, mean + spread])];
  const lowest = Math.max(0, Math.min(...all)) / unit;
  const highest = Math.min(most, Math.max(...all)) / unit;
  const step = niceStep(Math.max(highest - lowest, UNITS_MIN), Math.max(2, Math.floor(height / TICK_PX)));
  const to = Math.min(Math.round(most / unit), Math.max(Math.ceil(highest / step), 2) * step);
  const from = Math.max(0, Math.min(Math.floor(lowest / step), Math.ceil(to / step) - 2)) * step;
  const ticks = [];
  for (let tick = from; tick <= to; tick += step) ticks.push(tick * unit);
  return {
    ticks,
    /** @param {number} value */
    y: (value) => MARGIN.top + (1 - (Math.min(Math.max(value / unit, from), to) - from) / (to - from)) * height,
  };
}

/** @param {number} y @param {number} width @param {string} words */
function gridLine(y, width, words) {
  const line = shape('line', { class: 'grid', x1: LEFT_PX, x2: width - MARGIN.right, y1: y, y2: y });
  return [line, caption(words, LEFT_PX - 8, y + 4, 'end')];
}

/**
 * @param {{x: number, mean: Mean}[]} places
 * @param {(value: number) => number} y
 */
function band(places, y) {
  const above = places.map(({ x, mean }) => `${x.toFixed(1)} ${y(mean.mean + mean.spread).toFixed(1)}`);
  const below = places.map(({ x, mean }) => `${x.toFixed(1)} ${y(mean.mean - mean.spread).toFixed(1)}`);
  return shape('path', { class: 'band', d: `M${[...above, ...below.reverse()].join('L')}z` });
}

/**
 * @param {{x: number, mean: Mean}[]} places
 * @param {(value: number) => number} y
 */
function meanLine(places, y) {
  const d = places.map(({ x, mean }) => `${x.toFixed(1)} ${y(mean.mean).toFixed(1)}`).join('L');
  return shape('path', { class: 'line thick', d: `M${d}` });
}
