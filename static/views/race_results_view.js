/** How a race ended: places, speeds and times, and everybody's speed over time. */

import { curveOf } from '../core/race.js';
import { element } from './dom.js';
import { raceChart, swatch } from './race_chart.js';
import { nameOf, outWords } from './track_view.js';
import { duration, number, percent, say } from './words.js';

/**
 * @import { Attempt } from '../core/attempt.js'
 * @import { Race, Racer } from '../core/race.js'
 */

const CHART_HEIGHT_PX = 240;
const NONE = '–';

export class RaceResultsView {
  #root;
  #chart;
  /** @type {Race|null} */
  #race = null;
  /** @type {Attempt|null} */
  #mine = null;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.#root = root;
    this.#chart = element(root, '#race-chart');
    new ResizeObserver(() => this.#drawChart()).observe(this.#chart);
  }

  /**
   * @param {Race} race one that is over
   * @param {Attempt|null} mine what was typed here
   */
  show(race, mine) {
    this.#race = race;
    this.#mine = mine;
    element(this.#root, '#race-results-title').textContent = this.sentence;
    element(this.#root, 'tbody').replaceChildren(...race.order.map((racer) => row(racer, race)));
    element(this.#root, '[data-action="again"]').hidden = !mayGoOn(race);
    element(this.#root, '#again-words').textContent = say(race.again === null ? 'rematch' : 'joinRematch');
    this.#drawChart();
  }

  /** How it ended, in one sentence. */
  get sentence() {
    const race = this.#race;
    if (!race) return '';
    if (race.phase === 'cancelled') return say(race.cancelled === 'limit' ? 'raceTookTooLong' : 'raceEmpty');
    const first = race.racers.find(({ place }) => place === 1);
    if (race.me?.place) return say('yourPlace', number(race.me.place), number(race.racers.length));
    return first ? say('winner', first.name) : say('noWinner');
  }

  #drawChart() {
    const race = this.#race;
    const width = this.#chart.clientWidth;
    if (!race || width === 0) return;
    const curves = race.order.map((racer) => {
      const mine = racer.slot === race.you;
      const points =
        mine && this.#mine
          ? this.#mine.speeds().map(({ at_s, wpm }) => ({ at_s, wpm }))
          : curveOf(racer, race.textLength);
      return { slot: racer.slot, mine, name: racer.name, place: racer.place, points };
    });
    const svg = raceChart(curves, {
      width,
      height: CHART_HEIGHT_PX,
      label: say('speedOfAllLabel', this.sentence),
      number,
    });
    element(this.#root, '#race-chart-figure').classList.toggle('empty', svg === null);
    this.#chart.replaceChildren(...(svg ? [svg] : []));
  }
}

/**
 * May who looks at it ask for one more? Who watched may join it only.
 * @param {Race} race
 */
export function mayGoOn(race) {
  return race.you !== null || race.again !== null;
}

/** @param {Racer} racer @param {Race} race */
function row(racer, race) {
  const made = document.createElement('tr');
  const mine = racer.slot === race.you;
  made.classList.toggle('mine', mine);
  const name = document.createElement('th');
  name.scope = 'row';
  name.append(swatch(racer.slot, mine), nameOf(racer, race));
  const timed = racer.finishedMs !== null && racer.dnf === null;
  made.append(
    cell(racer.place === null ? NONE : number(racer.place), 'taken'),
    name,
    cell(number(racer.wpm, 1), 'wpm'),
    cell(racer.ghost && racer.position === 0 ? NONE : percent(racer.accuracy)),
    cell(timed ? duration(racer.finishedMs ?? 0) : racer.dnf === null ? NONE : outWords(racer.dnf)),
  );
  return made;
}

/** @param {string} words @param {string} [className] */
function cell(words, className = '') {
  const made = document.createElement('td');
  made.className = className;
  made.textContent = words;
  return made;
}
