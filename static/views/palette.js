/** The command palette: everything the page can do, found by typing a word of it. */

import { say } from './words.js';

export class Palette {
  #dialog;
  #input;
  #list;
  #commandsNow;
  #commands = [];
  #found = [];
  #active = 0;

  /**
   * @param {HTMLDialogElement} dialog
   * @typedef {{label: string, group: string, keys?: string, also?: string[], on?: boolean, run: () => void}} Command
   *   `also` are other words to find it by, `on` marks the present choice
   * @param {() => Command[]} commandsNow asked at each opening
   */
  constructor(dialog, commandsNow) {
    this.#dialog = dialog;
    this.#input = dialog.querySelector('input');
    this.#list = dialog.querySelector('[role="listbox"]');
    this.#commandsNow = commandsNow;
    this.#input.addEventListener('input', () => this.#find());
    this.#input.addEventListener('keydown', (event) => this.#onKeydown(event));
    this.#list.addEventListener('click', (event) => {
      const option = event.target.closest('[role="option"]');
      if (option) this.#run(Number(option.dataset.at));
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

  #activate(at) {
    const options = this.#list.querySelectorAll('[role="option"]');
    options[this.#active]?.setAttribute('aria-selected', 'false');
    this.#active = Math.max(0, Math.min(at, options.length - 1));
    const option = options[this.#active];
    option?.setAttribute('aria-selected', 'true');
    option?.scrollIntoView({ block: 'nearest' });
    this.#input.setAttribute('aria-activedescendant', option?.id ?? '');
  }

  #onKeydown(event) {
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 };
    if (event.key in steps) {
      event.preventDefault();
      this.#activate(this.#active + steps[event.key]);
    } else if (event.key === 'Enter' && !event.isComposing) {
      event.preventDefault();
      this.#run(this.#active);
    }
  }

  #run(at) {
    const command = this.#found[at];
    if (!command) return;
    this.#dialog.close();
    command.run();
  }
}

function option(command, at, all) {
  const element = document.createElement('div');
  element.id = `command-${at}`;
  element.setAttribute('role', 'option');
  element.setAttribute('aria-selected', 'false');
  element.dataset.at = at;
  // The name of a group stands once, at its head.
  const heads = command.group !== all[at - 1]?.group;
  element.append(part('group', heads ? command.group : ''), part('label', command.label));
  element.setAttribute('aria-label', `${command.group}: ${command.label}`);
  if (command.on) element.append(part('on', say('chosen')));
  if (command.keys) element.append(part('keys', command.keys));
  return element;
}

function part(className, text) {
  const element = document.createElement('span');
  element.className = className;
  element.textContent = text;
  return element;
}
