/** Everybody's speed over time in one chart; the table beside it says who is which line. */

import { caption, line, scaleFor, speedAxis, timeAxis } from './charts.js';
import { shape } from './dom.js';

/**
 * @typedef {{slot: number, mine: boolean, name: string, place: number|null,
 *   points: {at_s: number, wpm: number}[]}} Curve
 */

const DASHES = ['', '7 4', '2 4', '9 3 2 3'];

/**
 * @param {Curve[]} curves
 * @param {{width: number, height: number, label: string, number: (value: number) => string}} options
 * @returns {SVGSVGElement|null} null if there is too little to draw
 */
export function raceChart(curves, { width, height, label, number }) {
  const drawn = curves.filter(({ points }) => points.length > 1);
  if (drawn.length === 0) return null;
  const all = drawn.flatMap(({ points }) => points).sort((a, b) => a.at_s - b.at_s);
  const scale = scaleFor(all, width, height);
  const svg = shape('svg', { class: 'chart', viewBox: `0 0 ${width} ${height}`, width, height, role: 'img' });
  svg.setAttribute('aria-label', label);
  svg.append(...speedAxis(scale, width, number), ...timeAxis(scale, height, number));
  // One's own comes last, above the others.
  for (const curve of drawn.sort((a, b) => Number(a.mine) - Number(b.mine))) {
    const path = line(curve.points, scale, 'wpm', curve.mine ? 'line racer mine' : 'line racer');
    path.style.setProperty('--slot', String(curve.slot));
    path.setAttribute('stroke-dasharray', curve.mine ? '' : dashOf(curve.slot));
    const title = shape('title', {});
    title.textContent = curve.name;
    path.append(title);
    svg.append(path);
    const end = curve.points[curve.points.length - 1];
    if (curve.place === null) continue;
    const words = caption(number(curve.place), scale.x(end.at_s) + 2, scale.y(end.wpm) - 6, 'end');
    words.classList.add('end');
    svg.append(words);
  }
  return svg;
}

/**
 * The line of a racer, short, as a key to the chart.
 * @param {number} slot
 * @param {boolean} mine
 */
export function swatch(slot, mine) {
  const svg = shape('svg', { class: 'swatch', viewBox: '0 0 28 8', width: 28, height: 8, 'aria-hidden': 'true' });
  const path = shape('path', { class: mine ? 'line racer mine' : 'line racer', d: 'M1 4H27' });
  path.style.setProperty('--slot', String(slot));
  path.setAttribute('stroke-dasharray', mine ? '' : dashOf(slot));
  svg.append(path);
  return svg;
}

/** Not by colour alone. @param {number} slot */
function dashOf(slot) {
  return DASHES[slot % DASHES.length];
}
