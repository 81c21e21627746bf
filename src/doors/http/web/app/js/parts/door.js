// The door: become the owner, join by invite, log in, come in as a guest.

import { el } from '../el.js';
import { form } from '../form.js';
import { Part } from '../part.js';
import { go } from '../route.js';
import { comeIn, leave, usernameOf } from '../session.js';
import { state } from '../store.js';

const NAME_HINT = 'Letters a to z, digits, dot, dash and underline make the name others call you by.';

/** @type {import('../form.js').Field} */
const NAME = { name: 'name', label: 'Your name', autocomplete: 'username', max: 64, hint: NAME_HINT, preview: calledBy };
/** @type {import('../form.js').Field} */
const FRESH = { name: 'password', label: 'Password', type: 'password', autocomplete: 'new-password', hint: 'A few words are easier to keep than a riddle.' };

/** @param {string} name */
function calledBy(name) {
  const username = usernameOf(name);
  return username ? `Others call you @${username}` : '';
}

class Door extends Part {
  #room = el('main', { class: 'door' });

  build() {
    this.append(this.#room);
  }

  begin() {
    let shown = '';
    this.watch(['hello', 'route'], () => {
      const { hello, route } = state;
      const now = JSON.stringify([hello?.me?.id, hello?.guests, hello?.ownerExists, hello?.secure, route.code]);
      if (now !== shown) this.#draw();
      shown = now;
    });
  }

  #draw() {
    const hello = /** @type {import('../types.js').Hello} */ (state.hello);
    const note = el('p', { class: 'note' }, 'This page came over plain http: others on this network can read along, the password too.');
    this.#room.replaceChildren(
      el('header', null, el('img', { src: '/app/icon.svg', alt: '', width: '72', height: '72' }), el('h1', null, hello.name)),
      ...this.#ways(hello),
      hello.secure ? '' : note,
    );
    if (matchMedia('(pointer: fine)').matches) this.#room.querySelector('input')?.focus();
  }

  /** @param {import('../types.js').Hello} hello */
  #ways(hello) {
    const { code } = state.route;
    if (code && hello.me) return this.#already(hello.me);
    if (code?.kind === 'own') return this.#fresh('claim', code.text, 'Make yourself the owner', 'You look after this node: who may come in, and how.');
    if (code?.kind === 'inv') return this.#fresh('join', code.text, 'You are invited', 'Choose a name and a password, and you are in.');
    return hello.ownerExists ? this.#login(hello) : this.#unowned();
  }

  /**
   * @param {'claim' | 'join'} way
   * @param {string} code
   * @param {string} title
   * @param {string} text
   */
  #fresh(way, code, title, text) {
    const button = way === 'claim' ? 'Become the owner' : 'Join';
    const send = async (/** @type {Record<string, string>} */ { name, password }) => {
      const username = usernameOf(name);
      if (!username) throw new Error(`Use other letters in the name. ${NAME_HINT}`);
      await comeIn(way, { code, username, name: name.trim(), password });
      go('#/general', true);
    };
    return [el('h2', null, title), el('p', null, text), form({ fields: [NAME, FRESH], button, send, label: title })];
  }

  /** @param {import('../types.js').Hello} hello */
  #login(hello) {
    const send = (/** @type {Record<string, string>} */ { user, password }) => {
      const named = user.trim();
      return comeIn('login', { user: named.includes('@') ? named : usernameOf(named) || named, password });
    };
    /** @type {import('../form.js').Field[]} */
    const fields = [
      { name: 'user', label: 'Name', autocomplete: 'username', plain: true },
      { name: 'password', label: 'Password', type: 'password', autocomplete: 'current-password' },
    ];
    const login = form({ fields, button: 'Log in', send, label: 'Log in' });
    return hello.guests ? [...this.#guest(), el('h2', { class: 'or' }, 'Or log in'), login] : [el('h2', null, 'Log in'), login];
  }

  #guest() {
    const send = (/** @type {Record<string, string>} */ { name }) => comeIn('guest', { name: name.trim() });
    /** @type {import('../form.js').Field[]} */
    const fields = [{ name: 'name', label: 'Your name', autocomplete: 'nickname', max: 64, hint: 'No password. You see the public rooms.' }];
    return [el('h2', null, 'Come in as a guest'), form({ fields, button: 'Come in', send, label: 'Come in as a guest' })];
  }

  #unowned() {
    const send = async (/** @type {Record<string, string>} */ { code }) => go(`#own-${code.trim().replace(/^.*#?own-/, '')}`);
    /** @type {import('../form.js').Field[]} */
    const fields = [{ name: 'code', label: 'Owner code', plain: true, hint: 'The node printed it when it started. “linnet owner” prints a fresh one.' }];
    return [
      el('h2', null, 'This node has no owner yet'),
      el('p', null, 'Open the owner link on the screen where the node runs, or type the code from it.'),
      form({ fields, button: 'Go on', send, label: 'Owner code' }),
    ];
  }

  /** @param {import('../types.js').Me} me */
  #already(me) {
    return [
      el('h2', null, `You are in as ${me.name}`),
      el('p', null, 'The link you opened is for somebody who has no account here yet.'),
      el('p', { class: 'actions' }, el('a', { class: 'button strong', href: '#/' }, 'Go on'), el('button', { type: 'button', class: 'button', onclick: () => leave() }, 'Log out')),
    ];
  }
}

customElements.define('linnet-door', Door);
