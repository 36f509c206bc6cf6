/** Small SVG charts: themable, printable, and each with its table. */

import { shape } from './dom.js';

/**
 * @import { SpeedPoint } from '../core/attempt.js'
 *
 * @typedef {(point: SpeedPoint) => string} Describe puts one point into words
 * @typedef {(value: number) => string} Numbers
 * @typedef {ReturnType<typeof scaleFor>} Scale
 *
 * @typedef {object} SpeedChart
 * @property {SVGSVGElement} svg
 * @property {(atS: number) => void} mark shows which moment is looked at elsewhere
 */

export const MARGIN = { top: 14, right: 12, bottom: 26, left: 40 };
const CROSS_PX = 3.5;
export const TICK_GAP_PX = 46;

/**
 * Speed over time: wpm as a thick line, raw wpm as a thin one, a cross where a second had errors.
 * @param {SpeedPoint[]} points in order of time
 * @param {object} options
 * @param {number} options.width
 * @param {number} options.height
 * @param {string} options.label
 * @param {Describe} options.describe
 * @param {Numbers} options.number
 * @param {((atS: number) => void) | null} [options.seek] a moment was chosen with the pointer
 * @returns {SpeedChart}
 */
export function speedChart(points, { width, height, label, describe, number, seek = null }) {
  const scale = scaleFor(points, width, height);
  const svg = shape('svg', { class: 'chart', viewBox: `0 0 ${width} ${height}`, width, height, role: 'img' });
  svg.setAttribute('aria-label', label);
  svg.append(
    ...speedAxis(scale, width, number),
    ...timeAxis(scale, height, number),
    line(points, scale, 'raw_wpm', 'line thin'),
    line(points, scale, 'wpm', 'line thick'),
    ...points.filter((point) => point.errors > 0).map((point) => cross(scale.x(point.at_s), scale.y(point.raw_wpm))),
  );
  follow(svg, points, scale, { width, height, describe });
  if (seek) choose(svg, scale, width, seek);
  return { svg, mark: marker(svg, scale, height) };
}

/**
 * The same numbers as a table.
 * @param {{caption: string, heads: string[], rows: string[][]}} content the first cell of a row names it
 */
export function table({ caption, heads, rows }) {
  const element = document.createElement('table');
  element.createCaption().textContent = caption;
  fill(element.createTHead().insertRow(), heads, () => 'col');
  const body = element.createTBody();
  for (const cells of rows) fill(body.insertRow(), cells, (i) => (i === 0 ? 'row' : null));
  return element;
}

/**
 * @param {HTMLTableRowElement} row
 * @param {string[]} cells
 * @param {(column: number) => string | null} scopeOf
 */
function fill(row, cells, scopeOf) {
  cells.forEach((text, i) => {
    const scope = scopeOf(i);
    const cell = document.createElement(scope ? 'th' : 'td');
    if (scope) cell.scope = scope;
    cell.textContent = text;
    row.append(cell);
  });
}

/**
 * @param {{at_s: number, wpm: number, raw_wpm?: number}[]} points in order of time
 * @param {number} width
 * @param {number} height
 */
export function scaleFor(points, width, height) {
  const top = Math.max(10, ...points.map((point) => Math.max(point.wpm, point.raw_wpm ?? 0)));
  const step = niceStep(top, Math.max(2, Math.floor((height - MARGIN.top - MARGIN.bottom) / TICK_GAP_PX)));
  const highest = Math.ceil(top / step) * step;
  const firstS = points[0].at_s;
  const spanS = Math.max(points[points.length - 1].at_s - firstS, 1);
  const inner = { width: width - MARGIN.left - MARGIN.right, height: height - MARGIN.top - MARGIN.bottom };
  return {
    /** @param {number} atS */
    x: (atS) => MARGIN.left + ((atS - firstS) / spanS) * inner.width,
    /** @param {number} x */
    atS: (x) => firstS + ((x - MARGIN.left) / inner.width) * spanS,
    /** @param {number} wpm */
    y: (wpm) => MARGIN.top + (1 - wpm / highest) * inner.height,
    step,
    highest,
    firstS,
    spanS,
    ticksAcross: Math.max(2, Math.floor(inner.width / (TICK_GAP_PX * 1.4))),
  };
}

/**
 * The least of 1, 2, 5, 10, 20 … that needs no more than `count` steps up to `top`.
 * @param {number} top
 * @param {number} count
 */
export function niceStep(top, count) {
  let unit = 1;
  for (;;) {
    for (const factor of [1, 2, 5]) {
      if (factor * unit * count >= top) return factor * unit;
    }
    unit *= 10;
  }
}

/** @param {Scale} scale @param {number} width @param {Numbers} number */
export function speedAxis(scale, width, number) {
  const marks = [];
  for (let wpm = 0; wpm <= scale.highest; wpm += scale.step) {
    const y = scale.y(wpm);
    marks.push(shape('line', { class: 'grid', x1: MARGIN.left, x2: width - MARGIN.right, y1: y, y2: y }));
    marks.push(caption(number(wpm), MARGIN.left - 8, y + 4, 'end'));
  }
  return marks;
}

/** @param {Scale} scale @param {number} height @param {Numbers} number */
export function timeAxis(scale, height, number) {
  const marks = [];
  const step = niceStep(scale.spanS, scale.ticksAcross);
  for (let atS = Math.ceil(scale.firstS / step) * step; atS <= scale.firstS + scale.spanS; atS += step) {
    marks.push(caption(number(atS), scale.x(atS), height - 6, 'middle'));
  }
  return marks;
}

/**
 * @template {'wpm' | 'raw_wpm'} Name
 * @param {({at_s: number} & Record<Name, number>)[]} points
 * @param {Scale} scale
 * @param {Name} name
 * @param {string} className
 */
export function line(points, scale, name, className) {
  const path = points.map((point, i) => {
    return `${i ? 'L' : 'M'}${scale.x(point.at_s).toFixed(1)} ${scale.y(point[name]).toFixed(1)}`;
  });
  return shape('path', { class: className, d: path.join('') });
}

/** @param {number} x @param {number} y */
function cross(x, y) {
  const r = CROSS_PX;
  return shape('path', {
    class: 'cross',
    d: `M${x - r} ${y - r}l${2 * r} ${2 * r}M${x - r} ${y + r}l${2 * r} ${-2 * r}`,
  });
}

/**
 * A line under the pointer, and the numbers of that second in words.
 * @param {SVGElement} svg
 * @param {SpeedPoint[]} points
 * @param {Scale} scale
 * @param {{width: number, height: number, describe: Describe}} options
 */
function follow(svg, points, scale, { width, height, describe }) {
  const rule = shape('line', { class: 'rule', y1: MARGIN.top, y2: height - MARGIN.bottom });
  const words = caption('', 0, MARGIN.top - 3, 'middle');
  words.classList.add('under-pointer');
  const group = shape('g', { visibility: 'hidden' });
  group.append(rule, words);
  svg.append(group);
  svg.addEventListener('pointermove', (event) => {
    const x = ((event.clientX - svg.getBoundingClientRect().left) / svg.clientWidth) * width;
    const point = points.reduce((a, b) => (Math.abs(scale.x(b.at_s) - x) < Math.abs(scale.x(a.at_s) - x) ? b : a));
    const at = scale.x(point.at_s);
    rule.setAttribute('x1', String(at));
    rule.setAttribute('x2', String(at));
    words.textContent = describe(point);
    const half = words.getComputedTextLength() / 2;
    words.setAttribute('x', String(Math.min(Math.max(at, half), width - half)));
    group.setAttribute('visibility', 'visible');
  });
  svg.addEventListener('pointerleave', () => group.setAttribute('visibility', 'hidden'));
}

/**
 * A press on the chart, or a drag over it, chooses a moment.
 * @param {SVGSVGElement} svg
 * @param {Scale} scale
 * @param {number} width
 * @param {(atS: number) => void} seek
 */
function choose(svg, scale, width, seek) {
  svg.classList.add('seekable');
  /** @param {PointerEvent} event */
  const chosen = (event) => {
    const { left, width: shownWidth } = svg.getBoundingClientRect();
    seek(scale.atS(((event.clientX - left) / shownWidth) * width));
  };
  svg.addEventListener('pointerdown', (event) => {
    svg.setPointerCapture(event.pointerId);
    chosen(event);
  });
  svg.addEventListener('pointermove', (event) => {
    if (svg.hasPointerCapture(event.pointerId)) chosen(event);
  });
}

/** @param {SVGSVGElement} svg @param {Scale} scale @param {number} height */
function marker(svg, scale, height) {
  const line = shape('line', { class: 'now', y1: MARGIN.top, y2: height - MARGIN.bottom, visibility: 'hidden' });
  svg.append(line);
  /** @param {number} atS */
  return (atS) => {
    const x = scale.x(Math.min(Math.max(atS, scale.firstS), scale.firstS + scale.spanS));
    line.setAttribute('x1', String(x));
    line.setAttribute('x2', String(x));
    line.setAttribute('visibility', 'visible');
  };
}

/** @param {string} text @param {number} x @param {number} y @param {string} anchor */
export function caption(text, x, y, anchor) {
  const element = shape('text', { x, y, 'text-anchor': anchor });
  element.textContent = text;
  return element;
}
