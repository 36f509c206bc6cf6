/** A year of days: how long one typed on each. */

import { levelOf } from '../core/trend.js';
import { nameOf, weekday } from '../days.js';
import { caption } from './charts.js';
import { element, shape } from './dom.js';
import { Scrubber } from './scrubber.js';
import { dayWords } from './words.js';

/**
 * @import { Day } from '../core/trend.js'
 */

const WEEKS_MAX = 53;
const DAYS_PER_WEEK = 7;
const LEFT_PX = 30;
const TOP_PX = 20;
const MONTH_WIDTH_PX = 44;
const CELL_PX_MAX = 20;
const CELL_PX_MIN = 9;
/** The more, the larger the square: it can be told without colour. */
const SIZE = [0.3, 0.4, 0.58, 0.74, 0.88];
const NAMED_WEEKDAYS = [0, 2, 4];

export class Calendar {
  #plot;
  #scrubber;
  /** @type {Map<number, Day>} */
  #days = new Map();
  #first = 0;
  #last = 0;
  #from = 0;
  #cell = CELL_PX_MAX;
  #weeks = WEEKS_MAX;
  /** @type {SVGElement|null} */
  #ring = null;
  #show = () => {};

  /** @param {HTMLElement} figure */
  constructor(figure) {
    this.#plot = element(figure, '.plot');
    // Up and down go by days, as they are drawn; left and right by weeks.
    this.#scrubber = new Scrubber(figure, { ArrowLeft: -7, ArrowRight: 7, ArrowUp: -1, ArrowDown: 1 });
    new ResizeObserver(() => this.#show()).observe(this.#plot);
  }

  /**
   * @param {Day[]} days those on which something was typed
   * @param {{last: number, from: number, label: string, words: (day: number, typed: Day|undefined) => string,
   *   href: (day: number) => string}} options the days before `from` are shown fainter
   */
  show(days, { last, from, label, words, href }) {
    this.#days = new Map(days.map((day) => [day.day, day]));
    this.#last = last;
    this.#from = from;
    this.#show = () => {
      if (!this.#draw()) return;
      this.#scrubber.show({
        count: last - this.#first + 1,
        label,
        words: (i) => words(this.#first + i, this.#days.get(this.#first + i)),
        href: (i) => (this.#days.has(this.#first + i) ? href(this.#first + i) : null),
        point: (i) => this.#point(i),
        nearest: (x, y) => this.#nearest(x, y),
      });
    };
    this.#show();
  }

  #draw() {
    const width = this.#plot.clientWidth;
    if (width === 0) return false;
    // A narrow page shows the newest weeks that fit.
    this.#weeks = Math.min(WEEKS_MAX, Math.floor((width - LEFT_PX) / CELL_PX_MIN));
    this.#cell = Math.min(CELL_PX_MAX, (width - LEFT_PX) / this.#weeks);
    this.#first = this.#last - weekday(this.#last) - (this.#weeks - 1) * DAYS_PER_WEEK;
    const height = TOP_PX + DAYS_PER_WEEK * this.#cell;
    const svg = shape('svg', { class: 'chart calendar', viewBox: `0 0 ${width} ${height}`, width, height });
    svg.setAttribute('aria-hidden', 'true');
    const level = levelOf([...this.#days.values()].map((day) => day.time_ms));
    for (let day = this.#first; day <= this.#last; day++) {
      const at = level(this.#days.get(day)?.time_ms ?? 0);
      svg.append(this.#square(day, SIZE[at], `day level-${at}${day < this.#from ? ' outside' : ''}`));
    }
    this.#ring = this.#square(this.#last, 1, 'ring');
    svg.append(...this.#months(), ...this.#weekdays(), this.#ring);
    this.#plot.replaceChildren(svg);
    return true;
  }

  /** @param {number} day @param {number} share @param {string} className */
  #square(day, share, className) {
    const { x, y } = this.#place(day);
    const size = this.#cell * share;
    const inset = (this.#cell - size) / 2;
    return shape('rect', { class: className, x: x + inset, y: y + inset, width: size, height: size, rx: size * 0.2 });
  }

  /** @param {number} day */
  #place(day) {
    const after = day - this.#first;
    return {
      x: LEFT_PX + Math.floor(after / DAYS_PER_WEEK) * this.#cell,
      y: TOP_PX + (after % DAYS_PER_WEEK) * this.#cell,
    };
  }

  /** The name of a month over the week with its first day. */
  #months() {
    const named = [];
    let freeFrom = 0;
    for (let day = this.#first; day <= this.#last; day++) {
      const { x } = this.#place(day);
      if (!nameOf(day).endsWith('-01') || x < freeFrom) continue;
      named.push(caption(dayWords(day, { month: 'short' }), x, TOP_PX - 7, 'start'));
      freeFrom = x + MONTH_WIDTH_PX;
    }
    return named;
  }

  #weekdays() {
    return NAMED_WEEKDAYS.map((after) => {
      const { y } = this.#place(this.#first + after);
      return caption(dayWords(this.#first + after, { weekday: 'short' }), 0, y + this.#cell / 2 + 4, 'start');
    });
  }

  /** @param {number} i */
  #point(i) {
    const { x, y } = this.#place(this.#first + i);
    this.#ring?.setAttribute('x', String(x));
    this.#ring?.setAttribute('y', String(y));
  }

  /** @param {number} x @param {number} y */
  #nearest(x, y) {
    const week = Math.floor((x - LEFT_PX) / this.#cell);
    const day = Math.floor((y - TOP_PX) / this.#cell);
    if (week < 0 || week >= this.#weeks || day < 0 || day >= DAYS_PER_WEEK) return -1;
    return Math.min(week * DAYS_PER_WEEK + day, this.#last - this.#first);
  }
}
