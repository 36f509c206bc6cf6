/** Text as the scorer sees it: NFC grapheme clusters, and which of them are one and the same. */

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });
const SPACE_SEPARATOR = /^\p{Zs}$/u;
const CHEROKEE = /^\p{Script=Cherokee}/u;
const PLAIN_ASCII = /^[\x20-\x7e]*$/;

// The first of each group stands for all of it: a person has one key for them.
const CANONICAL = new Map(["'’‘", '"“”«»„', '-–—‑'].flatMap((equals) => [...equals].map((one) => [one, equals[0]])));

/**
 * The grapheme clusters of a string in NFC.
 * @param {string} string
 * @returns {string[]}
 */
export function graphemes(string) {
  if (PLAIN_ASCII.test(string)) return string.split('');
  return Array.from(segmenter.segment(string.normalize('NFC')), ({ segment }) => segment);
}

/**
 * The first of a grapheme's equals: ' for ’, - for —, a plain space for any space.
 * @param {string} grapheme
 * @returns {string}
 */
export function canonical(grapheme) {
  return CANONICAL.get(grapheme) ?? (SPACE_SEPARATOR.test(grapheme) ? ' ' : grapheme);
}

/**
 * Is typing `a` as good as typing `b`?
 * @param {string} a
 * @param {string} b
 */
export function same(a, b) {
  return a === b || canonical(a) === canonical(b);
}

/**
 * The name a grapheme has in key stats.
 * @param {string} grapheme
 * @returns {string}
 */
export function keyName(grapheme) {
  return caseFolded(canonical(grapheme));
}

/**
 * Does the grapheme part words? (Zs, line feed, tab)
 * @param {string} grapheme
 */
export function isSpace(grapheme) {
  return grapheme === '\n' || grapheme === '\t' || SPACE_SEPARATOR.test(grapheme);
}

/**
 * Unicode's full case folding, which JavaScript does not offer by itself.
 * @param {string} grapheme
 */
function caseFolded(grapheme) {
  // ı has no other case of its own: going through I would turn it into another letter.
  if (grapheme === 'ı') return grapheme;
  // Cherokee alone folds to its capitals, which were encoded long before its small letters.
  if (CHEROKEE.test(grapheme)) return grapheme.toUpperCase();
  // Down first: ẞ has an upper case of its own but folds as ß does, to ss.
  return grapheme.toLowerCase().toUpperCase().toLowerCase();
}
