/** A form that asks the server: it waits visibly, and says what is wrong beside the field it is about. */

import { Refusal } from '../net/session.js';
import { element, elements, find } from './dom.js';
import { sentence } from './refusal.js';
import { say } from './words.js';

/**
 * What a code of the server means here: the message that says it, and the field it stands beside, if any.
 * @typedef {Record<string, {message: string, field?: string}>} Problems
 * @typedef {Record<string, string>} Values
 */

export class Form {
  /** @type {HTMLFormElement} */
  #root;
  #problems;
  #send;
  /** @type {() => void} says the same again, in whatever language is spoken then */
  #again = () => {};

  /**
   * @param {ParentNode} page
   * @param {string} selector of the form
   * @param {object} options
   * @param {Problems} [options.problems]
   * @param {(values: Values) => Promise<string|void>} options.send rejects as `Session.ask` does; what
   *   it brings is the message that says how it went
   */
  constructor(page, selector, { problems = {}, send }) {
    this.#root = find(page, selector, HTMLFormElement);
    this.#root.noValidate = true;
    this.#problems = problems;
    this.#send = send;
    this.#root.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#submit();
    });
  }

  /** @param {Values} values by the names of the fields */
  fill(values) {
    for (const [name, value] of Object.entries(values)) {
      const field = this.#field(name);
      if (field) field.value = value;
    }
  }

  /** Says what it last said once more, as after a change of language. */
  draw() {
    this.#again();
  }

  async #submit() {
    if (this.#root.getAttribute('aria-busy') === 'true') return;
    this.#clear();
    const missing = this.#fields().find((field) => !field.validity.valid);
    if (missing) {
      this.#stand(() => this.#blame(missing.name, missingIn(missing)), missing);
      return;
    }
    this.#root.setAttribute('aria-busy', 'true');
    try {
      const message = await this.#send(this.#values());
      if (message) this.#stand(() => this.#say('.went', say(message)));
    } catch (error) {
      this.#refuse(error);
    } finally {
      this.#root.removeAttribute('aria-busy');
    }
  }

  /** @param {unknown} error */
  #refuse(error) {
    const problem = error instanceof Refusal ? this.#problems[error.code] : undefined;
    const message = problem?.message;
    const blamed = problem?.field ? this.#field(problem.field) : null;
    if (message && blamed) {
      this.#stand(() => this.#blame(blamed.name, say(message)), blamed);
      return;
    }
    const named = error instanceof Refusal ? error.fields.filter(({ field: name }) => this.#field(name)) : [];
    if (named.length > 0) {
      this.#stand(() => {
        for (const { field: name } of named) this.#blame(name, say('badField'));
      }, this.#field(named[0].field));
      return;
    }
    const words = () => (message ? say(message) : sentence(error));
    words(); // a fault of ours is thrown from here, not drawn
    this.#stand(() => this.#say('.problem', words()));
  }

  /** @param {() => void} draw @param {HTMLElement|null} [focus] */
  #stand(draw, focus) {
    this.#again = draw;
    draw();
    focus?.focus();
  }

  #clear() {
    this.#again = () => {};
    for (const field of this.#fields()) field.removeAttribute('aria-invalid');
    for (const line of elements(this.#root, '.wrong-field, .problem, .went')) line.textContent = '';
  }

  /** @param {string} name @param {string} words */
  #blame(name, words) {
    const field = this.#field(name);
    if (!field) return;
    field.setAttribute('aria-invalid', 'true');
    let line = this.#root.querySelector(`[data-wrong="${name}"]`);
    if (!line) {
      line = document.createElement('p');
      line.className = 'wrong-field';
      line.id = `${this.#root.id}-${name}-wrong`;
      line.setAttribute('data-wrong', name);
      field.setAttribute(
        'aria-describedby',
        [field.getAttribute('aria-describedby'), line.id].filter(Boolean).join(' '),
      );
      (field.closest('label') ?? field).after(line);
    }
    line.textContent = words;
  }

  /** @param {string} selector @param {string} words */
  #say(selector, words) {
    element(this.#root, selector).textContent = words;
  }

  #fields() {
    return Array.from(this.#root.elements).filter(
      (field) => field instanceof HTMLInputElement || field instanceof HTMLSelectElement,
    );
  }

  /** @param {string} name */
  #field(name) {
    return this.#fields().find((field) => field.name === name) ?? null;
  }

  /** @returns {Values} */
  #values() {
    return Object.fromEntries(this.#fields().map((field) => [field.name, field.value]));
  }
}

/** @param {HTMLInputElement|HTMLSelectElement} field */
function missingIn(field) {
  if (field.validity.valueMissing) return say('fieldNeeded');
  return say(field.type === 'email' ? 'fieldNoEmail' : 'badField');
}
