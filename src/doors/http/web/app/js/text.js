// What was said, as nodes: links, code, bold, mentions, emoji. Everything becomes text nodes; no HTML is ever parsed.

import { el } from './el.js';
import { emojiOf } from './emoji.js';
import { address } from './route.js';

/** @typedef {{find: RegExp, draw: (found: RegExpExecArray, me: string) => Node | string}} Rule */

/** Each starts where it is found; the earliest wins, and among those the first. @type {Rule[]} */
const RULES = [
  { find: /[ \t]*\n?```(?:[\w+-]*\n)?([\s\S]+?)\n?```[ \t]*\n?/g, draw: ([, code]) => el('pre', null, el('code', null, code)) },
  { find: /`([^`\n]+)`/g, draw: ([, code]) => el('code', null, code) },
  { find: /https?:\/\/[^\s<>"'`]+/g, draw: ([found]) => link(found) },
  { find: /(?<![\w*])\*{1,2}(?=\S)([^*\n]+?)(?<=\S)\*{1,2}(?![\w*])/g, draw: ([, text], me) => el('strong', null, ...inline(text, me)) },
  { find: /(?<![\w_])_{1,2}(?=\S)([^_\n]+?)(?<=\S)_{1,2}(?![\w_])/g, draw: ([, text], me) => el('em', null, ...inline(text, me)) },
  { find: /(?<![\w~])~{1,2}(?=\S)([^~\n]+?)(?<=\S)~{1,2}(?![\w~])/g, draw: ([, text], me) => el('s', null, ...inline(text, me)) },
  { find: /(?<![\w@/.-])@([\w.-]*[\w-])/g, draw: ([found, name], me) => mention(found, name, me) },
  { find: /(?<![\w#/&.-])#([\w.-]*[\w-])/g, draw: ([found, name]) => el('a', { href: address(name) }, found) },
  { find: /(?<![\w:]):([\w+-]+):(?![\w:])/g, draw: ([found, name]) => emojiOf(name) || found },
];

/**
 * @param {string} text
 * @param {string} me our own username, for telling who is meant
 * @returns {(Node | string)[]}
 */
export function inline(text, me) {
  /** @type {(Node | string)[]} */
  const nodes = [];
  const ahead = RULES.map((rule) => ({ rule, found: after(rule, text, 0) }));
  let at = 0;
  for (;;) {
    /** @type {{rule: Rule, found: RegExpExecArray | null} | null} */
    let first = null;
    for (const next of ahead) {
      if (next.found && next.found.index < at) next.found = after(next.rule, text, at);
      if (next.found && (!first?.found || next.found.index < first.found.index)) first = next;
    }
    if (!first?.found) break;
    const { index, 0: whole } = first.found;
    if (index > at) nodes.push(text.slice(at, index));
    nodes.push(first.rule.draw(first.found, me));
    at = index + whole.length;
  }
  if (at < text.length) nodes.push(text.slice(at));
  return nodes;
}

/**
 * @param {Rule} rule
 * @param {string} text
 * @param {number} from
 */
function after(rule, text, from) {
  const find = new RegExp(rule.find);
  find.lastIndex = from;
  return find.exec(text);
}

/** A link, without the punctuation that ends a sentence. @param {string} found */
function link(found) {
  const href = found.replace(/[.,;:!?)\]}*_~]+$/, (tail) => (tail.startsWith(')') && found.includes('(') ? ')' : ''));
  const rest = found.slice(href.length);
  const made = el('a', { href, target: '_blank', rel: 'noopener noreferrer nofollow' }, href);
  if (!rest) return made;
  const both = document.createDocumentFragment();
  both.append(made, rest);
  return both;
}

/**
 * @param {string} found
 * @param {string} name
 * @param {string} me
 */
function mention(found, name, me) {
  const mine = name === me || name === 'all' || name === 'here';
  return el('span', { class: mine ? 'mention mine' : 'mention' }, found);
}

const ONLY_EMOJI = /^(?:\p{Extended_Pictographic}[\u{1F3FB}-\u{1F3FF}\uFE0F]?(?:\u200D\p{Extended_Pictographic}\uFE0F?)*\s*){1,3}$/u;

/** Whether a text is nothing but a few emoji, which are drawn large. @param {string} text */
export const isOnlyEmoji = (text) => text.length < 40 && ONLY_EMOJI.test(text.replace(/:([\w+-]+):/g, (found, name) => emojiOf(name) || found));
