import type { ColumnInfo } from './protocol';

export const NARROWEST = 48;
export const WIDEST = 1200;
const WIDEST_FIRST = 340;

/** Where a column stands: pixels from the left of its part, and whether that part is the pinned one. */
export interface Place {
  column: number;
  left: number;
  width: number;
  pinned: boolean;
  /** Position among all shown columns, pinned ones first. */
  position: number;
}

/** What a reader made of a table's columns, to be made of a later one that has the same. */
export interface KeptLayout {
  /** Names and types: of other columns it says nothing. */
  columns: string;
  order: readonly number[];
  pins: readonly number[];
  hidden: readonly number[];
  /** Widths that were drawn, by column. */
  widths: readonly (readonly [number, number])[];
}

/** What tells two tables' columns apart. */
export function columnsKey(columns: readonly ColumnInfo[]): string {
  return JSON.stringify(columns.map(({ name, type }) => [name, type]));
}

/**
 * Order, widths, pins and what is hidden, of columns named by their index in the result.
 *
 * Positions count the shown columns from the left; places are found by bisection, so five thousand columns cost what ten do.
 */
export class ColumnLayout {
  private order: number[];
  private readonly widths: Float64Array;
  private readonly drawn = new Map<number, number>();
  private pins: number[] = [];
  private readonly hiddenOnes = new Set<number>();
  private shownOnes: number[] = [];
  private lefts = new Float64Array(1);
  /** Grows with every change. */
  version = 0;

  constructor(readonly columns: readonly ColumnInfo[]) {
    this.order = columns.map(column => column.index);
    this.widths = new Float64Array(columns.length).fill(120);
    this.rebuild();
  }

  /** All that a reader has changed. */
  get kept(): KeptLayout {
    return {
      columns: columnsKey(this.columns),
      order: [...this.order],
      pins: [...this.pins],
      hidden: [...this.hiddenOnes],
      widths: [...this.drawn]
    };
  }

  /** Takes over what was made of the same columns before. */
  adopt(kept: KeptLayout): void {
    if (kept.columns !== columnsKey(this.columns)) {
      return;
    }
    this.order = [...kept.order];
    this.pins = [...kept.pins];
    kept.hidden.forEach(column => this.hiddenOnes.add(column));
    for (const [column, width] of kept.widths) {
      this.drawn.set(column, width);
      this.widths[column] = width;
    }
    this.rebuild();
  }

  /** The shown columns from left to right. */
  get shown(): readonly number[] {
    return this.shownOnes;
  }

  get pinnedCount(): number {
    return this.pins.length;
  }

  get hidden(): ReadonlySet<number> {
    return this.hiddenOnes;
  }

  get pinnedWidth(): number {
    return this.lefts[this.pins.length];
  }

  /** Pixels of the columns that scroll. */
  get scrolledWidth(): number {
    return this.lefts[this.shownOnes.length] - this.pinnedWidth;
  }

  place(position: number): Place {
    const pinned = position < this.pins.length;
    const left = this.lefts[position];
    return {
      column: this.shownOnes[position],
      left: pinned ? left : left - this.pinnedWidth,
      width: this.lefts[position + 1] - left,
      pinned,
      position
    };
  }

  position(column: number): number {
    return this.shownOnes.indexOf(column);
  }

  isPinned(column: number): boolean {
    return this.pins.includes(column);
  }

  /** Positions [start, stop) of the scrolling columns that meet pixels [left, right) of their part. */
  range(left: number, right: number): [number, number] {
    const from = this.pins.length;
    const start = Math.max(from, this.count(edge => edge <= left + this.pinnedWidth) - 1);
    const stop = Math.min(this.shownOnes.length, this.count(edge => edge < right + this.pinnedWidth));
    return [start, Math.max(start, stop)];
  }

  width(column: number): number {
    return this.widths[column];
  }

  setWidth(column: number, width: number): void {
    this.widths[column] = Math.min(WIDEST, Math.max(NARROWEST, Math.round(width)));
    this.drawn.set(column, this.widths[column]);
    this.rebuild();
  }

  /** First widths, before anybody has drawn one. */
  setFirstWidths(widths: ReadonlyMap<number, number>): void {
    for (const [column, width] of widths) {
      this.widths[column] = this.drawn.get(column) ?? Math.min(WIDEST_FIRST, Math.max(NARROWEST, Math.ceil(width)));
    }
    this.rebuild();
  }

  pin(column: number): void {
    if (!this.isPinned(column) && !this.hiddenOnes.has(column)) {
      this.pins.push(column);
      this.rebuild();
    }
  }

  unpin(column: number): void {
    const at = this.pins.indexOf(column);
    if (at >= 0) {
      this.pins.splice(at, 1);
      this.rebuild();
    }
  }

  /** Hides a column; the last one that is shown stays. */
  hide(column: number): void {
    if (this.shownOnes.length > 1) {
      this.unpin(column);
      this.hiddenOnes.add(column);
      this.rebuild();
    }
  }

  show(column: number): void {
    if (this.hiddenOnes.delete(column)) {
      this.rebuild();
    }
  }

  showAll(): void {
    this.hiddenOnes.clear();
    this.rebuild();
  }

  /** Moves a column to stand where the column at `position` stands; it stays among the pinned ones or the others. */
  move(column: number, position: number): void {
    const target = this.shownOnes[Math.min(Math.max(0, position), this.shownOnes.length - 1)];
    const list = this.isPinned(column) ? this.pins : this.order;
    if (target === column || this.isPinned(column) !== this.isPinned(target)) {
      return;
    }
    const from = list.indexOf(column);
    const to = list.indexOf(target);
    list.splice(from, 1);
    list.splice(to, 0, column);
    this.rebuild();
  }

  /** How many left edges, which grow from column to column, come before a place. */
  private count(before: (edge: number) => boolean): number {
    let low = 0;
    let high = this.lefts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (before(this.lefts[middle])) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  private rebuild(): void {
    const pinned = new Set(this.pins);
    const scrolled = this.order.filter(column => !pinned.has(column) && !this.hiddenOnes.has(column));
    this.shownOnes = [...this.pins, ...scrolled];
    this.lefts = new Float64Array(this.shownOnes.length + 1);
    this.shownOnes.forEach((column, position) => {
      this.lefts[position + 1] = this.lefts[position] + this.widths[column];
    });
    this.version += 1;
  }
}
