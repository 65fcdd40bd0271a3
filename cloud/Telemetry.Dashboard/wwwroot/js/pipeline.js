// The pipeline: partitions and who owns them, how far they are behind, letters, the relay, the database.
import { doing, el, link, table } from './dom.js';
import { age, bytes, count, time } from './format.js';
import { ask } from './live.js';
import { change, mayAct } from './session.js';

/** @type {import('./app.js').Page} */
export function pipelinePage(main) {
  const body = el('div');
  const leaving = new AbortController();
  /** @type {Map<number, { commits: number, at: number, rate: number }>} */
  const rates = new Map();

  /** @param {any} p @param {number} at */
  function rate(p, at) {
    const before = rates.get(p.partition);
    const known = before && at > before.at
      ? { commits: p.commits, at, rate: Math.max(0, (p.commits - before.commits) * 1000 / (at - before.at)) }
      : before ?? { commits: p.commits, at, rate: NaN };
    rates.set(p.partition, known);
    return Number.isNaN(known.rate) ? '' : known.rate.toFixed(1);
  }

  async function read() {
    try {
      const found = await ask('/api/pipeline', leaving.signal);
      const at = Date.parse(found.at);
      body.replaceChildren(
        el('div', { class: 'cards' },
          el('div', { class: 'card' }, el('b', {}, bytes(found.databaseBytes)), 'database'),
          el('div', { class: 'card' }, el('b', {}, found.server.split(' ')[0]), 'PostgreSQL'),
          el('div', { class: 'card' }, el('b', {},
            `${found.partitions.filter((/** @type {any} */ p) => p.owned).length} of ${found.partitions.length}`),
          'partitions owned')),
        el('h2', {}, 'Partitions'), table('Partitions',
          [['Partition', 'num'], ['Owner'], ['Commits a second', 'num'], ['Live waits', 'num'], ['Since'],
            ['Backlog waits', 'num'], ['Since'], ['Stage'], ['Alerts', 'num'], ['Published', 'num']],
          found.partitions.map((/** @type {any} */ p) => [
            String(p.partition), p.owned ? p.owner : el('span', { class: 'error' }, `nobody for ${age(p.leaseUntil)}`),
            rate(p, at), count(p.liveMessages), age(p.liveOldestAt), count(p.backlogMessages), age(p.backlogOldestAt),
            p.stage, count(p.alerts), count(p.published)])),
        el('h2', {}, 'Ingresses'), table('Ingresses', [['Ingress'], ['Gateways', 'num'], ['State'], ['Heard']],
          found.ingresses.map((/** @type {any} */ i) => [
            i.ingress, count(i.gateways), i.alive ? 'alive' : 'silent', `${age(i.saidAt)} ago`])),
        el('h2', {}, 'Relay'), found.relays.length === 0 ? el('p', { class: 'soft' }, 'There is none.')
          : table('Relay', [['Relay'], ['Owner'], ['Lease']], found.relays.map((/** @type {any} */ r) => [
            r.relay, r.owner, r.owned ? 'held' : `ended ${age(r.leaseUntil)} ago`])),
        el('h2', {}, 'Dead letters that were not retried'), found.deadLetters.length === 0
          ? el('p', { class: 'soft' }, 'None.')
          : table('Dead letters', [['Reason'], ['Letters', 'num'], ['Readings', 'num'], ['Gateways', 'num'], ['Newest']],
            found.deadLetters.map((/** @type {any} */ d) => [
              d.reason, count(d.letters), count(d.readings), count(d.gateways), time(d.newestAt)])),
        el('p', { class: 'soft' }, 'Show and retry them with: telemetry dead-letters.'),
        found.newestLetters.length === 0 ? '' : table('The newest dead letters',
          [['Number', 'num'], ['Gateway'], ['Reason'], ['Error'], ['Readings', 'num'], ['Stored'], ['Retry']],
          found.newestLetters.map((/** @type {any} */ d) => [
            String(d.id), link('/gateway', { name: d.gateway }, d.gateway), d.reason, d.error, count(d.readings),
            time(d.storedAt), mayAct() ? doing('Retry', `Retry letter ${d.id}`, async () => {
              await change('POST', `/api/dead-letters/${d.id}/retry`);
            }) : ''])));
    } catch (error) {
      if (!leaving.signal.aborted) {
        body.replaceChildren(el('p', { class: 'error', role: 'alert' }, String(/** @type {Error} */ (error).message)));
      }
    }
  }
  main.append(el('h1', {}, 'Pipeline'), body);
  void read();
  const asking = setInterval(read, 5000);
  return () => {
    leaving.abort();
    clearInterval(asking);
  };
}
