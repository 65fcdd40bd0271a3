// Alerts that fire, by rule and site, and the history of what fired and was resolved.
import { address, choice, el, link, table } from './dom.js';
import { age, count, number, time } from './format.js';
import { ask, listen } from './live.js';

/** @type {import('./app.js').Page} */
export function alertsPage(main, query) {
  const asked = {
    state: query.get('state') === 'history' ? 'history' : 'firing', gateway: query.get('gateway') ?? '',
    rule: query.get('rule') ?? '',
  };
  const body = el('div');
  const leaving = new AbortController();

  function changed() {
    history.replaceState(null, '', address('/alerts', asked));
    void read();
  }

  async function read() {
    try {
      const found = await ask(address('/api/alerts', asked), leaving.signal);
      body.replaceChildren(...(asked.state === 'firing' ? firing(found) : transitions(found)));
    } catch (error) {
      if (!leaving.signal.aborted) {
        body.replaceChildren(el('p', { class: 'error', role: 'alert' }, String(/** @type {Error} */ (error).message)));
      }
    }
  }

  /** @param {'gateway' | 'rule'} key @param {string} title */
  function field(key, title) {
    const input = /** @type {HTMLInputElement} */ (el('input', { value: asked[key], maxlength: 200 }));
    input.addEventListener('change', () => {
      asked[key] = input.value;
      changed();
    });
    return el('label', {}, title, input);
  }

  main.append(
    el('h1', {}, 'Alerts'),
    el('div', { class: 'bar' },
      choice('Show', [['firing', 'Firing now'], ['history', 'History']], asked.state, value => {
        asked.state = value === 'history' ? 'history' : 'firing';
        changed();
      }),
      field('gateway', 'Gateway'), field('rule', 'Rule')),
    body);
  void read();
  let firingBefore = -1;
  const stop = listen(event => {
    if (event === null || event.firing !== firingBefore) {
      firingBefore = event?.firing ?? -1;
      void read();
    }
  });
  const asking = setInterval(read, 10000);
  return () => {
    stop();
    leaving.abort();
    clearInterval(asking);
  };
}

/** @param {any[]} alerts */
function firing(alerts) {
  if (alerts.length === 0) {
    return [el('p', { class: 'soft' }, 'Nothing fires.')];
  }
  /** @type {Map<string, any[]>} */
  const groups = new Map();
  for (const alert of alerts) {
    const key = `${alert.rule} at ${alert.site ?? 'no site'}`;
    groups.set(key, [...groups.get(key) ?? [], alert]);
  }
  return [...groups].flatMap(([key, members]) => [
    el('h2', {}, `${key}: ${count(members.length)}`),
    table(key, [['Gateway'], ['Series'], ['Severity'], ['Since'], ['For'], ['Value', 'num'], ['Threshold', 'num'],
      ['Late'], ['Frame']], members.map(a => [
      link('/gateway', { name: a.gateway }, a.gateway),
      a.series === null ? '' : link('/series', {
        series: a.series, from: new Date(Date.parse(a.startedAt) - 1800000).toISOString(),
      }, `${a.device} ${a.metric}`),
      a.severity, time(a.startedAt), age(a.startedAt), number(a.value), number(a.threshold), a.late ? 'late' : '',
      a.frame])),
  ]);
}

/** @param {any[]} rows */
function transitions(rows) {
  return rows.length === 0 ? [el('p', { class: 'soft' }, 'Nothing is kept in the alert outbox.')] : [table(
    'History of alerts', [['Stored'], ['Kind'], ['Rule'], ['Severity'], ['Gateway'], ['Series'], ['Event time'],
      ['Value', 'num'], ['Threshold', 'num'], ['Late'], ['Frame'], ['Trace']],
    rows.map(({ storedAt, event: e }) => [
      time(storedAt), e.kind, e.rule, e.severity, link('/gateway', { name: e.gateway }, e.gateway),
      `${e.device} ${e.metric}`, time(new Date(e.timeMicros / 1000).toISOString()), number(e.value),
      number(e.threshold), e.late ? 'late' : '', e.frame, String(e.traceParent ?? '').split('-')[1] ?? '']))];
}
