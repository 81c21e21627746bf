// What stands above the messages: where one is, and what can be done with the room.

import { el } from '../el.js';
import { icon } from '../icons.js';
import { Part } from '../part.js';
import { address } from '../route.js';
import { isAdmin } from '../session.js';
import { state } from '../store.js';

class RoomHead extends Part {
  #back = el('a', { class: 'round back', href: '#/', 'aria-label': 'All rooms' }, icon('back'));
  #name = el('h2', null);
  #topic = el('p', { class: 'topic' });
  #menu = el('div', { class: 'menu', id: 'room-menu', popover: 'auto', 'aria-label': 'This room' });

  build() {
    const more = el('button', { type: 'button', class: 'round', popovertarget: 'room-menu', 'aria-label': 'This room', 'aria-haspopup': 'true' }, icon('more'));
    this.append(this.#back, el('div', { class: 'title' }, this.#name, this.#topic), more, this.#menu);
    this.#menu.addEventListener('click', () => this.#menu.hidePopover());
  }

  begin() {
    this.watch(['open', 'rooms'], () => this.#draw());
    this.listen(this.#menu, 'toggle', (/** @type {ToggleEvent} */ event) => {
      if (event.newState === 'open') /** @type {HTMLElement | null} */ (this.#menu.querySelector('a'))?.focus();
    });
    this.listen(this.#menu, 'keydown', this.#onKey);
  }

  #draw() {
    const room = state.open;
    if (!room) return;
    const sign = room.kind === 'd' ? '' : icon(room.kind === 'p' ? 'lock' : 'hash');
    this.#name.replaceChildren(sign, room.label);
    this.#topic.textContent = room.topic;
    this.#topic.hidden = !room.topic;
    const elsewhere = [...state.rooms.values()].reduce((sum, other) => sum + (other.rid === room.rid ? 0 : other.unread), 0);
    this.#back.dataset.count = elsewhere ? String(Math.min(elsewhere, 99)) : '';
    const key = state.route.room;
    const keeper = isAdmin() || room.roles.includes('owner') || room.roles.includes('moderator');
    /** @type {[string, string, boolean][]} */
    const ways = [
      ['people', 'People', true],
      ['add', 'Add somebody', room.kind !== 'd' && room.joined],
      ['invite', 'Invite by link', room.kind !== 'd' && keeper],
      ['devices', 'Post from a device', room.kind !== 'd'],
      ['leave', 'Leave the room', room.kind !== 'd' && room.joined],
    ];
    this.#menu.replaceChildren(...ways.filter(([, , fits]) => fits).map(([pane, text]) => el('a', { href: address(key, pane) }, text)));
  }

  /** @param {KeyboardEvent} event */
  #onKey = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const links = [...this.#menu.querySelectorAll('a')];
    const at = links.indexOf(/** @type {HTMLAnchorElement} */ (document.activeElement));
    links[(at + step + links.length) % links.length].focus();
  };
}

customElements.define('linnet-room-head', RoomHead);
