// Reads new messages of others out to those who listen to the page.

import { el } from '../el.js';
import { state } from '../store.js';
import { told } from '../told.js';

/** @typedef {import('../types.js').Line} Line */

const KEPT = 4;
const TEXT_CHARS = 300;

export class Announcer {
  region = el('div', { class: 'hidden', 'aria-live': 'polite', 'aria-relevant': 'additions', 'aria-label': 'New messages' });
  /** @type {Set<string> | null} */
  #known = null;
  #newestAt = 0;

  /**
   * Tells what came in since the last call; what is there at first is not news.
   * @param {Line[]} lines
   */
  follow(lines) {
    const known = this.#known;
    this.#known = lines.length || known ? new Set(lines.map((line) => line.id)) : null;
    const since = this.#newestAt;
    this.#newestAt = lines.reduce((newest, line) => Math.max(newest, line.at), since);
    if (!known) return;
    const me = state.hello?.me?.username;
    for (const line of lines) {
      if (known.has(line.id) || line.at < since || line.author.username === me) continue;
      const title = line.notice?.title ? `${line.notice.title}. ` : '';
      const text = line.kind ? ` ${told(line)}` : `: ${title}${line.text}`;
      this.region.append(el('p', null, `${line.author.name}${text}`.slice(0, TEXT_CHARS)));
    }
    while (this.region.childElementCount > KEPT) this.region.firstElementChild?.remove();
  }
}
