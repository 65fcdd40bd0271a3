// The books: what was accepted, and what became of it.
import { address, el, link, table } from './dom.js';
import { count } from './format.js';
import { ask } from './live.js';

/** @type {[string, string?][]} */
const heads = [['Accepted', 'num'], ['Stored', 'num'], ['Rejected', 'num'], ['Dropped', 'num'], ['Lost', 'num'],
  ['On the way', 'num'], ['Retired', 'num']];

/** @param {any} b */
const numbers = b => [b.accepted, b.stored, b.rejected, b.dropped, b.lost, b.onTheWay, b.retired].map(count);

/** @type {import('./app.js').Page} */
export function booksPage(main, query) {
  const body = el('div');
  const leaving = new AbortController();
  const after = query.get('after') ?? '';
  async function read() {
    try {
      const [books, days] = await Promise.all([
        ask(address('/api/books', { after }), leaving.signal), ask('/api/books/days', leaving.signal)]);
      const last = books.gateways.at(-1)?.gateway;
      body.replaceChildren(
        el('p', {}, 'Accepted = stored + rejected + dropped + lost + on the way, to the reading. ',
          'Retired readings were stored, and retention removed them since.'),
        el('h2', {}, `All ${count(books.total.gateways)} gateways`), table('All gateways', heads, [numbers(books.total)]),
        el('h2', {}, 'By day'), table('By day',
          [['Day (UTC)'], ['Frames', 'num'], ['Stored', 'num'], ['Rejected', 'num'], ['Dropped', 'num']],
          days.map((/** @type {any} */ d) => [d.day, ...[d.frames, d.stored, d.rejected, d.dropped].map(count)])),
        el('h2', {}, 'By gateway'), table('By gateway', [['Gateway'], ...heads],
          books.gateways.map((/** @type {any} */ b) => [
            link('/gateway', { name: b.gateway }, b.gateway), ...numbers(b)])),
        el('p', {},
          after ? link('/books', {}, 'From the beginning') : '', ' ',
          books.gateways.length >= 200 ? link('/books', { after: last }, 'Further gateways') : ''));
    } catch (error) {
      if (!leaving.signal.aborted) {
        body.replaceChildren(el('p', { class: 'error', role: 'alert' }, String(/** @type {Error} */ (error).message)));
      }
    }
  }
  main.append(el('h1', {}, 'Books'), body);
  void read();
  const asking = setInterval(read, 15000);
  return () => {
    leaving.abort();
    clearInterval(asking);
  };
}
