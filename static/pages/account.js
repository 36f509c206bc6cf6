/** The account: the way in, who one is, what is one's own, and the way out. */

import { Mirror } from '../net/mirror.js';
import { element, elements } from '../views/dom.js';
import { EnterView } from '../views/enter_view.js';
import { explain } from '../views/form.js';
import { Frame } from '../views/frame.js';
import { OwnDataView } from '../views/own_data_view.js';
import { ProfileView } from '../views/profile_view.js';
import { Standstill } from '../views/standstill.js';
import { say } from '../views/words.js';

/** What can stand after the # of the address, and the title of what it shows. */
const TITLES = {
  'sign-in': 'signIn',
  register: 'registering',
  forgot: 'forgotPassword',
  'reset-password': 'newPassword',
  'verify-email': 'email',
  'signed-out': 'signedOutTitle',
  deleted: 'deletedTitle',
  profile: 'placeAccount',
};
/** What is said below the title of a page that has nothing else. */
const SAID = { 'signed-out': 'signedOutHelp', deleted: 'deletedHelp' };

/** @typedef {keyof typeof TITLES} Place */

const frame = new Frame({ title: 'placeAccount', redraw: draw });
const { session, settings, storage } = frame;
const title = element(document, '#title');
const told = element(document, '#told');
const standstill = new Standstill(element(document, '#standstill'), element(document, '#profile'));

/** The secret of a mail's link, which does not stay in the address. */
let token = '';
/** @type {Place} */
let place = 'sign-in';
/** The plan that holds, where some are sold. */
let plan = '';
/** What was said last, by its message, to be said again in another language. @type {() => string} */
let saying = () => '';

const enter = new EnterView(document, session, settings, { entered, token: () => token, reset });
const profile = new ProfileView(document, session, { left: () => leave('signed-out') });
const ownData = new OwnDataView(document, session, { gone: () => leave('deleted') });

addEventListener('hashchange', arrive);
arrive();

/** Read the address: where to, and with what. */
function arrive() {
  const [name, secret] = location.hash.slice(1).split('=');
  if (secret) {
    token = secret;
    history.replaceState(null, '', `${location.pathname}#${name}`);
  }
  const known = Object.hasOwn(TITLES, name) ? /** @type {Place} */ (name) : null;
  const usual = session.signedIn ? 'profile' : 'sign-in';
  const forOthers = session.signedIn && (known === 'sign-in' || known === 'register' || known === 'forgot');
  const withoutLink = (known === 'reset-password' || known === 'verify-email') && token === '';
  const forSignedIn = known === 'profile' && !session.signedIn;
  place = known === null || forOthers || withoutLink || forSignedIn ? usual : known;
  tell(() => (place in SAID ? say(SAID[/** @type {keyof typeof SAID} */ (place)]) : ''));
  if (place === 'verify-email') void verify();
  else void show();
}

async function show() {
  const person = place === 'profile' ? await mine() : null;
  if (place === 'profile' && person === null) return;
  document.body.dataset.shown = place === 'profile' ? 'profile' : 'enter';
  standstill.over();
  enter.show(place, session.known && !session.signedIn);
  element(document, '#profile').hidden = place !== 'profile';
  const guestEnters = place === 'sign-in' || place === 'register';
  element(document, '#own-data').hidden = !(place === 'profile' || (guestEnters && session.known));
  if (person) {
    profile.show(person);
    void lookForPlans();
  }
  ownData.show(person);
  draw();
}

/** The profile; null if it cannot be had, which is then said. */
async function mine() {
  standstill.wait();
  try {
    return await session.profile();
  } catch (error) {
    if (!session.signedIn) {
      // The login has ended meanwhile, here or elsewhere.
      place = 'sign-in';
      tell(() => say('loginEnded'));
      await show();
      return null;
    }
    standstill.refused(error, () => void show());
    return null;
  }
}

/** Where plans are sold, the one that holds is named. */
async function lookForPlans() {
  try {
    const { billing, plan: name } = await session.ask('GET', '/subscription/status');
    plan = billing ? name : '';
  } catch (error) {
    tell(() => explain(error));
  }
  draw();
}

async function verify() {
  title.textContent = say('email');
  try {
    await session.ask('POST', '/auth/verify-email', { token });
    session.forgetProfile();
    tell(() => say('emailVerified'));
  } catch (error) {
    tell(() => explain(error));
  }
  token = '';
  place = session.signedIn ? 'profile' : 'sign-in';
  await show();
}

/** Somebody has signed in: back to where they came from, else to the profile. */
function entered() {
  // Also to this page: anew, as every page is for whoever has just signed in.
  location.assign(cameFrom() ?? location.pathname);
}

/** The password is set: the next step is to sign in with it. */
function reset() {
  token = '';
  session.forget();
  frame.draw();
  history.replaceState(null, '', `${location.pathname}#sign-in`);
  arrive();
  tell(() => say('passwordReset'));
  title.focus();
}

/** Nothing of the person stays in the browser, and the page says so. @param {Place} to */
function leave(to) {
  new Mirror(storage).clear();
  frame.following.forget();
  if (to === 'deleted') settings.set('ownText', '');
  history.replaceState(null, '', `${location.pathname}#${to}`);
  arrive();
  frame.draw();
  title.focus();
}

/** A page of ours that led here. */
function cameFrom() {
  const from = new URLSearchParams(location.search).get('from');
  if (!from?.startsWith('/')) return null;
  const url = new URL(frame.whole(from), location.origin);
  return url.origin === location.origin && url.pathname !== location.pathname ? url.href : null;
}

/** @param {() => string} words */
function tell(words) {
  saying = words;
  told.textContent = words();
}

function draw() {
  title.textContent = say(TITLES[place]);
  told.textContent = saying();
  for (const way of elements(document, '#ways a')) {
    if (way.getAttribute('href') === `#${place}`) way.setAttribute('aria-current', 'page');
    else way.removeAttribute('aria-current');
  }
  element(document, '#plan').hidden = plan === '';
  element(document, '#plan-name').textContent = plan && say(`plan_${plan}`);
  standstill.draw();
  enter.draw();
  profile.draw();
  ownData.draw();
}
