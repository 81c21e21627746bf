// What can be done with a message: one small bar that goes where the pointer or the focus is, and the arrow keys that
// walk from message to message.

import { wordsOf } from '../api.js';
import { react, remove } from '../deeds.js';
import { el } from '../el.js';
import { QUICK, shownEmoji } from '../emoji.js';
import { icon } from '../icons.js';
import { isAdmin } from '../session.js';
import { set, state } from '../store.js';

/** @typedef {import('../types.js').Line} Line */

export class Tools {
  #list;
  #bar = el('div', { class: 'tools', role: 'toolbar', 'aria-label': 'This message' });
  /** @type {HTMLElement | null} */
  #on = null;

  /** @param {HTMLElement} list */
  constructor(list) {
    this.#list = list;
  }

  /** @param {AbortSignal} signal */
  begin(signal) {
    this.#list.addEventListener('pointerover', (event) => event.pointerType === 'mouse' && !this.#held() && this.#to(event.target), { signal });
    this.#list.addEventListener('focusin', (event) => this.#to(event.target), { signal });
    this.#list.addEventListener('keydown', (event) => this.#onKey(event), { signal });
    this.#list.parentElement?.addEventListener('keydown', (event) => this.#enter(event), { signal });
  }

  /** A message is drawn anew: the bar and the focus go along. @param {HTMLElement} old @param {HTMLElement} made */
  move(old, made) {
    if (this.#on !== old) return;
    const focused = old.contains(document.activeElement);
    this.#on = made;
    made.append(this.#bar);
    if (focused) queueMicrotask(() => made.focus());
  }

  /** Puts other tools in the bar. The bar shows only while its message has the focus, so that goes there first. @param {...Node} tools */
  #show(...tools) {
    if (this.#held()) this.#on?.focus();
    this.#bar.replaceChildren(...tools);
  }

  #held() {
    return this.#bar.contains(document.activeElement);
  }

  /** @param {EventTarget | null} target */
  #to(target) {
    const item = /** @type {HTMLElement | null} */ (target instanceof Element ? target.closest('li.line') : null);
    if (!item || item === this.#on) return;
    const line = lineAt(item);
    if (!line || line.state) return;
    this.#on = item;
    this.#start(line);
    item.append(this.#bar);
  }

  /** @param {Line} line */
  #start(line) {
    const mine = line.author.id === state.hello?.me?.id;
    const keeper = isAdmin() || state.open?.roles.some((role) => role === 'owner' || role === 'moderator');
    this.#show(
      button('React', 'smile', () => this.#choose(line)),
      ...(mine ? [button('Edit', 'edit', () => set({ editing: line }))] : []),
      ...(mine || keeper ? [button('Delete', 'bin', () => this.#confirm(line))] : []),
    );
  }

  /** @param {Line} line */
  #choose(line) {
    const pick = (/** @type {string} */ emoji) => () => {
      void react(line, emoji);
      this.#start(line);
    };
    this.#show(
      ...QUICK.map((emoji) => el('button', { type: 'button', 'aria-label': emoji.replaceAll('_', ' '), onclick: pick(emoji) }, shownEmoji(emoji))),
    );
    /** @type {HTMLElement} */ (this.#bar.firstElementChild).focus();
  }

  /** @param {Line} line */
  #confirm(line) {
    const keep = el('button', { type: 'button', onclick: () => this.#start(line) }, 'Keep');
    const remove = el('button', { type: 'button', class: 'danger', onclick: () => this.#remove(line) }, 'Delete');
    this.#show(el('span', { role: 'status' }, 'Delete for everybody?'), remove, keep);
    keep.focus();
  }

  /** @param {Line} line */
  async #remove(line) {
    try {
      await remove(line);
      this.#list.parentElement?.focus();
    } catch (error) {
      this.#show(el('span', { role: 'alert' }, wordsOf(error)));
    }
  }

  /** Up and down walk; Escape leaves. @param {KeyboardEvent} event */
  #onKey(event) {
    const item = /** @type {HTMLElement} */ (event.target).closest('li');
    if (event.key === 'Escape' && item) {
      event.preventDefault();
      const line = lineAt(item);
      if (line && item !== event.target) return this.#start(line), item.focus();
      return document.querySelector('textarea')?.focus();
    }
    if (!item || event.target !== item || (event.key !== 'ArrowUp' && event.key !== 'ArrowDown')) return;
    event.preventDefault();
    event.stopPropagation();
    const items = this.#items();
    const next = items[items.indexOf(item) + (event.key === 'ArrowDown' ? 1 : -1)];
    if (next) next.focus();
    else if (event.key === 'ArrowDown') document.querySelector('textarea')?.focus();
  }

  /** From the region into the last message. @param {KeyboardEvent} event */
  #enter(event) {
    if (event.target !== this.#list.parentElement || event.key !== 'ArrowUp') return;
    event.preventDefault();
    this.#items().at(-1)?.focus();
  }

  #items() {
    return /** @type {HTMLElement[]} */ ([...this.#list.querySelectorAll('li[data-id]')]);
  }
}

/** @param {HTMLElement} item */
const lineAt = (item) => state.lines.find((line) => line.id === item.dataset.id);

/**
 * @param {string} label
 * @param {Parameters<typeof icon>[0]} sign
 * @param {() => void} act
 */
const button = (label, sign, act) => el('button', { type: 'button', 'aria-label': label, title: label, onclick: act }, icon(sign));
