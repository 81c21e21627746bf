// Who is typing in the open room, and telling the others that we are.

import { wire } from './live.js';
import { set, state } from './store.js';

const SHOWN_MS = 8_000;
const TOLD_EVERY_MS = 4_000;

/** @type {Map<string, ReturnType<typeof setTimeout>>} */
const timers = new Map();
let toldAt = 0;

/**
 * What the stream says: who, and what they do; nothing means they stopped.
 * @param {any[]} args
 */
export function onTyping([username, doing]) {
  if (typeof username !== 'string' || username === state.hello?.me?.username) return;
  clearTimeout(timers.get(username));
  timers.delete(username);
  const others = state.typing.filter((name) => name !== username);
  const types = Array.isArray(doing) && doing.includes('user-typing');
  if (types) timers.set(username, setTimeout(() => onTyping([username, []]), SHOWN_MS));
  set({ typing: types ? [...others, username] : others });
}

/**
 * Tells the room that we are typing, or that we stopped.
 * @param {boolean} typing
 */
export function tellTyping(typing) {
  const room = state.open;
  const me = state.hello?.me;
  const now = Date.now();
  if (!room?.joined || !me || (typing ? now - toldAt < TOLD_EVERY_MS : toldAt === 0)) return;
  toldAt = typing ? now : 0;
  wire.tell('stream-notify-room', [`${room.rid}/user-activity`, me.username, typing ? ['user-typing'] : [], {}]);
}
