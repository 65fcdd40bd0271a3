// A runbook, as its text stands.
import { el } from './dom.js';

/** @type {import('./app.js').Page} */
export function runbookPage(main, query) {
  const name = query.get('name') ?? '';
  const text = el('pre', {}, '…');
  main.append(el('h1', {}, `Runbook: ${name}`), text);
  void fetch(`/runbooks/${encodeURIComponent(name)}`).then(async answer => {
    text.textContent = answer.ok ? await answer.text() : 'There is no such runbook.';
  }).catch(() => {
    text.textContent = 'The dashboard does not answer.';
  });
}
