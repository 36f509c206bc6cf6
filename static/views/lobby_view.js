/** The lobby: the link and the code to pass on, who is here, and who is ready. */

import { element, find } from './dom.js';
import { nameOf } from './track_view.js';
import { say } from './words.js';

/**
 * @import { Race, Racer } from '../core/race.js'
 */

const HALF_A_CODE = 3;

export class LobbyView {
  #root;
  #link;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.#root = root;
    this.#link = find(root, '#lobby-link', HTMLInputElement);
    this.#link.addEventListener('focus', () => this.#link.select());
  }

  /** @param {Race} race */
  show(race) {
    const code = element(this.#root, '#lobby-code');
    code.textContent = `${race.code.slice(0, HALF_A_CODE)} ${race.code.slice(HALF_A_CODE)}`;
    this.#link.value = linkTo(race);
    element(this.#root, '#lobby-racers').replaceChildren(...race.racers.map((racer) => line(racer, race)));
    const watches = race.you === null;
    const main = element(this.#root, '#lobby-main');
    const words = document.createElement('span');
    words.textContent = say(mainMessage(race));
    const cap = document.createElement('kbd');
    cap.textContent = 'Enter';
    main.replaceChildren(words, ' ', cap);
    main.hidden = watches;
    element(this.#root, '#lobby-start').hidden = !race.mayStart || startsNow(race);
    const hint = say(hintMessage(race));
    const shown = element(this.#root, '#lobby-hint');
    if (shown.textContent !== hint) shown.textContent = hint;
  }

  /** Puts the link on the clipboard; where that is forbidden it is chosen, to be copied by hand. */
  async copy() {
    try {
      await navigator.clipboard.writeText(this.#link.value);
      return say('linkCopied');
    } catch {
      this.#link.focus();
      this.#link.select();
      return say('linkNotCopied');
    }
  }
}

/** @param {Race} race */
export function linkTo(race) {
  return new URL(`/race/${race.code}`, location.href).href;
}

/**
 * Is everybody else ready, so that the host's ready is the start?
 * @param {Race} race
 */
export function startsNow(race) {
  return race.mayStart && race.unready.length === 0;
}

/** @param {Race} race */
function mainMessage(race) {
  if (startsNow(race)) return 'startRace';
  return race.me?.ready ? 'notReady' : 'ready';
}

/** @param {Race} race */
function hintMessage(race) {
  const { quick } = race;
  if (race.you === null) return 'hintWatching';
  if (race.racers.length < 2) return quick ? 'hintQuickAlone' : 'hintAlone';
  if (quick) return 'hintQuick';
  if (race.mayStart) return startsNow(race) ? 'hintAllReady' : 'hintHost';
  return 'hintGuest';
}

/** @param {Racer} racer @param {Race} race */
function line(racer, race) {
  const made = document.createElement('li');
  made.style.setProperty('--slot', String(racer.slot));
  made.classList.toggle('ready', racer.ready);
  const name = document.createElement('span');
  name.className = 'who';
  name.textContent = nameOf(racer, race);
  made.append(name);
  if (racer.slot === race.host) made.append(' ', mark('host', say('host')));
  if (!racer.connected) made.append(' ', mark('away', say('awayNow')));
  else if (!racer.ghost)
    made.append(' ', mark(racer.ready ? 'is-ready' : 'waits', say(racer.ready ? 'isReady' : 'isNotReady')));
  return made;
}

/** @param {string} className @param {string} words */
function mark(className, words) {
  const made = document.createElement('span');
  made.className = `mark ${className}`;
  made.textContent = words;
  return made;
}
