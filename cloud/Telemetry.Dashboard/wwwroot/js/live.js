// The live events, for all parts of the page.
import { setServerTime } from './format.js';

/**
 * @typedef {{ what: string, since?: string, text: string }} Behind
 * @typedef {{
 *   version: number, at: string, gateways: number, states: Record<string, number>, atRisk: number, firing: number,
 *   behind: Behind, readAnew?: boolean, rows: import('./states.js').Gateway[]
 * }} FleetEvent
 */

/** @type {Set<(event: FleetEvent | null) => void>} */
const listeners = new Set();

/** @type {Set<(behind: Behind) => void>} */
const watchers = new Set();

/** @type {EventSource | null} */
let source = null;
const silence = 15000;
let heardAt = performance.now();
let lostSince = '';

/** @param {(event: FleetEvent | null) => void} listener null: read everything anew */
export function listen(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** @param {(behind: Behind) => void} watcher */
export function watchBehind(watcher) {
  watchers.add(watcher);
}

/** @param {Behind} behind */
function tell(behind) {
  watchers.forEach(watcher => watcher(behind));
}

/** @param {FleetEvent} event */
function take(event) {
  setServerTime(event.at);
  tell(event.behind);
  listeners.forEach(listener => listener(event));
}

function open() {
  source?.close();
  source = new EventSource('/api/events');
  source.addEventListener('open', () => {
    heardAt = performance.now();
    if (lostSince !== '') {
      lostSince = '';
      listeners.forEach(listener => listener(null));
    }
  });
  source.addEventListener('error', () => {
    // Refused for good: by a server that is too full, or as the session has ended.
    if (source?.readyState === EventSource.CLOSED) {
      void ask('/api/session').catch(() => null);
    }
  });
  source.addEventListener('fleet', message => {
    heardAt = performance.now();
    take(JSON.parse(message.data));
  });
  source.addEventListener('anew', () => listeners.forEach(listener => listener(null)));
}

function close() {
  source?.close();
  source = null;
}

// A browser has six connections to a server, and each open page holds one for its events: one that nobody sees has none.
export function start() {
  const follow = () => {
    if (document.visibilityState === 'hidden') {
      close();
      lostSince ||= new Date().toISOString();
    } else if (source === null) {
      heardAt = performance.now();
      open();
    }
  };
  document.addEventListener('visibilitychange', follow);
  addEventListener('pagehide', close);
  addEventListener('pageshow', follow);
  follow();
  setInterval(() => {
    // The server says something every few seconds.
    if (source === null || performance.now() - heardAt < silence) {
      return;
    }
    lostSince ||= new Date(Date.now() - silence).toISOString();
    tell({ what: 'dashboard', since: lostSince, text: 'The dashboard does not answer; this page stands still.' });
    if (source.readyState === EventSource.CLOSED) {
      open();
    }
  }, 2000);
}

/**
 * Asks the API; throws an Error with words that people can read.
 * @param {string} path
 * @param {AbortSignal} [signal]
 */
export async function ask(path, signal) {
  const answer = await fetch(path, { signal, headers: { Accept: 'application/json' } });
  if (answer.ok) {
    return answer.json();
  }
  if (answer.status === 401) {
    document.dispatchEvent(new Event('refused'));
  }
  let detail = `${answer.status}`;
  try {
    const problem = await answer.json();
    detail = `${problem.title}: ${problem.detail}`;
  } catch {
    // Not of our making.
  }
  throw new Error(detail);
}
