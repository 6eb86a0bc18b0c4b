// @ts-check
// Elements. All text goes into text nodes: there is no way from here to HTML.

/**
 * An element with its attributes and children. A function is an event's listener; `false`, `null` and `undefined` leave an attribute out, but
 * those for assistive technology say `false`.
 * @param {string} tag
 * @param {Record<string, any>} [attributes]
 * @param {...(Node | string | number | null | undefined | false)} children
 * @returns {any}
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined) continue;
    if (typeof value === 'function') element.addEventListener(name, value);
    else if (name.startsWith('aria-')) element.setAttribute(name, String(value));
    else if (value !== false) element.setAttribute(name, value === true ? '' : String(value));
  }
  return fill(element, ...children);
}

/**
 * Puts children in the place of those that are there.
 * @param {any} element
 * @param {...(Node | string | number | null | undefined | false)} children
 */
export function fill(element, ...children) {
  const shown = children.filter((child) => child !== null && child !== undefined && child !== false);
  element.replaceChildren(...shown.map((child) => (child instanceof Node ? child : visible(String(child)))));
  return element;
}

/** @param {string} tag @param {Record<string, any>} attributes */
export function svg(tag, attributes) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  return element;
}

/** Characters that change what others look like: controls, marks of direction, invisible ones. */
// eslint-disable-next-line no-control-regex
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

/** The same text with what cannot be seen made visible. @param {string} text */
export function visible(text) {
  return text.replace(HIDDEN, (letter) => `\\u{${letter.charCodeAt(0).toString(16)}}`);
}

const LONGEST_NAME = 64;

/** A name that may be of any length. @param {string} text */
export function short(text, longest = LONGEST_NAME) {
  return text.length > longest ? `${text.slice(0, longest - 1)}…` : text;
}

/** A name in the font of names; the whole of it as its title. @param {string} text */
export function code(text, longest = LONGEST_NAME) {
  const cut = text.length > longest;
  return el('code', cut ? { title: visible(text.slice(0, 2000)) } : {}, short(text, longest));
}

/** Text in which `names` are set as names. @param {string} text @returns {Node[]} */
export function prose(text) {
  return text.split('`').map((part, index) => (index % 2 ? code(part) : document.createTextNode(visible(short(part, 2000)))));
}

/** @param {number} number */
export const hex = (number, digits = 1) => `0x${number.toString(16).padStart(digits, '0')}`;

/** @param {number} byte */
export const hex2 = (byte) => byte.toString(16).padStart(2, '0');

/** @param {number} count @param {string} noun */
export const counted = (count, noun) => `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;

/** Where a text can be taken from by a click. @param {string} text */
export function copyable(text) {
  const button = el('button', { type: 'button', class: 'copy', 'aria-label': `copy: ${visible(short(text))}` }, 'copy');
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = 'copied';
    } catch {
      // Without the permission the text is marked, to be copied by hand.
      const selection = getSelection();
      if (selection && line.firstChild) selection.selectAllChildren(line.firstChild);
      button.textContent = 'marked';
    }
  });
  const line = el('div', { class: 'command' }, el('code', {}, text), button);
  return line;
}

/** More pixels than every browser lets an element be high. */
const HIGHEST = 8e6;

/**
 * A list of which only the rows in sight exist.
 * @param {{ count: number, rowHeight: number, row: (index: number) => any, role: string, label: string, className?: string,
 *           key?: (event: KeyboardEvent) => boolean, scrolled?: () => void }} options
 */
export function virtualList({ count, rowHeight, row, role, label, className = '', key, scrolled }) {
  const total = count * rowHeight;
  const height = Math.min(total, HIGHEST);
  const inner = el('div', { class: 'rows', role: role === 'grid' ? 'rowgroup' : 'presentation' });
  inner.style.height = `${height}px`;
  const list = el('div', { class: `virtual ${className}`, role, tabindex: 0, 'aria-label': label }, inner);
  if (role === 'grid') list.setAttribute('aria-rowcount', String(count));
  let first = -1;
  let last = -1;

  /** How far the list is scrolled, in pixels of all rows. */
  function offset() {
    const room = height - list.clientHeight;
    return room <= 0 || height === total ? list.scrollTop : (list.scrollTop / room) * (total - list.clientHeight);
  }

  function draw(force = false) {
    const top = offset();
    const shift = list.scrollTop - top;
    const from = Math.max(0, Math.floor(top / rowHeight) - 4);
    const to = Math.min(count, Math.ceil((top + (list.clientHeight || 600)) / rowHeight) + 4);
    if (force || from !== first || to !== last || shift !== 0) {
      first = from;
      last = to;
      const rows = [];
      for (let index = from; index < to; index += 1) {
        const element = row(index);
        element.style.transform = `translateY(${index * rowHeight + shift}px)`;
        rows.push(element);
      }
      inner.replaceChildren(...rows);
    }
    if (scrolled) scrolled();
  }

  /** @param {number} index */
  function reveal(index) {
    if (!list.clientHeight) return;
    const top = offset();
    const at = index * rowHeight;
    if (at < top + rowHeight || at > top + list.clientHeight - 3 * rowHeight) {
      const wanted = Math.max(0, at - list.clientHeight / 3);
      const room = height - list.clientHeight;
      list.scrollTop = height === total ? wanted : (wanted / (total - list.clientHeight)) * room;
    }
    draw(true);
  }

  list.addEventListener('scroll', () => draw(), { passive: true });
  list.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => {
    if (key && !event.ctrlKey && !event.metaKey && !event.altKey && key(event)) event.preventDefault();
  });
  if (typeof ResizeObserver !== 'undefined') new ResizeObserver(() => draw(true)).observe(list);
  return { list, draw, reveal, offset };
}

/** How far a key moves in a list of rows; 0 if it does not. @param {KeyboardEvent} event */
export function steps(event, page = 16) {
  return { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity }[event.key] ?? 0;
}

/** @param {number} number @param {number} low @param {number} high */
export const clamp = (number, low, high) => Math.min(Math.max(number, low), high);
