// What is done to a message that is there: react, change, remove.

import { post } from './api.js';
import { onGone, onLine } from './talk.js';
import { lineOf } from './wire.js';

/** @typedef {import('./types.js').Line} Line */

/**
 * Gives a reaction, or takes it back.
 * @param {Line} line
 * @param {string} emoji
 */
export async function react(line, emoji) {
  await post('v1/chat.react', { messageId: line.id, emoji: `:${emoji}:` }).catch(() => {});
}

/**
 * Gives a message a new text.
 * @param {Line} line
 * @param {string} text
 */
export async function edit(line, text) {
  const { message } = await post('v1/chat.update', { roomId: line.rid, msgId: line.id, text });
  if (message) onLine(lineOf(message));
}

/**
 * Takes a message away for everybody.
 * @param {Line} line
 */
export async function remove(line) {
  await post('v1/chat.delete', { roomId: line.rid, msgId: line.id });
  onGone(line.id);
}
