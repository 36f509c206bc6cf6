/** The wire's numbers and words, version 1: see docs/protocol.md. */

/**
 * @import { Progress, Rules } from '../core/attempt.js'
 * @import { Moves, RaceEvent as NumberedEvent, Snapshot } from '../core/race.js'
 *
 * @typedef {import('../core/source.js').Source} Source
 * @typedef {import('../core/attempt.js').Result & {personal_best?: number|null}} Result
 * @typedef {[dtMs: number, key: string]} Event
 * @typedef {'quit'|'time'|'done'} Ending why an attempt ends
 * @typedef {'armed'|'running'|'finished'|'abandoned'|'void'} AttemptState
 * @typedef {'ranked'|'unranked'|'review'|'void'} Verdict
 * @typedef {{rule: string, value: number, limit: number}} Reason
 * @typedef {{id: string, name: string, guest: boolean}} User
 *
 * @typedef {{type: 'welcome', user: User, token?: string, server_ms: number}} Welcome
 * @typedef {{type: 'opened', re?: number, attempt: string, h: number, seq: number, state: AttemptState,
 *   text: string, rules: Rules, source: Source, typed: string, at_ms: number, elapsed_ms: number,
 *   score: Progress}} Opened
 * @typedef {{type: 'ack', h: number, seq: number, keys?: Record<string, [presses: number, errors: number]>}
 *   & Progress} Ack
 * @typedef {{type: 'reject', re?: number, h: number, seq: number, code: string, message: string}} Reject
 * @typedef {{type: 'done', attempt: string, seq: number, result?: Result|null, verdict: Verdict,
 *   why?: Reason[]}} Done
 * @typedef {{type: 'stall', h: number, on: boolean}} Stall
 * @typedef {{type: 'pong', c: number, server_ms: number}} Pong
 * @typedef {{type: 'error', re?: number, code: string, message: string, retry_ms?: number}} Refusal
 * @typedef {{type: 'drain', in_ms: number}} Drain
 *
 * @typedef {{type: 'race', re?: number, attempt?: string|null, h?: number|null, rules?: Rules|null}
 *   & Snapshot} RaceState
 * @typedef {{type: 'race.event'} & NumberedEvent} RaceEvent
 * @typedef {{type: 'race.progress'} & Moves} RaceProgress
 * @typedef {RaceState|RaceEvent|RaceProgress} RaceMessage
 * @typedef {{source?: Source, rules?: Rules, private: boolean, racers_max?: number, ghosts?: string[]}} NewRace
 * @typedef {{code: string} | {race: string}} RaceName
 *
 * @typedef {Welcome|Opened|Ack|Reject|Done|Stall|Pong|Refusal|Drain|RaceMessage} ServerMessage
 */

export const SUBPROTOCOL = 'typing.v1';
export const CLIENT = 'web/1.0';
export const BATCH_MAX = 64;
export const WINDOW = 512;
export const DT_MS_MAX = 600_000;
export const CODE_POINTS_PER_KEY_MAX = 8;

export const NORMAL = 1000;
export const TOKEN_REFUSED = 4003;
export const MESSAGE_RATE = 4013;
export const SUPERSEDED = 4509;
export const CONFLICT = 4510;

const STOPS = new Set([1003, 1007, 1009]); // we have sent what nobody can read: again would be no better
const TERMINAL_FROM = 4500;
const TERMINAL_TO = 4999;

/**
 * Does a close with this code need a person before the page connects again?
 * @param {number} code
 */
export function isTerminal(code) {
  return STOPS.has(code) || (code >= TERMINAL_FROM && code <= TERMINAL_TO);
}

/**
 * A message from the server, or null if the frame holds none.
 * @param {string} frame
 * @returns {ServerMessage|null} what its `type` says, if the server keeps to the protocol
 */
export function decode(frame) {
  try {
    const message = JSON.parse(frame);
    return typeof message?.type === 'string' ? message : null;
  } catch {
    return null;
  }
}
