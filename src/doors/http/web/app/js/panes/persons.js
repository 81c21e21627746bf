// People of the node or of a room, as choices for a list.

import { get } from '../api.js';
import { face } from '../el.js';
import { state } from '../store.js';

const PAGE = 100;

/** Everybody on this node but ourselves. @returns {Promise<any[]>} */
export async function everybody() {
  const { users } = await get('v1/users.list', { count: PAGE });
  return users.filter((/** @type {any} */ user) => user._id !== state.hello?.me?.id && user.active !== false);
}

/** The members of the open room. @returns {Promise<any[]>} */
export async function members() {
  const room = state.open;
  if (!room) return [];
  const { members } = await get(`v1/${{ c: 'channels', p: 'groups', d: 'im' }[room.kind]}.members`, { roomId: room.rid, count: PAGE });
  return members;
}

/**
 * @param {any} wire
 * @param {() => void | Promise<void>} pick
 * @param {string} [done]
 */
export function asChoice(wire, pick, done) {
  const name = String(wire.name || wire.username);
  return { text: name, small: `@${wire.username}`, picture: face(wire.username, name), pick, done };
}
