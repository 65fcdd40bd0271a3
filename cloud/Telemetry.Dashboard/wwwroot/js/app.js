// The frame of all pages: which one is shown, the links, the theme, and whether the page is behind.
import { el, setText } from './dom.js';
import { age } from './format.js';
import { start, watchBehind } from './live.js';
import { alertsPage } from './alerts.js';
import { booksPage } from './books.js';
import { fleetPage } from './fleet.js';
import { gatewayPage } from './gateway.js';
import { loginPage } from './login.js';
import { pipelinePage } from './pipeline.js';
import { runbookPage } from './runbook.js';
import { seriesPage } from './series.js';
import { change, readSession, toLogin } from './session.js';

/**
 * A page fills the main part and returns what ends it.
 * @typedef {(main: HTMLElement, query: URLSearchParams) => (() => void) | void} Page
 */

/** @type {Record<string, { title: string, page: Page, hidden?: boolean }>} */
const pages = {
  '/': { title: 'Fleet', page: fleetPage },
  '/gateway': { title: 'Gateway', page: gatewayPage, hidden: true },
  '/alerts': { title: 'Alerts', page: alertsPage },
  '/series': { title: 'Series', page: seriesPage },
  '/books': { title: 'Books', page: booksPage },
  '/pipeline': { title: 'Pipeline', page: pipelinePage },
  '/runbook': { title: 'Runbook', page: runbookPage, hidden: true },
  '/login': { title: 'Log in', page: loginPage, hidden: true },
};

const main = /** @type {HTMLElement} */ (document.getElementById('main'));
const nav = /** @type {HTMLElement} */ (document.getElementById('nav'));
const notice = /** @type {HTMLElement} */ (document.getElementById('behind'));

/** @type {(() => void) | void} */
let leave;

function show() {
  leave?.();
  const { title, page } = pages[location.pathname] ?? pages['/'];
  document.title = `${title} – Telemetry`;
  nav.replaceChildren(...Object.entries(pages).filter(([, known]) => !known.hidden).map(([path, known]) =>
    el('a', { href: path, 'aria-current': path === location.pathname ? 'page' : null }, known.title)));
  main.replaceChildren();
  main.className = '';
  leave = page(main, new URLSearchParams(location.search));
}

/** @param {string} address */
export function go(address) {
  history.pushState(null, '', address);
  show();
  main.focus();
}

document.addEventListener('click', event => {
  const anchor = event.target instanceof Element ? event.target.closest('a') : null;
  if (anchor && anchor.origin === location.origin && anchor.pathname in pages && !anchor.hash && !anchor.target
    && event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey) {
    event.preventDefault();
    go(anchor.pathname + anchor.search);
  }
});
addEventListener('popstate', show);
document.addEventListener('go', event => go(/** @type {CustomEvent<string>} */ (event).detail));

/** @type {import('./live.js').Behind} */
let behind = { what: 'nothing', text: '' };
function showBehind() {
  notice.hidden = behind.what === 'nothing';
  setText(notice, behind.what === 'nothing' ? ''
    : `${behind.since ? `Behind for ${age(behind.since)}. ` : ''}${behind.text}`);
}
watchBehind(state => {
  behind = state;
  showBehind();
});
setInterval(showBehind, 1000);

const themes = ['', 'light', 'dark'];
const button = /** @type {HTMLButtonElement} */ (document.getElementById('theme'));
/** @param {string} theme */
function setTheme(theme) {
  if (theme) {
    document.documentElement.dataset.theme = theme;
  } else {
    delete document.documentElement.dataset.theme;
  }
  button.textContent = `Theme: ${theme || 'as the system'}`;
  localStorage.setItem('theme', theme);
}
button.addEventListener('click', () =>
  setTheme(themes[(themes.indexOf(document.documentElement.dataset.theme ?? '') + 1) % themes.length]));
const saved = localStorage.getItem('theme') ?? '';
setTheme(themes.includes(saved) ? saved : '');

const who = /** @type {HTMLElement} */ (document.getElementById('who'));
const logout = /** @type {HTMLButtonElement} */ (document.getElementById('logout'));
logout.addEventListener('click', async () => {
  await change('POST', '/api/logout');
  location.assign('/login');
});

/** @param {import('./session.js').Session} session */
function showWho(session) {
  const sites = session.sites.length === 0 ? '' : `, ${session.sites.join(', ')}`;
  setText(who, session.open ? 'No users: everybody here may do everything' : `${session.user} (${session.role}${sites})`);
  logout.hidden = session.open;
  // The pipeline is of all sites.
  pages['/pipeline'].hidden = session.sites.length > 0;
}

if (location.pathname === '/login') {
  nav.hidden = true;
  leave = loginPage(main, new URLSearchParams(location.search));
} else {
  const session = await readSession().catch(() => null);
  if (session === null) {
    // Without an answer the page is shown all the same, and says what is the matter.
    setText(who, '');
  } else {
    showWho(session);
  }
  document.addEventListener('refused', toLogin);
  start();
  show();
}
