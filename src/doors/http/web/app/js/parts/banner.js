// Says that the connection is gone, and when it is back. A short break is not worth a word.

import { el } from '../el.js';
import { wire } from '../live.js';
import { Part } from '../part.js';
import { state } from '../store.js';

const GRACE_MS = 1_200;

class Banner extends Part {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #text = el('span', null);
  #again = el('button', { type: 'button', class: 'quiet', onclick: () => wire.now() }, 'Try now');

  build() {
    this.setAttribute('role', 'status');
    this.append(this.#text, this.#again);
    this.hidden = true;
  }

  begin() {
    this.watch(['link'], () => this.#draw());
  }

  #draw() {
    clearTimeout(this.#timer);
    if (state.link !== 'down') {
      this.hidden = true;
      this.#text.textContent = '';
      return;
    }
    this.#timer = setTimeout(() => {
      this.hidden = false;
      this.#text.textContent = 'Connection lost. Trying again…';
    }, GRACE_MS);
  }
}

customElements.define('linnet-banner', Banner);
