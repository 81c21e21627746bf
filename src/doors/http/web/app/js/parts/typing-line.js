// Who is typing, in one quiet line.

import { Part } from '../part.js';
import { state } from '../store.js';

class TypingLine extends Part {
  begin() {
    this.watch(['typing'], () => {
      const { typing } = state;
      const who = typing.length > 2 ? 'Several people are' : typing.length === 2 ? `${typing.join(' and ')} are` : `${typing[0]} is`;
      this.textContent = typing.length ? `${who} typing…` : '';
    });
  }
}

customElements.define('linnet-typing', TypingLine);
