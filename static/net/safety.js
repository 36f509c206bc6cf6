/** How safe the keys are, in one word and a few numbers. */

/**
 * @import { AttemptLog } from './attempt_log.js'
 * @import { Attempts } from './attempts.js'
 * @import { Connection } from './connection.js'
 * @import { ConnectionNews, ConnectionState } from './news.js'
 */

const BEHIND_AFTER_MS = 1_000;

/**
 * @param {Connection} connection
 * @param {Attempts} attempts
 * @param {number} nowMs
 * @returns {{news: ConnectionNews, behindAtMs: number}} `behindAtMs`: when keys have waited for too long
 */
export function safety(connection, attempts, nowMs) {
  const { busy, closeCode, reason } = connection;
  const { unsaved } = attempts;
  const unacked = unsaved.reduce((count, log) => count + log.unacked, 0);
  const behindAtMs = unacked > 0 ? BEHIND_AFTER_MS + unsavedSinceMs(unsaved[0]) : Infinity;
  const state = stateOf(connection, attempts.current, nowMs >= behindAtMs);
  return { news: { state, unacked, stalled: false, busy, closeCode, reason }, behindAtMs };
}

/**
 * @param {Connection} connection
 * @param {AttemptLog|null} current
 * @param {boolean} late have keys waited for too long?
 * @returns {ConnectionState}
 */
function stateOf(connection, current, late) {
  if (connection.stopped) return 'stopped';
  // What we read back from storage may long be saved: the server has yet to say.
  const recalled = current?.recalled === true;
  const behind = !recalled && late;
  if (!connection.ready) return behind || connection.failed ? 'offline' : 'connecting';
  if (recalled) return 'connecting';
  return behind ? 'behind' : 'saved';
}

/** @param {AttemptLog} log */
function unsavedSinceMs(log) {
  return log.typedAtMs(Math.max(log.durable, log.standing.events) + 1);
}
