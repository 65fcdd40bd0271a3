// One gateway: its state in words, what is on the way, its books, epochs, series, alerts and letters.
import { address, doing, el, link, setText, table } from './dom.js';
import { age, count, labels, number, span, time } from './format.js';
import { ask, listen } from './live.js';
import { change, mayAct } from './session.js';
import { clock, words } from './states.js';

/** @type {import('./app.js').Page} */
export function gatewayPage(main, query) {
  const name = query.get('name') ?? '';
  const head = el('div', { 'aria-live': 'polite' });
  const body = el('div');
  main.append(el('h1', {}, `Gateway ${name}`), head, body);

  /** @type {import('./states.js').Gateway | null} */
  let current = null;
  function drawHead() {
    if (current) {
      drawState(head, current);
    }
  }

  const leaving = new AbortController();
  async function read() {
    try {
      const found = await ask(`/api/gateways/${encodeURIComponent(name)}`, leaving.signal);
      current = found.now;
      drawHead();
      const alerts = await ask(address('/api/alerts', { gateway: name }), leaving.signal);
      drawBody(body, found.stored, alerts, current);
    } catch (error) {
      if (!leaving.signal.aborted) {
        body.replaceChildren(el('p', { class: 'error', role: 'alert' }, String(/** @type {Error} */ (error).message)));
      }
    }
  }
  const stop = listen(event => {
    const row = event?.rows.find(r => r.name === name);
    if (row) {
      current = row;
      drawHead();
    }
  });
  const aging = setInterval(drawHead, 1000);
  const asking = setInterval(read, 10000);
  void read();
  return () => {
    stop();
    leaving.abort();
    clearInterval(aging);
    clearInterval(asking);
  };
}

/**
 * @param {HTMLElement} head
 * @param {import('./states.js').Gateway} gateway
 */
function drawState(head, gateway) {
  const { what, todo, runbook } = words(gateway);
  const text = `${gateway.state}: ${what}`;
  let notice = head.querySelector('.notice');
  if (!notice) {
    head.replaceChildren(notice = el('div', {}, el('p', {}), el('p', {}), el('p', {})));
  }
  notice.className = `notice ${gateway.state}`;
  const [first, second, third] = /** @type {HTMLElement[]} */ ([...notice.children]);
  setText(first, text);
  setText(second, `What to do: ${todo}`);
  if (third.dataset.runbook !== (runbook ?? '')) {
    third.dataset.runbook = runbook ?? '';
    third.replaceChildren(...(runbook ? [link('/runbook', { name: runbook }, 'Runbook')] : []));
  }
}

/**
 * @param {HTMLElement} body
 * @param {any} stored
 * @param {any[]} alerts
 * @param {import('./states.js').Gateway | null} now
 */
function drawBody(body, stored, alerts, now) {
  const books = stored.books;
  const presence = stored.presence;
  const parts = [];
  parts.push(el('div', { class: 'cards' },
    card(count(now?.atRisk ?? books?.onTheWay ?? 0), 'readings at risk'),
    card(now?.drainSeconds ? span(now.drainSeconds) : '–', 'until drained'),
    card(now?.watermark ? age(now.watermark) : '–', 'age of the watermark'),
    card(now ? clock(now) || '–' : '–', 'clock')));
  parts.push(el('h2', {}, 'Connection'), presence
    ? table('Connection', [['Connected'], ['Since'], ['By ingress'], ['Agent'], ['Clock offset'], ['Clock']], [[
      presence.connected ? 'yes' : 'no', time(presence.since), presence.ingress, presence.version || 'unknown',
      presence.clockOffsetSeconds === null ? 'unknown' : span(presence.clockOffsetSeconds),
      presence.clockSynchronised ? 'synchronised' : 'not synchronised']])
    : el('p', { class: 'soft' }, 'No ingress has said anything of this gateway.'));
  parts.push(el('h2', {}, 'Books'), books
    ? table('Books', [['Accepted', 'num'], ['Stored', 'num'], ['Rejected', 'num'], ['Dropped', 'num'], ['Lost', 'num'],
      ['On the way', 'num'], ['Retired', 'num']], [[
      count(books.accepted), count(books.stored), count(books.rejected), count(books.dropped), count(books.lost),
      count(books.onTheWay), count(books.retired)]])
    : el('p', { class: 'soft' }, 'It has sent nothing yet.'));
  if (stored.waitsFor) {
    parts.push(el('p', {}, `The watermark waits for: ${stored.waitsFor}`));
  }
  if (books?.fork) {
    parts.push(el('h2', {}, 'Forks'), el('pre', {}, books.fork), link('/runbook', { name: 'forks' }, 'Runbook'));
  }
  parts.push(el('h2', {}, `Alerts that fire (${alerts.length})`), alerts.length === 0
    ? el('p', { class: 'soft' }, 'None.')
    : table('Alerts', [['Rule'], ['Severity'], ['Series'], ['Since'], ['Value', 'num'], ['Late']], alerts.map(a => [
      a.rule, a.severity, a.series === null ? '' : seriesLink(a), time(a.startedAt), number(a.value),
      a.late ? 'late' : ''])));
  parts.push(link('/alerts', { state: 'history', gateway: stored.gateway }, 'History of its alerts'));
  parts.push(el('h2', {}, `Series (${count(stored.seriesCount)})`), table(
    'Series', [['Device'], ['Metric'], ['Labels'], ['Last value', 'num'], ['Unit'], ['Quality'], ['At']],
    stored.series.map((/** @type {any} */ s) => [
      s.device, link('/series', { series: s.series }, s.metric), labels(s.labels), value(s), s.unit, s.quality,
      time(s.time)])));
  if (stored.devices.length > 0) {
    parts.push(el('h2', {}, 'Devices'), table(
      'Devices', [['Device'], ['Site'], ['Location'], ['Labels'], ['Heard']],
      stored.devices.map((/** @type {any} */ d) => [
        d.device, d.site ? link('/', { site: d.site }, d.site) : '', d.location, labels(d.labels),
        d.heard ? 'yes' : 'never'])));
  }
  parts.push(el('h2', {}, `Epochs (${count(stored.epochCount)})`), timeline(stored), table(
    'Epochs', [['Epoch'], ['After'], ['First frame'], ['Last frame'], ['Critical', 'num'], ['Live', 'num'],
      ['Backlog', 'num'], ['State']],
    stored.epochs.map((/** @type {any} */ e) => [
      e.epoch, e.predecessor, time(e.firstFrameAt), time(e.lastFrameAt), count(e.critical), count(e.live),
      count(e.backlog), e.complete ? 'complete' : e.unclosed ? 'nobody closed it' : 'open'])));
  if (stored.gaps.length > 0) {
    parts.push(el('h2', {}, 'Sealed and not settled'), table(
      'Sealed and not settled', [['Epoch'], ['Lane'], ['First', 'num'], ['Last', 'num'], ['Sequences', 'num']],
      stored.gaps.map((/** @type {any} */ g) => [g.epoch, g.lane, count(g.first), count(g.last), count(g.sequences)])));
  }
  if (stored.losses.length > 0) {
    parts.push(el('h2', {}, 'Lost'), table(
      'Lost', [['Epoch'], ['Lane'], ['First', 'num'], ['Last', 'num'], ['From'], ['To']],
      stored.losses.map((/** @type {any} */ l) => [
        l.epoch, l.lane, count(l.first), count(l.last), time(l.timeFirst), time(l.timeLast)])));
  }
  parts.push(el('h2', {}, `Dead letters (${count(stored.deadLetterCount)} not retried)`), stored.deadLetters.length === 0
    ? el('p', { class: 'soft' }, 'None.')
    : table('Dead letters', [['Number', 'num'], ['Reason'], ['Error'], ['Readings', 'num'], ['Stored'], ['Retried']],
      stored.deadLetters.map((/** @type {any} */ d) => [
        String(d.id), d.reason, d.error, count(d.readings), time(d.storedAt), d.retriedAt || !mayAct()
          ? time(d.retriedAt) : doing('Retry', `Retry letter ${d.id}`, async () => {
            await change('POST', `/api/dead-letters/${d.id}/retry`);
          })])));
  body.replaceChildren(...parts);
}

/**
 * @param {string} value
 * @param {string} title
 */
function card(value, title) {
  return el('div', { class: 'card' }, el('b', {}, value), title);
}

/** @param {any} alert */
function seriesLink(alert) {
  return link('/series', { series: alert.series }, `${alert.device} ${alert.metric}`);
}

/** @param {any} series */
export function value(series) {
  return series.number !== null && series.integer === null ? number(series.number)
    : series.integer ?? (series.truth === null ? series.text ?? '' : String(series.truth));
}

/**
 * Epochs by the time of their frames; lost spans below them.
 * @param {any} stored
 */
function timeline(stored) {
  const spans = [
    ...stored.epochs.filter((/** @type {any} */ e) => e.firstFrameAt).map((/** @type {any} */ e) => ({
      from: Date.parse(e.firstFrameAt), to: Date.parse(e.lastFrameAt), kind: e.unclosed ? 'draining' : 'fresh',
      title: `epoch ${e.epoch}`,
    })),
    ...stored.losses.filter((/** @type {any} */ l) => !Number.isNaN(Date.parse(l.timeFirst))
      && !Number.isNaN(Date.parse(l.timeLast))).map((/** @type {any} */ l) => ({
      from: Date.parse(l.timeFirst), to: Date.parse(l.timeLast), kind: 'offline', title: `lost ${l.first}-${l.last}`,
    })),
  ];
  if (spans.length === 0) {
    return el('p', { class: 'soft' }, 'No frame of it is in the register any more.');
  }
  const from = Math.min(...spans.map(s => s.from));
  const to = Math.max(...spans.map(s => s.to), from + 1000);
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('class', 'timeline');
  svg.setAttribute('viewBox', '0 0 1000 90');
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', `Epochs from ${time(new Date(from).toISOString())} to ${time(new Date(to).toISOString())}`);
  spans.slice(0, 60).forEach((one, i) => {
    const bar = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
    bar.setAttribute('x', String(1000 * (one.from - from) / (to - from)));
    bar.setAttribute('width', String(Math.max(3, 1000 * (one.to - one.from) / (to - from))));
    bar.setAttribute('y', String(4 + (i % 8) * 10));
    bar.setAttribute('height', '8');
    bar.style.fill = `var(--${one.kind})`;
    const title = document.createElementNS('http://www.w3.org/2000/svg', 'title');
    title.textContent = one.title;
    bar.append(title);
    svg.append(bar);
  });
  return svg;
}
