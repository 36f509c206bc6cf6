/** A form that asks the server: it checks what is typed, waits, and says beside each field what is wrong. */

import { passwordRules } from '../core/password.js';
import { Refusal } from '../net/session.js';
import { find } from './dom.js';
import { sentence } from './refusal.js';
import { number, say, sayIfKnown } from './words.js';

/**
 * @typedef {Record<string, string>} Values what is typed, by the names of the fields
 *
 * @typedef {HTMLInputElement|HTMLTextAreaElement|HTMLSelectElement} Control
 *
 * @typedef {object} Remedy what can be done about a refusal
 * @property {string} field beside which it is said
 * @property {string} message
 * @property {string} href
 * @property {string} label
 */

export class Form {
  #root;
  #send;
  #remedies;
  #alert = paragraph('problem');
  #answer = paragraph('answer');
  /** @type {Map<Control, HTMLElement>} */
  #problems = new Map();
  /** @type {(() => void)[]} */
  #drawings = [];

  /**
   * @param {ParentNode} page
   * @param {string} selector
   * @param {(values: Values, submitter: HTMLElement|null) => Promise<void>} send what it is for
   * @param {Record<string, () => Remedy>} [remedies] by the code of the refusal
   */
  constructor(page, selector, send, remedies = {}) {
    this.#root = find(page, selector, HTMLFormElement);
    this.#send = send;
    this.#remedies = remedies;
    this.#root.noValidate = true;
    this.#alert.setAttribute('role', 'alert');
    this.#answer.setAttribute('role', 'status');
    this.#root.append(this.#alert, this.#answer);
    for (const input of this.#controls()) this.#prepare(input);
    this.#root.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#submit(event.submitter);
    });
  }

  get element() {
    return this.#root;
  }

  /** @param {string} name */
  field(name) {
    return find(this.#root, `[name="${name}"]`, HTMLInputElement);
  }

  /**
   * Put in what is known, unless it is being changed just now.
   * @param {Record<string, string|number|null|undefined>} values
   */
  fill(values) {
    for (const control of this.#controls()) {
      if (!Object.hasOwn(values, control.name)) continue;
      control.value = String(values[control.name] ?? '');
    }
  }

  /** Everything typed is forgotten. */
  clear() {
    this.#root.reset();
    this.#forgive();
    this.draw();
  }

  /** Its words, in the language of the page. */
  draw() {
    for (const draw of this.#drawings) draw();
  }

  /**
   * Said under the form: it is done, or how far it is.
   * @param {string} text
   * @param {boolean} [running]
   */
  tell(text, running = false) {
    this.#answer.classList.toggle('running', running);
    this.#answer.textContent = text;
    this.#answer.hidden = false;
  }

  #controls() {
    const controls = Array.from(this.#root.querySelectorAll('input, textarea, select'));
    return controls.filter(isControl).filter((control) => control.id !== '');
  }

  /** @param {Control} input */
  #prepare(input) {
    const problem = paragraph('problem');
    problem.id = `${input.id}-problem`;
    this.#problems.set(input, problem);
    input.after(problem);
    input.setAttribute('aria-describedby', problem.id);
    if (input instanceof HTMLInputElement) {
      if (input.type === 'password') this.#addToggle(input);
      if (input.autocomplete === 'new-password') this.#addRules(input, problem);
    }
    input.addEventListener('input', () => this.#complain(input, ''));
  }

  /** @param {HTMLInputElement} input */
  #addToggle(input) {
    const button = document.createElement('button');
    button.type = 'button';
    const pair = document.createElement('div');
    pair.className = 'secret';
    input.replaceWith(pair);
    pair.append(input, button);
    const draw = () => {
      const hidden = input.type === 'password';
      button.textContent = say(hidden ? 'show' : 'hide');
      button.setAttribute('aria-label', say(hidden ? 'showPassword' : 'hidePassword'));
    };
    button.addEventListener('click', () => {
      input.type = input.type === 'password' ? 'text' : 'password';
      draw();
    });
    this.#root.addEventListener('submit', () => {
      input.type = 'password'; // so that browsers offer to keep it
      draw();
    });
    this.#drawings.push(draw);
  }

  /** @param {HTMLInputElement} input @param {HTMLElement} problem */
  #addRules(input, problem) {
    const list = document.createElement('ul');
    list.className = 'rules';
    list.id = `${input.id}-rules`;
    problem.before(list);
    input.setAttribute('aria-describedby', `${list.id} ${problem.id}`);
    const draw = () => {
      const items = passwordRules(input.value).map(([rule, kept]) => {
        const item = document.createElement('li');
        item.className = kept ? 'kept' : '';
        const state = document.createElement('span');
        state.className = 'unseen';
        state.textContent = say(kept ? 'ruleKept' : 'ruleOpen');
        item.append(state, say(rule));
        return item;
      });
      list.replaceChildren(...items);
    };
    input.addEventListener('input', draw);
    this.#drawings.push(draw);
  }

  /** @param {HTMLElement|null} submitter */
  async #submit(submitter) {
    if (this.#root.ariaBusy === 'true') return;
    this.#forgive();
    if (!this.#isSound()) return;
    this.#root.ariaBusy = 'true';
    try {
      await this.#send(this.#values(), submitter);
    } catch (error) {
      this.#answer.hidden = true;
      this.#refuse(error);
    } finally {
      this.#root.ariaBusy = 'false';
    }
  }

  #values() {
    return Object.fromEntries(this.#controls().map((input) => [input.name, input.value]));
  }

  #isSound() {
    for (const input of this.#controls()) {
      if (input.closest('[hidden]') === null) this.#complain(input, fault(input));
    }
    const first = this.#controls().find((input) => input.ariaInvalid === 'true');
    first?.focus();
    return first === undefined;
  }

  #forgive() {
    for (const input of this.#controls()) this.#complain(input, '');
    this.#alert.replaceChildren();
    this.#alert.hidden = true;
    this.#answer.textContent = '';
    this.#answer.hidden = true;
  }

  /** @param {Control} input @param {string} problem */
  #complain(input, problem) {
    const line = this.#problems.get(input);
    if (!line) return;
    line.textContent = problem;
    line.hidden = problem === '';
    input.ariaInvalid = String(problem !== '');
  }

  /** @param {unknown} error */
  #refuse(error) {
    const remedy = error instanceof Refusal ? this.#remedies[error.code]?.() : undefined;
    const input = error instanceof Refusal ? this.#blamed(error, remedy) : null;
    if (!input) {
      this.#alert.textContent = explain(error);
      this.#alert.hidden = false;
      return;
    }
    this.#complain(input, remedy?.message ?? explain(error));
    if (remedy?.href) this.#problems.get(input)?.append(' ', link(remedy));
    input.focus();
  }

  /**
   * The field that the server complains of, if it is on the form.
   * @param {Refusal} refusal
   * @param {Remedy} [remedy]
   */
  #blamed({ fields }, remedy) {
    const names = [remedy?.field, ...fields.map(({ field }) => field)];
    return this.#controls().find((input) => names.some((name) => name?.split('.').at(-1) === input.name)) ?? null;
  }
}

/**
 * Why the server has not done it, in a sentence.
 * @param {unknown} error
 */
export function explain(error) {
  if (!(error instanceof Refusal) || error.status === 429) return sentence(error);
  return sayIfKnown(`denied_${error.code}`) ?? error.fields[0]?.message ?? sentence(error);
}

/**
 * What is wrong with what stands in a field, before anybody is asked.
 * @param {Control} input
 */
function fault(input) {
  const { validity } = input;
  const [min, max] = input instanceof HTMLInputElement ? [input.min, input.max] : ['', ''];
  if (validity.badInput) return say('numberNeeded');
  if (validity.valueMissing) return say('fieldNeeded');
  if (validity.typeMismatch) return say('emailNeeded');
  if (validity.rangeUnderflow || validity.rangeOverflow) {
    return say('numberBetween', number(Number(min)), number(Number(max)));
  }
  if (validity.stepMismatch) return say('numberTooFine');
  const weak = input.autocomplete === 'new-password' && passwordRules(input.value).some(([, kept]) => !kept);
  return weak ? say('passwordRules') : '';
}

/** @param {Element} element @returns {element is Control} */
function isControl(element) {
  return [HTMLInputElement, HTMLTextAreaElement, HTMLSelectElement].some((kind) => element instanceof kind);
}

/** @param {string} className */
function paragraph(className) {
  const line = document.createElement('p');
  line.className = className;
  line.hidden = true;
  return line;
}

/** @param {Remedy} remedy */
function link({ href, label }) {
  const way = document.createElement('a');
  way.href = href;
  way.textContent = label;
  return way;
}
