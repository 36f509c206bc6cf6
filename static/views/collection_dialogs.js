/** What is asked in a dialog about collections: their facts, a text, a table of texts, whether one is sure. */

import { element, find } from './dom.js';
import { Form } from './form.js';
import { number, say, sayIfKnown } from './words.js';

/**
 * @import { Collection } from './collection_list.js'
 * @import { Values } from './form.js'
 *
 * @typedef {{line: number, code: string, message: string}} RowProblem
 * @typedef {{texts: number, added: number, problems: RowProblem[]}} Report
 * @typedef {{title: string, text: string, tags: string[]}} Words of a text
 */

const TABLE_CHARS_MAX = 1_000_000;

/** A dialog with one form, which closes when what was asked is done. */
class Asking {
  #title;
  #titleMessage = '';
  /** @type {(values: Values) => Promise<boolean|void>} */
  #send = async () => {};

  /** @param {Document} page @param {string} name */
  constructor(page, name) {
    this.dialog = find(page, `#${name}-dialog`, HTMLDialogElement);
    this.#title = element(page, `#${name}-title`);
    this.form = new Form(page, `#${name}-form`, async (values) => {
      const done = await this.#send(values);
      if (done !== false) this.dialog.close();
    });
  }

  /** @param {string} title the message @param {(values: Values) => Promise<boolean|void>} send false: it stays */
  open(title, send) {
    this.#titleMessage = title;
    this.#send = send;
    this.form.clear();
    this.draw();
    this.dialog.showModal();
  }

  draw() {
    if (this.#titleMessage) this.#title.textContent = say(this.#titleMessage);
    this.form.draw();
  }
}

export class CollectionDialogs {
  #collection;
  #text;
  #sure;
  #table;
  #page;
  /** @type {(csv: string) => Promise<Report>} */
  #import = async () => ({ texts: 0, added: 0, problems: [] });
  /** @type {Report|null} */
  #report = null;

  /** @param {Document} page */
  constructor(page) {
    this.#page = page;
    this.#collection = new Asking(page, 'collection');
    this.#text = new Asking(page, 'text');
    this.#sure = new Asking(page, 'sure');
    this.#table = new Asking(page, 'table');
  }

  /**
   * @param {Collection|null} collection null is a new one
   * @param {string} usual the language of a new one
   * @param {boolean} mayShare a guest may not
   * @param {(facts: object) => Promise<void>} send
   */
  askCollection(collection, usual, mayShare, send) {
    const language = find(this.#page, '#collection-form-language', HTMLSelectElement);
    const other = collection ? (collection.language ?? '') : usual;
    if (!Array.from(language.options).some(({ value }) => value === other)) language.append(new Option(other, other));
    this.#collection.open(collection ? 'changeCollection' : 'newCollection', (values) =>
      send({ ...values, language: values.language || null, tags: tagsIn(values.tags) }),
    );
    const visibility = find(this.#page, '#collection-form-visibility', HTMLSelectElement);
    visibility.disabled = !mayShare;
    element(this.#page, '#guests-private').hidden = mayShare;
    this.#collection.form.fill({ language: other });
    if (!collection) return;
    const { name, description, tags, visibility: now } = collection;
    this.#collection.form.fill({ name, description, visibility: now, tags: tags.join(', ') });
  }

  /** @param {Words|null} words null is a new text @param {(words: Words) => Promise<void>} send */
  askText(words, send) {
    this.#text.open(words ? 'changeText' : 'addText', ({ title, text, tags }) =>
      send({ title, text: text.trim(), tags: tagsIn(tags) }),
    );
    element(this.#page, '#other-words').hidden = words === null;
    if (words) this.#text.form.fill({ ...words, tags: words.tags.join(', ') });
  }

  /** @param {string} title @param {string} help messages @param {() => Promise<void>} remove */
  askSure(title, help, remove) {
    this.#sure.open(title, remove);
    element(this.#page, '#sure-help').textContent = say(help);
  }

  /** @param {(csv: string) => Promise<Report>} send */
  askTable(send) {
    this.#import = send;
    this.#report = null;
    this.#drawReport();
    this.#table.open('addTable', () => this.#sendTable());
  }

  draw() {
    for (const asking of [this.#collection, this.#text, this.#sure, this.#table]) asking.draw();
    this.#drawReport();
  }

  async #sendTable() {
    const [file] = find(this.#page, '#table-form-file', HTMLInputElement).files ?? [];
    const csv = (await file?.text()) ?? '';
    this.#report = tooLong(csv) ?? (await this.#import(csv));
    this.#drawReport();
    if (this.#report.added === 0) element(this.#page, '#table-problems').focus();
    return this.#report.added > 0;
  }

  #drawReport() {
    const box = element(this.#page, '#table-problems');
    const report = this.#report;
    box.hidden = report === null || report.added > 0;
    if (report === null) return;
    const { problems } = report;
    element(box, '.problem').textContent =
      problems.length === 0 ? say('tableEmpty') : say('tableRefused', problems.length, number(problems.length));
    element(box, 'tbody').replaceChildren(...problems.map(problemRow));
    element(box, '.scroller').hidden = problems.length === 0;
  }
}

/** @param {string} csv @returns {Report|null} */
function tooLong(csv) {
  if (csv.length <= TABLE_CHARS_MAX) return null;
  return { texts: 0, added: 0, problems: [{ line: 1, code: 'too_long', message: '' }] };
}

/** @param {RowProblem} problem */
function problemRow({ line, code, message }) {
  const row = document.createElement('tr');
  const place = document.createElement('th');
  place.scope = 'row';
  place.textContent = number(line);
  const why = document.createElement('td');
  why.textContent = sayIfKnown(`textRow_${code}`) ?? message;
  row.append(place, why);
  return row;
}

/** @param {string} typed */
function tagsIn(typed) {
  return typed
    .split(/[,;]/)
    .map((tag) => tag.trim())
    .filter(Boolean);
}
