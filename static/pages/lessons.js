/** The path of lessons: what is passed, what comes next, and what each is about. */

import { layoutFor } from '../layouts.js';
import { CourseView } from '../views/course_view.js';
import { around, element, elements, find } from '../views/dom.js';
import { Frame } from '../views/frame.js';
import { Standstill } from '../views/standstill.js';

/**
 * @import { Course } from '../net/lessons.js'
 */

const frame = new Frame({ title: 'placeLessons', redraw: load });
const view = new CourseView(element(document, '#course'));
const standstill = new Standstill(element(document, '#standstill'), element(document, '#course'));
const start = find(document, '#suggested-start', HTMLAnchorElement);

/** Only the course asked for last is shown. */
let asked = '';

document.addEventListener('click', (event) => {
  const { language } = around(event, '[data-language]')?.dataset ?? {};
  if (!language) return;
  history.pushState(null, '', `?${new URLSearchParams({ language })}`);
  load();
});
addEventListener('popstate', load);
addEventListener('keydown', (event) => {
  // Wherever no control has the focus: one key begins.
  const free = document.activeElement === document.body || document.activeElement?.id === 'page';
  if (event.key !== 'Enter' || event.repeat || !free || element(document, '#course').hidden) return;
  event.preventDefault();
  start.click();
});
// What has been passed since is asked for when the page is come back to.
addEventListener('pageshow', (event) => event.persisted && load());
load();

/** The language of the lessons: the address's, or that of the texts. */
function language() {
  const given = new URLSearchParams(location.search).get('language') ?? '';
  return ['en', 'ru'].includes(given) ? given : frame.settings.language;
}

async function load() {
  for (const button of elements(document, '[data-language]')) {
    button.setAttribute('aria-pressed', String(button.dataset.language === language()));
  }
  const query = new URLSearchParams({
    language: language(),
    layout: layoutFor(language()),
    words_in: frame.settings.interface,
  });
  const mine = String(query);
  if (mine === asked) {
    standstill.draw();
    view.draw();
    return;
  }
  asked = mine;
  standstill.wait();
  try {
    /** @type {Course} */
    const course = await frame.session.ask('GET', `/lessons?${query}`);
    if (mine !== asked) return;
    standstill.over();
    view.show(course);
  } catch (error) {
    if (mine !== asked) return;
    asked = '';
    standstill.refused(error, load);
  }
}
