/** What an address asks to be typed: its query holds the fields of a source of the wire. */

/**
 * @typedef {{kind: 'text', text: string}
 *   | {kind: 'random', language: string, length: string}
 *   | {kind: 'words', language: string, count: number}
 *   | {kind: 'time', language: string, seconds: number}
 *   | {kind: 'practice', language: string, layout: string}
 *   | {kind: 'custom', text?: string}
 *   | {kind: 'lesson', lesson: string, language?: string, layout?: string}
 *   | {kind: 'race'}} Source
 *
 * @typedef {(value: string) => boolean} Allows
 */

/** @param {RegExp} pattern @returns {Allows} */
const matching = (pattern) => (value) => pattern.test(value);
/** @param {number} least @param {number} most @returns {Allows} */
const between = (least, most) => (value) =>
  /^[1-9][0-9]{0,3}$/.test(value) && Number(value) >= least && Number(value) <= most;

const NUMBERS = ['count', 'seconds'];
const language = matching(/^[A-Za-z][A-Za-z-]{1,15}$/);
const layout = matching(/^[a-z0-9_-]{1,32}$/);
const name = matching(/^[A-Za-z0-9_.-]{1,64}$/);

/**
 * The fields of each kind that an address may name, in the order in which they are written.
 * @type {Record<string, {fields: Record<string, Allows>, optional?: string[]}>}
 */
const KINDS = {
  text: { fields: { text: name } },
  random: { fields: { language, length: matching(/^(short|medium|long)$/) } },
  words: { fields: { language, count: between(10, 500) } },
  time: { fields: { language, seconds: between(15, 600) } },
  lesson: { fields: { lesson: name, language, layout }, optional: ['language', 'layout'] },
  practice: { fields: { language, layout } },
};

/**
 * Does the address ask for something to type, be it understood or not?
 * @param {URLSearchParams} query
 */
export function asksForSource(query) {
  return query.has('kind');
}

/**
 * The source that an address asks for; what else stands in the query is left alone.
 * @param {URLSearchParams} query
 * @returns {Source|null} null if a field is missing, malformed or there twice, or the kind is none of an address
 */
export function readSource(query) {
  const kind = query.get('kind') ?? '';
  if (!Object.hasOwn(KINDS, kind) || query.getAll('kind').length > 1) return null;
  const { fields, optional = [] } = KINDS[kind];
  /** @type {Record<string, string|number>} */
  const source = { kind };
  for (const [field, allows] of Object.entries(fields)) {
    const [value, ...more] = query.getAll(field);
    if (value === undefined && optional.includes(field)) continue;
    if (value === undefined || more.length > 0 || !allows(value)) return null;
    source[field] = NUMBERS.includes(field) ? Number(value) : value;
  }
  return /** @type {Source} */ (source);
}

/**
 * The query that asks for a source: '?kind=words&language=en&count=25'; '' for one that no address can name.
 * @param {Source} source
 */
export function writeSource(source) {
  if (!Object.hasOwn(KINDS, source.kind)) return '';
  /** @type {Record<string, unknown>} */
  const given = { ...source };
  const query = new URLSearchParams({ kind: source.kind });
  for (const field of Object.keys(KINDS[source.kind].fields)) {
    const value = given[field];
    if (value !== undefined && value !== null) query.set(field, String(value));
  }
  return `?${query}`;
}
