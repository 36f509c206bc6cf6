/** What the page is told of its attempts and its connection, and who listens. */

/**
 * @import { Attempt } from '../core/attempt.js'
 * @import { Race, RaceEvent } from '../core/race.js'
 * @import { Ack, AttemptState, Reason, Result, Verdict } from './protocol.js'
 *
 * @typedef {'connecting'|'saved'|'behind'|'offline'|'stopped'} ConnectionState
 * @typedef {{state: ConnectionState, unacked: number, stalled: boolean, busy: boolean,
 *   closeCode: number|null, reason: string|null}} ConnectionNews
 * @typedef {import('./attempt_log.js').Made &
 *   {id: string, attempt: Attempt, resumed: boolean, state: AttemptState}} OpenedNews
 * @typedef {Omit<Ack, 'type'|'h'|'seq'>} ProgressNews the server's numbers
 * @typedef {{id: string, result: Result|null, verdict: Verdict, why: Reason[],
 *   attempt: Attempt|null}} DoneNews
 * @typedef {{code: string, message: string, retryMs: number|null}} RefusedNews
 * @typedef {{race: Race, event: RaceEvent|null, entered: boolean, attempt: string|null}} RaceNews
 *   `event`: what changed it, null if it is known anew; `entered`: we are in it from now on; `attempt`: ours
 *
 * @typedef {object} NewsByName
 * @property {ConnectionNews} connection how safe the keys are
 * @property {OpenedNews} opened an attempt is to be drawn, from its beginning or as far as it went
 * @property {ProgressNews} progress
 * @property {{attempt: Attempt}} over nothing counts any more; the server has not spoken yet
 * @property {DoneNews} done the server's word on the attempt that is open
 * @property {DoneNews} settled and on one that was left before
 * @property {RefusedNews} refused
 * @property {{}} superseded another window has the attempt
 * @property {{}} voided
 * @property {RaceNews} race
 * @property {{race: Race}} raceMoved
 * @property {RefusedNews & {asked: string}} raceRefused `asked`: what was, by its name on the wire
 */

export class News {
  /** @type {Map<keyof NewsByName, Set<(payload: never) => void>>} */
  #listeners = new Map();
  #reportFault;

  /** @param {(fault: unknown) => void} reportFault of a listener: the others are told all the same */
  constructor(reportFault) {
    this.#reportFault = reportFault;
  }

  /**
   * @template {keyof NewsByName} Name
   * @param {Name} name
   * @param {(payload: NewsByName[Name]) => void} listener
   * @returns {() => void} unsubscribes
   */
  on(name, listener) {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  /**
   * @template {keyof NewsByName} Name
   * @param {Name} name
   * @param {NewsByName[Name]} payload
   */
  tell(name, payload) {
    for (const listener of this.#listeners.get(name) ?? []) {
      try {
        listener(/** @type {never} */ (payload));
      } catch (fault) {
        this.#reportFault(fault);
      }
    }
  }
}
