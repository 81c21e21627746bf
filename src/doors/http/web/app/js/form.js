// Forms: labelled fields, one button, one line for what went wrong. Nothing is ever submitted by the browser itself.

import { wordsOf } from './api.js';
import { el } from './el.js';

/**
 * @typedef {object} Field
 * @property {string} name
 * @property {string} label
 * @property {'text' | 'password' | 'choice'} [type]
 * @property {string} [autocomplete]
 * @property {string} [hint]
 * @property {string} [value]
 * @property {number} [max]
 * @property {boolean} [plain] a name for addresses: no capital letters or corrections by the phone
 * @property {{value: string, label: string, hint: string}[]} [choices]
 * @property {(value: string) => string} [preview] a hint that follows what is typed
 */

let count = 0;

/**
 * @param {{fields: Field[], button: string, send: (values: Record<string, string>) => Promise<void>, label: string}} plan
 */
export function form({ fields, button, send, label }) {
  const trouble = el('p', { class: 'trouble', role: 'alert' });
  const submit = el('button', { class: 'button strong', type: 'submit' }, button);
  const made = el('form', { class: 'form', 'aria-label': label, novalidate: true }, ...fields.map(field), trouble, submit);
  made.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (submit.disabled) return;
    const values = Object.fromEntries([...new FormData(made)].map(([key, value]) => [key, String(value)]));
    const empty = fields.find(({ name, type }) => type !== 'choice' && !values[name]?.trim());
    trouble.textContent = empty ? `Fill in: ${empty.label.toLowerCase()}.` : '';
    if (empty) return focusOn(made, empty.name);
    submit.disabled = true;
    try {
      await send(values);
    } catch (error) {
      trouble.textContent = wordsOf(error);
      focusOn(made, fields[0].name);
    } finally {
      submit.disabled = false;
    }
  });
  return made;
}

/**
 * @param {HTMLFormElement} form
 * @param {string} name
 */
function focusOn(form, name) {
  /** @type {HTMLElement | null} */ (form.querySelector(`[name="${name}"]`))?.focus();
}

/** @param {Field} plan */
function field(plan) {
  if (plan.type === 'choice') return choice(plan);
  const id = `field-${++count}`;
  const hint = el('p', { class: 'hint', id: `${id}-hint` }, plan.hint ?? '');
  const input = el('input', {
    id,
    name: plan.name,
    type: plan.type ?? 'text',
    autocomplete: plan.autocomplete ?? 'off',
    maxlength: plan.max ?? 256,
    value: plan.value ?? '',
    required: true,
    'aria-describedby': `${id}-hint`,
    autocapitalize: plan.plain || plan.type === 'password' ? 'none' : 'words',
    spellcheck: 'false',
  });
  const preview = plan.preview;
  if (preview) input.addEventListener('input', () => (hint.textContent = preview(input.value) || (plan.hint ?? '')));
  const box = el('div', { class: 'box' }, input, plan.type === 'password' && shower(input));
  return el('div', { class: 'field' }, el('label', { for: id }, plan.label), box, hint);
}

/** A button that shows what is typed in a password field. @param {HTMLInputElement} input */
function shower(input) {
  const button = el('button', { type: 'button', class: 'show', 'aria-pressed': 'false', 'aria-label': 'Show password' }, 'Show');
  button.addEventListener('click', () => {
    const shown = input.type === 'password';
    input.type = shown ? 'text' : 'password';
    button.setAttribute('aria-pressed', String(shown));
    button.textContent = shown ? 'Hide' : 'Show';
  });
  return button;
}

/** @param {Field} plan */
function choice(plan) {
  const options = (plan.choices ?? []).map(({ value, label, hint }) =>
    el(
      'label',
      { class: 'choice' },
      el('input', { type: 'radio', name: plan.name, value, checked: value === plan.value }),
      el('span', null, el('b', null, label), el('small', null, hint)),
    ),
  );
  return el('fieldset', { class: 'field' }, el('legend', null, plan.label), ...options);
}
