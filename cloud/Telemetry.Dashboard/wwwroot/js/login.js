// The login page.
import { el } from './dom.js';
import { change, readSession } from './session.js';

/** @param {string | null} asked where to go; only a page of the dashboard itself */
function goTo(asked) {
  const target = new URL(asked ?? '/', location.origin);
  location.replace(target.origin === location.origin && target.pathname !== '/login'
    ? target.pathname + target.search : '/');
}

/** @type {import('./app.js').Page} */
export function loginPage(main, query) {
  const user = /** @type {HTMLInputElement} */ (el('input', { name: 'user', autocomplete: 'username', required: true,
    maxlength: 64, autocapitalize: 'none' }));
  const password = /** @type {HTMLInputElement} */ (el('input', { name: 'password', type: 'password', required: true,
    autocomplete: 'current-password', maxlength: 1024 }));
  const error = el('p', { class: 'error', role: 'alert' });
  const button = /** @type {HTMLButtonElement} */ (el('button', { type: 'submit' }, 'Log in'));
  const form = el('form', { class: 'login' }, el('h1', {}, 'Log in'), el('label', {}, 'User', user),
    el('label', {}, 'Password', password), error, button);
  form.addEventListener('submit', async event => {
    event.preventDefault();
    button.disabled = true;
    error.textContent = '';
    try {
      await change('POST', '/api/login', { user: user.value, password: password.value });
      goTo(query.get('next'));
    } catch (problem) {
      error.textContent = String(/** @type {Error} */ (problem).message);
      button.disabled = false;
      password.value = '';
      password.focus();
    }
  });
  main.append(form);
  user.focus();
  // Whoever has a session already came here by a link of another site, with which no cookie was sent.
  void readSession().then(session => {
    if (session) {
      goTo(query.get('next'));
    }
  });
}
