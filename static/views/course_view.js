/** The course as a path: six blocks of steps, and the lesson to do next above them. */

import { writeSource } from '../core/source.js';
import { lessonSource } from '../net/lessons.js';
import { element, find } from './dom.js';
import { KeyboardView } from './keyboard_view.js';
import { keyCap, keySpoken, number, say } from './words.js';

/**
 * @import { Course, Lesson } from '../net/lessons.js'
 * @import { LayoutName } from '../layouts.js'
 * @import { OwnKeyboard } from './own_keyboard.js'
 */

/** So many keys are shown of a step; a lesson about more is about words. */
const KEYS_SHOWN = 7;

export class CourseView {
  #root;
  #own;
  #keyboard;
  /** @type {Course|null} */
  #course = null;

  /** @param {HTMLElement} root @param {OwnKeyboard} own */
  constructor(root, own) {
    this.#root = root;
    this.#own = own;
    this.#keyboard = new KeyboardView(element(root, '#keyboard'));
  }

  /** @param {Course} course */
  show(course) {
    this.#course = course;
    this.draw();
  }

  /** Draws the course once more, as after a change of language. */
  draw() {
    const course = this.#course;
    if (!course) return;
    this.#drawSuggested(course);
    this.#part('#course-passed').textContent = say('lessonsPassed', number(course.passed), number(course.total));
    const share = (100 * course.passed) / course.total;
    element(this.#root, '#course-bar span').style.inlineSize = `${share}%`;
    this.#part('#blocks').replaceChildren(...blocksOf(course).map((lessons) => block(lessons, course)));
  }

  /** @param {string} selector */
  #part(selector) {
    return element(this.#root, selector);
  }

  /** @param {Course} course */
  #drawSuggested(course) {
    const next = course.lessons.find(({ id }) => id === course.suggested);
    const lesson = next ?? course.lessons[course.lessons.length - 1];
    const kind = next ? (course.passed === 0 ? 'lessonFirst' : 'lessonNext') : 'lessonsAllPassed';
    this.#part('#suggested-kind').textContent = say(kind);
    this.#part('#suggested-title').textContent = lesson.title;
    this.#part('#suggested-about').textContent = lesson.description;
    this.#part('#suggested-goal').textContent = goal(lesson);
    const start = find(this.#root, '#suggested-start', HTMLAnchorElement);
    start.href = way(lesson, course);
    element(start, 'span').textContent = say(lesson.is_open ? 'lessonStart' : 'toPlans');
    this.#keyboard.draw(this.#own.keyboard(/** @type {LayoutName} */ (course.layout)));
    this.#keyboard.practise(lesson.target_keys);
  }
}

/** @param {Course} course */
function blocksOf({ lessons }) {
  const ids = [...new Set(lessons.map(({ block_id: id }) => id))];
  return ids.map((id) => lessons.filter(({ block_id: of }) => of === id));
}

/** @param {Lesson[]} lessons @param {Course} course */
function block(lessons, course) {
  const section = document.createElement('section');
  section.className = 'block';
  const passed = lessons.filter(({ own }) => own?.is_passed).length;
  const heading = document.createElement('h2');
  heading.id = `block-${lessons[0].block_id}`;
  heading.textContent = lessons[0].block_title;
  const count = text('p', 'count', say('lessonsPassed', number(passed), number(lessons.length)));
  const list = document.createElement('ol');
  list.append(...lessons.map((lesson) => step(lesson, course)));
  section.setAttribute('aria-labelledby', heading.id);
  section.append(heading, count, list);
  return section;
}

/** @param {Lesson} lesson @param {Course} course */
function step(lesson, course) {
  const item = document.createElement('li');
  const link = document.createElement('a');
  link.className = 'step';
  link.href = way(lesson, course);
  link.dataset.state = stateOf(lesson, course);
  const title = text('span', 'title', lesson.step_title);
  link.append(
    text('span', 'number', number(lesson.lesson_number)),
    title,
    keys(lesson),
    text('span', 'goal', say('lessonWpm', number(lesson.target_wpm))),
    text('span', 'own', own(lesson)),
  );
  const mark = text('span', 'state', say(`lesson_${link.dataset.state}`));
  link.append(mark);
  item.append(link);
  return item;
}

/** @param {Lesson} lesson @param {Course} course */
function stateOf({ id, own: mine, is_open: isOpen }, { suggested }) {
  if (!isOpen) return 'locked';
  if (mine?.is_passed) return 'passed';
  if (id === suggested) return 'next';
  return mine?.is_unlocked || mine?.attempts ? 'open' : 'ahead';
}

/** @param {Lesson} lesson */
function keys({ target_keys: targets }) {
  const shown = document.createElement('span');
  shown.className = 'keys-of';
  if (targets.length > KEYS_SHOWN) return shown;
  for (const key of targets) {
    const cap = document.createElement('kbd');
    cap.textContent = keyCap(key).toUpperCase();
    if (keySpoken(key) !== key) cap.setAttribute('aria-label', keySpoken(key));
    shown.append(cap);
  }
  return shown;
}

/** @param {Lesson} lesson */
function own({ own: mine }) {
  if (!mine?.attempts) return '';
  if (mine.best_wpm === null) return say('lessonTried');
  return say('lessonBest', number(mine.best_wpm), number(mine.best_errors ?? 0));
}

/** @param {Lesson} lesson */
function goal({ target_wpm: wpm, max_errors: errors }) {
  return say('lessonGoal', number(wpm), number(errors));
}

/** To where it is typed; one that is not open leads to what would open it. @param {Lesson} lesson @param {Course} course */
function way({ id, is_open: isOpen }, course) {
  return isOpen ? `/${writeSource(lessonSource(id, course))}` : '/plans';
}

/** @param {string} name @param {string} style @param {string} words */
function text(name, style, words) {
  const made = document.createElement(name);
  made.className = style;
  made.textContent = words;
  return made;
}
