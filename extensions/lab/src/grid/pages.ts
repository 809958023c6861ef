import type { Page, PageColumn } from './arrow';
import { GridError } from './requests';

/** Columns of a block: pages of a wide result carry only the blocks in sight. */
export const BLOCK = 64;
const UNDER_WAY = 3;
const BYTES = 48 * 1024 * 1024;

/** The first rows of a page, in the pieces they came in: a session sends fewer rows than asked where they are large. */
interface Block {
  parts: Page[];
  rows: number;
  columns: number;
  bytes: number;
}

/** A rectangle of rows and columns, aligned to pages and blocks. */
export interface Rectangle {
  offset: number;
  count: number;
  first: number;
  stop: number;
}

interface Wanted extends Rectangle {
  key: string;
  /** Rows of the block that are here already. */
  have: number;
}

/** Where a cell's value is, once its block is here. */
export interface Found {
  values: PageColumn;
  row: number;
  /** Rows of the piece of a page that it is in. */
  rows: number;
}

/**
 * The blocks of rows × columns that are here, and those that are asked for.
 *
 * What is wanted now replaces what was wanted before: a fast scroll asks only for where it stops, three blocks at a time.
 */
export class PageStore {
  private readonly blocks = new Map<string, Block>();
  private readonly asked = new Set<string>();
  private readonly failed = new Set<string>();
  private wanted: Wanted[] = [];
  private bytes = 0;
  private generation = 0;

  constructor(
    private readonly rowsOfPage: number,
    private rows: number,
    private readonly columns: number,
    private readonly fetch: (rectangle: Rectangle) => Promise<Page>,
    private readonly onLoaded: () => void,
    private readonly onFailed: (error: unknown) => void
  ) {}

  /** Forgets every block: another view has other rows. */
  reset(rows: number): void {
    this.generation += 1;
    this.rows = rows;
    this.blocks.clear();
    this.asked.clear();
    this.failed.clear();
    this.wanted = [];
    this.bytes = 0;
  }

  /** Puts the first page in, which comes with the greeting and may hold fewer rows and columns than a block. */
  seed(page: Page): void {
    for (let first = 0; first < page.columns.length; first += BLOCK) {
      const columns = page.columns.slice(first, first + BLOCK);
      this.keep(this.key(0, first), { ...page, columns, bytes: first ? 0 : page.bytes }, 0);
    }
  }

  find(row: number, column: number): Found | undefined {
    const first = column - (column % BLOCK);
    const offset = row - (row % this.rowsOfPage);
    let within = row - offset;
    for (const part of this.blocks.get(this.key(offset, first))?.parts ?? []) {
      if (within < part.rows) {
        const values = part.columns[column - first];
        return values && { values, row: within, rows: part.rows };
      }
      within -= part.rows;
    }
    return undefined;
  }

  /** Whether a cell was asked for and could not be had. */
  hasFailed(row: number, column: number): boolean {
    return this.failed.has(this.key(row - (row % this.rowsOfPage), column - (column % BLOCK)));
  }

  /** Asks for what is missing of rows [start, stop) and the columns given; an earlier wish that is not yet sent is dropped. */
  want(start: number, stop: number, columns: Iterable<number>): void {
    const firsts = new Set<number>();
    for (const column of columns) {
      firsts.add(column - (column % BLOCK));
    }
    const wanted: Wanted[] = [];
    for (let offset = start - (start % this.rowsOfPage); offset < Math.min(stop, this.rows); offset += this.rowsOfPage) {
      for (const first of firsts) {
        const key = this.key(offset, first);
        const count = Math.min(this.rowsOfPage, this.rows - offset);
        const last = Math.min(first + BLOCK, this.columns);
        const block = this.blocks.get(key);
        // The first page may lack columns of its last block: then all of it is asked for.
        const have = block && block.columns >= last - first ? block.rows : 0;
        if (block && have >= count) {
          // Taken out and put in again, the block is the one used last.
          this.blocks.delete(key);
          this.blocks.set(key, block);
        } else if (!this.asked.has(key) && !this.failed.has(key)) {
          wanted.push({ key, offset: offset + have, count: count - have, first, stop: last, have });
        }
      }
    }
    this.wanted = wanted;
    this.send();
  }

  /** Lets blocks that failed be asked for again. */
  retry(): void {
    this.failed.clear();
  }

  get loading(): boolean {
    return this.asked.size > 0;
  }

  private send(): void {
    while (this.asked.size < UNDER_WAY && this.wanted.length) {
      const next = this.wanted.shift()!;
      void this.load(next);
    }
  }

  private async load(wanted: Wanted): Promise<void> {
    const generation = this.generation;
    this.asked.add(wanted.key);
    try {
      const page = await this.fetch(wanted);
      if (generation !== this.generation) {
        return;
      }
      this.asked.delete(wanted.key);
      if (page.rows === 0) {
        throw new GridError('A page of the result came without rows.', 'Run the cell again.');
      }
      this.keep(wanted.key, page, wanted.have);
      this.onLoaded();
    } catch (error) {
      if (generation !== this.generation) {
        return;
      }
      this.asked.delete(wanted.key);
      this.failed.add(wanted.key);
      this.onFailed(error);
    }
    this.send();
  }

  private keep(key: string, page: Page, have: number): void {
    const before = this.blocks.get(key);
    const grown = have > 0 && before?.rows === have;
    if (have > 0 && !grown) {
      // The rows before it were given up meanwhile: they are asked for again when they are in sight.
      return;
    }
    this.bytes -= before?.bytes ?? 0;
    const block: Block = {
      parts: grown ? [...before.parts, page] : [page],
      rows: (grown ? before.rows : 0) + page.rows,
      columns: page.columns.length,
      bytes: (grown ? before.bytes : 0) + page.bytes
    };
    this.bytes += block.bytes;
    this.blocks.delete(key);
    this.blocks.set(key, block);
    for (const [oldest, other] of this.blocks) {
      if (this.bytes <= BYTES || oldest === key) {
        break;
      }
      this.blocks.delete(oldest);
      this.bytes -= other.bytes;
    }
  }

  private key(offset: number, first: number): string {
    return `${offset}:${first}`;
  }
}
