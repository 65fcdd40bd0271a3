// Numbers, times and spans as people read them.

/** The server's clock less the browser's, in milliseconds. */
let skew = 0;

/** @param {string} at the server's time */
export function setServerTime(at) {
  skew = Date.parse(at) - Date.now();
}

export function now() {
  return Date.now() + skew;
}

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const fine = new Intl.NumberFormat('en', { maximumSignificantDigits: 6 });

/** @param {number | string | null | undefined} value */
export function count(value) {
  return value === null || value === undefined ? '' : whole.format(Number(value));
}

/** @param {number | string | null | undefined} value */
export function number(value) {
  return typeof value === 'number' ? fine.format(value) : value ?? '';
}

/** @param {number} seconds */
export function span(seconds) {
  const size = Math.abs(seconds);
  const sign = seconds < 0 ? '-' : '';
  if (size < 1) {
    return `${sign}${Math.round(size * 1000)} ms`;
  }
  if (size < 120) {
    return `${sign}${Math.round(size)} s`;
  }
  if (size < 7200) {
    return `${sign}${Math.round(size / 60)} min`;
  }
  return size < 172800 ? `${sign}${Math.round(size / 3600)} h` : `${sign}${Math.round(size / 86400)} d`;
}

/** @param {string | null | undefined} at */
export function age(at) {
  return at ? span(Math.max(0, (now() - Date.parse(at)) / 1000)) : '';
}

/** @param {string | null | undefined} at */
export function time(at) {
  if (!at) {
    return '';
  }
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? at : `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** @param {number} bytes */
export function bytes(bytes) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let i = 0;
  while (bytes >= 1024 && i < units.length - 1) {
    bytes /= 1024;
    i++;
  }
  return `${bytes.toFixed(i === 0 ? 0 : 1)} ${units[i]}`;
}

/** @param {Record<string, unknown> | null | undefined} labels */
export function labels(labels) {
  return Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`).join(', ');
}
