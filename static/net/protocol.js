/** The wire's numbers and words, version 1: see docs/protocol.md. */

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
 * @param {unknown} frame
 */
export function decode(frame) {
  try {
    const message = JSON.parse(frame);
    return typeof message?.type === 'string' ? message : null;
  } catch {
    return null;
  }
}
