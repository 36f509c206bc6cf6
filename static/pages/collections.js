/** Texts of one's own in collections, and those that others share: all of them, or one with its texts. */

import { CollectionDialogs } from '../views/collection_dialogs.js';
import { collectionItem, factsOf, tagItem } from '../views/collection_list.js';
import { CollectionTexts } from '../views/collection_texts.js';
import { element, find } from '../views/dom.js';
import { Frame } from '../views/frame.js';
import { sentence } from '../views/refusal.js';
import { Standstill } from '../views/standstill.js';
import { number, say } from '../views/words.js';

/**
 * @import { Collection } from '../views/collection_list.js'
 * @import { CollectionText } from '../views/collection_texts.js'
 */

const ALL = '/collections';
const TEXTS_PAGE = 50;
const HEADING = { block: /** @type {const} */ ('nearest') };

const frame = new Frame({ title: 'placeTexts', redraw });
const { session, settings } = frame;
const shown = element(document, location.pathname === ALL ? '#all' : '#one');
const standstill = new Standstill(element(document, '#standstill'), shown);
const dialogs = new CollectionDialogs(document);
const texts = new CollectionTexts(document.body, { change: changeText, remove: removeText });
const search = find(document, '#search', HTMLFormElement);
const shareLink = find(document, '#share-link', HTMLInputElement);

/** The collection that the address names, and the secret of its link behind the #. */
const named = location.pathname.split('/')[2] ?? '';
const key = location.hash.slice(1);

/** @type {Collection[]|null} null for whom the server does not know yet */
let own = null;
/** @type {Collection[]} */
let found = [];
/** @type {string|null} where the next page of what was found begins */
let following = null;
/** @type {Collection|null} */
let collection = null;
let moreTexts = false;
/** What was said last, to be said again in another language. @type {() => string} */
let saying = () => '';

Object.assign(frame.actions, {
  newCollection: () => dialogs.askCollection(null, settings.language, session.signedIn, create),
  moreFound: () => void look(following),
  changeCollection: () => dialogs.askCollection(collection, settings.language, session.signedIn, change),
  deleteCollection: () => dialogs.askSure('deleteCollectionTitle', 'deleteCollectionHelp', remove),
  addText: () => dialogs.askText(null, addText),
  addTable: () => dialogs.askTable(importTable),
  moreTexts: () => void loadTexts(texts.last),
  copyLink: () => void copyLink(),
  newLink: () => void trying(async () => showOne(await session.ask('PATCH', path(), { new_link: true }))),
});
search.addEventListener('submit', (event) => {
  event.preventDefault();
  void look(null);
});
void load();

function path(more = '') {
  return `/collections/${named}${more}`;
}

async function load() {
  standstill.wait();
  try {
    if (named === '') await loadAll();
    else await loadOne();
  } catch (error) {
    standstill.refused(error, load);
  }
}

/** The server has said no, or nothing: that is said beside what is there. @param {() => Promise<void>} act */
async function trying(act) {
  try {
    await act();
  } catch (error) {
    tell(() => sentence(error));
  }
}

/** @param {() => string} words */
function tell(words) {
  saying = words;
  for (const place of ['#said', '#found-said']) element(document, place).textContent = words();
}

// All

async function loadAll() {
  const [mine, page] = await Promise.all([session.known ? session.ask('GET', ALL) : null, ask(null)]);
  own = mine?.results ?? null;
  keep(page, false);
  standstill.over();
  drawAll();
}

/** @param {string|null} cursor */
function ask(cursor) {
  const asked = new FormData(search);
  const query = new URLSearchParams({ q: String(asked.get('q')).trim() });
  const language = String(asked.get('language'));
  if (language) query.set('language', language);
  if (cursor) query.set('cursor', cursor);
  return session.ask('GET', `/public-collections?${query}`);
}

/** @param {{results: Collection[], next: string|null}} page @param {boolean} behind what is there already? */
function keep({ results, next }, behind) {
  found = behind ? [...found, ...results] : results;
  following = next;
}

/** @param {string|null} cursor null begins anew */
function look(cursor) {
  return trying(async () => {
    keep(await ask(cursor), cursor !== null);
    drawAll();
    tell(() =>
      found.length === 0 ? say('noCollectionFound') : say('collectionsFound', found.length, number(found.length)),
    );
  });
}

/** @param {object} facts */
async function create(facts) {
  /** @type {Collection} */
  const made = await session.ask('POST', ALL, facts);
  location.assign(`${ALL}/${made.id}`);
}

function drawAll() {
  element(document, '#own').replaceChildren(...(own ?? []).map(collectionItem));
  const none = element(document, '#own-none');
  none.hidden = own !== null && own.length > 0;
  none.textContent = say(own === null ? 'nobodyKeepsTexts' : 'noCollections');
  element(document, '[data-action="newCollection"]').hidden = own === null;
  element(document, '#found').replaceChildren(...found.map(collectionItem));
  element(document, '#found-more').hidden = following === null;
}

// One

async function loadOne() {
  const query = key ? `?key=${encodeURIComponent(key)}` : '';
  try {
    collection = await session.ask('GET', path(query));
  } catch (error) {
    if (!(error instanceof Error && 'status' in error && error.status === 404)) throw error;
    standstill.empty('noSuchCollection', { href: ALL, message: 'allCollections' });
    return;
  }
  await loadTexts(0);
  standstill.over();
  drawOne();
}

/** @param {number} after */
function loadTexts(after) {
  return trying(async () => {
    const query = new URLSearchParams({ after: String(after), limit: String(TEXTS_PAGE), ...(key ? { key } : {}) });
    /** @type {{results: CollectionText[], next: number|null}} */
    const page = await session.ask('GET', path(`/texts?${query}`));
    moreTexts = page.next !== null;
    if (after === 0) texts.show(page.results, collection?.mine ?? false, moreTexts);
    else texts.append(page.results, moreTexts);
    drawOne();
  });
}

/** @param {Collection} changed */
function showOne(changed) {
  collection = changed;
  drawOne();
}

/** @param {object} facts */
async function change(facts) {
  showOne(await session.ask('PATCH', path(), facts));
}

async function remove() {
  await session.ask('DELETE', path());
  location.assign(ALL);
}

/** @param {number} count by which there are more texts */
function countTexts(count) {
  if (collection) showOne({ ...collection, texts: collection.texts + count });
}

/** @param {object} words */
async function addText(words) {
  const added = await session.ask('POST', path('/texts'), words);
  texts.add(added);
  countTexts(1);
  tell(() => say('textAdded'));
}

/** @param {string} csv */
async function importTable(csv) {
  const report = await session.ask('POST', path('/texts/import'), { csv });
  if (report.added > 0) {
    countTexts(report.added);
    await loadTexts(0);
    tell(() => say('textsAdded', report.added, number(report.added)));
  }
  return report;
}

/** @param {CollectionText} listed */
function changeText(listed) {
  return trying(async () => {
    const whole = await session.ask('GET', `/texts/${listed.id}`);
    dialogs.askText(whole, async (words) => {
      const changed = await session.ask('PATCH', `/texts/${listed.id}`, words);
      texts.replace(listed.id, changed);
      texts.focus(changed.id);
      tell(() => say('textChanged'));
    });
  });
}

/** @param {CollectionText} listed */
function removeText(listed) {
  dialogs.askSure('deleteTextTitle', 'deleteTextHelp', async () => {
    await session.ask('DELETE', `/texts/${listed.id}`);
    texts.replace(listed.id, null);
    countTexts(-1);
    tell(() => say('textDeleted'));
    const name = element(document, '#collection-name');
    name.focus({ preventScroll: true });
    name.scrollIntoView(HEADING);
  });
}

async function copyLink() {
  try {
    await navigator.clipboard.writeText(shareLink.value);
    tell(() => say('linkCopied'));
  } catch {
    shareLink.focus();
    shareLink.select();
    tell(() => say('linkNotCopied'));
  }
}

function drawOne() {
  if (!collection) return;
  const { name, description, tags, mine, visibility } = collection;
  element(document, '#collection-name').textContent = name;
  element(document, '#collection-facts').textContent = factsOf(collection);
  element(document, '#collection-description').textContent = description;
  element(document, '#collection-tags').replaceChildren(...tags.map(tagItem));
  element(document, '#collection-tags').hidden = tags.length === 0;
  element(document, '#owner').hidden = !mine;
  element(document, '#share').hidden = visibility === 'private';
  element(document, '[data-action="newLink"]').hidden = visibility !== 'link';
  const secret = collection.key === null ? '' : `#${collection.key}`;
  shareLink.value = `${location.origin}${ALL}/${collection.id}${secret}`;
  element(document, '#texts-more').hidden = !moreTexts;
}

function redraw() {
  standstill.draw();
  dialogs.draw();
  texts.draw();
  if (named === '') drawAll();
  else drawOne();
  tell(saying);
}
