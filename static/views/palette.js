/** The command palette: everything the page can do, found by typing a word of it. */

import { around, element, find } from './dom.js';
import { say } from './words.js';

/**
 * @typedef {object} Command
 * @property {string} label
 * @property {string} group
 * @property {string} [keys] that do the same
 * @property {string[]} [also] other words to find it by
 * @property {boolean} [on] is it the present choice?
 * @property {() => void} run
 */

/** @type {Record<string, number>} */
const STEPS = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 };

export class Palette {
  /** @type {HTMLDialogElement} */
  #dialog;
  /** @type {HTMLInputElement} */
  #input;
  /** @type {HTMLElement} */
  #list;
  /** @type {() => Command[]} */
  #commandsNow;
  /** @type {Command[]} */
  #commands = [];
  /** @type {Command[]} */
  #found = [];
  #active = 0;

  /**
   * @param {HTMLDialogElement} dialog
   * @param {() => Command[]} commandsNow asked at each opening
   */
  constructor(dialog, commandsNow) {
    this.#dialog = dialog;
    this.#input = find(dialog, 'input', HTMLInputElement);
    this.#list = element(dialog, '[role="listbox"]');
    this.#commandsNow = commandsNow;
    this.#input.addEventListener('input', () => this.#find());
    this.#input.addEventListener('keydown', (event) => this.#onKeydown(event));
    this.#list.addEventListener('click', (event) => {
      const chosen = around(event, '[role="option"]');
      if (chosen) this.#run(Number(chosen.dataset.at));
    });
    dialog.addEventListener('click', (event) => event.target === dialog && dialog.close());
  }

  open() {
    if (this.#dialog.open) return;
    this.#commands = this.#commandsNow();
    this.#input.value = '';
    this.#find();
    this.#dialog.showModal();
    this.#input.focus();
  }

  #find() {
    const words = this.#input.value.toLocaleLowerCase().split(/\s+/).filter(Boolean);
    this.#found = this.#commands.filter((command) => {
      const text = [command.group, command.label, ...(command.also ?? [])].join(' ').toLocaleLowerCase();
      return words.every((word) => text.includes(word));
    });
    this.#list.replaceChildren(...this.#found.map(option));
    if (this.#found.length === 0) {
      const none = document.createElement('p');
      none.textContent = say('nothingFound');
      this.#list.append(none);
    }
    this.#activate(0);
  }

  /** @param {number} at */
  #activate(at) {
    const options = this.#list.querySelectorAll('[role="option"]');
    options[this.#active]?.setAttribute('aria-selected', 'false');
    this.#active = Math.max(0, Math.min(at, options.length - 1));
    const option = options[this.#active];
    option?.setAttribute('aria-selected', 'true');
    option?.scrollIntoView({ block: 'nearest' });
    this.#input.setAttribute('aria-activedescendant', option?.id ?? '');
  }

  /** @param {KeyboardEvent} event */
  #onKeydown(event) {
    if (event.key in STEPS) {
      event.preventDefault();
      this.#activate(this.#active + STEPS[event.key]);
    } else if (event.key === 'Enter' && !event.isComposing) {
      event.preventDefault();
      this.#run(this.#active);
    }
  }

  /** @param {number} at */
  #run(at) {
    const command = this.#found[at];
    if (!command) return;
    this.#dialog.close();
    command.run();
  }
}

/** @param {Command} command @param {number} at @param {Command[]} all */
function option(command, at, all) {
  const line = document.createElement('div');
  line.id = `command-${at}`;
  line.setAttribute('role', 'option');
  line.setAttribute('aria-selected', 'false');
  line.dataset.at = String(at);
  // The name of a group is seen once, at its head, and heard with each of its commands.
  const heads = command.group !== all[at - 1]?.group;
  line.append(part(heads ? 'group' : 'group repeated', command.group), part('label', command.label));
  if (command.on) line.append(part('on', say('chosen')));
  if (command.keys) line.append(part('keys', command.keys));
  return line;
}

/** @param {string} className @param {string} text */
function part(className, text) {
  const span = document.createElement('span');
  span.className = className;
  span.textContent = text;
  return span;
}
