// The words of each state: what it is, since when, and what to do.
import { age, count, span, time } from './format.js';

/**
 * @typedef {{
 *   name: string, state: 'fork' | 'offline' | 'draining' | 'fresh', since: string | null, connected: boolean | null,
 *   ingress: string, version: string, clockOffsetSeconds: number | null, clockSynchronised: boolean,
 *   partition: number, accepted: number, stored: number, rejected: number, dropped: number, lost: number,
 *   atRisk: number, watermark: string | null, changedAt: string | null, fork: string, firing: number,
 *   drainSeconds: number | null, sites: string[], labels: string[]
 * }} Gateway
 */

/** @type {Gateway['state'][]} */
export const states = ['fork', 'offline', 'draining', 'fresh'];

/** A clock that differs more than this is named. */
export const clockSeconds = 5;

/**
 * A few words for the list.
 * @param {Gateway} gateway
 */
export function short(gateway) {
  switch (gateway.state) {
    case 'fork': return 'Fork';
    case 'offline': return gateway.since ? `Offline for ${age(gateway.since)}` : 'Offline';
    case 'draining': return gateway.watermark ? `Draining, ${age(gateway.watermark)} behind` : 'Draining';
    default: return 'Fresh';
  }
}

/**
 * @param {Gateway} gateway
 * @returns {{ what: string, todo: string, runbook: string | null }}
 */
export function words(gateway) {
  const waiting = gateway.atRisk > 0
    ? `${count(gateway.atRisk)} readings that it accepted are not in the database yet.` : 'Nothing is on the way.';
  switch (gateway.state) {
    case 'fork':
      return {
        what: `Two lives of this gateway sent data: ${gateway.fork}`,
        todo: 'Find out whether its disk was copied or put back, then say so with: telemetry forks resolve.',
        runbook: 'forks',
      };
    case 'offline':
      return {
        what: (gateway.connected === null ? 'No ingress knows it, and nothing of it came' : 'It is not connected')
          + (gateway.since ? ` since ${time(gateway.since)} (${age(gateway.since)} ago). ` : '. ') + waiting,
        todo: 'Look at power and network of the site. The gateway keeps its readings and sends them when it is back.',
        runbook: 'gateway-offline',
      };
    case 'draining':
      return {
        what: 'It is connected, and its data is complete only '
          + (gateway.watermark ? `up to ${time(gateway.watermark)} (${age(gateway.watermark)} ago). ` : 'in part. ')
          + waiting + (gateway.drainSeconds ? ` At the present rate this takes ${span(gateway.drainSeconds)}.` : ''),
        todo: 'Wait. If the number on the way does not fall for ten minutes, follow the runbook.',
        runbook: 'gateway-draining',
      };
    default:
      return {
        what: 'It is connected'
          + (gateway.since ? ` since ${time(gateway.since)}` : '')
          + `, and its data is complete up to ${age(gateway.watermark)} ago.`,
        todo: 'Nothing.',
        runbook: null,
      };
  }
}

/** @param {Gateway} gateway */
export function clock(gateway) {
  const offset = gateway.clockOffsetSeconds;
  return offset === null ? '' : Math.abs(offset) < 0.5 ? 'right' : `${offset > 0 ? '+' : ''}${span(offset)}`;
}
