// What every custom element of this page has: it watches the store while it is in the page, and no longer.

import { watch } from './store.js';

export class Part extends HTMLElement {
  /** @type {AbortController} */
  #life = new AbortController();
  #built = false;

  connectedCallback() {
    this.#life = new AbortController();
    if (!this.#built) {
      this.#built = true;
      this.build();
    }
    this.begin();
  }

  disconnectedCallback() {
    this.#life.abort();
  }

  /** Ends when the element leaves the page. */
  get life() {
    return this.#life.signal;
  }

  /** Makes the children, once. */
  build() {}

  /** Starts watching and listening, each time the element enters the page. */
  begin() {}

  /**
   * @param {import('./store.js').Key[]} keys
   * @param {() => void} tell
   */
  watch(keys, tell) {
    this.life.addEventListener('abort', watch(keys, tell));
  }

  /**
   * @param {EventTarget} target
   * @param {string} type
   * @param {(event: any) => void} listener
   */
  listen(target, type, listener) {
    target.addEventListener(type, listener, { signal: this.life });
  }
}
