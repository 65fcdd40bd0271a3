// The chart of a series: values or means with their range; gaps grey, incomplete and revised windows and alerts marked.
import uPlot from '../vendor/uplot-1.6.32/uPlot.esm.js';
import { el } from './dom.js';

/**
 * Returns what removes it.
 * @param {HTMLElement} place
 * @param {any} found the answer of /api/series
 * @param {string} kind
 * @param {number} from
 * @param {number} to
 * @param {any[]} alerts transitions of its gateway
 */
export function drawChart(place, found, kind, from, to, alerts) {
  place.replaceChildren();
  const values = found.values.filter((/** @type {any} */ v) => typeof pick(v, kind) === 'number');
  if (values.length === 0) {
    place.append(el('p', { class: 'soft' }, found.values.length > 0
      ? 'There are no numbers to draw.' : 'There is nothing in this span.'));
    return () => undefined;
  }
  const style = getComputedStyle(document.documentElement);
  /** @param {string} name */
  const colour = name => style.getPropertyValue(`--${name}`).trim();
  const raw = kind === 'readings';
  const times = values.map((/** @type {any} */ v) => Date.parse(raw ? v.time : v.start) / 1000);
  const steps = times.slice(1).map((/** @type {number} */ t, /** @type {number} */ i) => t - times[i]).sort(
    (/** @type {number} */ a, /** @type {number} */ b) => a - b);
  const usual = (steps[Math.floor(steps.length / 2)] ?? 60) * 3;

  // A null where there is a gap, so that no line is drawn over it.
  /** @type {(number | null)[][]} */
  const data = raw ? [[], []] : [[], [], [], []];
  /** @type {[number, number][]} */
  const gaps = [];
  values.forEach((/** @type {any} */ v, /** @type {number} */ i) => {
    if (i > 0 && times[i] - times[i - 1] > usual) {
      gaps.push([times[i - 1], times[i]]);
      data.forEach((column, c) => column.push(c === 0 ? (times[i - 1] + times[i]) / 2 : null));
    }
    data[0].push(times[i]);
    if (raw) {
      data[1].push(pick(v, kind));
    } else {
      data[1].push(v.mean);
      data[2].push(v.min);
      data[3].push(v.max);
    }
  });
  const marks = alerts.map(a => a.event).filter(e => e.device === found.device && e.metric === found.metric
    && e.timeMicros / 1000 >= from && e.timeMicros / 1000 <= to);

  /** @param {any} u */
  function under(u) {
    u.ctx.save();
    u.ctx.fillStyle = colour('line');
    u.ctx.globalAlpha = 0.5;
    for (const [start, end] of gaps) {
      const x = u.valToPos(start, 'x', true);
      u.ctx.fillRect(x, u.bbox.top, u.valToPos(end, 'x', true) - x, u.bbox.height);
    }
    u.ctx.globalAlpha = 0.25;
    if (!raw) {
      for (const w of values) {
        if (!w.complete || w.revision > 0) {
          u.ctx.fillStyle = colour(w.complete ? 'fork' : 'draining');
          const x = u.valToPos(Date.parse(w.start) / 1000, 'x', true);
          u.ctx.fillRect(x, u.bbox.top, Math.max(2, u.valToPos(Date.parse(w.until) / 1000, 'x', true) - x), u.bbox.height);
        }
      }
    }
    u.ctx.restore();
  }

  /** @param {any} u */
  function over(u) {
    u.ctx.save();
    u.ctx.lineWidth = 2;
    for (const mark of marks) {
      const x = u.valToPos(mark.timeMicros / 1e6, 'x', true);
      u.ctx.strokeStyle = colour(mark.kind === 'firing' ? 'offline' : 'fresh');
      u.ctx.beginPath();
      u.ctx.moveTo(x, u.bbox.top);
      u.ctx.lineTo(x, u.bbox.top + u.bbox.height);
      u.ctx.stroke();
    }
    u.ctx.restore();
  }

  const axis = { stroke: colour('soft'), grid: { stroke: colour('line'), width: 1 }, ticks: { stroke: colour('line') } };
  const line = { stroke: colour('link'), width: 1.5, points: { show: values.length < 100 }, spanGaps: false };
  const edge = { stroke: colour('soft'), width: 0.5, points: { show: false }, spanGaps: false };
  const plot = new (/** @type {any} */ (uPlot))({
    width: Math.max(280, place.clientWidth), height: 280,
    series: raw ? [{}, { ...line, label: found.metric }]
      : [{}, { ...line, label: 'mean' }, { ...edge, label: 'min' }, { ...edge, label: 'max' }],
    bands: raw ? [] : [{ series: [3, 2], fill: `color-mix(in srgb, ${colour('link')} 18%, transparent)` }],
    scales: { x: { min: from / 1000, max: to / 1000 } },
    axes: [axis, { ...axis, size: 70 }],
    hooks: { drawClear: [under], draw: [over] },
  }, data, place);
  const resize = new ResizeObserver(() => plot.setSize({ width: Math.max(280, place.clientWidth), height: 280 }));
  resize.observe(place);
  place.append(el('p', { class: 'soft' },
    'Grey: no values. Amber: windows that are not complete. Violet: revised. Red and green lines: alerts that fired and '
    + 'were resolved. The table below has the numbers.'));
  return () => {
    resize.disconnect();
    plot.destroy();
  };
}

/** @param {any} v @param {string} kind */
function pick(v, kind) {
  return kind !== 'readings' ? v.mean : v.number ?? (v.truth === null || v.truth === undefined ? null : Number(v.truth));
}
