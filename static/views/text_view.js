/** The text on screen: three lines, a gliding caret, a mark for every character typed, and rivals' carets. */

import { Attempt } from '../core/attempt.js';
import { isSpace } from '../core/text.js';
import { element } from './dom.js';
import { keyCap } from './words.js';

const NAME_LETTER = 0.13; // how wide a letter of a rival's name is, by the height of a line

export class TextView {
  /** @type {HTMLElement} */
  #window;
  /** @type {HTMLElement} */
  #track;
  /** @type {HTMLElement} */
  #caret;
  /** @type {HTMLElement} */
  #extras;
  #attempt = new Attempt({ text: '' });
  /** @type {HTMLElement[]} */
  #cells = [];
  /** @type {number[]} Where each cell begins, in px from the left of its line, and its line. */
  #lefts = [];
  /** @type {number[]} */
  #lineOf = [];
  #endLeft = 0;
  #lineHeight = 0;
  #line = -1;
  #width = 0;
  /** How many cells, from the first, may be marked. */
  #markedTo = 0;
  /** @type {Map<number, {caret: HTMLElement, position: number}>} thin carets of others, by their slots */
  #rivals = new Map();

  /** @param {HTMLElement} window the box that shows three lines of the text */
  constructor(window) {
    this.#window = window;
    this.#track = element(window, '.track');
    this.#caret = element(window, '#caret');
    this.#extras = document.createElement('span');
    this.#extras.className = 'extras';
    new ResizeObserver(() => this.#onResize()).observe(window);
  }

  /**
   * Shows an attempt from its beginning or as far as it is typed.
   * @param {Attempt} attempt
   * @param {string} language
   */
  draw(attempt, language) {
    this.#attempt = attempt;
    this.#window.lang = language;
    this.#cells = attempt.text.map(cell);
    this.#rivals.clear();
    this.#markedTo = 0;
    this.#markTo(attempt.position);
    this.layOut();
  }

  /**
   * Shows another attempt at the same text, wherever it stands.
   * @param {Attempt} attempt
   */
  follow(attempt) {
    this.#attempt = attempt;
    this.#markTo(attempt.position);
    this.#drawExtras();
    this.#placeCaret();
  }

  /** Breaks the lines anew: after the size, the font or the width has changed. */
  layOut() {
    if (this.#cells.length === 0) return;
    this.#width = this.#window.clientWidth;
    this.#extras.remove();
    const lines = this.#broken();
    const rivals = Array.from(this.#rivals.values(), ({ caret }) => caret);
    this.#track.replaceChildren(...lines, ...rivals, this.#caret);
    lines[lines.length - 1].append(this.#extras);
    this.#measure(lines);
    this.#line = -1;
    this.#window.classList.add('still');
    this.#drawExtras();
    this.#placeCaret();
    for (const rival of this.#rivals.values()) this.#placeRival(rival);
    requestAnimationFrame(() => this.#window.classList.remove('still'));
  }

  /**
   * Redraws what one keystroke changed: the cells between the old position and the new.
   * @param {number} positionBefore
   */
  update(positionBefore) {
    const attempt = this.#attempt;
    const length = this.#cells.length;
    const from = Math.min(positionBefore, attempt.position, length);
    // The cell that waits is looked at too: a key may have been refused there.
    const to = Math.min(Math.max(positionBefore, attempt.position) + 1, length);
    for (let i = from; i < to; i++) this.#mark(i);
    this.#markedTo = Math.max(this.#markedTo, to);
    if (Math.max(positionBefore, attempt.position) >= length) this.#drawExtras();
    this.#placeCaret();
  }

  /**
   * Shows where others are in the same text; whoever is not named is not shown any more. Where names would lie on each
   * other, the first of them is written.
   * @param {{slot: number, name: string, position: number}[]} rivals
   */
  showRivals(rivals) {
    const wanted = new Set(rivals.map(({ slot }) => slot));
    for (const [slot, { caret }] of this.#rivals) {
      if (wanted.has(slot)) continue;
      caret.remove();
      this.#rivals.delete(slot);
    }
    /** @type {{line: number, left: number, right: number}[]} */
    const written = [];
    for (const { slot, name, position } of rivals) {
      const rival = this.#rivals.get(slot) ?? this.#newRival(slot);
      rival.position = position;
      this.#placeRival(rival);
      const { line, left } = this.#spot(position);
      const right = left + name.length * this.#lineHeight * NAME_LETTER;
      const free = written.every((other) => other.line !== line || other.right < left || right < other.left);
      if (free) written.push({ line, left, right });
      rival.caret.dataset.name = free ? name : '';
    }
  }

  /**
   * Scrolls to a place, for whoever does not type.
   * @param {number} position
   */
  lookAt(position) {
    this.#scrollTo(this.#spot(position).line);
  }

  /** @param {number} slot */
  #newRival(slot) {
    const caret = document.createElement('span');
    caret.className = 'rival';
    caret.style.setProperty('--slot', String(slot));
    this.#track.insertBefore(caret, this.#caret);
    const rival = { caret, position: 0 };
    this.#rivals.set(slot, rival);
    return rival;
  }

  /** @param {{caret: HTMLElement, position: number}} rival */
  #placeRival({ caret, position }) {
    const { left, line } = this.#spot(position);
    caret.style.transform = `translate(${left}px, ${line * this.#lineHeight}px)`;
  }

  /**
   * Shows at the caret what an input method is composing.
   * @param {string} text
   */
  compose(text) {
    this.#caret.dataset.composing = text;
  }

  #onResize() {
    if (this.#window.clientWidth !== this.#width) this.layOut();
  }

  /** @param {number} position */
  #markTo(position) {
    const to = Math.min(Math.max(this.#markedTo, position + 1), this.#cells.length);
    for (let i = 0; i < to; i++) this.#mark(i);
    this.#markedTo = to;
  }

  /** @param {number} i */
  #mark(i) {
    const drawn = this.#cells[i];
    const pressed = this.#attempt.pressedAt(i);
    const state = stateOf(this.#attempt, i);
    const className = `${drawn.dataset.kind} ${state}`;
    if (drawn.className !== className) drawn.className = className;
    if (pressed !== null) drawn.dataset.typed = keyCap(pressed);
  }

  /** The cells put into one block per line, as the browser would break them. */
  #broken() {
    const flow = document.createElement('div');
    flow.className = 'flow';
    flow.append(...this.#cells);
    this.#track.replaceChildren(flow);
    const tops = this.#cells.map((cell) => cell.offsetTop);
    /** @type {HTMLElement[][]} */
    const lines = [];
    this.#lineOf = tops.map((top, i) => {
      if (i === 0 || top > tops[i - 1]) lines.push([]);
      lines[lines.length - 1].push(this.#cells[i]);
      return lines.length - 1;
    });
    return lines.map((cells) => {
      const line = document.createElement('div');
      line.className = 'line';
      line.append(...cells);
      return line;
    });
  }

  /** @param {HTMLElement[]} lines */
  #measure(lines) {
    this.#lefts = this.#cells.map((cell) => cell.offsetLeft);
    const last = this.#cells[this.#cells.length - 1];
    this.#endLeft = last.offsetLeft + last.offsetWidth;
    // Not rounded: over hundreds of lines half a pixel each would be lines.
    this.#lineHeight = lines[0].getBoundingClientRect().height;
  }

  #drawExtras() {
    const typed = this.#attempt.typed.slice(this.#cells.length);
    this.#extras.replaceChildren(
      ...typed.map((grapheme) => {
        const extra = document.createElement('span');
        extra.textContent = keyCap(grapheme);
        return extra;
      }),
    );
  }

  #placeCaret() {
    const { position } = this.#attempt;
    const { left, line } = this.#spot(position);
    const past = position < this.#cells.length ? 0 : this.#extras.offsetWidth;
    this.#caret.style.transform = `translate(${left + past}px, ${line * this.#lineHeight}px)`;
    this.#scrollTo(line);
  }

  /**
   * Where a place of the text is drawn; all places past the end are the end.
   * @param {number} position
   */
  #spot(position) {
    const inside = position < this.#cells.length;
    return {
      left: inside ? this.#lefts[position] : this.#endLeft,
      line: (inside ? this.#lineOf[position] : this.#lineOf.at(-1)) ?? 0,
    };
  }

  /** @param {number} line */
  #scrollTo(line) {
    if (line === this.#line) return;
    this.#line = line;
    // The current line is the middle one, but for the first.
    this.#track.style.transform = `translateY(${-Math.max(0, line - 1) * this.#lineHeight}px)`;
  }
}

/** @param {string} grapheme @param {number} i */
function cell(grapheme, i) {
  const drawn = document.createElement('span');
  const kinds = ['cell'];
  if (isSpace(grapheme)) kinds.push('space');
  if (grapheme === '\n') kinds.push('break');
  if (grapheme === '\t') kinds.push('tab');
  drawn.className = drawn.dataset.kind = kinds.join(' ');
  drawn.dataset.i = String(i);
  drawn.textContent = grapheme;
  return drawn;
}

/**
 * How a place of the text looks: whether what stands there is right, and whether it was wrong before.
 * @param {Attempt} attempt
 * @param {number} i
 */
function stateOf(attempt, i) {
  const right = attempt.rightAt(i);
  if (right === false) return 'wrong';
  if (attempt.pressedAt(i) !== null) return 'refused';
  const typed = right ? 'right' : '';
  return attempt.slippedAt(i) ? `${typed} mended` : typed;
}
