/** Which keys go wrong, or slowly, over all that is shown: as a drawn keyboard, a list, tables and words. */

import { KEYBOARDS } from '../layout_data.js';
import { table } from './charts.js';
import { around, element, elements, fillWhenOpen } from './dom.js';
import { drawKeys, errorHeat, placeOf } from './keyboard_view.js';
import { wrongKey } from './result_view.js';
import { keyCap, keySpoken, number, percent, say } from './words.js';

/**
 * @import { Keyboard, LayoutName } from '../layouts.js'
 * @import { Keys, KeyStats } from '../net/history.js'
 * @import { OwnKeyboard } from './own_keyboard.js'
 *
 * @typedef {'errors'|'latency'} Measure
 */

const WEAK_KEYS = 6;
const NAMED = 3;
const CONFUSIONS = 30;
/** Fewer presses say little of a key. */
const PRESSES_MIN = 5;
/** So much slower than one's usual key. */
const SLOW_FROM = [1.1, 1.25, 1.5, 1.8];

export class KeysFound {
  #root;
  #own;
  /** @type {Keys|null} */
  #keys = null;
  #ofAll = false;
  /** @type {Measure} */
  #measure = 'errors';
  /** @type {LayoutName} */
  #layout = 'qwerty';
  #chosen;

  /**
   * @param {HTMLElement} root
   * @param {OwnKeyboard} own
   * @param {(layout: LayoutName) => void} chosen another layout is to be shown
   */
  constructor(root, own, chosen) {
    this.#root = root;
    this.#own = own;
    this.#chosen = chosen;
    root.addEventListener('click', (event) => {
      const { measure, layout } = around(event, 'button')?.dataset ?? {};
      if (measure) this.#measure = /** @type {Measure} */ (measure);
      if (measure) this.draw();
      if (layout) this.#chosen(/** @type {LayoutName} */ (layout));
    });
  }

  /**
   * The layout to begin with: the one that is typed with now, if these keys were typed on it.
   * @param {Keys} keys
   * @param {string} language '' is any
   * @returns {LayoutName}
   */
  layoutOf(keys, language) {
    const own = this.#own.layoutFor(language || null, Object.keys(keys.keys).join(''));
    const known = layoutsIn(keys);
    return known.includes(own) ? own : (known[0] ?? own);
  }

  /**
   * @param {Keys} keys those of the layout, where there are several
   * @param {LayoutName} layout
   * @param {boolean} ofAll are all attempts counted, not the newest?
   */
  show(keys, layout, ofAll) {
    this.#keys = keys;
    this.#ofAll = ofAll;
    this.#layout = layout;
    this.#offerLayouts(layoutsIn(keys));
    this.draw();
  }

  /** A button for each layout that was typed with, if there is something to choose. @param {LayoutName[]} names */
  #offerLayouts(names) {
    const group = element(this.#root, '.layouts');
    group.hidden = names.length < 2;
    const offered = Array.from(group.children, (one) => /** @type {HTMLElement} */ (one).dataset.layout);
    if (offered.join() === names.join()) return; // the one that was pressed keeps the focus
    group.replaceChildren(
      ...names.map((name) => {
        const button = document.createElement('button');
        button.type = 'button';
        button.dataset.layout = name;
        button.textContent = KEYBOARDS[name].title;
        return button;
      }),
    );
  }

  /** Once more, as after a change of language. */
  draw() {
    if (!this.#keys) return;
    const { keys, attempts, attempts_counted: counted } = this.#keys;
    for (const button of elements(this.#root, 'button[data-measure], button[data-layout]')) {
      const { measure, layout } = button.dataset;
      button.setAttribute('aria-pressed', String(measure === this.#measure || layout === this.#layout));
    }
    const partly = !this.#ofAll && counted < attempts;
    element(this.#root, '.counted').textContent = partly ? say('keysCounted', number(counted), number(attempts)) : '';
    const keyboard = this.#own.keyboard(this.#layout);
    const here = Object.fromEntries(Object.entries(keys).filter(([name]) => placeOf(keyboard, name)));
    const trusted = Object.fromEntries(Object.entries(here).filter(([, { presses }]) => presses >= PRESSES_MIN));
    this.#drawMap(trusted, keyboard);
    this.#drawWeak(trusted);
    this.#drawTables(here);
  }

  /** @param {Keys['keys']} keys @param {Keyboard} keyboard */
  #drawMap(keys, keyboard) {
    const map = element(this.#root, '.heat-map');
    const drawn = drawKeys(map, keyboard);
    const heat = this.#measure === 'errors' ? errorHeatOf : latencyHeat(keys);
    for (const [name, stats] of Object.entries(keys)) {
      const key = drawn.get(placeOf(keyboard, name)?.code ?? '');
      // Two characters share some keys: the hotter of them is seen.
      if (key) key.dataset.heat = String(Math.max(heat(stats), Number(key.dataset.heat ?? 0)));
    }
    const hottest = ranked(keys, this.#measure)
      .slice(0, NAMED)
      .map(([name]) => keySpoken(name));
    map.setAttribute('aria-label', say(`heat_${this.#measure}`, hottest.join(', ')));
  }

  /** @param {Keys['keys']} keys */
  #drawWeak(keys) {
    const found = ranked(keys, this.#measure).slice(0, WEAK_KEYS);
    element(this.#root, '.weak-title').textContent = say(this.#measure === 'errors' ? 'weakKeys' : 'slowKeys');
    element(this.#root, '.weak').replaceChildren(
      ...found.map(([name, stats]) => {
        const item = document.createElement('li');
        const words = document.createElement('span');
        words.append(
          ...(this.#measure === 'errors' ? wrongKey(stats) : [say('milliseconds', number(stats.latency_ms ?? 0))]),
        );
        item.append(cap(name), words);
        return item;
      }),
    );
    element(this.#root, '.none-weak').hidden = found.length > 0;
  }

  /** @param {Keys['keys']} keys */
  #drawTables(keys) {
    const rows = Object.entries(keys).sort(([, a], [, b]) => b.error_rate - a.error_rate || b.presses - a.presses);
    fillWhenOpen(this.#root, '.all-keys', () =>
      table({
        caption: say('allKeys'),
        heads: [say('key'), say('presses'), say('errors'), say('errorRate'), say('latency')],
        rows: rows.map(([name, key]) => [
          keyCap(name),
          number(key.presses),
          number(key.errors),
          percent(key.error_rate, 1),
          key.latency_ms === null ? '–' : say('milliseconds', number(key.latency_ms)),
        ]),
      }),
    );
    const confusions = Object.entries(keys)
      .flatMap(([name, key]) => Object.entries(key.confusions).map(([typed, count]) => ({ name, typed, count })))
      .sort((a, b) => b.count - a.count);
    fillWhenOpen(this.#root, '.all-confusions', () =>
      table({
        caption: say('confusionsShown', number(Math.min(CONFUSIONS, confusions.length))),
        heads: [say('expectedKey'), say('typedKey'), say('times')],
        rows: confusions
          .slice(0, CONFUSIONS)
          .map(({ name, typed, count }) => [keyCap(name), keyCap(typed), number(count)]),
      }),
    );
  }
}

/** The layouts that were typed with, of those that can be drawn. @param {Keys} keys */
function layoutsIn({ layouts }) {
  return layouts.flatMap((name) => (name in KEYBOARDS ? [/** @type {LayoutName} */ (name)] : []));
}

/** @param {KeyStats} key */
function errorHeatOf({ presses, errors }) {
  return errorHeat(presses, errors);
}

/**
 * How slow a key is beside the person's median key.
 * @param {Keys['keys']} keys
 * @returns {(key: KeyStats) => number}
 */
function latencyHeat(keys) {
  const known = Object.values(keys)
    .flatMap(({ latency_ms: latency }) => (latency === null ? [] : [latency]))
    .sort((a, b) => a - b);
  const usual = known[Math.floor(known.length / 2)] ?? 0;
  return ({ latency_ms: latency }) =>
    latency === null ? 0 : SLOW_FROM.filter((times) => latency >= usual * times).length;
}

/**
 * The worst keys first.
 * @param {Keys['keys']} keys
 * @param {Measure} measure
 */
function ranked(keys, measure) {
  const known = Object.entries(keys);
  if (measure === 'latency') {
    return known
      .filter(([, key]) => key.latency_ms !== null)
      .sort(([, a], [, b]) => (b.latency_ms ?? 0) - (a.latency_ms ?? 0));
  }
  return known
    .filter(([, key]) => key.errors > 0)
    .sort(([, a], [, b]) => b.error_rate - a.error_rate || b.errors - a.errors);
}

/** @param {string} name */
function cap(name) {
  const drawn = document.createElement('kbd');
  drawn.textContent = keyCap(name);
  drawn.setAttribute('aria-label', keySpoken(name));
  return drawn;
}
