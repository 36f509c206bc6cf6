/** The account: signing in and up, the profile, one's data, and where the links of mails lead. */

import { Mirror } from '../net/mirror.js';
import { element, elements, find } from '../views/dom.js';
import { Form } from '../views/form.js';
import { Frame } from '../views/frame.js';
import { sentence } from '../views/refusal.js';
import { number, say } from '../views/words.js';

/**
 * @import { Profile } from '../net/session.js'
 */

const OUT = ['sign-in', 'register', 'forgot'];
const TOKEN = /^#(verify-email|reset-password)=(.+)$/;
const MB = 1_000_000;
const REVOKE_MS = 60_000;

const frame = new Frame({ title: 'placeAccount', redraw: draw });
const { session } = frame;
const note = element(document, '#account-note');
/** @type {Profile|null} */
let profile = null;
/** @type {() => string} what stands above the page, in whatever language is spoken */
let noteWords = () => '';
/** The token of the mail that led here: taken from the address, so that it stays nowhere. */
let resetToken = '';

const passwordProblems = {
  weak_password: { message: 'weakPassword', field: 'new_password' },
  wrong_password: { message: 'wrongPassword', field: 'current_password' },
};
const forms = {
  signIn: new Form(document, '#sign-in-form', {
    problems: {
      bad_credentials: { message: 'badCredentials', field: 'password' },
      disabled: { message: 'closed4505' },
    },
    send: async ({ email, password }) => {
      await session.signIn({ email, password });
      await enter();
    },
  }),
  register: new Form(document, '#register-form', {
    problems: {
      email_taken: { message: 'emailTaken', field: 'email' },
      weak_password: { message: 'weakPassword', field: 'password' },
    },
    send: async ({ email, password, name }) => {
      const language = frame.settings.interface;
      await session.register({ email, password, language, ...(name.trim() && { name }) });
      await enter();
    },
  }),
  forgot: new Form(document, '#forgot-form', {
    send: async ({ email }) => {
      await session.ask('POST', '/auth/forgot-password', { email, language: frame.settings.interface });
      return 'forgotSent';
    },
  }),
  reset: new Form(document, '#reset-form', {
    problems: { ...passwordProblems, bad_link: { message: 'badLink' } },
    send: async ({ new_password }) => {
      await session.ask('POST', '/auth/reset-password', { token: resetToken, new_password });
      resetToken = '';
      session.forget(); // all logins have ended with the old password
      tell(() => say('resetDone'));
      location.hash = '#sign-in';
      await show();
    },
  }),
  profile: new Form(document, '#profile-form', {
    send: async ({ name, full_name, wpm, accuracy, minutes_a_day }) => {
      const goals = {
        wpm: numberOrNull(wpm),
        accuracy: accuracy === '' ? null : Number(accuracy) / 100,
        minutes_a_day: numberOrNull(minutes_a_day),
      };
      profile = await session.changeProfile({ name, full_name: full_name.trim() || null, settings: { goals } });
      return 'profileSaved';
    },
  }),
  verify: new Form(document, '#verify-form', {
    problems: { already_verified: { message: 'emailVerified' } },
    send: async () => {
      await session.ask('POST', '/auth/verify-email/send');
      return 'verifySent';
    },
  }),
  email: new Form(document, '#email-form', {
    problems: { ...passwordProblems, email_taken: { message: 'emailTakenElse', field: 'email' } },
    send: async ({ email, current_password }) => {
      await session.changeProfile({ email, current_password });
      return 'emailChangeSent';
    },
  }),
  password: new Form(document, '#password-form', {
    problems: passwordProblems,
    send: async ({ current_password, new_password }) => {
      await session.changePassword({ current_password, new_password });
      return 'passwordChanged';
    },
  }),
  delete: new Form(document, '#delete-form', {
    problems: { wrong_password: { message: 'wrongPassword', field: 'password' } },
    send: async ({ password }) => {
      await session.deleteEverything(password);
      await gone();
    },
  }),
};

Object.assign(frame.actions, {
  download: () => void attempt(download),
  signOut: () => void attempt(() => leave(false)),
  signOutEverywhere: () => void attempt(() => leave(true)),
  deleteGuest: () => find(document, '#sure', HTMLDialogElement).showModal(),
  deleteGuestForGood: () => {
    find(document, '#sure', HTMLDialogElement).close();
    void attempt(async () => {
      await session.deleteEverything();
      await gone();
    });
  },
});

/** What is shown depends on who one is, and on the part of the address behind the #. */
async function show() {
  const mailed = TOKEN.exec(location.hash);
  if (mailed) {
    // Out of the address at once: it must not stand in the history of the browser.
    history.replaceState(null, '', location.pathname);
    if (mailed[1] === 'verify-email') await attempt(() => verify(mailed[2]));
    else resetToken = mailed[2];
  }
  profile = session.signedIn ? ((await attempt(() => session.profile(true))) ?? null) : null;
  fill();
  frame.draw();
  draw();
}

function draw() {
  note.textContent = noteWords();
  const reset = resetToken !== '';
  const out = !reset && !session.signedIn;
  element(document, '#reset').hidden = !reset;
  element(document, '#signed-out').hidden = !out;
  element(document, '#signed-in').hidden = reset || !profile;
  const asked = location.hash.slice(1);
  const shown = OUT.find((name) => name === asked) ?? OUT[0];
  for (const name of OUT) element(document, `#${name}`).hidden = name !== shown;
  for (const link of elements(document, '#signed-out > nav a')) {
    if (link.getAttribute('href') === `#${shown}`) link.setAttribute('aria-current', 'true');
    else link.removeAttribute('aria-current');
  }
  const guest = out && session.known;
  element(document, '#guest').hidden = !guest;
  for (const line of elements(document, '.for-guest')) line.hidden = !guest;
  if (profile) drawProfile(profile);
  for (const form of Object.values(forms)) form.draw();
}

/** @param {Profile} shown */
function drawProfile({ email, email_verified: verified }) {
  element(document, '#email-state').textContent = say(verified ? 'emailIs' : 'emailIsUnverified', email ?? '');
  element(document, '#verify-form').hidden = verified;
}

/** Fill the forms once: what the person is writing there is not written over. */
function fill() {
  if (!profile) return;
  const goals = profile.settings.goals ?? {};
  const accuracy = goals.accuracy ?? null;
  forms.profile.fill({
    name: profile.name,
    full_name: profile.full_name ?? '',
    wpm: String(goals.wpm ?? ''),
    accuracy: accuracy === null ? '' : String(Math.round(accuracy * 1000) / 10),
    minutes_a_day: String(goals.minutes_a_day ?? ''),
  });
}

/** Signed in: back to where the person came from, or on to the profile. */
async function enter() {
  await frame.following.follow();
  const from = new URLSearchParams(location.search).get('from');
  if (from !== null && /^\/(?!\/)/.test(from)) location.assign(new URL(from, location.origin));
  else await settle();
}

/** Everything as it is for whoever one is now, from the top. */
async function settle() {
  history.replaceState(null, '', location.pathname);
  await show();
  element(document, 'main').focus();
}

/** @param {boolean} everywhere */
async function leave(everywhere) {
  await session.signOut(everywhere);
  tell(() => say(everywhere ? 'signedOutEverywhere' : 'signedOut'));
  await settle();
}

async function gone() {
  new Mirror(frame.storage).forgetAll();
  frame.settings.set('ownText', '');
  tell(() => say('everythingDeleted'));
  await settle();
}

/** @param {string} token */
async function verify(token) {
  await session.ask('POST', '/auth/verify-email', { token });
  tell(() => say('emailConfirmed'));
}

/** The answer is read in pieces: it may be long, and the person sees that it comes. */
async function download() {
  const response = await session.fetch('GET', '/users/me/export');
  /** @type {Uint8Array<ArrayBuffer>[]} */
  const pieces = [];
  let bytes = 0;
  for (const reader = response.body?.getReader(); reader; ) {
    const { done, value } = await reader.read();
    if (done) break;
    pieces.push(value);
    bytes += value.length;
    const sofar = number(bytes / MB, 1);
    tell(() => say('downloading', sofar));
  }
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob(pieces, { type: 'application/json' }));
  link.download = 'typing-trainer.json';
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), REVOKE_MS);
  tell(() => say('downloaded'));
}

/**
 * Do what has no form of its own; what goes wrong is said above the page.
 * @template Result
 * @param {() => Promise<Result>} act
 */
async function attempt(act) {
  try {
    return await act();
  } catch (error) {
    const words = () => sentence(error, { bad_link: 'badLink', email_taken: 'emailTakenElse' });
    words(); // a fault of ours is thrown from here, not told
    tell(words);
    return undefined;
  }
}

/** @param {() => string} words */
function tell(words) {
  noteWords = words;
  note.textContent = words();
}

/** @param {string} value */
function numberOrNull(value) {
  return value === '' ? null : Number(value);
}

/** A button beside each password shows it. */
function addEyes() {
  for (const input of document.querySelectorAll('input[type="password"]')) {
    if (!(input instanceof HTMLInputElement)) continue;
    const eye = document.createElement('button');
    eye.type = 'button';
    eye.dataset.message = 'showPassword';
    eye.setAttribute('aria-pressed', 'false');
    eye.addEventListener('click', () => {
      const shown = input.type === 'text';
      input.type = shown ? 'password' : 'text';
      eye.dataset.message = shown ? 'showPassword' : 'hidePassword';
      eye.setAttribute('aria-pressed', String(!shown));
      eye.textContent = say(eye.dataset.message);
      input.focus();
    });
    const box = document.createElement('span');
    box.className = 'password';
    input.replaceWith(box);
    box.append(input, eye);
  }
}

addEyes();
addEventListener('hashchange', () => void show());
await show();
