// A link for somebody who has no account yet.

import { post, wordsOf } from '../api.js';
import { copyable } from '../copy.js';
import { el } from '../el.js';
import { state } from '../store.js';

export function invite() {
  const room = state.open;
  const place = el('div', { role: 'status' });
  const button = el('button', { type: 'button', class: 'button strong' }, 'Make a link');
  button.addEventListener('click', async () => {
    button.disabled = true;
    try {
      const { link } = await post('linnet/invite', room ? { room: room.rid } : {});
      place.replaceChildren(copyable(String(link), 'Invite link'));
      place.querySelector('textarea')?.focus();
      button.textContent = 'Make another';
    } catch (error) {
      place.replaceChildren(el('p', { class: 'trouble' }, wordsOf(error)));
    } finally {
      button.disabled = false;
    }
  });
  const words = `Send the link to somebody. They choose a name and a password, and are in${room ? ` #${room.label}` : ''}.`;
  return { title: 'Invite by link', content: [el('p', null, words), place, button] };
}
