// What the node tells happened in a room, in words.

/** @typedef {import('./types.js').Line} Line */

/** @type {Record<string, (line: Line) => string>} */
const WORDS = {
  uj: () => 'joined',
  ul: () => 'left',
  au: ({ text }) => `brought in ${text}`,
  ru: ({ text }) => `removed ${text}`,
  r: ({ text }) => `renamed the room to ${text}`,
  rm: () => 'removed a message',
  room_changed_topic: ({ text }) => (text ? `set the topic: ${text}` : 'took the topic away'),
  room_changed_description: ({ text }) => (text ? `set the description: ${text}` : 'took the description away'),
  room_changed_announcement: ({ text }) => (text ? `set the announcement: ${text}` : 'took the announcement away'),
  room_changed_privacy: ({ text }) => `made the room ${/priv/i.test(text) ? 'private' : 'public'}`,
  room_changed_avatar: () => 'changed the picture of the room',
  message_pinned: () => 'pinned a message',
  'room-archived': () => 'archived the room',
  'room-unarchived': () => 'opened the room again',
  'room-set-read-only': () => 'made the room read-only',
  'room-removed-read-only': () => 'let everybody write here again',
  'subscription-role-added': ({ text, role }) => `made ${text} ${role || 'keeper'} here`,
  'subscription-role-removed': ({ text, role }) => `took the role ${role || 'keeper'} from ${text}`,
  'user-muted': ({ text }) => `muted ${text}`,
  'user-unmuted': ({ text }) => `unmuted ${text}`,
};

/**
 * Words that follow the author's name.
 * @param {Line} line
 */
export function told(line) {
  const words = Object.hasOwn(WORDS, line.kind) ? WORDS[line.kind] : null;
  return words ? words(line) : line.text || line.kind;
}
