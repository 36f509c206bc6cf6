/** Finds what the page is known to have: a missing element is a fault, told by its name. And draws shapes. */

const SVG = 'http://www.w3.org/2000/svg';

/**
 * @template {Element} Kind
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => Kind} kind as in `HTMLInputElement`
 * @returns {Kind}
 */
export function find(root, selector, kind) {
  const found = root.querySelector(selector);
  if (!(found instanceof kind)) throw new Error(`The page has no ${kind.name} ${selector}.`);
  return found;
}

/**
 * @param {ParentNode} root
 * @param {string} selector
 */
export function element(root, selector) {
  return find(root, selector, HTMLElement);
}

/**
 * @param {ParentNode} root
 * @param {string} selector
 */
export function elements(root, selector) {
  return Array.from(root.querySelectorAll(selector)).filter((found) => found instanceof HTMLElement);
}

/**
 * The element around the target of an event, itself included, that the selector names.
 * @param {Event} event
 * @param {string} selector
 */
export function around({ target }, selector) {
  const found = target instanceof Element ? target.closest(selector) : null;
  return found instanceof HTMLElement ? found : null;
}

/**
 * Fills the `.scroller` of a `details` while that is open: what nobody opens costs nothing.
 * @param {ParentNode} root
 * @param {string} selector of the details
 * @param {() => Node} content
 */
export function fillWhenOpen(root, selector, content) {
  const details = find(root, selector, HTMLDetailsElement);
  const fill = () => {
    if (details.open) element(details, '.scroller').replaceChildren(content());
  };
  details.ontoggle = fill;
  fill();
}

/**
 * @template {keyof SVGElementTagNameMap} Name
 * @param {Name} name
 * @param {Record<string, string|number>} attributes
 */
export function shape(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}
