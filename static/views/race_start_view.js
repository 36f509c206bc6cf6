/** Ways into a race: a quick one, one by its code, one of one's own. */

import { graphemes } from '../core/text.js';
import { Refusal } from '../net/session.js';
import { around, element, elements, find } from './dom.js';
import { GhostList, ghostsIn } from './ghost_list.js';
import { sentence } from './refusal.js';
import { sourceName } from './source_name.js';
import { sourceFor } from './source_view.js';
import { say } from './words.js';

/**
 * @import { ErrorRule } from '../core/attempt.js'
 * @import { NewRace, RaceName, Source } from '../net/protocol.js'
 * @import { Frame } from './frame.js'
 *
 * @typedef {object} Listener
 * @property {(language: string) => void} quick
 * @property {(name: RaceName) => void} join
 * @property {(name: RaceName) => void} watch
 * @property {(wanted: NewRace) => void} create
 */

const OWN_TEXT_GRAPHEMES_MAX = 10_000;
const CODE = /^[2-9A-HJ-NP-Z]{6}$/;
const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const TITLE_CHARS = 40;
const RACERS_MIN = 2;
const RACERS_MAX = 20;

/**
 * The race that somebody names, by code, id or link; null if it cannot be one.
 * @param {string} typed
 * @returns {RaceName|null}
 */
export function raceName(typed) {
  const named = typed
    .trim()
    .replace(/^.*\/race\//, '')
    .replace(/[?#].*$/, '');
  if (ID.test(named)) return { race: named.toLowerCase() };
  const code = named.replace(/[\s-]/g, '').toUpperCase();
  return CODE.test(code) ? { code } : null;
}

export class RaceStartView {
  #root;
  #join;
  #create;
  #settings;
  #ghosts;
  #text;
  #session;
  /** @type {Source|null} what the address wants to be raced on */
  #asked = null;
  /** What that text is called, where it has a name. */
  #title = '';

  /**
   * @param {HTMLElement} root
   * @param {Pick<Frame, 'settings'|'session'>} frame
   * @param {Listener} listener
   */
  constructor(root, { settings, session }, listener) {
    this.#root = root;
    this.#settings = settings;
    this.#session = session;
    this.#join = find(root, '#join', HTMLFormElement);
    this.#create = find(root, '#create', HTMLFormElement);
    this.#text = find(root, '[name="text"]', HTMLTextAreaElement);
    this.#ghosts = new GhostList(ghostsIn(root), session, () => this.#follow());
    this.#check('language', settings.language);
    root.addEventListener('click', (event) => {
      const language = around(event, '[data-quick]')?.dataset.quick;
      if (language) listener.quick(language);
    });
    this.#join.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submitJoin(event.submitter, listener);
    });
    this.#create.addEventListener('change', () => this.#follow());
    this.#create.addEventListener('submit', (event) => {
      event.preventDefault();
      const wanted = this.#wanted();
      if (wanted) listener.create(wanted);
    });
    this.draw();
  }

  /**
   * What was typed as a code did not lead anywhere: it stays, with a word of why.
   * @param {string} problem
   * @param {string} [typed]
   */
  refuseJoin(problem, typed) {
    const code = find(this.#join, '#code', HTMLInputElement);
    if (typed !== undefined) code.value = typed;
    this.#tell('#join-problem', problem);
    code.setAttribute('aria-invalid', 'true');
    code.focus();
    code.select();
  }

  /** @param {string} problem */
  refuseCreate(problem) {
    this.#tell('#create-problem', problem);
  }

  /**
   * Somebody comes with a ghost to race against.
   * @param {string} attempt
   */
  async withGhost(attempt) {
    await this.#ghosts.want(attempt);
    this.#offer();
  }

  /**
   * Somebody comes with what is to be raced on.
   * @param {Source} source
   */
  async propose(source) {
    this.#asked = source;
    this.#check('source', 'asked');
    this.draw();
    try {
      if (source.kind === 'text') {
        /** @type {{title: string, text: string}} */
        const { title, text } = await this.#session.ask('GET', `/texts/${source.text}`);
        this.#title = title || `${text.slice(0, TITLE_CHARS)}…`;
      }
    } catch (error) {
      const gone = error instanceof Refusal && error.status === 404;
      if (gone) this.#withdraw();
      this.refuseCreate(gone ? say('sourceGone') : sentence(error));
    }
    this.draw();
    this.#offer();
  }

  /** What the address wants is not there: what is usual is chosen. */
  #withdraw() {
    this.#asked = null;
    this.#create.reset();
    this.#check('language', this.#settings.language);
  }

  #offer() {
    const submit = find(this.#create, '[type="submit"]', HTMLButtonElement);
    submit.focus();
    submit.scrollIntoView({ block: 'nearest' });
  }

  /** Its words, in the language of the page. */
  draw() {
    for (const words of elements(this.#create, '[data-words]'))
      words.textContent = say('wordsOf', Number(words.dataset.words));
    for (const button of elements(this.#root, '[data-quick]')) {
      button.classList.toggle('primary', button.dataset.quick === this.#settings.language);
    }
    const asked = element(this.#create, '#race-asked');
    asked.hidden = this.#asked === null;
    element(asked, 'span').textContent = this.#asked ? this.#title || sourceName(this.#asked) : '';
    this.#ghosts.draw();
    this.#follow();
  }

  /** What goes with the choices is shown, what does not is not there to choose. */
  #follow() {
    const byGhost = this.#ghosts.chosen.length > 0;
    const custom = this.#value('source') === 'custom';
    const asked = this.#value('source') === 'asked';
    this.#text.hidden = !custom || byGhost;
    find(this.#create, '#race-source', HTMLFieldSetElement).disabled = byGhost;
    find(this.#create, '#race-language', HTMLFieldSetElement).disabled = byGhost || custom || asked;
    if (custom && this.#text.value === '') this.#text.value = this.#settings.get('ownText');
  }

  /** @returns {NewRace|null} */
  #wanted() {
    this.#tell('#create-problem', '');
    const ghosts = this.#ghosts.chosen;
    const text = this.#text.value.trim();
    const custom = this.#value('source') === 'custom' && ghosts.length === 0;
    if (custom && (text === '' || graphemes(text).length > OWN_TEXT_GRAPHEMES_MAX)) {
      this.#tell('#create-problem', say(text === '' ? 'ownTextMissing' : 'ownTextHelp'));
      this.#text.focus();
      return null;
    }
    const racers = Math.round(Number(this.#value('racers_max')));
    const usual = sourceFor(this.#value('source'), this.#value('language'), text);
    const source = (this.#value('source') === 'asked' && this.#asked) || usual;
    return {
      private: this.#value('private') === 'yes',
      rules: { errors: /** @type {ErrorRule} */ (this.#value('errors')) },
      racers_max: Math.min(RACERS_MAX, Math.max(RACERS_MIN, racers || RACERS_MAX)),
      ...(ghosts.length > 0 ? { ghosts } : { source }),
    };
  }

  /** @param {HTMLElement|null} submitter @param {Listener} listener */
  #submitJoin(submitter, listener) {
    const code = find(this.#join, '#code', HTMLInputElement);
    this.#tell('#join-problem', '');
    code.removeAttribute('aria-invalid');
    const name = raceName(code.value);
    if (!name) this.refuseJoin(say('codeUnlikely'));
    else if (submitter?.getAttribute('name') === 'watch') listener.watch(name);
    else listener.join(name);
  }

  /** @param {string} selector @param {string} words */
  #tell(selector, words) {
    element(this.#root, selector).textContent = words;
  }

  /** @param {string} name */
  #value(name) {
    return String(
      new FormData(this.#create).get(name) ?? find(this.#create, `[name="${name}"]:checked`, HTMLInputElement).value,
    );
  }

  /** @param {string} name @param {string} value */
  #check(name, value) {
    find(this.#create, `[name="${name}"][value="${value}"]`, HTMLInputElement).checked = true;
  }
}
