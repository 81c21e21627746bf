// Asks whoever runs the node for the time, where the machine under it does not know.

import { post, wordsOf } from '../api.js';
import { el } from '../el.js';
import { Part } from '../part.js';
import { set, state } from '../store.js';
import { exactTime } from '../when.js';

class Clock extends Part {
  #text = el('span', null);
  #set = el('button', { type: 'button', class: 'quiet', onclick: () => void this.#onSet() }, '');

  build() {
    this.setAttribute('role', 'status');
    this.append(this.#text, this.#set);
    this.hidden = true;
  }

  begin() {
    this.watch(['clock'], () => this.#draw());
  }

  #draw() {
    const clock = state.clock;
    this.hidden = !clock?.doubted;
    if (this.hidden) return;
    this.#text.textContent = clock?.known
      ? 'The clock of this machine leapt. This node does not believe it.'
      : 'This node does not know the time.';
    this.#set.textContent = `Set it to ${exactTime(Date.now())}`;
  }

  /** What was said before is shown with other times then: the node ends the connection, and the page asks anew. */
  async #onSet() {
    try {
      const { trust } = await post('linnet/v1/clock', { time: new Date().toISOString() });
      set({ clock: { doubted: false, known: trust !== 'nobody' } });
    } catch (error) {
      this.#text.textContent = wordsOf(error);
    }
  }
}

customElements.define('linnet-clock', Clock);
