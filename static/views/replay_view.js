/** The player: a stored attempt is typed again before one's eyes, at any speed and from any moment. */

import { DELETE, DELETE_WORD } from '../core/attempt.js';
import { around, element, elements, find } from './dom.js';
import { KeyboardView } from './keyboard_view.js';
import { NumbersView } from './numbers_view.js';
import { TextView } from './text_view.js';
import { clock, say } from './words.js';

/**
 * @import { Replay } from '../core/replay.js'
 * @import { Keyboard } from '../layouts.js'
 */

/** A tab that was away goes on where it was. */
const FRAME_MS_MAX = 250;
const NUMBERS_EVERY_MS = 500;
const STEP_MS = 1_000;
const LEAP_MS = 5_000;
const MS_PER_SECOND = 1_000;

export class ReplayView {
  #root;
  #moved;
  #text;
  #numbers;
  #keyboard;
  #bar;
  /** @type {Replay | null} */
  #replay = null;
  #speed = 1;
  #skipsPauses = false;
  /** @type {number | null} the frame that is asked for while it plays */
  #frame = null;
  #frameAtMs = 0;
  #numbersAtMs = 0;
  /** @type {number | null} */
  #limitMs = null;

  /**
   * @param {HTMLElement} root
   * @param {{moved: (atMs: number) => void}} listener another moment is shown
   */
  constructor(root, { moved }) {
    this.#root = root;
    this.#moved = moved;
    this.#text = new TextView(element(root, '#text'));
    this.#numbers = new NumbersView(element(root, '#numbers'));
    this.#keyboard = new KeyboardView(element(root, '#keyboard'));
    this.#bar = find(root, '#replay-bar', HTMLInputElement);
    this.#bar.addEventListener('input', () => this.seek(Number(this.#bar.value)));
    root.addEventListener('click', (event) => this.#clicked(event));
    addEventListener('keydown', (event) => this.#pressed(event));
  }

  /**
   * @param {Replay} replay
   * @param {string} language of the text
   * @param {number|null} limitMs of a timed attempt
   * @param {Keyboard} keyboard it was typed on
   */
  show(replay, language, limitMs, keyboard) {
    this.#replay = replay;
    this.#limitMs = limitMs;
    this.#root.hidden = false;
    this.#bar.max = String(replay.endMs);
    element(this.#root, '#replay-skip').hidden = !replay.hasPauses;
    this.#text.draw(replay.attempt, language);
    this.#keyboard.draw(keyboard);
    this.#stand();
    this.draw();
  }

  get playing() {
    return this.#frame !== null;
  }

  /** Plays on; from the beginning if it had come to its end. */
  play() {
    const replay = this.#replay;
    if (!replay || this.playing) return;
    if (replay.atMs >= replay.endMs) this.seek(0);
    this.#frameAtMs = performance.now();
    this.#frame = requestAnimationFrame((nowMs) => this.#draw(nowMs));
    this.draw();
  }

  pause() {
    if (this.#frame !== null) cancelAnimationFrame(this.#frame);
    this.#frame = null;
    this.#stand();
    this.draw();
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  /**
   * Shows any moment; what plays goes on from there.
   * @param {number} atMs
   */
  seek(atMs) {
    this.#replay?.seek(atMs);
    this.#stand();
  }

  /** The player's own words, in the language that is spoken now. */
  draw() {
    this.#root.classList.toggle('busy', this.playing);
    const play = element(this.#root, '#replay-play');
    play.dataset.playing = String(this.playing);
    element(play, '.words').textContent = say(this.playing ? 'replayPause' : 'replayPlay');
    for (const button of elements(this.#root, '[data-speed]')) {
      button.setAttribute('aria-pressed', String(Number(button.dataset.speed) === this.#speed));
    }
    element(this.#root, '#replay-skip').setAttribute('aria-pressed', String(this.#skipsPauses));
    if (this.#replay) this.#tell();
  }

  /** The moment and its numbers as a sentence to be read aloud. */
  spoken() {
    return `${this.#where} ${this.#numbers.spoken()}`;
  }

  get #where() {
    return say('replayAt', ...clocks(this.#replay));
  }

  /** @param {number} nowMs */
  #draw(nowMs) {
    const replay = this.#replay;
    if (!replay) return;
    const passedMs = Math.min(nowMs - this.#frameAtMs, FRAME_MS_MAX) * this.#speed;
    this.#frameAtMs = Math.max(nowMs, this.#frameAtMs);
    const untilMs = Math.max(replay.atMs + passedMs, this.#skipsPauses ? replay.afterPause : 0);
    this.#type(replay, untilMs);
    this.#place(replay);
    if (nowMs - this.#numbersAtMs >= NUMBERS_EVERY_MS) {
      this.#numbersAtMs = nowMs;
      this.#numbers.show(replay.atMs);
    }
    if (replay.atMs >= replay.endMs) this.pause();
    else this.#frame = requestAnimationFrame((next) => this.#draw(next));
  }

  /** @param {Replay} replay @param {number} untilMs */
  #type(replay, untilMs) {
    const { attempt } = replay;
    let { position } = attempt;
    for (const key of replay.forward(untilMs)) {
      const expected = attempt.text[position];
      this.#text.update(position);
      this.#keyboard.pressed(key, lastWasRight(replay));
      if (expected !== undefined) this.#keyboard.heatOf(expected, attempt.keys);
      position = attempt.position;
    }
  }

  /** Everything as it is at the moment that was sought. */
  #stand() {
    const replay = this.#replay;
    if (!replay) return;
    const { attempt } = replay;
    this.#text.follow(attempt);
    this.#keyboard.heatAll(attempt.keys);
    this.#keyboard.pressed(replay.lastKey, lastWasRight(replay));
    this.#numbers.begin(attempt, this.#limitMs);
    this.#numbers.show(replay.atMs);
    this.#place(replay);
    this.#tell();
  }

  /** @param {Replay} replay */
  #place(replay) {
    const { atMs, endMs } = replay;
    this.#bar.value = String(atMs);
    this.#bar.style.setProperty('--played', `${(atMs / Math.max(endMs, 1)) * 100}%`);
    element(this.#root, '#replay-time').textContent = clocks(replay).join(' / ');
    this.#moved(atMs);
  }

  /** What a screen reader finds at the bar; it is not told of each frame. */
  #tell() {
    this.#bar.setAttribute('aria-valuetext', this.#where);
  }

  /** @param {Event} event */
  #clicked(event) {
    const button = around(event, 'button');
    if (!button) return;
    if (button.id === 'replay-play') this.toggle();
    if (button.id === 'replay-skip') this.#skipsPauses = !this.#skipsPauses;
    if (button.dataset.speed) this.#speed = Number(button.dataset.speed);
    this.draw();
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    if (!this.#replay || event.altKey || event.ctrlKey || event.metaKey) return;
    const onBar = event.target === this.#bar;
    if (!onBar && around(event, 'input, textarea, select, dialog')) return;
    const stepMs = stepOf(event, onBar);
    if (stepMs) this.seek(this.#replay.atMs + stepMs);
    else if (event.key === ' ' && !around(event, 'button, a, summary')) this.toggle();
    else return;
    event.preventDefault();
  }
}

/**
 * Where a replay stands, and how long it is.
 * @param {Replay | null} replay
 */
function clocks(replay) {
  return [replay?.atMs ?? 0, replay?.endMs ?? 0].map((ms) => clock(Math.round(ms / MS_PER_SECOND)));
}

/**
 * How far a key goes, in ms; on the bar up and down go too, elsewhere they scroll the page.
 * @param {KeyboardEvent} event
 * @param {boolean} onBar
 */
function stepOf({ key, shiftKey }, onBar) {
  const ms = shiftKey ? LEAP_MS : STEP_MS;
  if (key === 'ArrowRight' || (onBar && key === 'ArrowUp')) return ms;
  if (key === 'ArrowLeft' || (onBar && key === 'ArrowDown')) return -ms;
  return 0;
}

/**
 * Was the last key a right one? Deleting is.
 * @param {Replay} replay
 */
function lastWasRight({ attempt, lastKey }) {
  if (lastKey === DELETE || lastKey === DELETE_WORD) return true;
  return attempt.rightAt(attempt.position - 1) !== false && attempt.pressedAt(attempt.position) === null;
}
