// The dialog over the room: which one is open stands in the address, so the back button closes it.

import { el } from '../el.js';
import { icon } from '../icons.js';
import { add } from '../panes/add.js';
import { devices } from '../panes/devices.js';
import { find } from '../panes/find.js';
import { invite } from '../panes/invite.js';
import { leaveRoom } from '../panes/leave.js';
import { make } from '../panes/make.js';
import { out } from '../panes/out.js';
import { people } from '../panes/people.js';
import { settings } from '../panes/settings.js';
import { write } from '../panes/write.js';
import { Part } from '../part.js';
import { closePane } from '../route.js';
import { state } from '../store.js';

/** A pane answers its title and what is in it. @typedef {() => {title: string, content: Node[]}} Pane */

/** @type {Record<string, Pane>} */
const PANES = { add, devices, find, invite, leave: leaveRoom, new: make, out, people, settings, write };
/** Panes that speak of the open room wait until it is known. */
const OF_A_ROOM = ['add', 'invite', 'leave', 'people'];

class PaneHost extends Part {
  #title = el('h2', { id: 'pane-title' });
  #content = el('div', { class: 'content' });
  #close = el('button', { type: 'button', class: 'round', 'aria-label': 'Close' }, icon('close'));
  #dialog = el('dialog', { 'aria-labelledby': 'pane-title' }, el('header', null, this.#title, this.#close), this.#content);
  #shown = '';

  build() {
    this.append(this.#dialog);
  }

  begin() {
    this.listen(this.#close, 'click', () => this.#dialog.close());
    this.listen(this.#dialog, 'close', () => closePane());
    this.listen(this.#dialog, 'pointerdown', (event) => event.target === this.#dialog && this.#dialog.close());
    this.watch(['route', 'open', 'roomsKnown'], () => this.#draw());
  }

  #draw() {
    const name = Object.hasOwn(PANES, state.route.pane) ? state.route.pane : '';
    const ready = state.roomsKnown && (!OF_A_ROOM.includes(name) || state.open);
    const now = ready ? name : '';
    if (now === this.#shown) return;
    this.#shown = now;
    if (!now) {
      if (this.#dialog.open) this.#dialog.close();
      return;
    }
    const { title, content } = PANES[now]();
    this.#title.textContent = title;
    this.#content.replaceChildren(...content);
    if (!this.#dialog.open) this.#dialog.showModal();
    /** @type {HTMLElement | null} */ (this.#content.querySelector('input, a, button, textarea'))?.focus();
  }
}

customElements.define('linnet-pane', PaneHost);
