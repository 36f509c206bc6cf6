/** Collections in a list: what each is called, and what is in it. */

import { number, say } from './words.js';

/**
 * @typedef {object} Collection as the API gives it; `key` is the secret of its link, for its owner alone
 * @property {string} id
 * @property {string} name
 * @property {string} description
 * @property {string|null} language
 * @property {string[]} tags
 * @property {'private'|'link'|'public'} visibility
 * @property {string|null} key
 * @property {number} texts
 * @property {boolean} mine
 * @property {string} owner
 */

/** @param {Collection} collection */
export function collectionItem(collection) {
  const item = document.createElement('li');
  const name = document.createElement('a');
  name.href = `/collections/${collection.id}`;
  name.textContent = collection.name;
  const facts = document.createElement('p');
  facts.className = 'facts';
  facts.textContent = factsOf(collection);
  item.append(name, facts);
  if (collection.description !== '') {
    const description = document.createElement('p');
    description.textContent = collection.description;
    item.append(description);
  }
  if (collection.tags.length > 0) item.append(tagList(collection.tags));
  return item;
}

/**
 * How much it is, in which language, and whose or for whom.
 * @param {Collection} collection
 */
export function factsOf({ texts, language, mine, owner, visibility }) {
  const whose = mine ? say(`mark_${visibility}`) : say('madeBy', owner);
  return [say('textsCount', texts, number(texts)), languageName(language), whose].filter(Boolean).join(' · ');
}

/** @param {string[]} tags */
export function tagList(tags) {
  const list = document.createElement('ul');
  list.className = 'tags';
  list.setAttribute('aria-label', say('tags'));
  list.append(...tags.map(tagItem));
  return list;
}

/** @param {string} tag */
export function tagItem(tag) {
  const item = document.createElement('li');
  item.textContent = tag;
  return item;
}

/** @param {string|null} language */
function languageName(language) {
  if (language === null) return '';
  return language === 'en' || language === 'ru' ? say(`lang_${language}`) : language;
}
