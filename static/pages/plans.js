/** Plans, where some are sold: what each gives, the one that holds, and the ways to another. */

import { around, element, elements } from '../views/dom.js';
import { Frame } from '../views/frame.js';
import { planCard } from '../views/plan_cards.js';
import { sentence } from '../views/refusal.js';
import { Standstill } from '../views/standstill.js';
import { moment, say } from '../views/words.js';

/**
 * @import { Period, Plan, PlanName } from '../views/plan_cards.js'
 *
 * @typedef {object} Status as `GET /subscription/status` gives it
 * @property {PlanName} plan
 * @property {'active'|'past_due'|'canceled'|'expired'} status
 * @property {number|null} expires_at
 * @property {number|null} until
 * @property {boolean} ends_at_period_end
 * @property {boolean} billing
 */

/** Stripe's word of a payment comes by a way of its own, a moment after the person. */
const PAID = '#paid';
const LOOKS = 5;
const LOOK_EVERY_MS = 2_000;
const DAY = { dateStyle: /** @type {const} */ ('long') };

const frame = new Frame({ title: 'plans', redraw: draw });
const { session } = frame;
const standstill = new Standstill(element(document, '#standstill'), element(document, '#plans'));

/** @type {Plan[]} */
let plans = [];
/** @type {Status|null} null for who is nobody yet */
let status = null;
/** @type {Period} */
let period = 'monthly';
let paid = location.hash === PAID;
/** Why the last thing was not done, in the language of now. @type {() => string} */
let refusal = () => '';

Object.assign(frame.actions, {
  portal: () => void trying(async () => location.assign((await session.ask('POST', '/subscription/portal', {})).url)),
  cancel: () =>
    void trying(async () => {
      status = await session.ask('POST', '/subscription/cancel', {});
      draw();
    }),
});
element(document, '#cards').addEventListener('click', (event) => {
  const plan = around(event, '[data-choose]')?.dataset.choose;
  if (plan) void trying(() => pay(plan));
});
element(document, '#periods').addEventListener('click', (event) => {
  const chosen = around(event, '[data-period]')?.dataset.period;
  if (chosen) period = chosen === 'yearly' ? 'yearly' : 'monthly';
  draw();
});
void load();

async function load() {
  standstill.wait();
  try {
    const [sold] = await Promise.all([session.ask('GET', '/subscription/plans'), look()]);
    plans = sold.plans;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'no_plans') {
      standstill.empty('nothingSold', { href: '/', message: 'typeSomething' });
    } else standstill.refused(error, load);
    return;
  }
  standstill.over();
  draw();
  if (paid) void waitForStripe(LOOKS);
}

async function look() {
  status = session.known ? await session.ask('GET', '/subscription/status') : null;
}

/** @param {number} looks at most */
async function waitForStripe(looks) {
  if (looks === 0 || (status !== null && status.plan !== 'free')) {
    paid = false;
    draw();
    return;
  }
  await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  await trying(look);
  await waitForStripe(looks - 1);
}

/** @param {string} plan */
async function pay(plan) {
  const checkout = await session.ask('POST', '/subscription/upgrade', { plan, billing_period: period });
  location.assign(checkout.checkout_url);
}

/** @param {() => Promise<void>} act */
async function trying(act) {
  refusal = () => '';
  try {
    await act();
  } catch (error) {
    refusal = () => sentence(error);
  }
  draw();
}

/** How it stands, in a sentence. */
function standing() {
  if (paid) return say('paidWaits');
  if (!status || status.until === null || status.plan === 'free') {
    return say(status?.status === 'past_due' ? 'planUnpaid' : 'planFree');
  }
  const name = say(`plan_${status.plan}`);
  const [until, expires] = [status.until, status.expires_at ?? status.until].map((at) => moment(at, DAY));
  if (status.status === 'past_due') return say('planPastDue', name, until);
  return say(status.ends_at_period_end ? 'planEnds' : 'planRenews', name, expires);
}

function draw() {
  standstill.draw();
  const live = status?.status === 'past_due' || (status?.status === 'active' && status.until !== null);
  element(document, '#standing').textContent = standing();
  element(document, '#manage').hidden = !live;
  element(document, '[data-action="cancel"]').hidden = status?.ends_at_period_end ?? false;
  const words = refusal();
  element(document, '#refused').textContent = words;
  element(document, '#refused').hidden = words === '';
  for (const button of elements(document, '[data-period]')) {
    button.setAttribute('aria-pressed', String(button.dataset.period === period));
  }
  const now = { plan: status?.plan ?? 'free', period, member: session.signedIn, paying: live };
  element(document, '#cards').replaceChildren(...plans.map((plan) => planCard(plan, now)));
}
