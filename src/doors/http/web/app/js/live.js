// Ties the live connection to the store: what is listened to, and what is asked again after it was lost.

import { Refused } from './api.js';
import { post } from './api.js';
import { Wire } from './ddp.js';
import { flush, waitingFor } from './outbox.js';
import { findRoom, firstRoom, loadRooms, onRoom, onSubscription, patchRoom } from './rooms.js';
import { address, go, keyOf } from './route.js';
import { hello } from './session.js';
import { set, state } from './store.js';
import { catchUp, onGone, onLine, showRoom } from './talk.js';
import { onTyping } from './typing.js';
import { lineOf } from './wire.js';

export const wire = new Wire();
/** @type {import('./ddp.js').Sub[]} */
let roomSubs = [];
let started = '';

/** Starts listening for the person who is logged in; again for the same one does nothing. */
export async function start() {
  const me = state.hello?.me;
  if (!me || started === me.id) return;
  started = me.id;
  wire.listen('stream-notify-user', `${me.id}/subscriptions-changed`, onSubscription);
  wire.listen('stream-notify-user', `${me.id}/rooms-changed`, onRoom);
  wire.addEventListener('up', () => void onUp());
  wire.addEventListener('down', () => set({ link: 'down', typing: [] }));
  wire.start();
}

let ups = 0;

async function onUp() {
  ups += 1;
  set({ link: 'up' });
  try {
    if (ups > 1) await hello();
    await loadRooms();
    if (state.open) await refresh();
    else await followRoute();
  } catch (error) {
    if (error instanceof Refused && error.passing) setTimeout(() => wire.up && void onUp(), 2_000);
  }
  void flush();
}

/** Opens the room the address names. */
export async function followRoute() {
  const { room: key, code } = state.route;
  if (!state.roomsKnown || code) return;
  if (!key) return atHome();
  if (state.open && keyOf(state.open) === key) return;
  const room = await findRoom(key);
  if (state.route.room !== key) return;
  if (room) await open(room);
  else {
    stopRoom();
    showRoom(null);
    set({ lost: key });
  }
}

function atHome() {
  const first = firstRoom();
  if (first && matchMedia('(min-width: 48rem)').matches) return go(address(keyOf(first), state.route.pane), true);
  stopRoom();
  showRoom(null);
}

function stopRoom() {
  for (const sub of roomSubs) wire.unlisten(sub);
  roomSubs = [];
}

/** @param {import('./types.js').Room} room */
async function open(room) {
  stopRoom();
  showRoom(room);
  for (const line of waitingFor(room.rid)) onLine(line);
  roomSubs = [
    wire.listen('stream-room-messages', room.rid, ([message]) => onLine(lineOf(message))),
    wire.listen('stream-notify-room', `${room.rid}/deleteMessage`, ([{ _id }]) => onGone(_id)),
    wire.listen('stream-notify-room', `${room.rid}/user-activity`, onTyping),
  ];
  await refresh();
}

/** Listens first, then asks: what is said in between comes by both ways and is shown once. */
async function refresh() {
  await Promise.all(roomSubs.map((sub) => sub.ready));
  await catchUp();
}

/** Tells the node that everything here was seen. */
export function markRead() {
  const room = state.open;
  if (!room?.joined || !room.unread) return;
  patchRoom(room.rid, { unread: 0, mentions: 0 });
  post('v1/subscriptions.read', { rid: room.rid }).catch(() => {});
}
