// From Rocket.Chat's shapes to those of this page, and nothing else.

/** @typedef {import('./types.js').Line} Line */
/** @typedef {import('./types.js').Room} Room */

/**
 * A time as REST (text) or realtime ({$date}) writes it, in milliseconds; 0 when there is none.
 * @param {any} time
 */
export function millis(time) {
  if (!time) return 0;
  if (typeof time === 'number') return time;
  if (typeof time === 'object') return Number(time.$date ?? 0);
  return Date.parse(time) || 0;
}

/**
 * @param {any} wire
 * @returns {import('./types.js').Me}
 */
export function meOf(wire) {
  const username = String(wire.username ?? '');
  return { id: String(wire._id), username, name: String(wire.name || username), roles: wire.roles ?? [] };
}

/**
 * @param {any} wire
 * @returns {Line}
 */
export function lineOf(wire) {
  const at = millis(wire.ts);
  const username = String(wire.u?.username ?? '');
  const notice = noticeOf(wire.customFields?.linnet);
  return {
    id: String(wire._id),
    rid: String(wire.rid),
    text: String(wire.msg ?? ''),
    at,
    touched: millis(wire._updatedAt) || at,
    author: { id: String(wire.u?._id ?? ''), username, name: String(wire.alias || wire.u?.name || username) },
    kind: String(wire.t ?? ''),
    role: String(wire.role ?? ''),
    edited: Boolean(wire.editedAt),
    untrusted: wire._untrusted === true,
    reactions: reactionsOf(wire.reactions),
    notice,
    // For clients that do not know notices, the node puts one first among the attachments.
    attachments: (wire.attachments ?? []).slice(notice ? 1 : 0).map(attachmentOf),
    state: '',
    trouble: '',
  };
}

/** @param {any} wire */
function reactionsOf(wire) {
  return Object.entries(wire ?? {}).map(([emoji, who]) => ({
    emoji: emoji.replaceAll(':', ''),
    by: /** @type {any} */ (who)?.usernames ?? [],
  }));
}

/** @param {any} wire */
function noticeOf(wire) {
  if (!wire) return null;
  return { title: String(wire.title ?? ''), priority: Number(wire.priority ?? 3), tags: (wire.tags ?? []).map(String) };
}

/** @param {any} wire */
function attachmentOf(wire) {
  const link = String(wire.title_link ?? wire.author_link ?? '');
  return {
    title: String(wire.title ?? wire.author_name ?? ''),
    text: String(wire.text ?? wire.description ?? ''),
    link: /^(https?:\/\/|\/)/.test(link) ? link : '',
  };
}

/**
 * A room from its subscription, keeping what only the room itself tells.
 * @param {any} wire
 * @param {Room | undefined} old
 * @returns {Room}
 */
export function joinedRoom(wire, old) {
  return {
    rid: String(wire.rid),
    kind: wire.t,
    name: String(wire.name ?? ''),
    label: String(wire.fname || wire.name || ''),
    topic: old?.topic ?? '',
    readOnly: old?.readOnly ?? false,
    joined: true,
    unread: Number(wire.unread ?? 0) || (wire.alert ? 1 : 0),
    mentions: Number(wire.userMentions ?? 0) + Number(wire.groupMentions ?? 0),
    seen: millis(wire.ls),
    last: old?.last || millis(wire.lm ?? wire._updatedAt),
    roles: wire.roles ?? [],
  };
}

/**
 * A room from the room itself, keeping what only the subscription tells.
 * @param {any} wire
 * @param {Room | undefined} old
 * @returns {Room}
 */
export function roomOf(wire, old) {
  const name = old?.name || String(wire.name ?? (wire.usernames ?? []).join(','));
  return {
    rid: String(wire._id),
    kind: wire.t,
    name: wire.t === 'd' ? name : String(wire.name ?? name),
    label: wire.t === 'd' ? old?.label || name : String(wire.fname || wire.name || name),
    topic: String(wire.topic ?? ''),
    readOnly: Boolean(wire.ro),
    joined: old?.joined ?? false,
    unread: old?.unread ?? 0,
    mentions: old?.mentions ?? 0,
    seen: old?.seen ?? 0,
    last: millis(wire.lm) || old?.last || millis(wire.ts),
    roles: old?.roles ?? [],
  };
}
