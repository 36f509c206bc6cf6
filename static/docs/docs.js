/** Shows the server's own documents. Nothing is fetched from elsewhere, and text is only ever text. */

import { bounds, kind, mentioned } from './schema.js';

/** @typedef {import('./schema.js').Schema} Schema */

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

/**
 * @param {string} tag
 * @param {Record<string, string>} attributes
 * @param {...(Node | string)} children
 */
function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** @param {string} id */
function place(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found;
}

/** @param {string} text */
function code(text) {
  return element('code', {}, text);
}

/**
 * @param {string[]} heads
 * @param {(Node | string)[][]} rows
 */
function table(heads, rows) {
  const head = element('tr', {}, ...heads.map((text) => element('th', { scope: 'col' }, text)));
  const body = rows.map((cells) => element('tr', {}, ...cells.map((cell) => element('td', {}, cell))));
  const whole = element('table', {}, element('thead', {}, head), element('tbody', {}, ...body));
  return element('div', { class: 'wide' }, whole);
}

/**
 * The kind of a value, with links to the schemas it names.
 * @param {Schema | undefined} schema
 * @param {string} family
 */
function kindOf(schema, family) {
  const names = new Set(mentioned(schema));
  const words = kind(schema).split(/(\w+)/);
  const parts = words.map((word) => (names.has(word) ? element('a', { href: `#${family}-${word}` }, word) : word));
  return element('code', {}, ...parts);
}

/**
 * @param {Schema} schema
 * @param {string} family
 */
function fields(schema, family) {
  const required = new Set(schema.required ?? []);
  const rows = Object.entries(schema.properties ?? {}).map(([name, field]) => [
    code(name),
    kindOf(field, family),
    required.has(name) ? 'always' : 'may be left out',
    [bounds(field), field.description].filter(Boolean).join('. '),
  ]);
  return rows.length ? table(['field', 'kind', 'presence', 'meaning'], rows) : element('p', {}, kindOf(schema, family));
}

/** @param {Schema} operation */
function parameters(operation) {
  const rows = (operation.parameters ?? []).map((/** @type {Schema} */ one) => [
    code(one.name),
    kindOf(one.schema, 'schema'),
    one.in,
    one.required ? 'always' : 'may be left out',
    [bounds(one.schema), one.description].filter(Boolean).join('. '),
  ]);
  if (!rows.length) return [];
  return [element('h4', {}, 'Parameters'), table(['name', 'kind', 'in', 'presence', 'meaning'], rows)];
}

/** @param {Schema} answer */
function content(answer) {
  const [[media, { schema }] = ['', {}]] = Object.entries(answer.content ?? {});
  if (!media) return 'nothing';
  return media === 'application/json' ? kindOf(schema, 'schema') : code(media);
}

/** @param {Schema} operation */
function answers(operation) {
  const rows = Object.entries(operation.responses).map(([status, answer]) => [
    code(status),
    answer.description.replaceAll('`', ''),
    content(answer),
  ]);
  return [element('h4', {}, 'Answers'), table(['status', 'codes', 'content'], rows)];
}

/**
 * @param {string} method
 * @param {string} path
 * @param {Schema} operation
 */
function operationView(method, path, operation) {
  const name = element('h3', {}, element('span', { class: 'method' }, method.toUpperCase()), ' ', code(path));
  const body = operation.requestBody?.content['application/json'].schema;
  return element(
    'details',
    { id: operation.operationId, 'data-words': `${method} ${path} ${operation.summary}`.toLowerCase() },
    element('summary', {}, name, ' ', element('span', { class: 'short' }, operation.summary)),
    element('p', { class: 'about' }, operation.description ?? ''),
    ...parameters(operation),
    ...(body ? [element('h4', {}, 'Body'), element('p', {}, kindOf(body, 'schema'))] : []),
    ...answers(operation),
  );
}

/** @param {Schema} openapi */
function showOperations(openapi) {
  for (const { name: tag } of openapi.tags) {
    const views = Object.entries(openapi.paths).flatMap(([path, methods]) =>
      METHODS.filter((method) => methods[method]?.tags.includes(tag)).map((method) =>
        operationView(method, path, methods[method]),
      ),
    );
    place('operations').append(element('h2', {}, tag), ...views);
  }
}

/**
 * @param {string} family
 * @param {string} name
 * @param {Schema} schema
 */
function schemaView(family, name, schema) {
  return element(
    'details',
    { id: `${family}-${name}`, 'data-words': name.toLowerCase() },
    element('summary', {}, element('h3', {}, code(name))),
    element('p', { class: 'about' }, schema.description ?? ''),
    fields(schema, family),
  );
}

/** @param {Schema} asyncapi */
function showMessages(asyncapi) {
  const { messages, schemas } = asyncapi.components;
  for (const [name, title] of [
    ['fromClient', 'websocket: what you send'],
    ['toClient', 'websocket: what you get'],
  ]) {
    const views = asyncapi.operations[name].messages.map((/** @type {Schema} */ one) => {
      const type = one.$ref.split('/').at(-1);
      return schemaView('message', type, messages[type].payload);
    });
    place('messages').append(element('h2', {}, title), ...views);
  }
  const parts = Object.entries(schemas).map(([name, schema]) => schemaView('message', name, schema));
  const codes = Object.entries(asyncapi.channels.live['x-close-codes']);
  const closes = table(
    ['code', 'why'],
    codes.map(([number, why]) => [code(number), String(why).replaceAll('_', ' ')]),
  );
  place('messages').append(element('h2', {}, 'websocket: parts of messages'), ...parts);
  place('messages').append(element('h2', {}, 'websocket: close codes'), closes);
}

/** Open what the address names: a closed one would not be scrolled to. */
function openNamed() {
  const named = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (named instanceof HTMLDetailsElement) {
    named.hidden = false;
    named.open = true;
    named.scrollIntoView();
  }
}

/** @param {string} wanted */
function filter(wanted) {
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const view of document.querySelectorAll('details')) {
    view.hidden = !words.every((word) => view.dataset.words?.includes(word));
    if (!view.hidden) shown += 1;
  }
  place('state').textContent = words.length ? `${shown} found` : '';
}

/** @param {string} path */
async function read(path) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

async function show() {
  const [openapi, asyncapi] = await Promise.all([read('/openapi.json'), read('/asyncapi.json')]);
  place('about').textContent = openapi.info.description.replaceAll('`', '');
  showOperations(openapi);
  showMessages(asyncapi);
  const views = Object.entries(openapi.components.schemas).map(([name, one]) => schemaView('schema', name, one));
  place('schemas').append(element('h2', {}, 'schemas'), ...views);
  place('state').textContent = '';
  const find = /** @type {HTMLInputElement} */ (place('find'));
  find.addEventListener('input', () => filter(find.value));
  addEventListener('hashchange', openNamed);
  openNamed();
}

show().catch(() => {
  place('state').textContent = 'The documents could not be read. Is the server running?';
});
