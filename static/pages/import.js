/** Bringing a history along: choose or drop a file, look at what is in it, and only then bring it. */

import { becomeGuest } from '../net/guest.js';
import { sendFile } from '../net/imports.js';
import { applyCarried } from '../views/carried_settings.js';
import { element, find } from '../views/dom.js';
import { Frame } from '../views/frame.js';
import { ImportReport } from '../views/import_report.js';
import { liveUrl, OldResultsView } from '../views/old_results_view.js';
import { sentence } from '../views/refusal.js';
import { number, percent, say } from '../views/words.js';

/**
 * @import { Report } from '../net/imports.js'
 */

/** What is said of a refusal, by its code. */
const REFUSALS = {
  unknown_format: 'unknownFormat',
  too_many_rows: 'tooManyRows',
  too_large: 'fileTooLarge',
  busy: 'importBusy',
};
const ALL = 1;

const frame = new Frame({ title: 'importTitle', redraw: draw });
const { session, settings, storage } = frame;
const choosing = element(document, '#choosing');
const input = find(document, '#file', HTMLInputElement);
const drop = element(document, '#drop');
const told = element(document, '#told');
const bar = find(document, '#progress', HTMLProgressElement);
const bring = find(document, '#bring', HTMLButtonElement);
const view = new ImportReport(element(document, '#report'));
const old = new OldResultsView(element(document, '#old-results'), session, settings, storage, () => {});

/** @type {File|null} */
let file = null;
/** @type {Report|null} */
let report = null;
let done = false;
/** @type {() => string} says the same again, in whatever language is spoken then */
let saying = () => '';

input.addEventListener('change', () => {
  const [chosen] = input.files ?? [];
  input.value = ''; // the same one may be chosen again
  if (chosen) void look(chosen);
});
drop.addEventListener('dragover', (event) => {
  event.preventDefault();
  drop.classList.add('over');
});
drop.addEventListener('dragleave', () => drop.classList.remove('over'));
drop.addEventListener('drop', (event) => {
  event.preventDefault();
  drop.classList.remove('over');
  const [dropped] = event.dataTransfer?.files ?? [];
  if (dropped) void look(dropped);
});
Object.assign(frame.actions, { bring: () => void store(), another });
draw();

function draw() {
  told.textContent = saying();
  old.draw();
  if (report) view.show(report);
  const fresh = report?.new ?? 0;
  bring.hidden = done || fresh === 0;
  bring.textContent = say('bringResults', fresh, number(fresh));
  element(document, '#decide').hidden = report === null;
  element(document, '#to-history').hidden = !done;
}

/** @param {File} chosen */
async function look(chosen) {
  file = chosen;
  report = null;
  done = false;
  view.hide();
  draw();
  const found = await send(chosen, true);
  if (!found || file !== chosen) return;
  report = found;
  choosing.hidden = true;
  tell(() => say('lookedAt', chosen.name));
  told.focus();
}

async function store() {
  if (!file) return;
  bring.disabled = true;
  const stored = await send(file, false);
  bring.disabled = false;
  if (!stored) return;
  report = stored;
  applyCarried(settings, stored.settings);
  done = true;
  tell(() => say('broughtAlong', stored.new, number(stored.new)));
  told.focus();
}

/**
 * The report, or null when there is none: then it has been said why.
 * @param {File} chosen
 * @param {boolean} preview
 */
async function send(chosen, preview) {
  told.classList.remove('problem');
  tell(() => say(preview ? 'lookingAt' : 'storing'));
  bar.hidden = false;
  try {
    await becomeGuest(session, liveUrl());
    return await sendFile(session, chosen, { preview, progress: (share) => advance(share, preview) });
  } catch (error) {
    told.classList.add('problem');
    tell(() => sentence(error, REFUSALS));
    return null;
  } finally {
    bar.hidden = true;
    bar.removeAttribute('value');
  }
}

/** @param {number} share @param {boolean} preview */
function advance(share, preview) {
  if (share < ALL) {
    bar.value = share;
    tell(() => say('sending', percent(share)));
    return;
  }
  // From here on nobody knows how long it takes.
  bar.removeAttribute('value');
  tell(() => say(preview ? 'lookingAt' : 'storing'));
}

function another() {
  file = report = null;
  done = false;
  view.hide();
  choosing.hidden = false;
  tell(() => '');
  input.focus();
}

/** @param {() => string} words */
function tell(words) {
  saying = words;
  draw();
}
