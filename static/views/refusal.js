/** What a person is told when the server has said no, or nothing at all. */

import { Refusal } from '../net/session.js';
import { moment, say, sayIfKnown } from './words.js';

const MS_PER_SECOND = 1_000;

/** The code of what another plan would open. */
export const PLAN_REQUIRED = 'plan_required';

/**
 * @param {unknown} error as `Session.ask` rejects; anything else is a fault of ours and thrown on
 * @param {Record<string, string>} [messages] what this page says of a code
 */
export function sentence(error, messages = {}) {
  if (error instanceof TypeError) return say('unreachable');
  if (!(error instanceof Refusal)) throw error;
  if (error.status === 429) {
    return say('askedTooOften', moment(Date.now() + (error.retryS ?? 60) * MS_PER_SECOND, { timeStyle: 'medium' }));
  }
  if (error.code === PLAN_REQUIRED) return say('planRequired', say(`plan_${error.plan}`));
  const known = messages[error.code];
  return known ? say(known) : (sayIfKnown(`denied_${error.code}`) ?? error.message);
}
