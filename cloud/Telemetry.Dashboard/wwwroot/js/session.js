// Who looks at the page, what they may do, and how a page changes something.

/**
 * @typedef {{ user: string, role: 'viewer' | 'operator' | 'admin', open: boolean, antiforgery: string, sites: string[] }}
 *   Session
 */

/** @type {Session | null} */
let session = null;

/** Asks who is logged in; null for nobody. */
export async function readSession() {
  const answer = await fetch('/api/session', { headers: { Accept: 'application/json' } });
  if (answer.status === 401) {
    session = null;
  } else if (answer.ok) {
    session = await answer.json();
  }
  return session;
}

/** May whoever looks at the page acknowledge, silence and retry? */
export function mayAct() {
  return session !== null && session.role !== 'viewer';
}

export function mayLogIn() {
  return session === null || !session.open;
}

/** Leaves for the login page, which comes back. */
export function toLogin() {
  if (location.pathname !== '/login') {
    location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
  }
}

/**
 * Changes something; throws an Error with words that people can read.
 * @param {'POST' | 'DELETE'} method
 * @param {string} path
 * @param {object} [content]
 */
export async function change(method, path, content) {
  const answer = await fetch(path, {
    method,
    headers: {
      Accept: 'application/json', 'X-Antiforgery': session?.antiforgery ?? 'login',
      ...content ? { 'Content-Type': 'application/json' } : {},
    },
    body: content ? JSON.stringify(content) : null,
  });
  if (answer.ok) {
    return answer;
  }
  if (answer.status === 401 && path !== '/api/login') {
    toLogin();
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
