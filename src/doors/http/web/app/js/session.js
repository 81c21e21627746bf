// Who is here: hello, coming in by each way, going out.

import { get, post } from './api.js';
import { set, state } from './store.js';
import { meOf } from './wire.js';

/** Asks the node who it is and who we are. */
export async function hello() {
  const answer = await get('linnet/hello');
  set({
    hello: {
      name: String(answer.name || 'linnet'),
      version: String(answer.version ?? ''),
      ownerExists: Boolean(answer.ownerExists),
      guests: Boolean(answer.guests),
      secure: answer.secure !== false,
      me: answer.me ? meOf(answer.me) : null,
      addresses: answer.addresses ?? [],
    },
  });
  if (isAdmin()) await clock();
}

/** Asks whether the node knows the time; only who runs it can help. */
async function clock() {
  const { trust, machine } = await get('linnet/v1/clock');
  set({ clock: { doubted: Boolean(machine) && trust !== 'person', known: trust !== 'nobody' } });
}

/**
 * Comes in: `claim` and `join` with a code, `login`, `guest`.
 * @param {'claim' | 'join' | 'login' | 'guest'} way
 * @param {object} body
 */
export async function comeIn(way, body) {
  await post(`linnet/${way}`, body);
  await hello();
}

/** Ends the session here. */
export async function leave() {
  await post('linnet/logout');
  location.replace('/');
}

/** Whether we run this node. */
export function isAdmin() {
  const roles = state.hello?.me?.roles ?? [];
  return roles.includes('admin') || roles.includes('owner');
}

/**
 * The username of a typed name: what addresses and mentions can hold.
 * @param {string} name
 */
export function usernameOf(name) {
  return name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .trim()
    .replace(/\s+/g, '.')
    .replace(/[^0-9a-zA-Z._-]/g, '')
    .replace(/^\.+$/, '')
    .slice(0, 64);
}
