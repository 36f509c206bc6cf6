/** What to type: the quiet row of choices, and the dialog for a text of one's own. */

import { graphemes } from '../core/text.js';
import { around, element, elements, find } from './dom.js';
import { USUAL } from './settings.js';
import { sourceName } from './source_name.js';
import { number, say } from './words.js';

/**
 * @import { Source } from '../net/protocol.js'
 * @import { Settings } from './settings.js'
 */

const OWN_TEXT_GRAPHEMES_MAX = 10_000;
const OWN_TEXT_BYTES_MAX = 60_000;

/**
 * The source of the wire for a choice of the page.
 * @param {string} choice
 * @param {string} language
 * @param {string} ownText
 * @param {string} [layout] that the language is typed with, for practice
 * @returns {Source}
 */
export function sourceFor(choice, language, ownText, layout = '') {
  const [kind, size] = choice.split('-');
  if (kind === 'random') return { kind, language, length: size };
  if (kind === 'words') return { kind, language, count: Number(size) };
  if (kind === 'time') return { kind, language, seconds: Number(size) };
  if (kind === 'practice') return { kind, language, layout };
  return { kind: 'custom', text: ownText };
}

export class SourceView {
  /** @type {HTMLElement} */
  #root;
  /** @type {Settings} */
  #settings;
  /** @type {HTMLElement} */
  #summary;
  /** @type {HTMLDialogElement} */
  #dialog;
  /** @type {HTMLTextAreaElement} */
  #input;
  /** @type {HTMLButtonElement} */
  #begin;

  /**
   * @param {HTMLElement} root
   * @param {HTMLDialogElement} dialog for a text of one's own
   * @param {Settings} settings
   * @param {{choose: () => void}} listener a choice was made: a text of that kind is wanted
   */
  constructor(root, dialog, settings, { choose }) {
    this.#root = root;
    this.#settings = settings;
    this.#summary = element(root, '#source-summary');
    this.#dialog = dialog;
    this.#input = find(dialog, 'textarea', HTMLTextAreaElement);
    this.#begin = find(dialog, '[data-action="type-own-text"]', HTMLButtonElement);
    root.addEventListener('click', (event) => this.#onClick(event, choose));
    this.#input.addEventListener('input', () => this.#count());
    this.#begin.addEventListener('click', () => {
      settings.set('ownText', this.#input.value.trim());
      settings.set('source', 'custom');
      dialog.close();
      choose();
    });
    settings.onChange(() => this.draw());
  }

  /** Shows which choices are the present ones. */
  draw() {
    /** @type {Record<string, string>} */
    const now = {
      source: this.#settings.get('source'),
      language: this.#settings.language,
      rules: this.#settings.get('errors'),
    };
    for (const button of elements(this.#root, '[data-source], [data-language], [data-rules]')) {
      const [name] = Object.keys(button.dataset).filter((key) => key in now);
      button.setAttribute('aria-pressed', String(button.dataset[name] === now[name]));
    }
    this.#summary.textContent = [say(`lang_${now.language}`), choiceName(now.source), say(now.rules)].join(' · ');
  }

  askForText() {
    this.#input.value = this.#settings.get('ownText');
    this.#count();
    this.#dialog.showModal();
  }

  /** @param {Event} event @param {() => void} choose */
  #onClick(event, choose) {
    const button = around(event, 'button');
    if (!button) return;
    if (button === this.#summary) {
      button.setAttribute('aria-expanded', String(button.getAttribute('aria-expanded') !== 'true'));
      return;
    }
    const { source, language, rules } = button.dataset;
    if (source === 'custom') {
      this.askForText();
      return;
    }
    if (source) this.#settings.set('source', source);
    // A text of one's own has no other language; asking for one asks for another text.
    if (language && this.#settings.get('source') === 'custom') this.#settings.set('source', USUAL.source);
    if (language) this.#settings.set('language', language);
    if (rules) this.#settings.set('errors', rules);
    this.#summary.setAttribute('aria-expanded', 'false');
    choose();
  }

  #count() {
    const text = this.#input.value.trim();
    const count = graphemes(text).length;
    const tooLong = count > OWN_TEXT_GRAPHEMES_MAX || new TextEncoder().encode(text).length > OWN_TEXT_BYTES_MAX;
    this.#begin.disabled = count === 0 || tooLong;
    element(this.#dialog, '.count').textContent = tooLong
      ? say('ownTextTooLong', number(count), number(OWN_TEXT_GRAPHEMES_MAX))
      : say('ownTextCount', number(count));
  }
}

/**
 * The name of a choice in words, as in a list.
 * @param {string} choice
 */
export function choiceName(choice) {
  return sourceName(sourceFor(choice, '', ''));
}
