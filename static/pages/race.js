/** Races: the ways in, the lobby, the race itself, and how it ended. Joins its parts. */

import { Attempt } from '../core/attempt.js';
import { readSource } from '../core/source.js';
import { ConnectionView } from '../views/connection_view.js';
import { CountdownView } from '../views/countdown_view.js';
import { around, element, find } from '../views/dom.js';
import { Frame } from '../views/frame.js';
import { openLine, tellOfLine } from '../views/line.js';
import { LobbyView, startsNow } from '../views/lobby_view.js';
import { Notices } from '../views/notices.js';
import { OwnKeyboard } from '../views/own_keyboard.js';
import { ENDED, RaceHistory } from '../views/race_history.js';
import { mayGoOn, RaceResultsView } from '../views/race_results_view.js';
import { RaceStartView, raceName } from '../views/race_start_view.js';
import { RaceVoice } from '../views/race_voice.js';
import { isFinished } from '../views/result_view.js';
import { ResultsView } from '../views/results_view.js';
import { buildSettings } from '../views/settings_view.js';
import { Sound } from '../views/sound.js';
import { nearestRivals, TrackView } from '../views/track_view.js';
import { TypingView } from '../views/typing_view.js';
import { number, say, sayIfKnown } from '../views/words.js';

/**
 * @import { Race } from '../core/race.js'
 * @import { RaceName } from '../net/protocol.js'
 * @import { Ended } from '../views/result_view.js'
 */

const START = '/race';
const AWAY_EVERY_MS = 1_000;
const UNKNOWN_LANGUAGE = 'und';
const TOO_LATE = new Set(['full', 'started']);
/** Keys pressed in the heat of the last word must not lead out of the race. */
const GUARD_MS = 700;

const settingsDialog = find(document, '#settings', HTMLDialogElement);
buildSettings(settingsDialog, ['interface', 'theme', 'size', 'width', 'font', 'numbers', 'rivals', 'sound']);
const frame = new Frame({ title: 'races', redraw, joined: () => live.reintroduce() });
const { settings, session } = frame;
const notices = new Notices(document);
const connection = new ConnectionView(element(document, '#connection'), notices);
const live = openLine(frame);
const { racing } = live;
const sound = new Sound(settings);
const voice = new RaceVoice(element(document, '#happenings'));
const stage = element(document, '#stage');
const typing = new TypingView(stage, { live, notices, own: new OwnKeyboard(settings), ended });
const results = new ResultsView(element(document, '#results'), { next: mainAction });
const start = new RaceStartView(element(document, '#start'), frame, {
  quick: (language) => enter(() => racing.quick(language)),
  join: enterByName,
  watch: (name) => enter(() => racing.watch(name)),
  create: (wanted) => enter(() => racing.create(wanted)),
});
const raced = new RaceHistory(element(document, '#raced'), session);
const lobby = new LobbyView(element(document, '#lobby'));
const track = new TrackView(element(document, '#lanes'));
const raceResults = new RaceResultsView(element(document, '#race-results'));
const countdown = new CountdownView(element(document, '#countdown'), { nowMs: () => racing.nowMs, counted });

const watch = find(document, '#watch', HTMLAnchorElement);
const ghost = find(document, '#ghost', HTMLAnchorElement);

/** @type {RaceName|null} what was asked for by name: if it is full, it can be watched */
let asked = null;
/** @type {'start'|'entering'|'race'} */
let shown = 'entering';
/** @type {Ended|null} of one's own attempt */
let own = null;
/** The attempt whose text is on screen. */
let attempt = '';
/** The race whose text is on screen for whoever watches. */
let watched = '';
let overAtMs = 0;

Object.assign(frame.actions, {
  main: mainAction,
  start: () => racing.start(),
  leave,
  again: () => racing.again(),
  quickRace: () => enter(() => racing.quick(racing.race?.language ?? settings.language)),
  copy: () => lobby.copy().then(tell),
  settings: () => settingsDialog.showModal(),
  practise: () => {
    settings.set('source', 'practice');
    location.assign('/');
  },
});

// Ways in

/** @param {() => void} ask */
function enter(ask) {
  asked = null;
  shown = 'entering';
  draw();
  ask();
}

/** @param {RaceName} name */
function enterByName(name) {
  enter(() => racing.join(name));
  asked = name;
}

function showStart() {
  shown = 'start';
  if (location.pathname !== START) history.pushState(null, '', START);
  void raced.load();
  draw();
}

/** The race in the address, as somebody may have written it; '' for none. */
function namedThere() {
  const named = location.pathname.split('/')[2] ?? '';
  try {
    return decodeURIComponent(named);
  } catch {
    return named; // cut off in the middle of a character
  }
}

/** As the address says. */
function arrive() {
  const named = namedThere();
  const query = new URLSearchParams(location.search);
  const name = raceName(named);
  const ghostOf = query.get('ghost');
  const source = readSource(query);
  if (name && location.hash === ENDED) enter(() => racing.watch(name));
  else if (name) enterByName(name);
  else if (query.has('quick')) enter(() => racing.quick(query.get('quick') || settings.language));
  else {
    showStart();
    if (named) start.refuseJoin(say('race_not_found'), named);
    else if (ghostOf) void start.withGhost(ghostOf);
    else if (source) void start.propose(source);
  }
}

function leave() {
  racing.leave();
  forgetAttempt();
  showStart();
  element(document, '#page').focus({ preventScroll: true });
}

// The race

live.on('race', ({ race, event, entered }) => {
  if (entered) settleIn(race);
  voice.tell(race, event);
  if (event?.event === 'over' || event?.event === 'cancelled') overAtMs = performance.now();
  if (event?.event === 'over' && typesOn()) tell(say('overtime'));
  if (event?.event === 'left' && race.me === null && race.live && !watched) tell(say('youLeft'));
  draw();
});

live.on('raceMoved', ({ race }) => {
  drawProgress(race);
  if (!race.live) draw();
});

live.on('raceRefused', ({ asked: request, code, message, retryMs }) => {
  const words = sayIfKnown(`race_${code}`) ?? message;
  if (retryMs !== null)
    tell(words); // it is asked for again
  else if (TOO_LATE.has(code) && asked) {
    const name = asked;
    enter(() => racing.watch(name));
    tell(words);
  } else if (shown === 'entering') backToStart(request, words);
  else tell(words);
});

/** @param {Race} race */
function settleIn(race) {
  forgetAttempt();
  voice.begin();
  shown = 'race';
  overAtMs = performance.now() - GUARD_MS;
  const path = `${START}/${race.code}`;
  // Going back must not ask for another quick race.
  if (location.search !== '') history.replaceState(null, '', path);
  else if (location.pathname !== path) history.pushState(null, '', path);
  if (race.phase === 'lobby') requestAnimationFrame(() => element(document, '#lobby-main').focus());
}

/** @param {string} request @param {string} words why it was refused */
function backToStart(request, words) {
  const named = namedThere();
  const byName = request === 'race.join' || request === 'race.watch';
  if (racing.race) {
    shown = 'race'; // another race was asked for from this one
    draw();
    tell(words);
    return;
  }
  showStart();
  if (byName) start.refuseJoin(words, named || undefined);
  else start.refuseCreate(words);
}

// One's own attempt

live.on('opened', (news) => {
  attempt = news.id;
  own = null;
  results.hide();
  for (const link of [watch, ghost]) link.removeAttribute('href');
  typing.show(news);
  stage.hidden = false;
  typing.redraw();
  draw();
  typing.focus();
  if (news.attempt.over) ended();
  else if (news.resumed && news.attempt.position > 0) notices.show(say('resumed'));
});

live.on('progress', (progress) => typing.heard(progress));

live.on('done', ({ id, result, verdict, why, attempt: typed }) => {
  if (id !== attempt || !typed) return;
  if (typing.phase !== 'done') typing.end();
  if (result === null) return;
  watch.href = `/attempts/${id}#replay`;
  if (isFinished({ why })) ghost.href = `${START}?ghost=${id}`;
  own = { attempt: typed, result, verdict, why, saved: true };
  results.show(own);
  draw();
});

live.on('refused', ({ message, code }) => tell(sayIfKnown(`race_${code}`) ?? message));
live.on('voided', () => tell(say('raceVoided')));

/** The last key: one's own reckoning is shown at once. */
function ended() {
  const typed = typing.attempt;
  if (!typed || typing.phase === 'done') return;
  typing.end();
  sound.play('finish');
  overAtMs = performance.now();
  own = { attempt: typed, result: typed.result(), verdict: null, why: [], saved: connection.state !== 'offline' };
  results.show(own);
  voice.say(results.spoken());
  draw();
}

function forgetAttempt() {
  attempt = watched = '';
  own = null;
  results.hide();
  typing.wait();
  stage.hidden = true;
}

/** @param {number} seconds */
function counted(seconds) {
  sound.play(seconds === 0 ? 'go' : 'second');
  if (seconds === 0) voice.say(say('go'));
}

// What is shown

function draw() {
  const race = shown === 'race' ? racing.race : null;
  const view = race?.phase ?? shown;
  document.body.dataset.race = view;
  document.body.classList.toggle('watching', race !== null && race.you === null);
  document.body.classList.toggle('overtime', view === 'finished' && typesOn());
  show('#start', view === 'start');
  show('#entering', view === 'entering');
  show('#lobby', view === 'lobby');
  show('#lanes-section', view === 'countdown' || view === 'running');
  show('#race-results', view === 'finished' || view === 'cancelled');
  countdown.show(race);
  if (!race) return;
  if (race.phase === 'lobby') lobby.show(race);
  if (race.you === null) showText(race);
  stage.hidden = !(typesOn() || (watched !== '' && race.live && race.text !== null));
  drawProgress(race);
  if (race.live) return;
  showResults(race);
  if (location.hash !== ENDED) history.replaceState(null, '', `${START}/${race.code}${ENDED}`);
}

/** Is there a text in front of the person that is not finished? */
function typesOn() {
  return attempt !== '' && typing.phase !== 'done';
}

/** @param {Race} race */
function showResults(race) {
  raceResults.show(race, own?.attempt ?? typing.attempt);
  const link = find(document, '#own-attempt', HTMLAnchorElement);
  link.hidden = racing.attempt === null || own !== null;
  link.href = `/attempts/${racing.attempt}`;
}

/** The text for whoever does not type it. @param {Race} race */
function showText(race) {
  if (race.text === null || watched === race.id) return;
  watched = race.id;
  stage.hidden = false;
  document.body.classList.remove('waiting');
  typing.text.draw(new Attempt({ text: race.text }), race.language ?? UNKNOWN_LANGUAGE);
}

/** @param {Race} race */
function drawProgress(race) {
  if (race.phase !== 'lobby') track.show(race, racing.nowMs);
  const rivals = race.phase === 'running' ? nearestRivals(race) : [];
  typing.text.showRivals(rivals);
  const [first] = race.order;
  if (watched !== '' && race.live && first) typing.text.lookAt(first.position);
}

/** @param {string} selector @param {boolean} is */
function show(selector, is) {
  element(document, selector).hidden = !is;
}

/** @param {string} words */
function tell(words) {
  notices.show(words);
}

function redraw() {
  connection.draw();
  start.draw();
  raced.draw();
  results.draw();
  draw();
}

settings.onChange(() => typing.redraw());

// Keys

/** What Enter does: ready or start in the lobby, once more after the race. */
function mainAction() {
  const { race } = racing;
  if (shown !== 'race' || !race) return;
  if (race.phase === 'lobby' && race.me) {
    if (startsNow(race)) racing.start();
    else racing.ready(!race.me.ready);
  } else if (!race.live && !typesOn() && mayGoOn(race)) racing.again();
}

/** What Shift+Enter does: start now, or another race. */
function otherAction() {
  const { race } = racing;
  if (shown !== 'race' || !race) return;
  if (race.mayStart) racing.start();
  else if (!race.live && !typesOn()) frame.actions.quickRace();
}

function speakNumbers() {
  const { race } = racing;
  if (race?.me && race.phase === 'running' && typesOn()) {
    const place = race.places.get(race.me.slot) ?? 0;
    typing.speakNumbers();
    voice.say(say('standing', number(place), number(race.racers.length)));
  } else if (own) notices.speak(results.spoken());
}

addEventListener('keydown', (event) => {
  if (event.defaultPrevented || document.querySelector('dialog[open]')) return;
  if (event.key === 'F2') {
    event.preventDefault();
    speakNumbers();
    return;
  }
  const onControl = around(event, 'a, button, input, textarea, select, summary');
  const plain = onControl === null || (event.shiftKey && onControl.tagName === 'BUTTON');
  if (event.key !== 'Enter' || event.repeat || !plain) return;
  if (performance.now() - overAtMs < GUARD_MS) return;
  event.preventDefault();
  if (event.shiftKey) otherAction();
  else mainAction();
});

settingsDialog.addEventListener('close', () => typesOn() && typing.focus());
addEventListener('popstate', () => location.reload());
setInterval(() => {
  const race = shown === 'race' ? racing.race : null;
  if (race?.live && race.racers.some(({ connected }) => !connected)) drawProgress(race);
}, AWAY_EVERY_MS);

tellOfLine(live, connection, notices);
redraw();
typing.wait();
live.start();
arrive();
