/** What happens in a race, as sentences for whoever listens instead of looking; never the progress itself. */

import { outWords } from './track_view.js';
import { duration, number, say } from './words.js';

/**
 * @import { Race, RaceEvent } from '../core/race.js'
 */

const SENTENCES_MAX = 30;

export class RaceVoice {
  #root;
  /** @type {Map<number, string>} also of those who have left */
  #names = new Map();

  /** @param {HTMLElement} root a log */
  constructor(root) {
    this.#root = root;
  }

  /** Another race: other people. */
  begin() {
    this.#names.clear();
  }

  /**
   * @param {Race} race as it is after the event
   * @param {RaceEvent|null} event
   */
  tell(race, event) {
    for (const { slot, name } of race.racers) this.#names.set(slot, name);
    const sentence = event && this.#sentence(race, event);
    if (sentence) this.say(sentence);
  }

  /**
   * Said after what is being said, not in its place.
   * @param {string} sentence
   */
  say(sentence) {
    const line = document.createElement('p');
    line.textContent = sentence;
    this.#root.append(line);
    while (this.#root.childElementCount > SENTENCES_MAX) this.#root.firstElementChild?.remove();
  }

  /** @param {Race} race @param {RaceEvent} event @returns {string|null} */
  #sentence(race, event) {
    if (event.event === 'countdown') return say('saidCountdown');
    if (event.event === 'over') return say('saidOver');
    if (event.event === 'cancelled') return say('saidCancelled');
    if (event.event === 'again') return say('saidAgain');
    if (!('slot' in event)) return null;
    const mine = event.slot === race.you;
    const name = this.#names.get(event.slot) ?? '';
    if (event.event === 'placed') {
      const time = duration(event.duration_ms);
      return mine
        ? say('saidYourPlace', number(event.place), time)
        : say('saidPlaced', name, number(event.place), time);
    }
    if (event.event === 'host') return mine ? say('saidYouHost') : null;
    if (mine) return null;
    if (event.event === 'joined') return say('saidJoined', name);
    if (event.event === 'left') return say('saidLeft', name);
    if (event.event === 'ready') return event.ready ? say('saidReady', name) : null;
    if (event.event === 'dnf') return say('saidOut', name, outWords(event.why));
    if (event.event === 'connection') return say(event.connected ? 'saidBack' : 'saidAway', name);
    return null;
  }
}
