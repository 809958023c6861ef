import type { Place } from './columns';
import { element, freshId } from './dom';
import { Header, type HeaderActions } from './header';
import { HEADER } from './keyboard';
import type { GridModel } from './model';
import { ROW_HEIGHT, RowNode } from './rows';
import { ScrollMap } from './scrolling';
import type { Spot } from './selection';

const OVERSCAN = 120;
const SETTLE = 200;
const QUIET = 150;

/**
 * The table: a header and the rows in sight, whatever the number of all rows and columns.
 *
 * The rows stand in a window that sticks to the scrolled box, so a scroll shows the rows of before until the new ones are written, never
 * an empty box. The box's content has the height of all rows up to what browsers can lay out; `ScrollMap` does the rest.
 */
export class Table {
  readonly node: HTMLElement;
  readonly header: Header;
  readonly scroller: HTMLElement;
  readonly map = new ScrollMap();
  private readonly room: HTMLElement;
  private readonly window: HTMLElement;
  private readonly empty: HTMLElement;
  private readonly rows: RowNode[] = [];
  private readonly focusId = freshId();
  private readonly observer: ResizeObserver | null;
  private places: Place[] = [];
  private placesKey = '';
  private stamp = 0;
  private left = 0;
  private width = 0;
  private height = 0;
  private tall: number | null = null;
  /** Pixels of a digit. */
  private letter = 7.3;
  private settleTimer = 0;
  private quietTimer = 0;
  /** Whether distributions are asked for and shown. */
  distributions = true;
  private seen = true;

  constructor(
    private readonly model: GridModel,
    actions: HeaderActions,
    private readonly mostRows: number
  ) {
    this.header = new Header(model, actions);
    const head = element('div', { class: 'lg-head-group', role: 'rowgroup' }, this.header.node);
    this.window = element('div', { class: 'lg-window', role: 'presentation' });
    this.room = element('div', { class: 'lg-room', role: 'presentation' }, this.window);
    this.empty = element('div', { class: 'lg-empty', hidden: true });
    // The window has the box's own height and stays where it is: the line adds nothing that could be scrolled.
    this.window.append(this.empty);
    this.scroller = element('div', { class: 'lg-scroll', role: 'rowgroup' }, this.room);
    this.node = element(
      'div',
      { class: 'lg-table', role: 'grid', tabindex: 0, 'aria-multiselectable': 'true', 'aria-label': 'Result' },
      head,
      this.scroller
    );
    head.addEventListener(
      'wheel',
      event => {
        this.scroller.scrollLeft += event.deltaX + (event.shiftKey ? event.deltaY : 0);
      },
      { passive: true }
    );
    // Keys are the table's; a finger on a row would take them there.
    this.scroller.addEventListener('focusin', () => this.node.focus({ preventScroll: true }));
    this.scroller.addEventListener('scroll', () => this.scrolled(), { passive: true });
    // Without layout (tests, print) there is nothing to observe.
    this.observer = typeof ResizeObserver === 'function' ? new ResizeObserver(() => this.measure()) : null;
    this.observer?.observe(this.scroller);
    this.node.setAttribute('aria-colcount', String(model.columns.length + 1));
    this.changedRows();
  }

  get numberWidth(): number {
    return Math.max(34, 12 + Math.ceil(6.8 * String(this.model.rows).length));
  }

  /** Rows that fit the window. */
  get pageRows(): number {
    return Math.max(1, Math.floor(this.height / ROW_HEIGHT) - 1);
  }

  /** The line that stands in place of rows when there are none. */
  get emptyNode(): HTMLElement {
    return this.empty;
  }

  dispose(): void {
    this.observer?.disconnect();
    window.clearTimeout(this.settleTimer);
    window.clearTimeout(this.quietTimer);
  }

  /** Another number of rows: the scrolled box gets another height. */
  changedRows(): void {
    this.stamp += 1;
    this.node.setAttribute('aria-rowcount', String(this.model.rows + 1));
    this.map.position = 0;
    this.resize();
    this.scroller.scrollTop = this.map.moveTo(0);
    this.render();
  }

  changedColumns(): void {
    this.stamp += 1;
    this.node.setAttribute('aria-colcount', String(this.model.layout.shown.length + 1));
    this.resize();
    this.render();
  }

  /** Writes what came in the meantime. */
  changedCells(): void {
    for (const row of this.rows) {
      row.refresh();
    }
    this.wantPages();
  }

  /** Sets the height in pixels that somebody drew it to. */
  setHeight(height: number): void {
    this.tall = Math.max(2 * ROW_HEIGHT, height);
    this.resize();
    this.render();
  }

  get drawnHeight(): number {
    return this.scroller.getBoundingClientRect().height;
  }

  /** Says whether the table is in sight: out of it, it asks for nothing. */
  setSeen(seen: boolean): void {
    this.seen = seen;
    if (seen) {
      this.wantPages();
      this.wantSummaries();
    }
  }

  /** Scrolls as little as brings a cell into sight. */
  reveal({ row, position }: Spot): void {
    if (row !== HEADER) {
      const top = row * ROW_HEIGHT;
      const { position: present } = this.map;
      const room = this.height;
      if (top < present) {
        this.scroller.scrollTop = this.map.moveTo(top);
      } else if (top + ROW_HEIGHT > present + room) {
        this.scroller.scrollTop = this.map.moveTo(top + ROW_HEIGHT - room);
      }
    }
    const place = this.model.layout.place(position);
    if (place && !place.pinned) {
      const room = this.width - this.numberWidth - this.model.layout.pinnedWidth;
      if (place.left < this.left) {
        this.scroller.scrollLeft = this.left = place.left;
      } else if (place.left + place.width > this.left + room) {
        this.scroller.scrollLeft = this.left = Math.min(place.left, place.left + place.width - room);
      }
    }
    this.render();
  }

  /** The cell at a place of the page; `clamp` gives the nearest one outside of the table too. */
  spotAt(x: number, y: number, clamp = false): Spot | null {
    const box = this.scroller.getBoundingClientRect();
    const { layout, rows } = this.model;
    const inside = x >= box.left && x < box.left + this.width && y >= box.top && y < box.top + this.height;
    if ((!inside && !clamp) || !rows) {
      return null;
    }
    const row = Math.floor((this.map.position + Math.min(Math.max(0, y - box.top), this.height - 1)) / ROW_HEIGHT);
    const across = Math.min(Math.max(0, x - box.left - this.numberWidth), this.width);
    const count = layout.shown.length;
    let position = -1;
    if (across < layout.pinnedWidth) {
      position = Array.from({ length: layout.pinnedCount }, (_, at) => layout.place(at)).findIndex(
        place => across < place.left + place.width
      );
    } else {
      const pixel = across - layout.pinnedWidth + this.left;
      position = Math.max(0, layout.range(pixel, pixel + 1)[0]);
    }
    if (position < 0 || position >= count || row >= rows) {
      return clamp ? { row: Math.min(row, rows - 1), position: Math.min(Math.max(0, position), count - 1) } : null;
    }
    return { row, position };
  }

  /** Where a cell stands on the page. */
  rectangle({ row, position }: Spot): DOMRect {
    const place = this.model.layout.place(position);
    if (row === HEADER) {
      return this.header.rectangle(place.column);
    }
    const box = this.scroller.getBoundingClientRect();
    const left = this.numberWidth + place.left + (place.pinned ? 0 : this.model.layout.pinnedWidth - this.left);
    return new DOMRect(box.left + left, box.top + row * ROW_HEIGHT - this.map.position, place.width, ROW_HEIGHT);
  }

  /** Shows the selection as it is. */
  mark(): void {
    const { selection } = this.model;
    const focus = selection.focus;
    const area = selection.area;
    const has = (row: number, position: number): boolean => selection.has(row, position);
    for (const row of this.rows) {
      row.mark(has, focus?.row === row.row ? focus.position : null, this.focusId);
    }
    const inHeader = focus?.row === HEADER ? focus.position : null;
    this.header.mark(position => area !== null && position >= area.left && position <= area.right, inHeader, this.focusId);
    if (focus && document.getElementById(this.focusId)) {
      this.node.setAttribute('aria-activedescendant', this.focusId);
    } else {
      this.node.removeAttribute('aria-activedescendant');
    }
  }

  render(): void {
    const { layout, rows } = this.model;
    const room = Math.max(0, this.width - this.numberWidth - layout.pinnedWidth);
    const [start, stop] = layout.range(this.left - OVERSCAN, this.left + room + OVERSCAN);
    const key = `${layout.version}:${start}:${stop}:${this.numberWidth}`;
    if (key !== this.placesKey) {
      this.placesKey = key;
      this.places = [];
      for (let position = 0; position < layout.pinnedCount; position += 1) {
        this.places.push(layout.place(position));
      }
      for (let position = start; position < stop; position += 1) {
        this.places.push(layout.place(position));
      }
      this.header.show(this.places, this.numberWidth);
      this.wantSummaries();
    }
    this.header.shift(this.left);
    const first = Math.floor(this.map.position / ROW_HEIGHT);
    const count = Math.max(0, Math.min(rows - first, Math.ceil(this.height / ROW_HEIGHT) + 1));
    this.pool(count);
    const stamp = `${this.stamp}:${key}`;
    for (let row = first; row < first + count; row += 1) {
      const node = this.rows[row % this.rows.length];
      node.show(row, this.places, stamp, this.numberWidth);
      node.move(row * ROW_HEIGHT - this.map.position);
      node.shift(this.left);
    }
    for (const node of this.rows) {
      node.node.hidden = node.row < first || node.row >= first + count;
    }
    this.mark();
    this.wantPages();
  }

  private pool(count: number): void {
    // More nodes than rows in sight never: each stands for the row that is its number modulo theirs.
    if (this.rows.length < count) {
      while (this.rows.length < count) {
        const row = new RowNode(this.model);
        this.rows.push(row);
        this.window.append(row.node);
      }
      for (const row of this.rows) {
        row.row = -1;
      }
    }
  }

  private scrolled(): void {
    const { scrollTop, scrollLeft } = this.scroller;
    this.map.scrolled(scrollTop);
    this.left = scrollLeft;
    this.render();
    window.clearTimeout(this.settleTimer);
    this.settleTimer = window.setTimeout(() => {
      const belongs = this.map.settle();
      if (Math.abs(belongs - this.scroller.scrollTop) > 1) {
        this.scroller.scrollTop = belongs;
      }
    }, SETTLE);
  }

  private resize(): void {
    const { layout, rows } = this.model;
    const content = rows * ROW_HEIGHT;
    const across = this.numberWidth + layout.pinnedWidth + layout.scrolledWidth;
    this.room.style.width = `${across}px`;
    // The scrollbar takes room from the rows, where it does not float over them.
    const bar = across > this.scroller.offsetWidth ? this.scroller.offsetHeight - this.scroller.clientHeight : 0;
    const wanted = this.tall ?? Math.min(rows, this.mostRows) * ROW_HEIGHT;
    this.scroller.style.height = `${Math.max(rows ? ROW_HEIGHT : 2 * ROW_HEIGHT, wanted) + bar}px`;
    this.map.resize(content, this.height);
    this.room.style.height = `${Math.max(this.map.height, 1)}px`;
    this.empty.hidden = rows > 0;
  }

  /** The box has got another size, or has come back to the page, where it stands at its beginning again. */
  private measure(): void {
    const { clientWidth, clientHeight } = this.scroller;
    if (clientWidth === 0) {
      return;
    }
    const returned = this.scroller.scrollTop === 0 && this.map.position > 0;
    const left = this.left;
    if (this.width === 0) {
      this.fitFirst();
    }
    this.width = clientWidth;
    this.height = clientHeight;
    this.window.style.width = `${clientWidth}px`;
    this.window.style.height = `${clientHeight}px`;
    this.header.node.style.width = `${clientWidth}px`;
    this.resize();
    if (returned) {
      this.scroller.scrollTop = this.map.settle();
      this.scroller.scrollLeft = this.left = left;
    }
    this.render();
  }

  private wantPages(): void {
    if (!this.seen || this.model.ended) {
      return;
    }
    const first = Math.floor(this.map.position / ROW_HEIGHT);
    const fits = Math.ceil(this.height / ROW_HEIGHT) + 1;
    this.model.pages.want(first, Math.min(this.model.rows, first + 2 * fits), this.places.map(place => place.column));
    this.tellBusy();
  }

  /** Says whether rows are still on the way. */
  tellBusy(): void {
    const busy = this.model.underWay.length > 0 || this.model.pages.loading;
    this.node.setAttribute('aria-busy', String(busy));
  }

  private wantSummaries(): void {
    if (!this.distributions || !this.seen) {
      return;
    }
    window.clearTimeout(this.quietTimer);
    this.quietTimer = window.setTimeout(() => {
      if (this.seen && this.model.rows && !this.model.ended) {
        this.model.summaries.want(this.places.map(place => place.column));
      }
    }, QUIET);
  }

  /** Widths from names, types and the first rows, once the table stands on a page with a font. */
  private fitFirst(): void {
    const probe = element('span', { class: 'lg-probe', text: '0'.repeat(20) });
    this.node.append(probe);
    this.letter = probe.getBoundingClientRect().width / 20 || this.letter;
    probe.remove();
    const widths = new Map<number, number>();
    for (const column of this.model.columns) {
      widths.set(column.index, this.widthOf(column.index, 0, Math.min(this.model.rows, 50)));
    }
    this.model.layout.setFirstWidths(widths);
    this.changedColumns();
  }

  /** Pixels that a column needs for its name, its type and some of its values. */
  widthOf(column: number, first: number, stop: number): number {
    const { name, type, kind } = this.model.columns[column];
    let letters = Math.max(name.length * 1.04 + 4.5, Math.min(type.length, 24) * 0.9 + 1);
    for (let row = first; row < stop; row += 1) {
      const shown = this.model.shown(row, column);
      if (shown) {
        letters = Math.max(letters, wide(shown.text));
      }
    }
    return letters * this.letter + 16 + (kind === 'vector' ? 96 : 0);
  }

  /** Widens or narrows a column to the values in sight. */
  fit(column: number): void {
    const first = Math.floor(this.map.position / ROW_HEIGHT);
    const width = this.widthOf(column, first, Math.min(this.model.rows, first + this.pageRows + 2));
    this.model.layout.setWidth(column, width);
    this.model.changed.emit('layout');
  }
}

/** Letters that a text takes, wide ones (Chinese, Japanese, Korean, emoji) as two. */
function wide(text: string): number {
  let letters = 0;
  for (const mark of text) {
    letters += mark.codePointAt(0)! >= 0x1100 ? 1.8 : 1;
  }
  return letters;
}
