/** The first page: typing. Joins its parts. */

import { writeSource } from '../core/source.js';
import { languageOf } from '../layouts.js';
import { commandsFor, keysHelp } from '../views/commands.js';
import { ConnectionView } from '../views/connection_view.js';
import { element, find } from '../views/dom.js';
import { Frame } from '../views/frame.js';
import { GainsView } from '../views/gains_view.js';
import { Invitation } from '../views/invitation.js';
import { LessonView } from '../views/lesson_view.js';
import { openLine, tellOfLine } from '../views/line.js';
import { Notices } from '../views/notices.js';
import { OwnKeyboard } from '../views/own_keyboard.js';
import { Palette } from '../views/palette.js';
import { isFinished } from '../views/result_view.js';
import { ResultsView } from '../views/results_view.js';
import { USUAL } from '../views/settings.js';
import { buildSettings } from '../views/settings_view.js';
import { SourceView } from '../views/source_view.js';
import { TypingView } from '../views/typing_view.js';
import { Wanted } from '../views/wanted.js';
import { say, sayIfKnown } from '../views/words.js';

const REFUSALS_MAX = 2;

/**
 * @import { ErrorRule } from '../core/attempt.js'
 * @import { OpenedNews } from '../net/news.js'
 * @import { Source } from '../net/protocol.js'
 * @import { Ended } from '../views/result_view.js'
 * @import { SettingName } from '../views/settings.js'
 */

const settingsDialog = find(document, '#settings', HTMLDialogElement);
buildSettings(settingsDialog, ['interface', 'theme', 'size', 'width', 'font', 'keyboard', 'numbers']);
const frame = new Frame({ redraw, joined: () => live.reintroduce() });
const { settings, session, storage } = frame;
const notices = new Notices(document);
const connection = new ConnectionView(element(document, '#connection'), notices);
const live = openLine(frame);
const own = new OwnKeyboard(settings);
const typing = new TypingView(element(document, '#stage'), { live, notices, own, ended });
const results = new ResultsView(element(document, '#results'), { next });
const gains = new GainsView(element(document, '#gains'), session);
const invitation = new Invitation(element(document, '#invitation'), storage);
const wanted = new Wanted(settings, own);
const ownText = find(document, '#own-text', HTMLDialogElement);
const lesson = new LessonView(element(document, '#lesson'), element(document, '#results'), frame);
const source = new SourceView(element(document, '#source'), ownText, settings, wanted, { choose });

const watch = find(document, '#watch', HTMLAnchorElement);
const ghost = find(document, '#ghost', HTMLAnchorElement);

/** @type {OpenedNews|null} what was said of the attempt on screen */
let opened = null;
/** How many texts in a row the server did not give. */
let refusals = 0;
/** @type {Ended|null} a result that the server has not spoken about yet */
let waiting = null;

// Everything a person can do, by the name that buttons, keys and the palette share.
const actions = Object.assign(frame.actions, {
  next,
  nextLesson,
  again,
  practise,
  finish,
  watchAgain: () => watch.click(),
  numbers,
  ownText: () => source.askForText(),
  settings: () => settingsDialog.showModal(),
  quickRace: () => location.assign(`/race?${new URLSearchParams({ quick: settings.language })}`),
  keyboardAndLayout: () => location.assign('/keyboard'),
  keys: showKeys,
  palette: () => palette.open(),
});
const palette = new Palette(find(document, '#palette', HTMLDialogElement), () =>
  commandsFor(actions, settings, typing.phase, choose),
);

/** @param {Source} asked @param {string} [errors] */
function begin(asked, errors = settings.get('errors')) {
  waiting = null;
  notices.clearBanner();
  typing.wait();
  live.open({ source: asked, rules: { errors: /** @type {ErrorRule} */ (errors) }, layout: layoutOf(asked) });
}

/** What it is typed with, if its language is known before the server has spoken. @param {Source} asked */
function layoutOf(asked) {
  if ('layout' in asked && asked.layout) return asked.layout;
  if ('language' in asked && asked.language) return own.layoutFor(asked.language);
  return asked.kind === 'custom' && asked.text ? own.layoutFor(languageOf(asked.text)) : undefined;
}

/**
 * A new text of what is wanted. The one text that an address asks for is the next one until it has been typed,
 * a lesson until it is passed.
 */
function next() {
  if (typing.phase === 'done' && atAddress(opened?.source ?? null)) {
    if (wanted.asked?.kind === 'text' && typing.attempt?.complete) wanted.leave();
    if (wanted.asked?.kind === 'lesson' && lesson.passed) {
      if (lesson.isLast) {
        location.assign('/lessons');
        return;
      }
      nextLesson();
      return;
    }
  }
  begin(wanted.source);
  source.draw();
}

/** The lesson after the one on screen, be that passed or not. */
function nextLesson() {
  if (lesson.following) wanted.ask(lesson.following);
  begin(wanted.source);
  source.draw();
}

/** @param {SettingName} name @param {string} value */
function choose(name, value) {
  wanted.choose(name, value);
  next();
}

/** @param {Source|null} typed */
function atAddress(typed) {
  return wanted.asked !== null && typed !== null && writeSource(typed) === writeSource(wanted.asked);
}

/** The same text once more; a timed one is measured anew on another text. */
function again() {
  if (!opened) return;
  const { source, rules, text } = opened;
  const same = ['time', 'text', 'lesson'].includes(source.kind) ? source : null;
  begin(same ?? { kind: 'custom', text }, rules.errors);
}

function practise() {
  choose('source', 'practice');
}

/** Enough for now: the result of what is there. */
function finish() {
  if (typing.phase !== 'typing') return;
  live.finish('quit');
  ended();
}

function numbers() {
  if (typing.phase === 'done') notices.speak(outcome());
  else typing.speakNumbers();
}

/** The last key or the end of the time: the page's own reckoning is shown at once. */
function ended() {
  const { attempt } = typing;
  if (!attempt || typing.phase === 'done') return;
  typing.end();
  waiting = { attempt, result: attempt.result(), verdict: null, why: [], saved: connection.state !== 'offline' };
  results.show(waiting);
  lesson.end(waiting.result, null);
  notices.speak(outcome());
}

/** The result as sentences, the lesson's first. */
function outcome() {
  return [lesson.spoken(), results.spoken()].filter(Boolean).join(' ');
}

tellOfLine(live, connection, notices);

live.on('connection', (now) => {
  if (now.state === 'offline') showLoading(now.busy ? 'loadingFull' : 'loadingOffline');
  else showLoading('loading');
  if (waiting) {
    waiting.saved = now.state !== 'offline';
    results.show(waiting);
  }
});

live.on('opened', (news) => {
  for (const link of [watch, ghost]) link.removeAttribute('href');
  opened = news;
  refusals = 0;
  waiting = null;
  results.hide();
  gains.hide();
  invitation.hide();
  notices.clearBanner();
  typing.show(news);
  lesson.begin(news.source);
  if (news.attempt.over) ended();
  else if (news.resumed && news.attempt.position > 0) notices.show(say('resumed'));
});

live.on('progress', (progress) => typing.heard(progress));

// A complete text ends on its last key, drawn first; this is for the time.
live.on('over', ({ attempt }) => attempt.complete || ended());

live.on('done', ({ id, result, verdict, why, attempt }) => {
  if (id !== opened?.id || !attempt) return;
  if (result === null && typing.phase !== 'done') return;
  const spoken = typing.phase === 'done';
  if (!spoken) typing.end();
  waiting = null;
  if (result !== null) {
    watch.href = `/attempts/${id}#replay`;
    if (isFinished({ why })) ghost.href = `/race?ghost=${id}`;
  }
  results.show({ attempt, result: result ?? attempt.result(), verdict, why, saved: true });
  lesson.end(result ?? attempt.result(), verdict);
  if (opened && result !== null) gains.show(opened.source, settings.interface);
  if (!session.signedIn) invitation.offer(new Date());
  if (!spoken) notices.speak(outcome());
  else if (results.isBest) notices.speak(say('personalBest'));
});

live.on('refused', ({ code, message, retryMs }) => {
  const words = sayIfKnown(`refused_${code}`) ?? message;
  notices.show(words);
  if (retryMs !== null) return; // it is asked for again
  if (waiting) {
    notices.banner(words, say('next'), next);
    return;
  }
  refusals += 1;
  if (refusals > REFUSALS_MAX) {
    notices.banner(say('noText'), say('next'), next);
    return;
  }
  if (wanted.asked) wanted.leave();
  else settings.set('source', USUAL.source);
  next();
});

live.on('voided', () => notices.banner(say('voided'), say('next'), next));

function showKeys() {
  const dialog = find(document, '#keys-help', HTMLDialogElement);
  element(dialog, 'dl').replaceChildren(...keysHelp());
  dialog.showModal();
}

/** @param {'loading'|'loadingFull'|'loadingOffline'} message */
function showLoading(message) {
  const loading = element(document, '#loading');
  if (loading.dataset.message === message) return;
  loading.dataset.message = message;
  loading.textContent = say(message);
}

function redraw() {
  connection.draw();
  source.draw();
  results.draw();
  lesson.draw();
  gains.draw();
}

settings.onChange((name) => {
  typing.redraw();
  if (name === 'interface' && settings.get('language') === 'auto') followInterface();
});

/** The texts speak the language of the page until another is chosen, or the page leaves one behind. */
function followInterface() {
  if (typing.phase === 'done' || wanted.asked) return; // the next text follows, or the address holds
  if (typing.attempt && !typing.untouched) settings.set('language', typing.language);
  else next();
}

addEventListener(
  'keydown',
  (event) => {
    if (document.querySelector('dialog[open]')) return;
    if (event.key === 'Escape') {
      event.preventDefault();
      palette.open();
    } else if (event.key === 'F2') {
      event.preventDefault();
      numbers();
    } else if (event.key === '?' && typing.phase !== 'typing' && !typing.expects('?')) {
      event.preventDefault();
      showKeys();
    }
  },
  { capture: true },
);

for (const dialog of document.querySelectorAll('dialog')) {
  dialog.addEventListener('close', () =>
    typing.phase === 'done' ? element(document, '#results').focus() : typing.focus(),
  );
}

redraw();
typing.wait();
live.start();
if (!live.resume((typed) => !wanted.asked || atAddress(typed))) next();
if (wanted.misread) notices.show(say('addressUnknown'));
