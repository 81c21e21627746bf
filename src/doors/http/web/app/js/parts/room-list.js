// The rooms we are in, with what is new in them, and the ways to more.

import { el, face, follow } from '../el.js';
import { icon } from '../icons.js';
import { Part } from '../part.js';
import { address, keyOf } from '../route.js';
import { listed } from '../rooms.js';
import { isAdmin } from '../session.js';
import { state } from '../store.js';

/** @typedef {import('../types.js').Room} Room */

class RoomList extends Part {
  #places = el('ul', { class: 'rooms' });
  #people = el('ul', { class: 'rooms' });
  #title = el('h1', null);
  #who = el('span', { class: 'who' });
  #note = el('p', { class: 'note' }, 'Others on this network can read along: this page came over plain http.');
  #links = el('p', { class: 'links' });
  /** @type {WeakMap<HTMLElement, string>} */
  #drawn = new WeakMap();

  build() {
    this.append(
      el('header', { class: 'head' }, el('img', { src: '/app/icon.svg', alt: '', width: '28', height: '28' }), this.#title),
      el(
        'nav',
        { 'aria-label': 'Rooms' },
        this.#heading('Rooms', 'new', 'plus', 'New room'),
        this.#places,
        el('p', { class: 'links' }, this.#pane('find', 'Find a room')),
        this.#heading('People', 'write', 'plus', 'Write to somebody'),
        this.#people,
      ),
      el('footer', null, this.#note, el('p', { class: 'me' }, this.#who), this.#links),
    );
  }

  begin() {
    this.watch(['rooms', 'route'], () => this.#draw());
    this.watch(['hello', 'route'], () => this.#drawMe());
  }

  /**
   * @param {string} text
   * @param {string} pane
   * @param {'plus'} sign
   * @param {string} label
   */
  #heading(text, pane, sign, label) {
    const link = this.#pane(pane, icon(sign));
    link.setAttribute('aria-label', label);
    link.title = label;
    link.className = 'round';
    return el('div', { class: 'heading' }, el('h2', null, text), link);
  }

  /**
   * A link to a pane over the room where one is.
   * @param {string} pane
   * @param {Node | string} content
   */
  #pane(pane, content) {
    return el('a', { href: address(state.route.room, pane), 'data-pane': pane }, content);
  }

  #draw() {
    const { places, people } = listed();
    follow(this.#places, places, (room) => room.rid, this.#row);
    follow(this.#people, people, (room) => room.rid, this.#row);
    this.#people.hidden = people.length === 0;
    for (const link of this.querySelectorAll('a[data-pane]')) {
      const { pane } = /** @type {HTMLElement} */ (link).dataset;
      link.setAttribute('href', address(state.route.room, pane));
    }
  }

  #drawMe() {
    const { hello } = state;
    if (!hello?.me) return;
    this.#title.textContent = hello.name;
    this.#who.replaceChildren(face(hello.me.username, hello.me.name), el('b', null, hello.me.name), el('small', null, `@${hello.me.username}`));
    this.#note.hidden = hello.secure;
    this.#links.replaceChildren(
      ...(isAdmin() ? [this.#pane('settings', 'Settings')] : []),
      this.#pane('devices', 'Devices'),
      this.#pane('out', 'Log out'),
    );
  }

  /**
   * @param {Room} room
   * @param {HTMLElement | null} old
   */
  #row = (room, old) => {
    const here = state.route.room === keyOf(room);
    const now = [room.label, room.kind, room.unread, room.mentions, here].join('\n');
    const row = old ?? el('li', null, el('a', null));
    if (this.#drawn.get(row) === now) return row;
    this.#drawn.set(row, now);
    const link = /** @type {HTMLAnchorElement} */ (row.firstElementChild);
    link.href = address(keyOf(room));
    link.className = room.unread ? 'room unread' : 'room';
    if (here) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
    const sign = room.kind === 'd' ? face(room.name, room.label) : el('span', { class: 'sign', 'aria-hidden': 'true' }, icon(room.kind === 'p' ? 'lock' : 'hash'));
    const count = room.unread > 99 ? '99+' : String(room.unread);
    const badge = el('span', { class: room.mentions ? 'badge called' : 'badge' }, count, el('span', { class: 'hidden' }, ' unread'));
    link.replaceChildren(sign, el('span', { class: 'name' }, room.label), ...(room.unread ? [badge] : []));
    return row;
  };
}

customElements.define('linnet-rooms', RoomList);
