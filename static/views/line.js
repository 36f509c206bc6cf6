/** The page's live line, made of what the browser has, and what is said when it ends for good. */

import { Live } from '../net/live.js';
import { say } from './words.js';

/**
 * @import { ConnectionView } from './connection_view.js'
 * @import { Frame } from './frame.js'
 * @import { Notices } from './notices.js'
 */

/** Close codes that come with an event of their own. */
const SUPERSEDED = 4509;
const CONFLICTING = 4510;

/** For how long the server wants to be left alone; it says so to whoever asks over HTTP. */
async function askForWait() {
  const answer = await fetch('/ws', { cache: 'no-store' });
  const retryS = Number(answer.headers.get('Retry-After') ?? Number.NaN);
  return retryS > 0 ? retryS * 1_000 : null;
}

/** @param {Pick<Frame, 'session'|'storage'>} frame */
export function openLine({ session, storage }) {
  return new Live({
    url: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`,
    WebSocket,
    token: session,
    ask: askForWait,
    storage,
    clock: { nowMs: () => performance.timeOrigin + performance.now() },
    random: Math.random,
    setTimeout: (run, ms) => setTimeout(run, ms),
    clearTimeout: (timer) => clearTimeout(timer),
  });
}

/**
 * Says how the line is, and what can be done when it is over.
 * @param {Live} live
 * @param {ConnectionView} connection
 * @param {Notices} notices
 */
export function tellOfLine(live, connection, notices) {
  live.on('connection', (now) => {
    connection.show(now);
    const spokenElsewhere = now.closeCode === SUPERSEDED || now.closeCode === CONFLICTING;
    if (now.state === 'stopped' && !spokenElsewhere) {
      notices.banner(connection.sentence, say('reload'), () => location.reload());
    }
  });
  live.on('superseded', () => notices.banner(say('superseded'), say('takeOver'), () => live.takeOver()));
  addEventListener('online', () => live.start());
}
