// The open room: its messages, kept right while connections come and go.

import { family, get } from './api.js';
import { trimmed, tied, withLine, withNewest, withOlder, withoutLine } from './lines.js';
import { set, state } from './store.js';
import { lineOf } from './wire.js';

/** @typedef {import('./types.js').Room} Room */
/** @typedef {import('./types.js').Line} Line */

const PAGE = 50;

/** Ids that came in or went while a page was on its way. */
const live = new Set();
const gone = new Set();

/**
 * Shows a room from scratch.
 * @param {Room | null} room
 */
export function showRoom(room) {
  live.clear();
  gone.clear();
  set({ open: room, lines: [], older: 'unknown', divider: '', typing: [], editing: null, lost: '' });
}

/** Brings the newest messages and fits them to what is there. Called when a room opens and after each reconnect. */
export async function catchUp() {
  const room = state.open;
  if (!room) return;
  live.clear();
  gone.clear();
  const page = await history(room, {});
  if (state.open?.rid !== room.rid) return;
  const had = state.lines.length > 0;
  const lines = withNewest(state.lines, page.filter((line) => !gone.has(line.id)), live);
  const cut = had && state.lines[0].id !== lines[0]?.id;
  set({
    lines,
    older: had && !cut && state.older !== 'unknown' ? state.older : page.length < PAGE ? 'end' : 'more',
    divider: had ? state.divider : firstUnseen(lines, room),
  });
}

/**
 * @param {Line[]} lines
 * @param {Room} room
 */
function firstUnseen(lines, room) {
  if (!room.joined || !room.unread || !room.seen) return '';
  const first = lines.find((line) => line.at > room.seen && line.author.id !== state.hello?.me?.id);
  return first && first !== lines[0] ? first.id : '';
}

/** Brings one more page of older messages. */
export async function loadOlder() {
  const room = state.open;
  const oldest = state.lines.find((line) => line.state === '');
  if (!room || !oldest || state.older !== 'more') return;
  set({ older: 'loading' });
  try {
    // Many messages can share one time (a clock that was set back): skip those we have, by count.
    const page = await history(room, { latest: new Date(oldest.at).toISOString(), inclusive: true, offset: tied(state.lines) });
    if (state.open?.rid !== room.rid) return;
    set({ lines: withOlder(state.lines, page), older: page.length < PAGE ? 'end' : 'more' });
  } catch (error) {
    if (state.open?.rid === room.rid) set({ older: 'more' });
    throw error;
  }
}

/**
 * A page of history, oldest first.
 * @param {Room} room
 * @param {Record<string, string | number | boolean>} range
 */
async function history(room, range) {
  const { messages } = await get(`v1/${family(room.kind)}.history`, { roomId: room.rid, count: PAGE, ...range });
  return /** @type {any[]} */ (messages).map(lineOf).reverse();
}

/**
 * A message came in, or one of ours was changed.
 * @param {Line} line
 */
export function onLine(line) {
  if (line.rid !== state.open?.rid || gone.has(line.id)) return;
  if (line.kind === 'rm') return onGone(line.id);
  live.add(line.id);
  set({ lines: withLine(state.lines, line) });
}

/** @param {string} id */
export function onGone(id) {
  gone.add(id);
  live.delete(id);
  set({ lines: withoutLine(state.lines, id) });
}

/** Lets old messages go while the reader is at the newest. */
export function trim() {
  const lines = trimmed(state.lines);
  if (lines !== state.lines) set({ lines, older: 'more' });
}
