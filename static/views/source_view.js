/** What to type: the quiet row of choices, and the dialog for a text of one's own. */

import { graphemes } from '../core/text.js';
import { around, element, elements, find } from './dom.js';
import { sourceName } from './source_name.js';
import { number, say, sayIfKnown } from './words.js';

/**
 * @import { Source } from '../net/protocol.js'
 * @import { SettingName, Settings } from './settings.js'
 * @import { Wanted } from './wanted.js'
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
  /** @type {Wanted} */
  #wanted;

  /**
   * @param {HTMLElement} root
   * @param {HTMLDialogElement} dialog for a text of one's own
   * @param {Settings} settings
   * @param {Wanted} wanted
   * @param {{choose: (name: SettingName, value: string) => void}} listener a choice was made: a text of that kind is wanted
   */
  constructor(root, dialog, settings, wanted, { choose }) {
    this.#root = root;
    this.#settings = settings;
    this.#wanted = wanted;
    this.#summary = element(root, '#source-summary');
    this.#dialog = dialog;
    this.#input = find(dialog, 'textarea', HTMLTextAreaElement);
    this.#begin = find(dialog, '[data-action="type-own-text"]', HTMLButtonElement);
    root.addEventListener('click', (event) => this.#onClick(event, choose));
    this.#input.addEventListener('input', () => this.#count());
    this.#begin.addEventListener('click', () => {
      settings.set('ownText', this.#input.value.trim());
      dialog.close();
      choose('source', 'custom');
    });
    settings.onChange(() => this.draw());
  }

  /** Shows which choices are the present ones. */
  draw() {
    const { asked } = this.#wanted;
    /** @type {Record<string, string>} */
    const now = {
      source: asked ? choiceOf(asked) : this.#settings.get('source'),
      language: asked && 'language' in asked && asked.language ? asked.language : this.#settings.language,
      rules: this.#settings.get('errors'),
    };
    let elsewhere = asked !== null; // the address asks for what is not among the choices
    for (const button of elements(this.#root, '[data-source], [data-language], [data-rules]')) {
      const [name] = Object.keys(button.dataset).filter((key) => key in now);
      const pressed = button.dataset[name] === now[name];
      button.setAttribute('aria-pressed', String(pressed));
      if (pressed && name === 'source') elsewhere = false;
    }
    const what = asked ? sourceName(asked) : choiceName(now.source);
    this.#summary.textContent = [sayIfKnown(`lang_${now.language}`) ?? now.language, what, say(now.rules)].join(' · ');
    const named = element(this.#root, '#source-asked');
    named.hidden = !elsewhere;
    named.textContent = elsewhere ? what : '';
  }

  askForText() {
    this.#input.value = this.#settings.get('ownText');
    this.#count();
    this.#dialog.showModal();
  }

  /** @param {Event} event @param {(name: SettingName, value: string) => void} choose */
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
    this.#summary.setAttribute('aria-expanded', 'false');
    if (source) choose('source', source);
    else if (language) choose('language', language);
    else if (rules) choose('errors', rules);
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

/** The choice that asks for such a source, should there be one. @param {Source} source */
function choiceOf(source) {
  if (source.kind === 'random') return `random-${source.length}`;
  if (source.kind === 'words') return `words-${source.count}`;
  if (source.kind === 'time') return `time-${source.seconds}`;
  return source.kind;
}

/**
 * The name of a choice in words, as in a list.
 * @param {string} choice
 */
export function choiceName(choice) {
  return sourceName(sourceFor(choice, '', ''));
}
