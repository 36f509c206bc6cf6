/** Practice: how strong each key is, what is practised next and why, and how far it is to the target. */

import { Keyboard, layoutsFor } from '../layouts.js';
import { askPractice } from '../net/practice.js';
import { around, element, elements, find } from '../views/dom.js';
import { Frame } from '../views/frame.js';
import { OwnKeyboard } from '../views/own_keyboard.js';
import { PracticeView } from '../views/practice_view.js';
import { Standstill } from '../views/standstill.js';

/**
 * @import { Practice } from '../net/practice.js'
 */

const frame = new Frame({ title: 'placePractice', redraw });
const { session, settings } = frame;
const own = new OwnKeyboard(settings);
const plan = element(document, '#plan');
const view = new PracticeView(plan, () => performance.timeOrigin + performance.now());
const standstill = new Standstill(element(document, '#standstill'), plan);
const start = find(document, '#start', HTMLAnchorElement);
const choices = element(document, '.choices');

/** Only what was asked for last is shown. */
let turn = 0;
/** In which language the server has spoken. */
let spoken = '';

choices.addEventListener('click', (event) => choose(around(event, 'button')));
addEventListener('keydown', startByEnter);
addEventListener('popstate', open);
open();

/** What the address asks for, or what is usual. */
function choice() {
  const query = new URLSearchParams(location.search);
  const language = query.get('language') ?? settings.language;
  const layout = layoutsFor(language).find((name) => name === query.get('layout'));
  return { language, layout: layout ?? own.layoutFor(language) };
}

/** @param {HTMLElement|null} button */
function choose(button) {
  if (!button) return;
  const { language = choice().language, layout } = button.dataset;
  const next = { language, layout: layout ?? own.layoutFor(language) };
  history.pushState(null, '', `?${new URLSearchParams(next)}`);
  open();
}

async function open() {
  const { language, layout } = choice();
  drawChoices();
  start.href = `/?${new URLSearchParams({ kind: 'practice', language, layout })}`;
  spoken = settings.interface;
  turn += 1;
  const mine = turn;
  if (!session.known) {
    show(null);
    return;
  }
  standstill.wait();
  try {
    const practice = await askPractice(session, language, layout, spoken);
    if (mine === turn) show(practice);
  } catch (error) {
    if (mine === turn) standstill.refused(error, open);
  }
}

/** @param {Practice|null} practice */
function show(practice) {
  standstill.over();
  view.show(practice, own.keyboard(choice().layout));
}

function drawChoices() {
  const { language, layout } = choice();
  const layouts = layoutsFor(language);
  const group = element(document, '#layouts');
  group.hidden = layouts.length < 2;
  for (const button of elements(group, 'button')) button.remove();
  for (const name of layouts) {
    const button = document.createElement('button');
    button.type = 'button';
    button.dataset.layout = name;
    button.textContent = new Keyboard(name).title;
    group.append(button);
  }
  for (const button of elements(choices, 'button')) {
    const chosen = button.dataset.language === language || button.dataset.layout === layout;
    button.setAttribute('aria-pressed', String(chosen));
  }
}

/** Enter starts, from wherever nothing else answers to it. @param {KeyboardEvent} event */
function startByEnter(event) {
  if (event.key !== 'Enter' || event.repeat || plan.hidden) return;
  if (event.altKey || event.ctrlKey || event.metaKey || around(event, 'a, button, summary')) return;
  event.preventDefault();
  start.click();
}

/** Sentences come from the server, so another language is asked for. */
function redraw() {
  standstill.draw();
  if (spoken !== settings.interface) open();
}
