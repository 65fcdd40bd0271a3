// Asks for a few values in a dialog: Enter does it, Escape leaves it, and the focus goes back to where it was.
import { el } from './dom.js';

/**
 * @typedef {{ name: string, title: string, value?: string, options?: [string, string][], max?: number }} Field
 */

/**
 * @param {string} title
 * @param {string} text what is meant
 * @param {Field[]} fields
 * @param {string} verb
 * @param {(values: Record<string, string>) => Promise<void>} act an Error that it throws is shown, and the dialog stays
 */
export function dialog(title, text, fields, verb, act) {
  const before = /** @type {HTMLElement | null} */ (document.activeElement);
  const error = el('p', { class: 'error', role: 'alert' });
  const inputs = fields.map(field => {
    const input = field.options
      ? el('select', { name: field.name }, ...field.options.map(([value, words]) =>
        el('option', { value, selected: value === field.value }, words)))
      : el('input', { name: field.name, value: field.value ?? '', maxlength: field.max ?? 2000, required: true,
        autocomplete: 'off' });
    return /** @type {HTMLInputElement | HTMLSelectElement} */ (input);
  });
  const doIt = /** @type {HTMLButtonElement} */ (el('button', { type: 'submit' }, verb));
  const form = el('form', { method: 'dialog' },
    el('h2', { id: 'dialog-title' }, title), el('p', {}, text),
    ...fields.map((field, i) => el('label', {}, field.title, inputs[i])), error,
    el('p', { class: 'bar' }, doIt, el('button', { type: 'button', onclick: () => box.close() }, 'Cancel')));
  const box = /** @type {HTMLDialogElement} */ (el('dialog', { 'aria-labelledby': 'dialog-title' }, form));
  form.addEventListener('submit', async event => {
    event.preventDefault();
    doIt.disabled = true;
    error.textContent = '';
    try {
      await act(Object.fromEntries(inputs.map(input => [input.name, input.value])));
      box.close();
    } catch (problem) {
      error.textContent = String(/** @type {Error} */ (problem).message);
      doIt.disabled = false;
    }
  });
  box.addEventListener('close', () => {
    box.remove();
    before?.focus();
  });
  document.body.append(box);
  box.showModal();
  inputs[0]?.focus();
}
