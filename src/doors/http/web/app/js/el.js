// Making and keeping elements. Text goes in as text nodes only: nothing here parses HTML.

/** @typedef {Node | string | null | undefined | false} Child */

/**
 * Makes an element. `on...` properties become listeners, `false` and `null` leave an attribute out.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} name
 * @param {Record<string, unknown> | null} [props]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function el(name, props, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === 'function') made.addEventListener(key.slice(2), /** @type {EventListener} */ (value));
    else made.setAttribute(key, value === true ? '' : String(value));
  }
  for (const child of children) if (child || child === '') made.append(child);
  return made;
}

/**
 * Makes `parent`'s children follow `items`, keeping the nodes of keys that stay, and with them focus and scroll.
 * @template T
 * @param {HTMLElement} parent
 * @param {T[]} items
 * @param {(item: T) => string} keyOf
 * @param {(item: T, old: HTMLElement | null) => HTMLElement} draw answers `old` when nothing changed
 */
export function follow(parent, items, keyOf, draw) {
  /** @type {Map<string, HTMLElement>} */
  const kept = new Map();
  for (const child of parent.children) kept.set(/** @type {HTMLElement} */ (child).dataset.key ?? '', /** @type {HTMLElement} */ (child));
  /** @type {Element | null} */
  let next = parent.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    const old = kept.get(key) ?? null;
    kept.delete(key);
    const node = draw(item, old);
    node.dataset.key = key;
    if (old && old !== node) {
      if (next === old) next = node;
      old.replaceWith(node);
    }
    if (node === next) next = next.nextElementSibling;
    else parent.insertBefore(node, next);
  }
  for (const gone of kept.values()) gone.remove();
}

/**
 * A number of 0 to `size` - 1 that stays the same for the same text.
 * @param {string} text
 * @param {number} size
 */
export function spread(text, size) {
  let hash = 0x811c9dc5;
  for (const char of text) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193);
  return ((hash ^ (hash >>> 15)) >>> 0) % size;
}

/**
 * The round picture of a person: two letters on a colour of their own.
 * @param {string} username
 * @param {string} name
 */
export function face(username, name) {
  const words = (name || username).split(/[\s._-]+/).filter(Boolean);
  const letters = words.length > 1 ? words[0].charAt(0) + words[words.length - 1].charAt(0) : (words[0] ?? '?').slice(0, 2);
  return el('span', { class: `face tint-${spread(username, 8)}`, 'aria-hidden': 'true' }, letters.toUpperCase());
}
