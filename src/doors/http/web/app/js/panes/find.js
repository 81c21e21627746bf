// The public rooms of this node, to look at or to join.

import { get } from '../api.js';
import { el } from '../el.js';
import { icon } from '../icons.js';
import { address, go } from '../route.js';
import { state } from '../store.js';
import { picker } from './picker.js';

export function find() {
  const load = async () => {
    const { channels } = await get('v1/channels.list', { count: 100, sort: '{"name":1}' });
    return /** @type {any[]} */ (channels).map((wire) => ({
      text: String(wire.name),
      small: String(wire.topic || wire.description || (state.rooms.has(wire._id) ? 'You are in it' : '')),
      picture: el('span', { class: 'sign' }, icon('hash')),
      pick: () => go(address(wire.name), true),
    }));
  };
  return { title: 'Public rooms', content: picker({ load, search: 'Find a room', none: 'No public room has such a name.' }) };
}
