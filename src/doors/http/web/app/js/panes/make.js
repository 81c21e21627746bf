// A new room.

import { post } from '../api.js';
import { form } from '../form.js';
import { address, go } from '../route.js';
import { loadRooms } from '../rooms.js';
import { usernameOf } from '../session.js';

const CHOICES = [
  { value: 'channels', label: 'Public', hint: 'Everybody on this node finds it and may come in.' },
  { value: 'groups', label: 'Private', hint: 'Only those who are brought in see it.' },
];

/** @param {string} name */
const roomName = (name) => usernameOf(name).toLowerCase().replaceAll(/\.+/g, '-').replace(/^-|-$/g, '');

export function make() {
  const send = async (/** @type {Record<string, string>} */ values) => {
    const name = roomName(values.name);
    if (!name) throw new Error('Use letters a to z, digits, dash and underline for the name.');
    await post(`v1/${values.kind}.create`, { name });
    await loadRooms();
    go(address(name), true);
  };
  /** @type {import('../form.js').Field[]} */
  const fields = [
    { name: 'name', label: 'Name', max: 64, plain: true, hint: 'Short, like garden or night-shift.', preview: (name) => (roomName(name) ? `#${roomName(name)}` : '') },
    { name: 'kind', label: 'Who can see it', type: 'choice', value: 'channels', choices: CHOICES },
  ];
  return { title: 'New room', content: [form({ fields, button: 'Make the room', send, label: 'New room' })] };
}
