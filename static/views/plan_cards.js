/** The plans side by side: what each gives, what it costs, and the way to it. */

import { number, say } from './words.js';

/**
 * @typedef {'free'|'basic'|'premium'} PlanName
 * @typedef {'monthly'|'yearly'} Period
 *
 * @typedef {object} Features
 * @property {number} max_lessons
 * @property {boolean} ai_analysis
 * @property {boolean} advanced_stats
 * @property {boolean} priority_support
 * @property {number} max_collections
 * @property {number} max_collection_texts
 *
 * @typedef {object} Plan
 * @property {PlanName} plan
 * @property {Features} features
 * @property {{billing_period: Period, price: number, currency: string}[]} prices none while Stripe is away
 *
 * @typedef {object} Now
 * @property {PlanName} plan the one that holds
 * @property {Period} period of the prices shown
 * @property {boolean} member guests cannot pay
 * @property {boolean} paying who pays already changes the plan elsewhere
 */

/** @param {Plan} plan @param {Now} now */
export function planCard({ plan, features, prices }, now) {
  const card = document.createElement('li');
  card.classList.toggle('mine', plan === now.plan);
  const name = document.createElement('h2');
  name.textContent = say(`plan_${plan}`);
  const price = document.createElement('p');
  price.className = 'price';
  price.textContent = plan === 'free' ? say('costsNothing') : priceWords(prices, now.period);
  const list = document.createElement('ul');
  list.append(...featureWords(features).map(line));
  card.append(name, price, list, way(plan, now));
  return card;
}

/** @param {Plan['prices']} prices @param {Period} period */
function priceWords(prices, period) {
  const found = prices.find(({ billing_period: of }) => of === period);
  if (!found) return say('priceUnknown');
  const { price, currency } = found;
  const shown = new Intl.NumberFormat(document.documentElement.lang, { style: 'currency', currency }).format(price);
  return say(period === 'monthly' ? 'aMonth' : 'aYear', shown);
}

/** @param {Features} features */
function featureWords(features) {
  return [
    say('featureLessons', features.max_lessons, number(features.max_lessons)),
    say('featureCollections', number(features.max_collections), number(features.max_collection_texts)),
    ...(features.ai_analysis ? [say('featureAnalysis')] : []),
    ...(features.advanced_stats ? [say('featureStats')] : []),
    ...(features.priority_support ? [say('featureSupport')] : []),
  ];
}

/** @param {string} words */
function line(words) {
  const item = document.createElement('li');
  item.textContent = words;
  return item;
}

/** @param {PlanName} plan @param {Now} now */
function way(plan, { plan: mine, member, paying }) {
  if (plan === mine) return mark(say('yourPlan'));
  if (plan === 'free' || paying) return mark('');
  if (!member) {
    const link = document.createElement('a');
    link.className = 'button primary';
    link.href = '/account?from=%2Fplans#register';
    link.textContent = say('registerForPlan');
    return link;
  }
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'primary';
  button.dataset.choose = plan;
  button.textContent = say('choosePlan', say(`plan_${plan}`));
  return button;
}

/** @param {string} words */
function mark(words) {
  const made = document.createElement('p');
  made.className = 'mark';
  made.textContent = words;
  return made;
}
