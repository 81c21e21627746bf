// The shapes this page speaks of. Wire shapes end at wire.js; everything else knows only these.

/** @typedef {{id: string, username: string, name: string, roles: string[]}} Me */
/** @typedef {{id: string, username: string, name: string}} Author */

/**
 * What the node says of itself before anybody logs in.
 * @typedef {object} Hello
 * @property {string} name
 * @property {string} version
 * @property {boolean} ownerExists
 * @property {boolean} guests whether this caller may come in as a guest now
 * @property {boolean} secure false when others on the network can read along
 * @property {Me | null} me
 * @property {string[]} addresses
 */

/** @typedef {{title: string, priority: number, tags: string[]}} Notice */
/** @typedef {{emoji: string, by: string[]}} Reaction */
/** @typedef {{title: string, text: string, link: string}} Attachment */

/**
 * One message as it is drawn.
 * @typedef {object} Line
 * @property {string} id
 * @property {string} rid
 * @property {string} text
 * @property {number} at milliseconds
 * @property {number} touched milliseconds; the newer of two versions wins
 * @property {Author} author
 * @property {string} kind empty when somebody spoke, else Rocket.Chat's system type
 * @property {string} role of a system message about roles
 * @property {boolean} edited
 * @property {boolean} untrusted the node's clock was not set when this was said
 * @property {Reaction[]} reactions
 * @property {Notice | null} notice
 * @property {Attachment[]} attachments
 * @property {'' | 'sending' | 'waiting' | 'failed'} state of a message of our own on its way
 * @property {string} trouble why it failed
 */

/**
 * A room in the list, or one that is looked at without having joined.
 * @typedef {object} Room
 * @property {string} rid
 * @property {'c' | 'p' | 'd'} kind
 * @property {string} name
 * @property {string} label what is shown
 * @property {string} topic
 * @property {boolean} readOnly
 * @property {boolean} joined
 * @property {number} unread
 * @property {number} mentions
 * @property {number} seen milliseconds up to which everything was read
 * @property {number} last milliseconds of the last message
 * @property {string[]} roles ours in this room
 */

/** @typedef {{kind: 'own' | 'inv', text: string}} Code */
/** @typedef {{room: string, pane: string, code: Code | null}} Route */

/**
 * Everything the page knows.
 * @typedef {object} State
 * @property {Hello | null} hello
 * @property {{doubted: boolean, known: boolean} | null} clock how the node's clock stands; known to who runs it
 * @property {Route} route
 * @property {'starting' | 'up' | 'down'} link
 * @property {Map<string, Room>} rooms
 * @property {boolean} roomsKnown
 * @property {Room | null} open
 * @property {string} lost name of a room that was asked for and cannot be shown
 * @property {Line[]} lines
 * @property {'more' | 'loading' | 'end' | 'unknown'} older
 * @property {string} divider id of the first message not seen before
 * @property {string[]} typing
 * @property {Line | null} editing
 */

export {};
