/** The track: a lane for each racer with place, name and speed, and the rivals that are near in the text. */

import { element } from './dom.js';
import { duration, number, percent, say, sayIfKnown } from './words.js';

/**
 * @import { Race, Racer } from '../core/race.js'
 *
 * @typedef {{lane: HTMLElement, parts: Record<'place'|'name'|'speed'|'note', HTMLElement>}} Lane
 */

const RIVALS_MAX = 3;
const COLUMNS_FROM = 7;
const MS_PER_SECOND = 1_000;

export class TrackView {
  #root;
  /** @type {Map<number, Lane>} */
  #lanes = new Map();
  #race = '';

  /** @param {HTMLElement} root a list */
  constructor(root) {
    this.#root = root;
  }

  /**
   * @param {Race} race
   * @param {number} nowMs by the server's clock
   */
  show(race, nowMs) {
    const { racers, places } = race;
    if (this.#race !== race.id || racers.some(({ slot }) => !this.#lanes.has(slot)) || this.#lanes.size > racers.length)
      this.#build(race);
    for (const racer of racers) {
      const lane = this.#lanes.get(racer.slot);
      if (lane) draw(lane, racer, race, places.get(racer.slot) ?? null, nowMs);
    }
  }

  /** @param {Race} race */
  #build(race) {
    this.#race = race.id;
    this.#lanes = new Map(race.racers.map((racer) => [racer.slot, newLane(racer, race.you === racer.slot)]));
    this.#root.replaceChildren(...Array.from(this.#lanes.values(), ({ lane }) => lane));
    this.#root.classList.toggle('many', race.racers.length >= COLUMNS_FROM);
  }
}

/**
 * Who is nearest in the text to whoever looks, or to the first if nobody looks.
 * @param {Race} race
 * @returns {Racer[]}
 */
export function nearestRivals(race) {
  const typing = race.order.filter(({ dnf, position }) => dnf === null && position < race.textLength);
  const here = race.me?.position ?? typing[0]?.position ?? 0;
  return typing
    .filter(({ slot }) => slot !== race.you)
    .sort((a, b) => Math.abs(a.position - here) - Math.abs(b.position - here))
    .slice(0, RIVALS_MAX);
}

/** @param {Racer} racer @param {boolean} mine @returns {Lane} */
function newLane({ slot, ghost }, mine) {
  const lane = document.createElement('li');
  lane.className = ['lane', ...(mine ? ['me'] : []), ...(ghost ? ['ghost'] : [])].join(' ');
  lane.style.setProperty('--slot', String(slot));
  lane.innerHTML = `<span class="lane-place"></span><span class="lane-name"></span>
    <span class="lane-road" aria-hidden="true"><i></i></span><span class="lane-note"></span><span class="lane-speed"></span>`;
  const parts = {
    place: element(lane, '.lane-place'),
    name: element(lane, '.lane-name'),
    speed: element(lane, '.lane-speed'),
    note: element(lane, '.lane-note'),
  };
  return { lane, parts };
}

/** @param {Lane} lane @param {Racer} racer @param {Race} race @param {number|null} place @param {number} nowMs */
function draw({ lane, parts }, racer, race, place, nowMs) {
  const share = race.textLength > 0 ? Math.min(1, racer.position / race.textLength) : 0;
  lane.style.setProperty('--share', share.toFixed(4));
  lane.classList.toggle('final', racer.place !== null);
  lane.classList.toggle('out', racer.dnf !== null);
  const moves = race.phase === 'running' || race.phase === 'finished';
  put(parts.place, moves && place !== null ? number(place) : '');
  put(parts.name, nameOf(racer, race));
  put(parts.speed, racer.wpm > 0 ? say('wpmOf', number(racer.wpm)) : '');
  put(parts.note, note(racer, race, nowMs));
  lane.title = `${percent(share)} · ${percent(racer.accuracy)}`;
}

/**
 * A racer's name, with a word on who that is.
 * @param {Racer} racer
 * @param {Race} race
 */
export function nameOf({ slot, name, ghost }, race) {
  if (slot === race.you) return `${name} · ${say('boardYou')}`;
  return ghost ? `${name} · ${say('ghost')}` : name;
}

/** @param {Racer} racer @param {Race} race @param {number} nowMs */
function note(racer, race, nowMs) {
  if (racer.dnf !== null) return outWords(racer.dnf);
  if (racer.place !== null && racer.finishedMs !== null) return duration(racer.finishedMs);
  const awayMs = race.awayMs(racer, nowMs);
  return awayMs === null ? '' : say('awayFor', number(Math.floor(awayMs / MS_PER_SECOND)));
}

/**
 * Why somebody has no place.
 * @param {string} why
 */
export function outWords(why) {
  return sayIfKnown(`dnf_${why}`) ?? say('dnf');
}

/** @param {HTMLElement} part @param {string} words */
function put(part, words) {
  if (part.textContent !== words) part.textContent = words;
}
