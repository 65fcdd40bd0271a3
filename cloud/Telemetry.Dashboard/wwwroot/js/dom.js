// Makes elements. Text is set as text only: nothing that a gateway says can become markup.

/**
 * @param {string} tag
 * @param {Record<string, any>} [properties] attributes; on… are listeners, class is className
 * @param {...(Node | string | number | null | undefined)} children
 * @returns {HTMLElement}
 */
export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) {
      continue;
    }
    if (name.startsWith('on')) {
      element.addEventListener(name.slice(2), value);
    } else if (name === 'class') {
      element.className = value;
    } else {
      element.setAttribute(name, value === true ? '' : String(value));
    }
  }
  for (const child of children) {
    if (child !== null && child !== undefined) {
      element.append(child instanceof Node ? child : document.createTextNode(String(child)));
    }
  }
  return element;
}

/**
 * @param {HTMLElement} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

/**
 * A table of rows.
 * @param {string} caption for screen readers
 * @param {[string, string?][]} heads title, class
 * @param {(Node | string | number | null | undefined)[][]} rows
 */
export function table(caption, heads, rows) {
  return el('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': caption }, el('table', {},
    el('caption', { class: 'visually-hidden' }, caption),
    el('thead', {}, el('tr', {}, ...heads.map(([title, kind]) => el('th', { class: kind, scope: 'col' }, title)))),
    el('tbody', {}, ...rows.map(row => el('tr', {}, ...row.map((cell, i) =>
      el('td', { class: heads[i][1] }, cell ?? '')))))));
}

/**
 * A button that does something on the server, and says what came of it.
 * @param {string} text
 * @param {string} label for screen readers
 * @param {() => Promise<void>} act
 */
export function doing(text, label, act) {
  const button = /** @type {HTMLButtonElement} */ (el('button', { type: 'button', 'aria-label': label }, text));
  const said = el('span', { role: 'status' });
  button.addEventListener('click', async () => {
    button.disabled = true;
    try {
      await act();
      said.textContent = ' done';
    } catch (error) {
      said.textContent = ` ${/** @type {Error} */ (error).message}`;
      button.disabled = false;
    }
  });
  return el('span', {}, button, said);
}

/**
 * A link to a page of the dashboard.
 * @param {string} page
 * @param {Record<string, string | number | null | undefined>} parameters
 * @param {Node | string} text
 */
export function link(page, parameters, text) {
  return el('a', { href: address(page, parameters) }, text);
}

/**
 * @param {string} page
 * @param {Record<string, string | number | null | undefined>} parameters
 */
export function address(page, parameters) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== null && value !== undefined && value !== '') {
      query.set(name, String(value));
    }
  }
  return query.size > 0 ? `${page}?${query}` : page;
}

/**
 * A choice of words with a label.
 * @param {string} title
 * @param {[string, string][]} options value, text
 * @param {string} value
 * @param {(value: string) => void} changed
 */
export function choice(title, options, value, changed) {
  const select = /** @type {HTMLSelectElement} */ (el('select', {},
    ...options.map(([option, text]) => el('option', { value: option, selected: option === value }, text))));
  select.addEventListener('change', () => changed(select.value));
  return el('label', {}, title, select);
}
