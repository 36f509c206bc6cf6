/** How often one was how fast. */

import { caption, MARGIN, niceStep, TICK_GAP_PX } from './charts.js';
import { element, shape } from './dom.js';
import { Scrubber } from './scrubber.js';
import { number } from './words.js';

/**
 * @import { Bin } from '../core/trend.js'
 */

const HEIGHT_PX = 200;
/** Room for thousands. */
const LEFT_PX = 52;
const LABEL_WIDTH_PX = 40;
const BAR_PX_MAX = 48;
const GAP_PX = 2;

export class Histogram {
  #plot;
  #scrubber;
  /** @type {Bin[]} */
  #bins = [];
  /** @type {SVGElement[]} */
  #bars = [];

  /** @param {HTMLElement} figure */
  constructor(figure) {
    this.#plot = element(figure, '.plot');
    this.#scrubber = new Scrubber(figure);
    new ResizeObserver(() => this.#draw()).observe(this.#plot);
  }

  /**
   * @param {Bin[]} bins from the slowest to the fastest, at least one
   * @param {{label: string, words: (bin: Bin) => string}} options
   */
  show(bins, { label, words }) {
    this.#bins = bins;
    this.#draw();
    this.#scrubber.show({
      count: bins.length,
      label,
      words: (i) => words(bins[i]),
      href: () => null,
      point: (i) => this.#point(i),
      nearest: (x) => Math.min(Math.floor((x - LEFT_PX) / this.#binWidth), bins.length - 1),
    });
  }

  get #binWidth() {
    return Math.min(BAR_PX_MAX, (this.#plot.clientWidth - LEFT_PX - MARGIN.right) / this.#bins.length);
  }

  #draw() {
    const width = this.#plot.clientWidth;
    if (this.#bins.length === 0 || width === 0) return;
    const inner = HEIGHT_PX - MARGIN.top - MARGIN.bottom;
    const most = Math.max(...this.#bins.map((bin) => bin.count));
    const step = niceStep(most, Math.floor(inner / TICK_GAP_PX));
    const highest = Math.ceil(most / step) * step;
    /** @param {number} count */
    const y = (count) => MARGIN.top + (1 - count / highest) * inner;
    const svg = shape('svg', { class: 'chart', viewBox: `0 0 ${width} ${HEIGHT_PX}`, width, height: HEIGHT_PX });
    svg.setAttribute('aria-hidden', 'true');
    for (let count = 0; count <= highest; count += step) {
      svg.append(
        shape('line', { class: 'grid', x1: LEFT_PX, x2: width - MARGIN.right, y1: y(count), y2: y(count) }),
        caption(number(count), LEFT_PX - 8, y(count) + 4, 'end'),
      );
    }
    const binWidth = this.#binWidth;
    this.#bars = this.#bins.map((bin, i) =>
      shape('rect', {
        class: 'bar-of',
        x: LEFT_PX + i * binWidth + GAP_PX / 2,
        width: Math.max(1, binWidth - GAP_PX),
        y: y(bin.count),
        height: y(0) - y(bin.count),
        rx: 2,
      }),
    );
    const every = Math.max(1, Math.ceil(LABEL_WIDTH_PX / binWidth));
    svg.append(
      ...this.#bars,
      ...this.#bins.flatMap((bin, i) =>
        i % every ? [] : [caption(number(bin.from), LEFT_PX + i * binWidth, HEIGHT_PX - 6, 'middle')],
      ),
    );
    this.#plot.replaceChildren(svg);
    this.#scrubber.redraw();
  }

  /** @param {number} at */
  #point(at) {
    this.#bars.forEach((bar, i) => {
      bar.classList.toggle('meant', i === at);
    });
  }
}
