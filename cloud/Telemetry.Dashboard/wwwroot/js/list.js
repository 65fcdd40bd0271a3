// A list of very many rows of which only those that are seen are elements.

/**
 * @template Row
 * @typedef {{
 *   make: () => HTMLElement, fill: (element: HTMLElement, row: Row | null, index: number) => void,
 *   read: (offset: number, limit: number) => Promise<{ rows: Row[], total: number }>, open: (row: Row) => void,
 *   label: string
 * }} ListOptions
 */

const block = 100;
const blocksMax = 30;

/** @template Row */
export class VirtualList {
  /** @param {ListOptions<Row>} options */
  constructor(options) {
    this.options = options;
    /** @type {Map<number, { rows: Row[], stale: boolean }>} */
    this.blocks = new Map();
    this.total = 0;
    this.selected = -1;
    this.generation = 0;
    /** @type {Set<number>} */
    this.reading = new Set();
    /** @type {HTMLElement[]} */
    this.pool = [];
    this.element = document.createElement('div');
    this.element.className = 'list';
    this.element.tabIndex = 0;
    this.element.setAttribute('role', 'listbox');
    this.element.setAttribute('aria-label', options.label);
    this.space = document.createElement('div');
    this.space.className = 'space';
    this.space.setAttribute('role', 'presentation');
    this.element.append(this.space);
    this.element.addEventListener('scroll', () => this.draw(), { passive: true });
    this.element.addEventListener('keydown', event => this.key(event));
    this.element.addEventListener('click', event => {
      const row = event.target instanceof Element ? event.target.closest('.row') : null;
      const index = row ? Number(/** @type {HTMLElement} */ (row).dataset.index) : -1;
      if (index >= 0) {
        this.select(index);
        if (!(event.target instanceof HTMLAnchorElement)) {
          this.openSelected();
        }
      }
    });
    this.resize = new ResizeObserver(() => this.draw());
    this.resize.observe(this.element);
  }

  close() {
    this.resize.disconnect();
    this.generation++;
  }

  get rowHeight() {
    return matchMedia('(max-width: 760px)').matches ? 64 : 36;
  }

  /** Everything is read anew; what is shown stays until then. */
  refresh() {
    this.blocks.forEach(known => {
      known.stale = true;
    });
    this.draw();
  }

  /** Another question: nothing of what is known holds. */
  reset() {
    this.generation++;
    this.blocks.clear();
    this.reading.clear();
    this.selected = -1;
    this.element.scrollTop = 0;
    void this.load(0);
  }

  /** @param {(row: Row) => Row | null} change a row that changed, or null */
  update(change) {
    for (const { rows } of this.blocks.values()) {
      for (let i = 0; i < rows.length; i++) {
        rows[i] = change(rows[i]) ?? rows[i];
      }
    }
    this.draw();
  }

  /** @param {number} index */
  row(index) {
    return this.blocks.get(Math.floor(index / block))?.rows[index % block] ?? null;
  }

  /** @param {number} number */
  async load(number) {
    if (this.reading.has(number)) {
      return;
    }
    this.reading.add(number);
    const generation = this.generation;
    try {
      const { rows, total } = await this.options.read(number * block, block);
      if (generation !== this.generation) {
        return;
      }
      this.total = total;
      this.blocks.delete(number);
      this.blocks.set(number, { rows, stale: false });
      for (const old of this.blocks.keys()) {
        if (this.blocks.size <= blocksMax) {
          break;
        }
        this.blocks.delete(old);
      }
    } catch {
      // The page says that it is behind; the next refresh reads it.
    } finally {
      if (generation === this.generation) {
        this.reading.delete(number);
        this.draw();
      }
    }
  }

  draw() {
    const height = this.rowHeight;
    this.space.style.height = `${this.total * height}px`;
    const first = Math.max(0, Math.floor(this.element.scrollTop / height) - 3);
    const last = Math.min(this.total - 1, Math.ceil((this.element.scrollTop + this.element.clientHeight) / height) + 3);
    const shown = Math.max(0, last - first + 1);
    while (this.pool.length < shown) {
      const element = this.options.make();
      element.classList.add('row');
      element.setAttribute('role', 'option');
      this.pool.push(element);
      this.element.append(element);
    }
    this.pool.forEach((element, place) => {
      // A row keeps its element while it is seen.
      const index = shown === 0 ? -1 : first + (((place - first) % this.pool.length) + this.pool.length) % this.pool.length;
      element.hidden = index < first || index > last;
      if (element.hidden) {
        return;
      }
      element.style.transform = `translateY(${index * height}px)`;
      element.dataset.index = String(index);
      element.id = `row-${index}`;
      element.setAttribute('aria-setsize', String(this.total));
      element.setAttribute('aria-posinset', String(index + 1));
      element.setAttribute('aria-selected', String(index === this.selected));
      element.classList.toggle('selected', index === this.selected);
      this.options.fill(element, this.row(index), index);
    });
    for (let number = Math.floor(first / block); number <= Math.floor(Math.max(first, last) / block); number++) {
      const known = this.blocks.get(number);
      if ((!known || known.stale) && (this.total > 0 || number === 0)) {
        if (known) {
          known.stale = false;
        }
        void this.load(number);
      }
    }
  }

  /** @param {number} index */
  select(index) {
    this.selected = Math.max(0, Math.min(this.total - 1, index));
    const height = this.rowHeight;
    const top = this.selected * height;
    if (top < this.element.scrollTop) {
      this.element.scrollTop = top;
    } else if (top + height > this.element.scrollTop + this.element.clientHeight) {
      this.element.scrollTop = top + height - this.element.clientHeight;
    }
    this.draw();
    this.element.setAttribute('aria-activedescendant', `row-${this.selected}`);
  }

  openSelected() {
    const row = this.row(this.selected);
    if (row) {
      this.options.open(row);
    }
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const page = Math.max(1, Math.floor(this.element.clientHeight / this.rowHeight) - 1);
    /** @type {Record<string, number>} */
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -this.total, End: this.total };
    if (event.key in steps) {
      event.preventDefault();
      this.select(this.selected < 0 && steps[event.key] > 0 ? 0 : this.selected + steps[event.key]);
    } else if (event.key === 'Enter' && event.target === this.element) {
      this.openSelected();
    }
  }
}
