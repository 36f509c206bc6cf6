/** What a JSON schema says, in a few words. */

/** @typedef {Record<string, any>} Schema */

const BOUNDS = [
  ['minimum', '≥'],
  ['exclusiveMinimum', '>'],
  ['maximum', '≤'],
  ['exclusiveMaximum', '<'],
  ['minLength', 'length ≥'],
  ['maxLength', 'length ≤'],
  ['minItems', 'items ≥'],
  ['maxItems', 'items ≤'],
  ['pattern', 'like'],
];

/**
 * The name of the schema that this one refers to, if any.
 * @param {Schema} schema
 * @returns {string | undefined}
 */
export function referred(schema) {
  return schema.$ref?.split('/').at(-1);
}

/**
 * The kind of value, such as `string | null` or `list of Attempt`.
 * @param {Schema | undefined} schema
 * @returns {string}
 */
export function kind(schema) {
  if (schema === undefined) return 'anything';
  const name = referred(schema);
  if (name !== undefined) return name;
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return choices.map(kind).join(' | ');
  if (schema.allOf) return kind(schema.allOf[0]);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((/** @type {unknown} */ one) => JSON.stringify(one)).join(' | ');
  return plainKind(schema);
}

/** @param {Schema} schema */
function plainKind(schema) {
  if (schema.prefixItems) return `[${schema.prefixItems.map(kind).join(', ')}]`;
  if (schema.type === 'array') return `list of ${kind(schema.items)}`;
  if (schema.type === 'object' && typeof schema.additionalProperties === 'object') {
    return `object of ${kind(schema.additionalProperties)}`;
  }
  const type = Array.isArray(schema.type) ? schema.type.join(' | ') : (schema.type ?? 'anything');
  return schema.format ? `${type} (${schema.format})` : type;
}

/**
 * The bounds of a value, such as `≥ 1, ≤ 100, else 20`.
 * @param {Schema | undefined} schema
 * @returns {string}
 */
export function bounds(schema) {
  if (schema === undefined) return '';
  const found = BOUNDS.filter(([name]) => schema[name] !== undefined).map(([name, sign]) => `${sign} ${schema[name]}`);
  const inner = (schema.anyOf ?? []).map(bounds).filter(Boolean);
  if (schema.default !== undefined && schema.default !== null) found.push(`else ${JSON.stringify(schema.default)}`);
  return [...found, ...inner].join(', ');
}

/**
 * The names of the schemas a schema speaks of directly.
 * @param {Schema | undefined} schema
 * @returns {string[]}
 */
export function mentioned(schema) {
  if (schema === undefined || schema === null || typeof schema !== 'object') return [];
  const name = referred(schema);
  const inner = Object.values(schema).flatMap((one) => (typeof one === 'object' ? mentioned(one) : []));
  return [...new Set([...(name === undefined ? [] : [name]), ...inner])];
}
