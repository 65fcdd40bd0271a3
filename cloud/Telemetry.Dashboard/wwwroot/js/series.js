// A series: readings or windows as a chart and as a table, or the search for one.
import { drawChart } from './chart.js';
import { address, choice, el, link, table } from './dom.js';
import { count, labels, number, time } from './format.js';
import { value } from './gateway.js';
import { ask } from './live.js';

/** @type {Record<string, number>} */
const spans = { '1 h': 3600, '6 h': 21600, '1 d': 86400, '7 d': 604800, '30 d': 2592000, '1 y': 31536000 };

/** @type {import('./app.js').Page} */
export function seriesPage(main, query) {
  return query.get('series') ? showSeries(main, query) : findSeries(main, query);
}

/** @type {import('./app.js').Page} */
function findSeries(main, query) {
  const body = el('div');
  const leaving = new AbortController();
  const search = /** @type {HTMLInputElement} */ (el('input', {
    type: 'search', value: query.get('search') ?? '', maxlength: 200,
  }));
  async function read() {
    try {
      const found = await ask(
        address('/api/series', { search: search.value, gateway: query.get('gateway') }), leaving.signal);
      body.replaceChildren(table(
        'Series', [['Gateway'], ['Device'], ['Metric'], ['Labels'], ['Type'], ['Unit'], ['Site']],
        found.map((/** @type {any} */ s) => [
          link('/gateway', { name: s.gateway }, s.gateway), s.device, link('/series', { series: s.series }, s.metric),
          labels(s.labels), s.type, s.unit, s.site])), el('p', { class: 'soft' }, `${count(found.length)} shown`));
    } catch (error) {
      if (!leaving.signal.aborted) {
        body.replaceChildren(el('p', { class: 'error', role: 'alert' }, String(/** @type {Error} */ (error).message)));
      }
    }
  }
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let typing;
  search.addEventListener('input', () => {
    clearTimeout(typing);
    typing = setTimeout(read, 200);
  });
  main.append(el('h1', {}, 'Series'), el('div', { class: 'bar' }, el('label', {}, 'Search', search)), body);
  void read();
  return () => {
    leaving.abort();
    clearTimeout(typing);
  };
}

/** @type {import('./app.js').Page} */
function showSeries(main, query) {
  const series = query.get('series') ?? '';
  const asked = {
    span: query.get('span') ?? '6 h', kind: query.get('kind') ?? '', from: query.get('from') ?? '',
    to: query.get('to') ?? '',
  };
  const title = el('h1', {}, 'Series');
  const about = el('p', { class: 'soft' });
  const chart = el('div', { class: 'chart' });
  const rows = el('div');
  const download = el('a', { href: '#', download: true }, 'CSV');
  const leaving = new AbortController();
  /** @type {(() => void) | undefined} */
  let remove;

  function range() {
    const to = asked.to ? Date.parse(asked.to) : Date.now();
    const from = asked.from ? Date.parse(asked.from) : to - 1000 * (spans[asked.span] ?? 21600);
    // What people can see on a page: raw for hours, then windows, then hours, then days.
    const days = (to - from) / 86400000;
    const kind = asked.kind || (days <= 0.05 ? 'readings' : days <= 3 ? 'windows' : days <= 120 ? 'hour' : 'day');
    return { from: new Date(from).toISOString(), to: new Date(to).toISOString(), kind };
  }

  async function read() {
    try {
      const { from, to, kind } = range();
      const path = address(`/api/series/${encodeURIComponent(series)}`, { kind, from, to });
      const found = await ask(path, leaving.signal);
      download.setAttribute('href', `${path}&format=csv`);
      title.textContent = `${found.device} ${found.metric}`;
      about.replaceChildren(
        link('/gateway', { name: found.gateway }, found.gateway), ` ${labels(found.labels)} ${found.unit} · ${kind} · `,
        `${count(found.values.length)} values · complete up to ${time(found.watermark) || 'nothing'}`);
      const alerts = await ask(
        address('/api/alerts', { gateway: found.gateway, state: 'history', limit: 1000 }), leaving.signal);
      remove?.();
      remove = drawChart(chart, found, kind, Date.parse(from), Date.parse(to), alerts);
      rows.replaceChildren(kind === 'readings' ? readings(found) : windows(found));
    } catch (error) {
      if (!leaving.signal.aborted) {
        rows.replaceChildren(el('p', { class: 'error', role: 'alert' }, String(/** @type {Error} */ (error).message)));
      }
    }
  }

  function changed() {
    history.replaceState(null, '', address('/series', { series, ...asked }));
    void read();
  }

  main.append(title, about, el('div', { class: 'bar' },
    choice('Span', Object.keys(spans).map(s => [s, s]), asked.span, chosen => {
      Object.assign(asked, { span: chosen, from: '', to: '' });
      changed();
    }),
    choice('Values', [['', 'as fits'], ['readings', 'readings'], ['windows', 'windows'], ['hour', 'hours'],
      ['day', 'days']], asked.kind, chosen => {
      asked.kind = chosen;
      changed();
    }), download), chart, rows);
  void read();
  const asking = setInterval(() => {
    if (!asked.to) {
      void read();
    }
  }, 15000);
  return () => {
    leaving.abort();
    remove?.();
    clearInterval(asking);
  };
}

/** @param {any} found */
function readings(found) {
  return table('Readings', [['Time'], ['Value', 'num'], ['Quality'], ['Clock']],
    found.values.slice(-200).reverse().map((/** @type {any} */ v) => [
      time(v.time), value(v), v.quality, v.timeEstimated ? 'estimated' : '']));
}

/** @param {any} found */
function windows(found) {
  return table('Windows', [['Start'], ['Mean', 'num'], ['Min', 'num'], ['Max', 'num'], ['Readings', 'num'],
    ['Missing', 'num'], ['State']],
  found.values.slice(-200).reverse().map((/** @type {any} */ w) => [
    time(w.start), number(w.mean), number(w.min), number(w.max), count(w.readings),
    count(w.dropped + w.rejected + w.lost),
    `${w.complete ? 'complete' : 'not complete'}${w.revision > 0 ? `, revised ${w.revision} times` : ''}`]));
}
