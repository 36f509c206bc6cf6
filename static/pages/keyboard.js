/** The keyboard's page: the layout for each language, the shape, and keys and fingers of one's own. */

import { KEYBOARDS } from '../layout_data.js';
import { layoutsFor, nearestLayout } from '../layouts.js';
import { element, find } from '../views/dom.js';
import { Frame } from '../views/frame.js';
import { KeyEditor } from '../views/key_editor.js';
import { OwnKeyboard } from '../views/own_keyboard.js';
import { say } from '../views/words.js';

/**
 * @import { LayoutName } from '../layouts.js'
 * @typedef {{getLayoutMap: () => Promise<ReadonlyMap<string, string>>}} BrowserKeyboard as Chromium has it
 */

/** The languages there are texts in. */
const LANGUAGES = ['en', 'ru'];

const frame = new Frame({ title: 'keyboardPage', redraw: draw });
const own = new OwnKeyboard(frame.settings);
const editor = new KeyEditor(element(document, '#picture'), find(document, '#key', HTMLFormElement), own);
const detected = element(document, '#detected');
const shownLayout = element(document, '#shown-layout');

/** @type {LayoutName|null} what the browser tells of, if it tells */
let told = null;
/** @type {LayoutName} the layout on the picture */
let shown = own.layoutFor(frame.settings.language);

Object.assign(frame.actions, {
  useDetected: () => {
    if (!told) return;
    for (const language of LANGUAGES) {
      if (KEYBOARDS[told].languages.includes(language)) own.choose(language, told);
    }
    shown = told;
    draw();
  },
  resetKey: () => editor.reset(),
  resetKeys: () => own.resetAll(),
});

for (const language of LANGUAGES) {
  const select = find(document, `#layout-${language}`, HTMLSelectElement);
  select.replaceChildren(...layoutsFor(language).map((name) => new Option(KEYBOARDS[name].title, name)));
  select.addEventListener('change', () => {
    shown = /** @type {LayoutName} */ (select.value);
    own.choose(language, shown);
    draw();
  });
}

shownLayout.addEventListener('click', ({ target }) => {
  const name = target instanceof HTMLElement ? target.dataset.layout : undefined;
  if (!name) return;
  shown = /** @type {LayoutName} */ (name);
  draw();
});

function draw() {
  const typed = LANGUAGES.map((language) => own.layoutFor(language));
  if (!typed.includes(shown)) shown = own.layoutFor(frame.settings.language);
  LANGUAGES.forEach((language, i) => {
    find(document, `#layout-${language}`, HTMLSelectElement).value = typed[i];
  });
  drawLayouts(new Set(typed));
  editor.draw(shown);
  detected.hidden = told === null || typed.includes(told);
  if (told) element(detected, 'span').textContent = say('detectedLayout', KEYBOARDS[told].title);
}

/** @param {Set<LayoutName>} names */
function drawLayouts(names) {
  const buttons = Array.from(shownLayout.children, (one) => /** @type {HTMLElement} */ (one).dataset.layout);
  if (buttons.join() !== [...names].join()) {
    shownLayout.replaceChildren(
      ...[...names].map((name) => {
        const button = document.createElement('button');
        button.type = 'button';
        button.dataset.layout = name;
        button.textContent = KEYBOARDS[name].title;
        return button;
      }),
    );
  }
  for (const button of shownLayout.children) {
    button.setAttribute('aria-pressed', String(/** @type {HTMLElement} */ (button).dataset.layout === shown));
  }
}

async function detect() {
  const { keyboard } = /** @type {Navigator & {keyboard?: BrowserKeyboard}} */ (navigator);
  try {
    told = keyboard ? nearestLayout(await keyboard.getLayoutMap()) : null;
  } catch {
    return; // it does not tell: nothing is offered
  }
  draw();
}

draw();
void detect();
