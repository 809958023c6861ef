import { make, mark } from './dom';
import { Offsets, type TreeNode, type TreeRow } from './rows';

export interface TreeOptions<T> {
  /** What the tree is, read out with it. */
  readonly label: string;
  /** The titles of its columns; nothing shows them when there is one only. */
  readonly columns: readonly string[];
  /** Pixels. */
  readonly height: (node: TreeNode<T>) => number;
  /** The cells of a row, as many as columns or fewer: the last takes what is left. */
  readonly draw: (row: TreeRow<T>) => (Node | string)[][];
  /** What a drag of the row drops as text. */
  readonly dropped?: (node: TreeNode<T>) => string | null;
  /** A row was opened or closed. */
  readonly onToggle: (node: TreeNode<T>, open: boolean) => void;
  /** Enter or a double click. */
  readonly onEnter: (node: TreeNode<T>) => void;
  /** Space. */
  readonly onSpace?: (node: TreeNode<T>) => void;
  /** The row was drawn: it is on the screen, or about to be. */
  readonly onDraw?: (node: TreeNode<T>) => void;
}

const HEAD = 22;
const MARGIN = 200;
const UNSEEN = 600;
let made = 0;

/**
 * A tree of any length with columns, of which only the rows on the screen are in the page (ARIA's treegrid).
 *
 * The keys are those of the ARIA Authoring Practices: arrows walk, open and close; Home, End, Page Up and Page Down leap; Enter does
 * what a row is for; letters find the next row that begins with them. The context menu's key opens it at the active row.
 */
export class Tree<T> {
  constructor(options: TreeOptions<T>) {
    this.#options = options;
    this.#id = `luma-tree-${(made += 1)}`;
    this.#body = make('div', 'luma-tree-body', { role: 'rowgroup' });
    this.node = make('div', 'luma-tree', { role: 'treegrid', tabindex: 0, 'aria-label': options.label });
    this.#head = options.columns.length > 1 ? HEAD : 0;
    if (this.#head) {
      const cells = options.columns.map(title => make('span', '', { role: 'columnheader' }, title));
      const row = make('div', 'luma-tree-columns', { role: 'row', 'aria-rowindex': 1 }, ...cells);
      this.node.append(make('div', 'luma-tree-head', { role: 'rowgroup' }, row));
    }
    this.node.append(this.#body);
    mark(this.node, 'aria-colcount', options.columns.length);
    this.node.addEventListener('scroll', () => this.#draw());
    this.node.addEventListener('keydown', event => this.#onKey(event));
    this.node.addEventListener('mousedown', event => this.#onPress(event));
    this.node.addEventListener('dblclick', event => this.#onDouble(event));
    this.node.addEventListener('contextmenu', event => this.#onMenu(event));
    this.node.addEventListener('dragstart', event => this.#onDrag(event));
    this.#watcher = new ResizeObserver(() => this.#draw());
    this.#watcher.observe(this.node);
  }

  readonly node: HTMLDivElement;

  /** The row that the keys act on. */
  get active(): TreeRow<T> | null {
    return this.#rows[this.#active] ?? null;
  }

  /** Show other rows; the active one stays active while it is there. */
  show(rows: readonly TreeRow<T>[]): void {
    const before = this.active?.node.id;
    this.#rows = rows;
    this.#offsets = new Offsets(rows.map(row => this.#options.height(row.node)));
    const kept = before === undefined ? -1 : rows.findIndex(row => row.node.id === before);
    this.#active = kept >= 0 ? kept : Math.min(Math.max(this.#active, 0), rows.length - 1);
    this.#body.style.height = `${this.#offsets.total}px`;
    mark(this.node, 'aria-rowcount', rows.length + (this.#head ? 1 : 0));
    this.#body.textContent = '';
    this.#drawn.clear();
    this.#draw();
  }

  /** Make the row of `id` active and bring it onto the screen; false when no such row shows. */
  reveal(id: string): boolean {
    const index = this.#rows.findIndex(row => row.node.id === id);
    if (index >= 0) {
      this.#go(index);
    }
    return index >= 0;
  }

  dispose(): void {
    this.#watcher.disconnect();
  }

  #draw(): void {
    if (this.#rows.length === 0) {
      mark(this.node, 'aria-activedescendant', null);
      return;
    }
    // Before it has a size, and where nothing has one, the first rows are drawn.
    const seen = this.node.clientHeight || UNSEEN;
    const top = this.node.scrollTop - this.#head;
    const first = this.#offsets.at(Math.max(0, top - MARGIN));
    const last = this.#offsets.at(Math.max(0, top + seen + MARGIN));
    for (const [index, element] of this.#drawn) {
      if ((index < first || index > last) && index !== this.#active) {
        element.remove();
        this.#drawn.delete(index);
      }
    }
    for (let index = first; index <= last; index += 1) {
      this.#put(index);
    }
    this.#put(this.#active);
    mark(this.node, 'aria-activedescendant', `${this.#id}-${this.#active}`);
  }

  #put(index: number): void {
    if (this.#drawn.has(index)) {
      return;
    }
    const row = this.#rows[index]!;
    const element = this.#element(index, row);
    // In the order of the rows, so that whoever reads the page without its positions gets them in theirs.
    let next: HTMLElement | null = null;
    let nearest = Infinity;
    for (const [other, there] of this.#drawn) {
      if (other > index && other < nearest) {
        nearest = other;
        next = there;
      }
    }
    this.#body.insertBefore(element, next);
    this.#drawn.set(index, element);
    this.#options.onDraw?.(row.node);
  }

  #element(index: number, row: TreeRow<T>): HTMLElement {
    const active = index === this.#active;
    const element = make('div', active ? 'luma-tree-row luma-mod-active' : 'luma-tree-row', {
      role: 'row',
      id: `${this.#id}-${index}`,
      'data-index': index,
      'aria-level': row.level,
      'aria-posinset': row.position,
      'aria-setsize': row.siblings,
      'aria-rowindex': index + (this.#head ? 2 : 1),
      'aria-expanded': row.open === null ? null : String(row.open),
      'aria-selected': String(active),
      draggable: (this.#options.dropped?.(row.node) ?? null) === null ? null : 'true'
    });
    element.style.top = `${this.#offsets.top(index)}px`;
    element.style.height = `${this.#offsets.top(index + 1) - this.#offsets.top(index)}px`;
    const cells = this.#options.draw(row);
    const missing = this.#options.columns.length - cells.length;
    cells.forEach((content, column) => {
      const cell = make('span', `luma-tree-cell luma-tree-cell-${column}`, { role: 'gridcell' });
      if (column === 0) {
        cell.style.paddingInlineStart = `${4 + (row.level - 1) * 12}px`;
        const twisty = row.open === null ? 'luma-tree-leaf' : row.open ? 'luma-tree-open' : 'luma-tree-closed';
        cell.append(make('span', `luma-tree-twisty ${twisty}`, { 'aria-hidden': 'true' }));
      }
      if (missing > 0 && column === cells.length - 1) {
        cell.setAttribute('aria-colspan', String(missing + 1));
      }
      cell.append(...content);
      element.append(cell);
    });
    return element;
  }

  #go(index: number): void {
    const before = this.#drawn.get(this.#active);
    before?.classList.remove('luma-mod-active');
    before?.setAttribute('aria-selected', 'false');
    this.#active = Math.min(Math.max(index, 0), this.#rows.length - 1);
    const top = this.#offsets.top(this.#active);
    const bottom = this.#offsets.top(this.#active + 1);
    const seen = this.node.clientHeight || UNSEEN;
    if (top < this.node.scrollTop) {
      this.node.scrollTop = top;
    } else if (bottom + this.#head > this.node.scrollTop + seen) {
      this.node.scrollTop = bottom + this.#head - seen;
    }
    this.#draw();
    const element = this.#drawn.get(this.#active);
    element?.classList.add('luma-mod-active');
    element?.setAttribute('aria-selected', 'true');
  }

  #onKey(event: KeyboardEvent): void {
    const row = this.active;
    if (!row || event.ctrlKey || event.metaKey || event.altKey || event.target !== this.node) {
      return;
    }
    if (this.#walk(event.key, row)) {
      event.preventDefault();
      event.stopPropagation();
    }
  }

  #walk(key: string, row: TreeRow<T>): boolean {
    const page = Math.max(1, Math.floor((this.node.clientHeight || UNSEEN) / this.#options.height(row.node)) - 1);
    const step: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page };
    if (key in step) {
      this.#go(this.#active + step[key]!);
    } else if (key === 'Home') {
      this.#go(0);
    } else if (key === 'End') {
      this.#go(this.#rows.length - 1);
    } else if (key === 'ArrowRight') {
      this.#inwards(row);
    } else if (key === 'ArrowLeft') {
      this.#outwards(row);
    } else if (key === 'Enter') {
      this.#options.onEnter(row.node);
    } else if (key === ' ' && this.#options.onSpace) {
      this.#options.onSpace(row.node);
    } else if (key.length === 1 && key !== ' ') {
      this.#find(key.toLowerCase());
    } else {
      return false;
    }
    return true;
  }

  #inwards(row: TreeRow<T>): void {
    if (row.open === false) {
      this.#options.onToggle(row.node, true);
    } else if (row.open && row.node.children?.length) {
      this.#go(this.#active + 1);
    }
  }

  #outwards(row: TreeRow<T>): void {
    if (row.open) {
      this.#options.onToggle(row.node, false);
    } else if (row.parent >= 0) {
      this.#go(row.parent);
    }
  }

  #find(letter: string): void {
    const now = performance.now();
    this.#typed = now - this.#typedAt < 700 ? this.#typed + letter : letter;
    this.#typedAt = now;
    const from = this.#typed.length === 1 ? this.#active + 1 : this.#active;
    for (let step = 0; step < this.#rows.length; step += 1) {
      const index = (from + step) % this.#rows.length;
      if (this.#rows[index]!.node.text.toLowerCase().startsWith(this.#typed)) {
        this.#go(index);
        return;
      }
    }
  }

  #hit(event: Event): number {
    const row = event.target instanceof Element ? event.target.closest('.luma-tree-row') : null;
    return row ? Number(row.getAttribute('data-index')) : -1;
  }

  #onPress(event: MouseEvent): void {
    const index = this.#hit(event);
    const row = this.#rows[index];
    if (!row) {
      return;
    }
    this.#go(index);
    if (event.button === 0 && (event.target as Element).classList.contains('luma-tree-twisty') && row.open !== null) {
      event.preventDefault();
      this.node.focus();
      this.#options.onToggle(row.node, !row.open);
    }
  }

  #onDouble(event: MouseEvent): void {
    const row = this.#rows[this.#hit(event)];
    if (row && !(event.target as Element).classList.contains('luma-tree-twisty')) {
      this.#options.onEnter(row.node);
    }
  }

  #onMenu(event: MouseEvent): void {
    // The key's event comes from the tree itself: what asks for a menu looks at the element below, which is the active row.
    const element = this.#drawn.get(this.#active);
    if (this.#hit(event) < 0 && element) {
      event.preventDefault();
      event.stopPropagation();
      const { left, bottom } = element.getBoundingClientRect();
      element.dispatchEvent(
        new MouseEvent('contextmenu', { bubbles: true, cancelable: true, clientX: left + 24, clientY: bottom })
      );
    }
  }

  #onDrag(event: DragEvent): void {
    const row = this.#rows[this.#hit(event)];
    const text = row ? (this.#options.dropped?.(row.node) ?? null) : null;
    if (text !== null && event.dataTransfer) {
      event.dataTransfer.setData('text/plain', text);
      event.dataTransfer.effectAllowed = 'copy';
    }
  }

  readonly #options: TreeOptions<T>;
  readonly #id: string;
  readonly #head: number;
  readonly #body: HTMLElement;
  readonly #watcher: ResizeObserver;
  readonly #drawn = new Map<number, HTMLElement>();
  #rows: readonly TreeRow<T>[] = [];
  #offsets = new Offsets([]);
  #active = 0;
  #typed = '';
  #typedAt = 0;
}
