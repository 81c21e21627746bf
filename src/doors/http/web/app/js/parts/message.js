// One message as it is drawn.

import { el, face } from '../el.js';
import { emojiOf, shownEmoji } from '../emoji.js';
import { discard, sayAgain } from '../outbox.js';
import { inline, isOnlyEmoji } from '../text.js';
import { told } from '../told.js';
import { exactTime, timeOf } from '../when.js';

/** @typedef {import('../types.js').Line} Line */

/**
 * @param {Line} line
 * @param {boolean} first whether it begins what its author says, and so carries the name
 * @param {string} me our own username
 * @param {(line: Line, emoji: string) => void} onReact
 */
export function drawLine(line, first, me, onReact) {
  if (line.kind) return drawTold(line);
  const item = el('li', { class: `line${first ? ' first' : ''}${line.state ? ` ${line.state}` : ''}`, tabindex: '-1', 'data-id': line.id });
  const body = el('div', { class: 'body' });
  if (first) {
    item.append(face(line.author.username, line.author.name));
    body.append(el('header', null, el('b', { title: `@${line.author.username}` }, line.author.name), ' ', ...stamp(line)));
  } else {
    item.append(el('span', { class: 'gutter' }, ...stamp(line)), el('span', { class: 'hidden' }, `${line.author.name}: `));
  }
  body.append(line.notice ? drawNotice(line, me) : drawText(line, me));
  body.append(...line.attachments.filter(({ title, text }) => title || text).map((attached) => drawAttachment(attached, me)));
  if (line.reactions.length) body.append(drawReactions(line, me, onReact));
  if (line.state) body.append(drawState(line));
  item.append(body);
  return item;
}

/** @param {Line} line */
function stamp(line) {
  const time = el('time', { datetime: new Date(line.at).toISOString(), title: exactTime(line.at) }, timeOf(line.at));
  if (!line.untrusted) return [time];
  return [time, ' ', el('span', { class: 'mark', title: 'The node did not know the time when this was said; the order is right.' }, 'time not certain')];
}

/** @param {Line} line */
function drawTold(line) {
  return el('li', { class: 'told', tabindex: '-1', 'data-id': line.id }, el('b', null, line.author.name), ' ', told(line), ' ', ...stamp(line));
}

/**
 * @param {Line} line
 * @param {string} me
 */
function drawText(line, me) {
  const edited = line.edited && el('small', { class: 'edited' }, ' (edited)');
  return el('div', { class: isOnlyEmoji(line.text) ? 'text large' : 'text' }, ...inline(line.text, me), edited);
}

const PRIORITIES = ['', 'Lowest', 'Low', '', 'High', 'Urgent'];

/**
 * What a device says with a title, a priority or tags: a card of its own.
 * @param {Line} line
 * @param {string} me
 */
function drawNotice(line, me) {
  const { title, priority, tags } = /** @type {import('../types.js').Notice} */ (line.notice);
  const words = tags.filter((tag) => !emojiOf(tag));
  const signs = tags.map(emojiOf).join('');
  const level = Math.min(5, Math.max(1, priority || 3));
  return el(
    'div',
    { class: `notice level-${level}` },
    (title || signs) && el('p', { class: 'notice-title' }, signs && el('span', { 'aria-hidden': 'true' }, `${signs} `), title),
    drawText(line, me),
    (PRIORITIES[level] || words.length > 0) &&
      el('p', { class: 'tags' }, PRIORITIES[level] && el('b', null, PRIORITIES[level]), ...words.map((tag) => el('span', null, tag))),
  );
}

/**
 * @param {import('../types.js').Attachment} attached
 * @param {string} me
 */
function drawAttachment({ title, text, link }, me) {
  const name = link ? el('a', { href: link, target: '_blank', rel: 'noopener noreferrer nofollow' }, title || link) : el('b', null, title);
  return el('div', { class: 'attachment' }, title || link ? name : null, text ? el('div', { class: 'text' }, ...inline(text, me)) : null);
}

/**
 * @param {Line} line
 * @param {string} me
 * @param {(line: Line, emoji: string) => void} onReact
 */
function drawReactions(line, me, onReact) {
  const buttons = line.reactions.map(({ emoji, by }) =>
    el(
      'button',
      { type: 'button', class: 'reaction', 'aria-pressed': String(by.includes(me)), title: by.join(', '), onclick: () => onReact(line, emoji) },
      shownEmoji(emoji),
      el('span', { class: 'hidden' }, ` ${emoji} `),
      ` ${by.length}`,
    ),
  );
  return el('div', { class: 'reactions' }, ...buttons);
}

/** A message of our own that the node does not have yet. @param {Line} line */
function drawState(line) {
  if (line.state === 'sending') return el('p', { class: 'state' }, el('span', { class: 'hidden' }, 'Sending'));
  if (line.state === 'waiting') return el('p', { class: 'state' }, 'Waiting for the connection');
  return el(
    'p',
    { class: 'state' },
    `Not sent. ${line.trouble} `,
    el('button', { type: 'button', class: 'quiet', onclick: () => sayAgain(line) }, 'Send again'),
    el('button', { type: 'button', class: 'quiet', onclick: () => discard(line) }, 'Discard'),
  );
}
