// The rooms we are in, and which of them is open.

import { get } from './api.js';
import { address, go, keyOf } from './route.js';
import { set, state } from './store.js';
import { joinedRoom, roomOf } from './wire.js';

/** @typedef {import('./types.js').Room} Room */

/** Asks for all our rooms anew. */
export async function loadRooms() {
  const [subscriptions, rooms] = await Promise.all([get('v1/subscriptions.get'), get('v1/rooms.get')]);
  /** @type {Map<string, Room>} */
  const known = new Map();
  for (const wire of subscriptions.update ?? []) known.set(wire.rid, joinedRoom(wire, state.rooms.get(wire.rid)));
  for (const wire of rooms.update ?? []) {
    const old = known.get(wire._id);
    if (old) known.set(wire._id, roomOf(wire, old));
  }
  set({ rooms: known, roomsKnown: true });
  refreshOpen();
}

/**
 * What the stream of subscriptions says.
 * @param {any[]} args
 */
export function onSubscription([what, wire]) {
  const rooms = new Map(state.rooms);
  if (what === 'removed') rooms.delete(wire.rid);
  else rooms.set(wire.rid, joinedRoom(wire, rooms.get(wire.rid)));
  set({ rooms });
  refreshOpen();
}

/**
 * What the stream of rooms says.
 * @param {any[]} args
 */
export function onRoom([what, wire]) {
  const old = state.rooms.get(wire._id);
  if (what === 'removed') {
    if (!old) return;
    const rooms = new Map(state.rooms);
    rooms.delete(wire._id);
    set({ rooms });
  } else if (old) {
    set({ rooms: new Map(state.rooms).set(wire._id, roomOf(wire, old)) });
  }
  refreshOpen();
}

/**
 * Changes what we know of a room we are in.
 * @param {string} rid
 * @param {Partial<Room>} patch
 */
export function patchRoom(rid, patch) {
  const room = state.rooms.get(rid);
  if (!room) return;
  set({ rooms: new Map(state.rooms).set(rid, { ...room, ...patch }) });
  refreshOpen();
}

/** The open room follows what the list knows of it. */
function refreshOpen() {
  const open = state.open;
  if (!open) return;
  const known = state.rooms.get(open.rid);
  if (known && known !== open) {
    set({ open: known });
    // A renamed room keeps its place in the address bar.
    if (known.name !== open.name && state.route.room === keyOf(open)) go(address(keyOf(known), state.route.pane), true);
  } else if (!known && open.joined) {
    set({ open: { ...open, joined: false } });
  }
}

/**
 * The room an address means: one of ours, or a public one to look at; null when there is none for us.
 * @param {string} key
 * @returns {Promise<Room | null>}
 */
export async function findRoom(key) {
  for (const room of state.rooms.values()) if (keyOf(room) === key) return room;
  if (key.startsWith('@')) return null;
  try {
    const { room } = await get('v1/rooms.info', { roomName: key });
    return roomOf(room, state.rooms.get(room._id));
  } catch {
    return null;
  }
}

/** The rooms in the order they are listed: places by name, then people by the last word. */
export function listed() {
  const all = [...state.rooms.values()];
  const places = all.filter((room) => room.kind !== 'd').sort((a, b) => a.label.localeCompare(b.label));
  const people = all.filter((room) => room.kind === 'd').sort((a, b) => b.last - a.last);
  return { places, people };
}

/** Where one lands without having said where to. */
export function firstRoom() {
  const { places, people } = listed();
  return places.find((room) => room.rid === 'GENERAL') ?? places[0] ?? people[0] ?? null;
}
