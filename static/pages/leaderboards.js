/** Who is fastest: a board for each length of time and words and each text, since whenever one likes. */

import { sourceOf } from '../core/board.js';
import { Refusal } from '../net/session.js';
import { BoardView } from '../views/board_view.js';
import { around, element, elements } from '../views/dom.js';
import { Frame } from '../views/frame.js';
import { Standstill } from '../views/standstill.js';

/**
 * @import { Board } from '../views/board_view.js'
 */

const PERIODS = ['all', 'month', 'week', 'day'];
const USUAL_BOARD = 'time:60';

const frame = new Frame({ title: 'placeLeaderboards', redraw });
const choices = element(document, '#board-choices');
const view = new BoardView(element(document, '#board'));
const standstill = new Standstill(element(document, '#standstill'), element(document, '#board'));

/** Only the board asked for last is shown. */
let asked = 0;

frame.actions.more = () => load(view.next);
choices.addEventListener('click', (event) => choose(around(event, 'button')));
document.addEventListener('click', (event) => {
  if (around(event, 'main a[href="/"]')) typeForBoard();
});
addEventListener('popstate', () => load());
load();

/** What the address asks for, or what is usual. */
function choice() {
  const query = new URLSearchParams(location.search);
  const period = query.get('period') ?? '';
  return {
    board: query.get('board') ?? USUAL_BOARD,
    language: query.get('language') ?? frame.settings.language,
    period: PERIODS.includes(period) ? period : PERIODS[0],
  };
}

/** @param {HTMLElement|null} button */
function choose(button) {
  if (!button) return;
  const { board, language, period } = button.dataset;
  const now = choice();
  const next = { board: board ?? now.board, language: language ?? now.language, period: period ?? now.period };
  history.pushState(null, '', `?${new URLSearchParams(next)}`);
  load();
}

/** @param {number} [offset] of the places that come next; 0 begins anew */
async function load(offset = 0) {
  redraw();
  const { board, language, period } = choice();
  asked += 1;
  const mine = asked;
  if (sourceOf(board) === null) {
    unknown();
    return;
  }
  standstill.wait();
  try {
    const query = new URLSearchParams({ language, period, offset: String(offset) });
    /** @type {Board} */
    const answer = await frame.session.ask('GET', `/leaderboards/${board}?${query}`);
    if (mine === asked) show(answer, offset);
  } catch (error) {
    if (mine !== asked) return;
    if (error instanceof Refusal && error.status === 404) unknown();
    else standstill.refused(error, () => load(offset));
  }
}

function unknown() {
  standstill.empty('boardUnknown', { href: '/leaderboards', message: 'placeLeaderboards' });
}

/** @param {Board} board @param {number} offset */
function show(board, offset) {
  standstill.over();
  view.show(board, offset > 0);
  if (board.total === 0) standstill.empty('boardEmpty', { href: '/', message: 'typeSomething' });
}

/** A link from the empty board, or from below it, leads to what is typed for it. */
function typeForBoard() {
  const { board, language } = choice();
  if (!board.startsWith('text:')) frame.settings.set('source', board.replace(':', '-'));
  frame.settings.set('language', language);
}

/** What is chosen, and all that is shown, in the language of the interface. */
function redraw() {
  const now = choice();
  for (const button of elements(choices, 'button')) {
    const pressed = Object.entries(now).some(([name, value]) => button.dataset[name] === value);
    button.setAttribute('aria-pressed', String(pressed));
  }
  // A text is of one language, whatever is chosen.
  element(document, '#board-languages').hidden = now.board.startsWith('text:');
  standstill.draw();
  view.draw();
}
