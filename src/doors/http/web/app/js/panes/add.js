// Bringing somebody who has an account into the open room.

import { family, post } from '../api.js';
import { state } from '../store.js';
import { asChoice, everybody, members } from './persons.js';
import { picker } from './picker.js';

export function add() {
  const room = /** @type {import('../types.js').Room} */ (state.open);
  const load = async () => {
    const [all, here] = await Promise.all([everybody(), members()]);
    const inside = new Set(here.map((user) => user._id));
    return all.map((user) => {
      const choice = asChoice(user, async () => {
        await post(`v1/${family(room.kind)}.invite`, { roomId: room.rid, userId: user._id, username: user.username });
        choice.done = 'brought in';
      }, inside.has(user._id) ? 'is here' : '');
      return choice;
    });
  };
  return { title: `Add to #${room.label}`, content: picker({ load, search: 'Find a person', none: 'Nobody on this node has such a name. Invite them by link.' }) };
}
