// Logging out.

import { wordsOf } from '../api.js';
import { el } from '../el.js';
import { closePane } from '../route.js';
import { leave } from '../session.js';
import { state } from '../store.js';

export function out() {
  const trouble = el('p', { class: 'trouble', role: 'alert' });
  const go = () => leave().catch((error) => (trouble.textContent = wordsOf(error)));
  const guest = state.hello?.me?.roles.includes('guest');
  return {
    title: 'Log out?',
    content: [
      el('p', null, guest ? 'A guest has no password: you come back under a new name.' : `You are in as @${state.hello?.me?.username}.`),
      trouble,
      el(
        'p',
        { class: 'actions' },
        el('button', { type: 'button', class: 'button strong', onclick: go }, 'Log out'),
        el('button', { type: 'button', class: 'button', onclick: closePane }, 'Stay'),
      ),
    ],
  };
}
