// The fleet: how many gateways are in which state, and the list, the worst first.
import { address, choice, el, setText } from './dom.js';
import { age, count, span } from './format.js';
import { VirtualList } from './list.js';
import { ask, listen } from './live.js';
import { clock, clockSeconds, short, states } from './states.js';

/** @typedef {import('./states.js').Gateway} Gateway */

/** @type {[string, string][]} */
const sorts = [
  ['worst', 'The worst first'], ['name', 'Name'], ['since', 'Longest in its state'], ['atRisk', 'Readings at risk'],
  ['watermark', 'Oldest data'], ['alerts', 'Alerts'], ['clock', 'Clock'], ['version', 'Version'], ['site', 'Site'],
];
const descending = ['atRisk', 'alerts', 'clock'];

const columns = ['Gateway', 'State', 'At risk', 'Drained in', 'Complete to', 'Alerts', 'Clock', 'Version', 'Sites'];

/** @type {import('./app.js').Page} */
export function fleetPage(main, query) {
  main.className = 'full';
  const filter = {
    search: query.get('search') ?? '', state: query.get('state') ?? '', site: query.get('site') ?? '',
    label: query.get('label') ?? '', sort: query.get('sort') ?? 'worst',
  };
  const cards = el('div', { class: 'cards', role: 'group', 'aria-label': 'Gateways by state' });
  const matched = el('span', { class: 'soft', role: 'status' });
  const bar = el('div', { class: 'bar' });
  /** @type {VirtualList<Gateway>} */
  const list = new VirtualList({
    label: 'Gateways',
    make: makeRow,
    fill: fillRow,
    open: gateway => document.dispatchEvent(new CustomEvent('go', { detail: address('/gateway', { name: gateway.name }) })),
    read: async (offset, limit) => {
      const page = await ask(address('/api/fleet', {
        ...filter, order: descending.includes(filter.sort) ? 'desc' : 'asc', offset, limit,
      }));
      setText(matched, `${count(page.matched)} of ${count(page.gateways)} gateways`);
      drawCards(page);
      return { rows: page.rows, total: page.matched };
    },
  });

  /** @type {Map<string, HTMLElement>} */
  const byState = new Map();
  for (const state of states) {
    const number = el('b', {}, '–');
    byState.set(state, number);
    cards.append(el('button', {
      class: 'card', type: 'button', 'data-state': state, onclick: () => {
        filter.state = filter.state === state ? '' : state;
        changed();
      },
    }, number, el('span', { class: `state ${state}` }, state)));
  }
  const atRisk = el('b', {}, '–');
  const firing = el('b', {}, '–');
  cards.append(
    el('div', { class: 'card' }, atRisk, 'readings at risk'),
    el('div', { class: 'card' }, firing, el('a', { href: '/alerts' }, 'alerts firing')));

  /** @param {{ states: Record<string, number>, atRisk: number, firing: number }} head */
  function drawCards(head) {
    for (const [state, element] of byState) {
      setText(element, count(head.states[state]));
    }
    setText(atRisk, count(head.atRisk));
    setText(firing, count(head.firing));
  }

  function drawPressed() {
    cards.querySelectorAll('button').forEach(button =>
      button.setAttribute('aria-pressed', String(button.dataset.state === filter.state)));
  }

  function changed() {
    history.replaceState(null, '', address('/', { ...filter, sort: filter.sort === 'worst' ? '' : filter.sort }));
    drawPressed();
    list.reset();
  }

  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let typing;
  const search = /** @type {HTMLInputElement} */ (el('input', { type: 'search', value: filter.search, maxlength: 200 }));
  search.addEventListener('input', () => {
    clearTimeout(typing);
    typing = setTimeout(() => {
      filter.search = search.value;
      changed();
    }, 150);
  });
  bar.append(el('label', {}, 'Search', search), choice('Sort', sorts, filter.sort, value => {
    filter.sort = value;
    changed();
  }));
  void ask('/api/groups').then(groups => {
    for (const [key, title] of /** @type {['site' | 'label', string][]} */ ([['site', 'Site'], ['label', 'Label']])) {
      const values = /** @type {string[]} */ (groups[`${key}s`]);
      if (values.length > 0) {
        bar.append(choice(title, [['', 'all'], ...values.map(v => /** @type {[string, string]} */ ([v, v]))], filter[key],
          value => {
            filter[key] = value;
            changed();
          }));
      }
    }
  }).catch(() => undefined);

  main.append(
    el('h1', {}, 'Fleet'), cards, bar, matched,
    el('div', { class: 'listhead', 'aria-hidden': 'true' }, ...columns.map(c =>
      el('span', { class: ['At risk', 'Alerts'].includes(c) ? 'num' : null }, c))),
    list.element);
  drawPressed();
  list.reset();

  // The order may have changed: what is seen is read again, not more often than people can follow.
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let reading;
  const readSoon = () => {
    reading ??= setTimeout(() => {
      reading = undefined;
      list.refresh();
    }, 1000);
  };
  const stop = listen(event => {
    if (event === null || event.readAnew) {
      readSoon();
      return;
    }
    drawCards(event);
    if (event.rows.length > 0) {
      const rows = new Map(event.rows.map(row => [row.name, row]));
      list.update(row => rows.get(row.name) ?? null);
      readSoon();
    }
  });

  // Times grow old by themselves; what healthy gateways did meanwhile is asked for.
  const aging = setInterval(() => list.draw(), 1000);
  const asking = setInterval(() => list.refresh(), 15000);
  return () => {
    stop();
    list.close();
    clearInterval(aging);
    clearInterval(asking);
    clearTimeout(typing);
    clearTimeout(reading);
  };
}

function makeRow() {
  return el('div', {},
    el('a', { href: '/', tabindex: '-1' }), el('span', { class: 'state' }), el('span', { class: 'num wide' }),
    el('span', { class: 'wide' }), el('span', { class: 'soft' }), el('span', { class: 'num' }),
    el('span', { class: 'wide' }), el('span', { class: 'wide soft' }), el('span', { class: 'wide soft' }));
}

/**
 * @param {HTMLElement} element
 * @param {Gateway | null} gateway
 */
function fillRow(element, gateway) {
  const [name, state, risk, drain, complete, firing, offset, version, sites] =
    /** @type {HTMLElement[]} */ ([...element.children]);
  if (gateway === null) {
    for (const cell of element.children) {
      setText(/** @type {HTMLElement} */ (cell), '');
    }
    setText(name, '…');
    return;
  }
  const href = address('/gateway', { name: gateway.name });
  if (name.getAttribute('href') !== href) {
    name.setAttribute('href', href);
  }
  setText(name, gateway.name);
  name.title = gateway.name;
  setText(state, short(gateway));
  state.className = `state ${gateway.state}`;
  setText(risk, gateway.atRisk > 0 ? count(gateway.atRisk) : '');
  setText(drain, gateway.drainSeconds === null ? '' : span(gateway.drainSeconds));
  setText(complete, gateway.state === 'fresh' ? 'now' : gateway.watermark ? `${age(gateway.watermark)} ago` : 'never');
  setText(firing, gateway.firing > 0 ? String(gateway.firing) : '');
  setText(offset, clock(gateway));
  offset.className = `wide${Math.abs(gateway.clockOffsetSeconds ?? 0) > clockSeconds ? ' error' : ''}`;
  setText(version, gateway.version || 'unknown');
  setText(sites, gateway.sites.join(', '));
}
