// What we say, until the node has it: shown at once, sent in order, sent again after a lost connection with the same
// id, so that nothing is lost and nothing said twice.

import { post, Refused, wordsOf } from './api.js';
import { set, state } from './store.js';
import { onGone, onLine } from './talk.js';
import { withLine } from './lines.js';
import { lineOf } from './wire.js';

/** @typedef {import('./types.js').Line} Line */

const ID_CHARS = '23456789ABCDEFGHJKLMNPQRSTWXYZabcdefghijkmnopqrstuvwxyz';
const ID_LENGTH = 17;
const AGAIN_MS = 3_000;

/** @type {Line[]} */
let waiting = [];
let sending = false;

/** An id as Rocket.Chat's clients make them. */
export function freshId() {
  const bytes = crypto.getRandomValues(new Uint8Array(ID_LENGTH));
  return Array.from(bytes, (byte) => ID_CHARS[byte % ID_CHARS.length]).join('');
}

/**
 * Says something in a room.
 * @param {string} rid
 * @param {string} text
 */
export function say(rid, text) {
  const me = state.hello?.me;
  if (!me) return;
  const wire = { _id: freshId(), rid, msg: text, ts: Date.now(), u: { _id: me.id, username: me.username, name: me.name } };
  queue({ ...lineOf(wire), state: 'sending' });
}

/**
 * Sends a message that failed once more.
 * @param {Line} line
 */
export function sayAgain(line) {
  queue({ ...line, state: 'sending', trouble: '' });
}

/** @param {Line} line */
function queue(line) {
  waiting = [...waiting.filter((other) => other.id !== line.id), line];
  show(line);
  void flush();
}

/**
 * Gives a message up that was not sent.
 * @param {Line} line
 */
export function discard(line) {
  waiting = waiting.filter((other) => other.id !== line.id);
  onGone(line.id);
}

/**
 * What is on its way to a room, for when it is opened again.
 * @param {string} rid
 */
export function waitingFor(rid) {
  return waiting.filter((line) => line.rid === rid);
}

/** Sends what waits, oldest first, one at a time so that the order stays. */
export async function flush() {
  if (sending) return;
  sending = true;
  try {
    for (let line = next(); line; line = next()) {
      if (!(await send(line))) break;
    }
  } finally {
    sending = false;
  }
}

function next() {
  return waiting.find((line) => line.state !== 'failed');
}

/**
 * Whether the next may be sent.
 * @param {Line} line
 */
async function send(line) {
  try {
    const { message } = await post('v1/chat.sendMessage', { message: { _id: line.id, rid: line.rid, msg: line.text } });
    waiting = waiting.filter((other) => other.id !== line.id);
    onLine(lineOf(message));
    return true;
  } catch (error) {
    const passing = error instanceof Refused && error.passing;
    /** @type {Line} */
    const held = { ...line, state: passing ? 'waiting' : 'failed', trouble: wordsOf(error) };
    waiting = waiting.map((other) => (other.id === line.id ? held : other));
    show(held);
    if (passing) setTimeout(() => void flush(), AGAIN_MS);
    return !passing;
  }
}

/** @param {Line} line */
function show(line) {
  if (line.rid !== state.open?.rid) return;
  const had = state.lines.some((other) => other.id === line.id);
  const lines = had ? state.lines.map((other) => (other.id === line.id && other.state ? line : other)) : withLine(state.lines, line);
  set({ lines });
}
