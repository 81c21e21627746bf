// Copying text, also on plain http where the clipboard API is not there.

import { el } from './el.js';

/**
 * A line of text to take along, with a button that copies it.
 * @param {string} text
 * @param {string} label
 */
export function copyable(text, label) {
  const field = el('textarea', { class: 'copy-text', readonly: true, rows: String(Math.min(6, text.split('\n').length)), 'aria-label': label });
  field.value = text;
  const said = el('span', { role: 'status', class: 'hidden' });
  const button = el('button', { type: 'button', class: 'button' }, 'Copy');
  button.addEventListener('click', async () => {
    const done = await copy(field);
    button.textContent = done ? 'Copied' : 'Selected';
    said.textContent = done ? 'Copied' : 'Selected: press Control C';
    setTimeout(() => (button.textContent = 'Copy'), 2_000);
  });
  field.addEventListener('focus', () => field.select());
  return el('div', { class: 'copyable' }, field, button, said);
}

/** @param {HTMLTextAreaElement} field */
async function copy(field) {
  try {
    await navigator.clipboard.writeText(field.value);
    return true;
  } catch {
    field.focus();
    field.select();
    return document.execCommand('copy');
  }
}
