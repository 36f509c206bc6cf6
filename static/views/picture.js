/** A picture of a result to show to others, drawn here in the colours of the page. */

import { speedChart } from './charts.js';
import { find } from './dom.js';
import { condensed } from './result_view.js';
import { duration, moment, number, percent, say } from './words.js';

/**
 * @import { Ended } from './result_view.js'
 *
 * @typedef {Ended & {title: string, finishedAtMs: number}} Pictured `title`: what was typed, in words
 * @typedef {Record<'paper' | 'edge' | 'ink' | 'calm' | 'accent' | 'wrong', string>} Colours
 */

const WIDTH = 1200;
const HEIGHT = 630;
const MARGIN = 72;
const CHART = { x: 424, y: 196, width: WIDTH - 424 - MARGIN, height: 290 };
const COLOUR_NAMES = /** @type {(keyof Colours)[]} */ (['paper', 'edge', 'ink', 'calm', 'accent', 'wrong']);
const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif";
const CAPTION_PX = 19;

/** The dialog in which the picture is looked at, named, taken away. */
export class Picture {
  #dialog;
  #canvas;
  #name;
  #copy;
  /** @type {Pictured | null} */
  #pictured = null;

  /** @param {HTMLDialogElement} dialog */
  constructor(dialog) {
    this.#dialog = dialog;
    this.#canvas = find(dialog, 'canvas', HTMLCanvasElement);
    this.#name = find(dialog, 'input', HTMLInputElement);
    this.#copy = find(dialog, '[data-action="copyPicture"]', HTMLButtonElement);
    this.#copy.hidden = !('ClipboardItem' in globalThis && navigator.clipboard?.write);
    this.#name.addEventListener('input', () => this.draw());
  }

  /** @param {Pictured} pictured */
  open(pictured) {
    this.#pictured = pictured;
    this.draw();
    this.#dialog.showModal();
  }

  /** Draws it, as when the theme, the language or the name has changed. */
  draw() {
    if (!this.#pictured) return;
    Object.assign(this.#canvas, { width: WIDTH, height: HEIGHT });
    const { result, title } = this.#pictured;
    this.#canvas.setAttribute('aria-label', say('pictureLabel', number(result.wpm), percent(result.accuracy), title));
    const context = this.#canvas.getContext('2d');
    if (context) draw(context, this.#pictured, this.#name.value.trim(), coloursOf(this.#dialog));
  }

  /** Saves it as a file. */
  async download() {
    const url = URL.createObjectURL(await this.#blob());
    const link = document.createElement('a');
    link.href = url;
    link.download = `typing-${Math.round(this.#pictured?.result.wpm ?? 0)}-wpm.png`;
    link.click();
    URL.revokeObjectURL(url);
  }

  /** Puts it on the clipboard; rejects where that is forbidden. */
  async copy() {
    await navigator.clipboard.write([new ClipboardItem({ 'image/png': this.#blob() })]);
  }

  /** @returns {Promise<Blob>} */
  #blob() {
    return new Promise((resolve, reject) => {
      this.#canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('The picture cannot be made.'))));
    });
  }
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Pictured} pictured
 * @param {string} name
 * @param {Colours} colours
 */
function draw(context, { attempt, result, title, finishedAtMs }, name, colours) {
  /** @param {string} text @param {number} x @param {number} y @param {string} font @param {string} colour */
  const write = (text, x, y, font, colour) => {
    context.font = `${font} ${FONT}`;
    context.fillStyle = colour;
    context.fillText(text, x, y);
  };
  context.fillStyle = colours.paper;
  context.fillRect(0, 0, WIDTH, HEIGHT);
  context.fillStyle = colours.accent;
  context.fillRect(MARGIN, MARGIN, 5, 34);
  write(say('pageName'), MARGIN + 20, MARGIN + 27, '650 28px', colours.ink);

  write(number(result.wpm), MARGIN - 6, 310, '650 150px', colours.accent);
  write(say('wpmLong'), MARGIN, 352, '400 28px', colours.calm);
  write(percent(result.accuracy), MARGIN - 2, 456, '650 76px', colours.ink);
  write(say('accuracy'), MARGIN, 494, '400 28px', colours.calm);

  const facts = [`${say('timeTaken')} ${duration(result.duration_ms)}`];
  if (result.consistency !== null) facts.unshift(`${say('consistency')} ${percent(result.consistency)}`);
  if (result.raw_wpm !== null) facts.unshift(`${say('raw')} ${number(result.raw_wpm, 1)}`);
  write(facts.join('  ·  '), CHART.x, 160, '400 26px', colours.calm);
  const points = condensed(attempt?.speeds() ?? []);
  if (points.length >= 2) {
    const { svg } = speedChart(points, { ...CHART, label: '', describe: () => '', number });
    drawChart(context, svg, colours);
  }

  const day = moment(finishedAtMs, { dateStyle: 'long' });
  const foot = [name, title, day].filter((part) => part !== '').join('  ·  ');
  write(foot, MARGIN, HEIGHT - MARGIN + 12, '400 26px', colours.ink);
}

/**
 * The chart of the page, its shapes put on the canvas one by one.
 * @param {CanvasRenderingContext2D} context
 * @param {SVGSVGElement} svg
 * @param {Colours} colours
 */
function drawChart(context, svg, colours) {
  /** @type {Record<string, [colour: string, width: number]>} by the class of a shape */
  const strokes = {
    grid: [colours.edge, 1.5],
    'line thin': [colours.calm, 2],
    'line thick': [colours.accent, 5],
    cross: [colours.wrong, 3],
  };
  context.save();
  context.translate(CHART.x, CHART.y);
  context.lineCap = context.lineJoin = 'round';
  for (const drawn of svg.querySelectorAll(':scope > *')) {
    const of = (/** @type {string} */ attribute) => Number(drawn.getAttribute(attribute));
    const stroke = strokes[drawn.getAttribute('class') ?? ''];
    if (drawn.tagName === 'text') {
      context.font = `400 ${CAPTION_PX}px ${FONT}`;
      context.fillStyle = colours.calm;
      context.textAlign = drawn.getAttribute('text-anchor') === 'end' ? 'right' : 'center';
      context.fillText(drawn.textContent ?? '', of('x'), of('y'));
    } else if (stroke) {
      [context.strokeStyle, context.lineWidth] = stroke;
      const path = drawn.getAttribute('d') ?? `M${of('x1')} ${of('y1')}L${of('x2')} ${of('y2')}`;
      context.stroke(new Path2D(path));
    }
  }
  context.restore();
}

/**
 * The colours as they are now, in the theme that is chosen.
 * @param {HTMLElement} root
 * @returns {Colours}
 */
function coloursOf(root) {
  const probe = document.createElement('span');
  root.append(probe);
  const found = COLOUR_NAMES.map((name) => {
    probe.style.color = `var(--${name})`;
    return [name, getComputedStyle(probe).color];
  });
  probe.remove();
  return Object.fromEntries(found);
}
