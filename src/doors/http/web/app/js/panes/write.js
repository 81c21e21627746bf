// Writing to one person: opens the room of two.

import { post } from '../api.js';
import { address, go } from '../route.js';
import { loadRooms } from '../rooms.js';
import { asChoice, everybody } from './persons.js';
import { picker } from './picker.js';

/** @param {any} user */
export async function writeTo(user) {
  await post('v1/im.create', { username: user.username });
  await loadRooms();
  go(address(`@${user.username}`), true);
}

export function write() {
  const load = async () => (await everybody()).map((user) => asChoice(user, () => writeTo(user)));
  return { title: 'Write to somebody', content: picker({ load, search: 'Find a person', none: 'Nobody here has such a name.' }) };
}
