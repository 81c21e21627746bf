// The messages of the open room: days, what is new, keeping one's place while reading.

import './typing-line.js';
import { wordsOf } from '../api.js';
import { react } from '../deeds.js';
import { el, follow } from '../el.js';
import { icon } from '../icons.js';
import { markRead } from '../live.js';
import { Part } from '../part.js';
import { state } from '../store.js';
import { loadOlder, trim } from '../talk.js';
import { dayKey, dayName } from '../when.js';
import { Announcer } from './announcer.js';
import { drawLine } from './message.js';
import { Tools } from './tools.js';

/** @typedef {import('../types.js').Line} Line */
/** @typedef {{key: string, line: Line | null, first: boolean, text: string}} Item */

const NEAR_PX = 80;
const SAME_BREATH_MS = 5 * 60_000;

class Messages extends Part {
  #list = el('ol', { class: 'lines' });
  #older = el('button', { type: 'button', class: 'button older' }, 'Show older messages');
  #start = el('p', { class: 'start' }, 'This is where the room begins.');
  #scroll = el('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Messages' }, this.#older, this.#start, this.#list);
  #newest = el('button', { type: 'button', class: 'newest' }, icon('down'), el('span', null, 'Newest'));
  #announcer = new Announcer();
  #tools = new Tools(this.#list);
  #above = new IntersectionObserver(([entry]) => entry.isIntersecting && this.#loadOlder(), { root: this.#scroll, rootMargin: '400px 0px 0px' });
  #atEnd = true;
  /** @type {WeakMap<HTMLElement, {line: Line | null, first: boolean}>} */
  #drawn = new WeakMap();

  build() {
    this.append(this.#scroll, this.#newest, document.createElement('linnet-typing'), this.#announcer.region);
  }

  begin() {
    this.#tools.begin(this.life);
    this.listen(this.#older, 'click', () => this.#loadOlder());
    this.listen(this.#newest, 'click', () => this.#toEnd());
    this.listen(this.#scroll, 'scroll', () => this.#onScroll());
    this.listen(document, 'visibilitychange', () => this.#seen());
    this.listen(window, 'focus', () => this.#seen());
    const sizes = new ResizeObserver(() => this.#atEnd && this.#toEnd());
    sizes.observe(this.#scroll);
    this.#above.observe(this.#older);
    this.life.addEventListener('abort', () => [sizes, this.#above].forEach((observer) => observer.disconnect()));
    this.watch(['lines', 'divider', 'older'], () => this.#draw());
    this.watch(['rooms'], () => this.#seen());
  }

  #draw() {
    const { lines, older } = state;
    this.#older.hidden = older !== 'more' && older !== 'loading';
    this.#older.disabled = older === 'loading';
    this.#start.hidden = older !== 'end';
    const held = this.#atEnd ? null : this.#place();
    follow(this.#list, items(lines), (item) => item.key, this.#item);
    const still = held && lineOn(this.#list, held.key);
    if (this.#atEnd) this.#toEnd();
    else if (held && still) this.#scroll.scrollTop += still.offsetTop - held.top;
    this.#announcer.follow(lines);
    this.#seen();
  }

  /** The first message in view: it stays where it is, whatever comes above it. */
  #place() {
    const from = this.#scroll.scrollTop;
    const lines = /** @type {HTMLElement[]} */ ([...this.#list.querySelectorAll('li[data-id]')]);
    const first = lines.find((line) => line.offsetTop + line.offsetHeight > from);
    return first ? { key: first.dataset.key ?? '', top: first.offsetTop } : null;
  }

  /**
   * @param {Item} item
   * @param {HTMLElement | null} old
   */
  #item = (item, old) => {
    const was = old && this.#drawn.get(old);
    if (old && was && was.line === item.line && was.first === item.first) return old;
    const me = state.hello?.me?.username ?? '';
    const made = item.line ? drawLine(item.line, item.first, me, react) : el('li', { class: item.key === 'new' ? 'new' : 'day' }, el('span', null, item.text));
    this.#drawn.set(made, { line: item.line, first: item.first });
    if (old) this.#tools.move(old, made);
    return made;
  };

  async #loadOlder() {
    try {
      await loadOlder();
      // The observer tells of changes only: asked anew, it tells when the button is still in view.
      this.#above.unobserve(this.#older);
      this.#above.observe(this.#older);
    } catch (error) {
      this.#older.textContent = `${wordsOf(error)} Try again`;
    }
  }

  #onScroll() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroll;
    this.#atEnd = scrollHeight - scrollTop - clientHeight < NEAR_PX;
    this.#newest.classList.toggle('shown', !this.#atEnd);
    this.#seen();
  }

  #toEnd() {
    this.#scroll.scrollTop = this.#scroll.scrollHeight;
  }

  #seen() {
    if (state.older === 'unknown' || !this.#atEnd || document.hidden || !document.hasFocus()) return;
    trim();
    markRead();
  }
}

/**
 * @param {HTMLElement} list
 * @param {string} key
 */
const lineOn = (list, key) => /** @type {HTMLElement | null} */ (list.querySelector(`[data-key="${CSS.escape(key)}"]`));

/**
 * Messages with the days between them, and the line above the first that is new.
 * @param {Line[]} lines
 * @returns {Item[]}
 */
function items(lines) {
  /** @type {Item[]} */
  const all = [];
  /** @type {Line | null} */
  let before = null;
  for (const line of lines) {
    const newDay = !before || dayKey(before.at) !== dayKey(line.at);
    if (newDay) all.push({ key: `day ${dayKey(line.at)} ${line.id}`, line: null, first: false, text: dayName(line.at) });
    if (line.id === state.divider) all.push({ key: 'new', line: null, first: false, text: 'New' });
    const same = before && !before.kind && before.author.username === line.author.username && before.author.name === line.author.name;
    const first = newDay || !same || line.id === state.divider || line.at - /** @type {Line} */ (before).at > SAME_BREATH_MS || before?.notice !== null;
    all.push({ key: line.id, line, first, text: '' });
    before = line;
  }
  return all;
}

customElements.define('linnet-messages', Messages);
