// What the owner decides for the node: who may come in.

import { get, post, wordsOf } from '../api.js';
import { el } from '../el.js';

export function settings() {
  const guests = el('input', { type: 'checkbox', role: 'switch', id: 'guests', disabled: true, 'aria-describedby': 'guests-hint' });
  const said = el('p', { class: 'hint', role: 'status' });
  const say = (/** @type {unknown} */ error) => (said.textContent = wordsOf(error));
  get('linnet/settings').then(({ access }) => {
    guests.checked = access === 'lan-guests';
    guests.disabled = false;
    guests.focus();
  }, say);
  guests.addEventListener('change', async () => {
    const wanted = guests.checked;
    try {
      await post('linnet/settings', { access: wanted ? 'lan-guests' : 'invite' });
      said.textContent = wanted ? 'Guests are let in.' : 'Only invited people are let in.';
    } catch (error) {
      guests.checked = !wanted;
      say(error);
    }
  });
  const hint = 'Whoever is on this network types a name and is in, in the public rooms. Nobody from elsewhere is.';
  return {
    title: 'Settings of the node',
    content: [
      el('div', { class: 'switch' }, el('label', { for: 'guests' }, 'Let guests in from this network'), guests),
      el('p', { class: 'hint', id: 'guests-hint' }, hint),
      said,
    ],
  };
}
