// Alerts that fire, by rule and site, and the history of what fired and was resolved.
import { address, choice, el, link, table } from './dom.js';
import { age, count, now, number, time } from './format.js';
import { dialog } from './dialog.js';
import { ask, listen } from './live.js';
import { change, mayAct } from './session.js';

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
      const silences = asked.state === 'firing' ? await ask('/api/silences', leaving.signal) : [];
      // What has the focus is made anew: it is found again by its name.
      const focused = document.activeElement instanceof HTMLElement && body.contains(document.activeElement)
        ? document.activeElement.id : '';
      body.replaceChildren(...(asked.state === 'firing'
        ? [...firing(found, read), ...silenced(silences, read)] : transitions(found)));
      if (focused) {
        document.getElementById(focused)?.focus();
      }
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

/** @param {any[]} alerts @param {() => Promise<void>} read */
function firing(alerts, read) {
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
      ['Late'], ['Acknowledged'], ['Silenced'], ['Frame']], members.map(a => [
      link('/gateway', { name: a.gateway }, a.gateway),
      a.series === null ? '' : link('/series', {
        series: a.series, from: new Date(Date.parse(a.startedAt) - 1800000).toISOString(),
      }, `${a.device} ${a.metric}`),
      a.severity, time(a.startedAt), age(a.startedAt), number(a.value), number(a.threshold), a.late ? 'late' : '',
      acknowledged(a, read), silence(a, read), a.frame])),
  ]);
}

/** @param {any} alert @param {() => Promise<void>} read */
function acknowledged(alert, read) {
  const done = alert.acknowledged;
  const isRevised = done && done.revision !== alert.revision;
  const words = done ? `by ${done.by}, ${age(done.at)} ago: ${done.comment}${isRevised ? ' (revised since)' : ''}` : '';
  return (done && !isRevised) || !mayAct() || alert.revision === null ? words : el('span', {}, words, el('button', {
    type: 'button', id: `acknowledge-${alert.instance}`, 'aria-label': `Acknowledge ${alert.rule} of ${alert.gateway}`,
    onclick: () => dialog('Acknowledge', [alert.rule, alert.gateway, alert.device, alert.metric].filter(Boolean).join(', '),
      [{ name: 'comment', title: 'Comment' }], 'Acknowledge', async values => {
        await change('POST', `/api/alerts/${alert.instance}/acknowledge`,
          { comment: values.comment, revision: alert.revision });
        await read();
      }),
  }, 'Acknowledge'));
}

/** @param {any} alert @param {() => Promise<void>} read */
function silence(alert, read) {
  if (alert.silenced || !mayAct()) {
    return alert.silenced ? `until ${time(alert.silenced.until)} by ${alert.silenced.by}: ${alert.silenced.reason}` : '';
  }
  /** @type {Record<string, any>} */
  const matchers = {
    series: { rule: alert.rule, gateway: alert.gateway, device: alert.device, metric: alert.metric },
    gateway: { rule: alert.rule, gateway: alert.gateway }, all: { gateway: alert.gateway }, rule: { rule: alert.rule },
  };
  return el('button', {
    type: 'button', id: `silence-${alert.instance}`, 'aria-label': `Silence ${alert.rule} of ${alert.gateway}`,
    onclick: () => dialog('Silence', `${alert.rule}, ${alert.gateway}`, [
      { name: 'reason', title: 'Reason' },
      { name: 'what', title: 'What', value: 'gateway', options: [
        ...alert.device ? [/** @type {[string, string]} */ (['series', 'This rule on this series'])] : [],
        ['gateway', 'This rule on this gateway'], ['all', 'All alerts of this gateway'], ['rule', 'This rule everywhere']] },
      { name: 'hours', title: 'How long', value: '2', options: [
        ['1', '1 hour'], ['2', '2 hours'], ['8', '8 hours'], ['24', '1 day'], ['168', '7 days'], ['719', '30 days']] },
    ], 'Silence', async values => {
      await change('POST', '/api/silences', { matcher: matchers[values.what], reason: values.reason,
        until: new Date(now() + Number(values.hours) * 3600000).toISOString() });
      await read();
    }),
  }, 'Silence');
}

/** @param {any[]} silences @param {() => Promise<void>} read */
function silenced(silences, read) {
  return silences.length === 0 ? [] : [el('h2', {}, `Silences: ${count(silences.length)}`), table('Silences',
    [['What'], ['Reason'], ['By'], ['Until'], ['End']], silences.map(s => [
      Object.entries(s.matcher).map(([key, value]) =>
        `${key} = ${typeof value === 'string' ? value : JSON.stringify(value)}`).join(', ')
        + (s.sites.length > 0 ? ` (at ${s.sites.join(', ')})` : ''),
      s.reason, s.by, time(s.until), mayAct() ? el('button', {
        type: 'button', id: `end-${s.id}`, 'aria-label': `End silence ${s.id}`,
        onclick: async (/** @type {Event} */ event) => {
          try {
            await change('DELETE', `/api/silences/${s.id}`);
          } catch (error) {
            // Somebody else ended it; the list says so.
            const button = /** @type {HTMLElement} */ (event.target);
            button.title = String(/** @type {Error} */ (error).message);
          }
          await read();
        },
      }, 'End') : '']))];
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
