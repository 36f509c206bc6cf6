/** One attempt: its result, and how it was typed, key by key. */

import { boardOf } from '../core/board.js';
import { Replay } from '../core/replay.js';
import { LAYOUT_NAMES } from '../layouts.js';
import { Refusal } from '../net/session.js';
import { element, find } from '../views/dom.js';
import { Frame } from '../views/frame.js';
import { OwnKeyboard } from '../views/own_keyboard.js';
import { Picture } from '../views/picture.js';
import { ReplayView } from '../views/replay_view.js';
import { isFinished, ResultView } from '../views/result_view.js';
import { sourceName } from '../views/source_name.js';
import { Standstill } from '../views/standstill.js';
import { moment, number, say, sayIfKnown } from '../views/words.js';

/**
 * @import { Rules } from '../core/attempt.js'
 * @import { Trainer } from '../net/imports.js'
 * @import { Event, Reason, Source, Verdict } from '../net/protocol.js'
 * @import { Ended } from '../views/result_view.js'
 *
 * @typedef {Ended['result'] & {id: string, verdict: Verdict, why: Reason[], self_reported: boolean,
 *   imported_from: Trainer|null, source: Source, rules: Rules, language: string|null, started_at: number, finished_at: number,
 *   text_preview: string}} StoredAttempt
 * @typedef {{text: string, layout: string, scorer: number, events: Event[], result: Ended['result']}} StoredReplay
 */

const UNKNOWN_LANGUAGE = 'und';
/** The numbers that must come out the same whenever the same keys are scored. */
const SCORED = /** @type {const} */ ([
  'wpm',
  'raw_wpm',
  'accuracy',
  'errors',
  'uncorrected',
  'consistency',
  'duration_ms',
  'position',
]);

const frame = new Frame({ title: 'attempt', redraw: draw });
const id = location.pathname.split('/')[2];
const content = element(document, '#attempt');
const standstill = new Standstill(element(document, '#standstill'), content);
const speech = element(document, '#speech');
const result = new ResultView(element(document, '#results'), { seek: (atMs) => player.seek(atMs) });
const player = new ReplayView(element(document, '#replay'), { moved: (atMs) => result.mark(atMs) });
const picture = new Picture(find(document, '#picture', HTMLDialogElement));

/** @type {StoredAttempt | null} */
let shown = null;
/** @type {StoredReplay | null} null as well for one typed elsewhere, of which nobody here has the keys */
let stored = null;
/** @type {Replay | null} */
let replay = null;

Object.assign(frame.actions, {
  practise: () => {
    frame.settings.set('source', 'practice');
    location.assign('/');
  },
  picture: () => shown && picture.open({ ...ended(shown), title: title(shown), finishedAtMs: shown.finished_at }),
  downloadPicture: () => picture.download(),
  copyPicture: () =>
    picture.copy().then(
      () => speak(say('pictureCopied')),
      () => speak(say('pictureNotCopied')),
    ),
});

addEventListener('keydown', (event) => {
  if (event.key !== 'F2' || !shown) return;
  event.preventDefault();
  speak(replay ? player.spoken() : result.spoken());
});

load();

async function load() {
  if (!frame.session.known) {
    standstill.empty('attemptOfNobody', { href: '/account', message: 'placeSignIn' });
    return;
  }
  standstill.wait();
  try {
    /** @type {StoredAttempt} */
    const attempt = await frame.session.ask('GET', `/attempts/${id}`);
    // What was typed elsewhere came without its keys.
    stored = attempt.self_reported ? null : await frame.session.ask('GET', `/attempts/${id}/replay`);
    show(attempt);
  } catch (error) {
    const notFound = error instanceof Refusal && error.status === 404;
    if (notFound) standstill.empty('attemptNotFound', { href: '/history', message: 'placeHistory' });
    else standstill.refused(error, load);
  }
}

/** @param {StoredAttempt} attempt */
function show(attempt) {
  shown = attempt;
  standstill.over();
  if (stored) replay = replayOf(attempt, stored);
  result.show(ended(attempt));
  if (replay && stored) {
    player.show(replay, attempt.language ?? UNKNOWN_LANGUAGE, limitMs(attempt.source), keyboardOf(attempt, stored));
  }
  draw();
  if (replay && location.hash === '#replay') watch();
}

/**
 * What it was typed on, as far as that is known.
 * @param {StoredAttempt} attempt
 * @param {StoredReplay} replayed
 */
function keyboardOf({ language }, { layout, text }) {
  const own = new OwnKeyboard(frame.settings);
  const known = LAYOUT_NAMES.find((name) => name === layout);
  return known ? own.keyboard(known) : own.keyboardFor(language, text);
}

/** The way from a fresh result: the replay begins by itself, unless motion is not wanted. */
function watch() {
  element(document, '#replay').scrollIntoView({ block: 'start' });
  element(document, '#replay-play').focus({ preventScroll: true });
  if (!matchMedia('(prefers-reduced-motion: reduce)').matches) player.play();
}

/** @param {StoredAttempt} attempt @param {StoredReplay} replay */
function replayOf({ source, rules }, { text, events }) {
  return new Replay({ text, rules, limitMs: limitMs(source), fromStart: source.kind === 'race', events });
}

/** @param {Source} source */
function limitMs(source) {
  return source.kind === 'time' ? source.seconds * 1000 : null;
}

/** @param {StoredAttempt} attempt @returns {Ended} */
function ended(attempt) {
  return { attempt: replay?.whole ?? null, result: attempt, verdict: attempt.verdict, why: attempt.why, saved: true };
}

/** @param {StoredAttempt} attempt */
function title({ source, language }) {
  const named = language && language !== UNKNOWN_LANGUAGE ? (sayIfKnown(`lang_${language}`) ?? language) : null;
  return [sourceName(source), ...(named ? [named] : [])].join(' · ');
}

function draw() {
  standstill.draw();
  if (!shown) return;
  element(document, 'h1').textContent = title(shown);
  document.title = [title(shown), say('pageName')].join(' · ');
  element(document, '#attempt-when').textContent = moment(shown.finished_at);
  const elsewhere = shown.imported_from
    ? say('attemptBrought', say(`from_${shown.imported_from}`))
    : say('attemptElsewhere');
  element(document, '#attempt-rules').textContent = shown.self_reported
    ? elsewhere
    : `${say('rules')}: ${say(shown.rules.errors)}`;
  element(document, '#rescored').textContent = stored ? rescored(shown, stored) : '';
  const board = find(document, '#attempt-board', HTMLAnchorElement);
  const name = boardOf(shown.source);
  board.hidden = name === null;
  board.href = `/leaderboards?${new URLSearchParams({ board: name ?? '', language: shown.language ?? '' })}`;
  const ghost = find(document, '#attempt-ghost', HTMLAnchorElement);
  ghost.hidden = stored === null || !isFinished(shown);
  ghost.href = `/race?ghost=${shown.id}`;
  result.draw();
  player.draw();
  picture.draw();
}

/**
 * What the server says now that it has scored the same keys once more.
 * @param {StoredAttempt} attempt
 * @param {StoredReplay} replay
 */
function rescored(attempt, { result: again, scorer }) {
  const same = SCORED.every((name) => attempt[name] === again[name]);
  return say(same ? 'rescoredSame' : 'rescoredOther', scorer, number(again.wpm, 2));
}

/** @param {string} sentence */
function speak(sentence) {
  speech.textContent = sentence;
}
