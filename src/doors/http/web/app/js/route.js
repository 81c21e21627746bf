// The address says where one is: #/general, #/@bob, #/general/people, #own-CODE, #inv-CODE.

import { set, state } from './store.js';

/** @typedef {import('./types.js').Route} Route */

/**
 * @param {string} hash
 * @returns {Route}
 */
export function parse(hash) {
  const code = /^#(own|inv)-(.+)$/.exec(hash);
  if (code) return { room: '', pane: '', code: { kind: code[1] === 'own' ? 'own' : 'inv', text: code[2] } };
  const [room = '', pane = ''] = hash.replace(/^#\/?/, '').split('/').map(decoded);
  return { room, pane, code: null };
}

/** @param {string} part */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/**
 * The address of a room, and of a pane over it.
 * @param {string} room
 * @param {string} [pane]
 */
export function address(room, pane) {
  const name = encodeURIComponent(room).replaceAll('%40', '@').replaceAll('%2C', ',');
  return pane ? `#/${name}/${encodeURIComponent(pane)}` : `#/${name}`;
}

/**
 * What stands for a room in an address.
 * @param {import('./types.js').Room} room
 */
export function keyOf(room) {
  return room.kind === 'd' ? `@${room.name}` : room.name;
}

/**
 * Goes to an address; `replace` leaves no step behind for the back button.
 * @param {string} hash
 * @param {boolean} [replace]
 */
export function go(hash, replace) {
  if (replace) {
    history.replaceState(null, '', hash);
    read();
  } else if (location.hash !== hash) {
    location.hash = hash;
  }
}

/** Closes the pane that is open, staying in the room. */
export function closePane() {
  if (state.route.pane) go(address(state.route.room), true);
}

function read() {
  set({ route: parse(location.hash) });
}

/** Follows the address bar from now on. */
export function start() {
  addEventListener('hashchange', read);
  read();
}
