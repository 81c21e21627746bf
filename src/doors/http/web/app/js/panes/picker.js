// A list to choose from, narrowed by what is typed.

import { wordsOf } from '../api.js';
import { el } from '../el.js';

/** @typedef {{text: string, small: string, picture: Node, pick: () => void | Promise<void>, done?: string}} Choice */

/**
 * @param {{load: () => Promise<Choice[]>, search: string, none: string}} plan
 * @returns {Node[]}
 */
export function picker({ load, search, none }) {
  const field = el('input', { type: 'search', 'aria-label': search, placeholder: search, autocomplete: 'off' });
  const list = el('ul', { class: 'choices', 'aria-label': search });
  const note = el('p', { class: 'hint', role: 'status' }, 'Asking the node…');
  /** @type {Choice[]} */
  let all = [];

  const draw = () => {
    const wanted = field.value.trim().toLowerCase();
    const fits = all.filter(({ text, small }) => `${text} ${small}`.toLowerCase().includes(wanted));
    note.textContent = fits.length ? '' : none;
    list.replaceChildren(...fits.map((choice) => el('li', null, row(choice))));
  };

  /** @param {Choice} choice */
  const row = (choice) => {
    const after = choice.done ? el('small', { class: 'done' }, choice.done) : null;
    const button = el('button', { type: 'button' }, choice.picture, el('span', null, el('b', null, choice.text), el('small', null, choice.small)), after);
    button.disabled = Boolean(choice.done);
    button.addEventListener('click', async () => {
      button.disabled = true;
      try {
        await choice.pick();
        draw();
      } catch (error) {
        button.disabled = false;
        note.textContent = wordsOf(error);
      }
    });
    return button;
  };

  field.addEventListener('input', draw);
  load().then(
    (choices) => {
      all = choices;
      draw();
    },
    (error) => (note.textContent = wordsOf(error)),
  );
  return [field, note, list];
}
