// Leaving the open room.

import { family, post, wordsOf } from '../api.js';
import { el } from '../el.js';
import { closePane, go } from '../route.js';
import { loadRooms } from '../rooms.js';
import { state } from '../store.js';

export function leaveRoom() {
  const room = /** @type {import('../types.js').Room} */ (state.open);
  const trouble = el('p', { class: 'trouble', role: 'alert' });
  const leave = async () => {
    try {
      await post(`v1/${family(room.kind)}.leave`, { roomId: room.rid });
      go('#/', true);
      await loadRooms();
    } catch (error) {
      trouble.textContent = wordsOf(error);
    }
  };
  const words = room.kind === 'p' ? 'It is private: somebody in it has to bring you back.' : 'It is public: you can join again at any time.';
  return {
    title: `Leave #${room.label}?`,
    content: [
      el('p', null, words),
      trouble,
      el(
        'p',
        { class: 'actions' },
        el('button', { type: 'button', class: 'button strong', onclick: leave }, 'Leave'),
        el('button', { type: 'button', class: 'button', onclick: closePane }, 'Stay'),
      ),
    ],
  };
}
