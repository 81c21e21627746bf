// The page of somebody who is in: the list of rooms and the open room, side by side or one at a time.

import './room-list.js';
import './room-head.js';
import './messages.js';
import './composer.js';
import './pane.js';
import { el } from '../el.js';
import { Part } from '../part.js';
import { keyOf } from '../route.js';
import { state } from '../store.js';

class Chat extends Part {
  #talk = el('main', { class: 'talk', id: 'talk' });
  /** The key of what the talk side shows now. */
  #shown = '-';

  build() {
    this.append(
      el('a', { class: 'skip', href: '#talk', onclick: this.#skip }, 'Skip to the message field'),
      el('div', { class: 'banners' }, document.createElement('linnet-banner'), document.createElement('linnet-clock')),
      document.createElement('linnet-rooms'),
      this.#talk,
      document.createElement('linnet-pane'),
    );
  }

  begin() {
    this.watch(['route', 'open', 'lost', 'roomsKnown'], () => this.#draw());
  }

  /** @param {Event} event */
  #skip = (event) => {
    event.preventDefault();
    /** @type {HTMLElement | null} */ (this.querySelector('textarea, .talk a, .talk button'))?.focus();
  };

  #draw() {
    const { open, lost, route } = state;
    this.classList.toggle('in-room', Boolean(route.room));
    const key = open ? `room ${open.rid}` : lost ? `lost ${lost}` : '';
    if (key === this.#shown) return;
    this.#shown = key;
    if (open) this.#talk.replaceChildren(...['room-head', 'messages', 'composer'].map((name) => document.createElement(`linnet-${name}`)));
    else this.#talk.replaceChildren(lost ? this.#lost(lost) : el('p', { class: 'empty' }, state.roomsKnown ? 'Choose a room.' : ''));
    this.#talk.setAttribute('aria-label', open ? keyOf(open) : 'Room');
  }

  /** @param {string} name */
  #lost(name) {
    return el(
      'div',
      { class: 'empty' },
      el('p', null, `There is no room “${name}” that you can see. It may be private: ask somebody in it for an invite.`),
      el('a', { class: 'button', href: '#/' }, 'To the rooms'),
    );
  }
}

customElements.define('linnet-chat', Chat);
