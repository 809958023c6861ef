import { type ISignal, Signal } from '@lumino/signaling';

import type { LumaError } from '../api';
import type { At } from '../panels/choice';
import { Latest } from '../panels/reading';
import { rowsOf, type TreeRow } from '../panels/rows';
import type { Catalog, TableFacts } from '../panels/server';
import { wordsOf } from '../panels/texts';
import { catalogNodes, type CatalogNode, type Entry, found, type Known } from './nodes';

/** Where the catalog is read from. */
export interface CatalogSource {
  catalog(bench: string, at: At | null, signal: AbortSignal): Promise<Catalog>;
  table(bench: string, name: string, at: At | null, distinct?: boolean): Promise<TableFacts>;
}

/** Groups that are closed until the reader opens them. */
const CLOSED = new Set(['group:Tags']);

/** What the catalog shows: a bench's tree, what of it is open, and what a search leaves of it. */
export class CatalogModel {
  constructor(source: CatalogSource) {
    this.#source = source;
  }

  /** Something else shows. */
  readonly changed: ISignal<this, void> = new Signal<this, void>(this);

  get catalog(): Catalog | null {
    return this.#catalog;
  }

  /** Why there is no catalog. */
  get error(): LumaError | Error | null {
    return this.#error;
  }

  get busy(): boolean {
    return this.#latest.busy;
  }

  get words(): readonly string[] {
    return wordsOf(this.#search);
  }

  /** The rows that show. */
  get rows(): readonly TreeRow<Entry>[] {
    return rowsOf(this.#nodes(), node => this.isOpen(node));
  }

  /** How many tables and other things the search leaves. */
  get found(): number {
    return found(this.#nodes());
  }

  /** Leave only what has every word of `search` in its name, its comment, or the columns that have been read. */
  search(search: string): void {
    this.#search = search;
    this.#tell();
  }

  /** Show another bench or snapshot, or the same anew; what was open stays so. */
  async read(bench: string | null, at: At | null): Promise<void> {
    if (bench !== this.#bench) {
      this.#catalog = null;
      this.#toggled.clear();
    }
    this.#bench = bench;
    this.#at = at;
    this.#error = null;
    if (bench === null) {
      this.#latest.stop();
      this.#tell();
      return;
    }
    const reading = this.#latest.run(signal => this.#source.catalog(bench, at, signal));
    this.#tell();
    try {
      const catalog = await reading;
      if (catalog === null) {
        return;
      }
      this.#catalog = catalog;
    } catch (error) {
      this.#catalog = null;
      this.#error = error as Error;
    }
    this.#known.clear();
    this.#asked += 1;
    this.#tell();
    this.#readOpen();
  }

  isOpen(node: CatalogNode): boolean {
    const toggled = this.#toggled.get(node.id);
    if (node.data.kind === 'group') {
      return this.#search !== '' || (toggled ?? !CLOSED.has(node.id));
    }
    return toggled ?? false;
  }

  /** Open or close a row; a table's columns are read when it first opens. */
  toggle(node: CatalogNode, open: boolean): void {
    this.#toggled.set(node.id, open);
    this.#tell();
    if (open && node.data.kind === 'table') {
      void this.#readTable(node.data.table.name);
    }
  }

  /** What is known of a table's columns. */
  known(table: string): Known {
    return this.#known.get(table) ?? null;
  }

  #nodes(): CatalogNode[] {
    return this.#catalog ? catalogNodes(this.#catalog, name => this.known(name), this.words) : [];
  }

  #readOpen(): void {
    for (const table of this.#catalog?.tables ?? []) {
      if (this.#toggled.get(`table:${table.name}`)) {
        void this.#readTable(table.name);
      }
    }
  }

  /** Count a table's distinct values and open it. */
  async count(table: string): Promise<void> {
    this.#toggled.set(`table:${table}`, true);
    this.#known.delete(table);
    this.#tell();
    await this.#readTable(table, true);
  }

  async #readTable(name: string, distinct = false): Promise<void> {
    if (this.#known.has(name) || this.#bench === null) {
      return;
    }
    const asked = this.#asked;
    let known: Known;
    try {
      known = { facts: await this.#source.table(this.#bench, name, this.#at, distinct) };
    } catch (error) {
      known = { failed: error instanceof Error ? error.message : String(error) };
    }
    if (asked === this.#asked) {
      this.#known.set(name, known);
      this.#tell();
    }
  }

  #tell(): void {
    (this.changed as Signal<this, void>).emit();
  }

  readonly #source: CatalogSource;
  readonly #latest = new Latest();
  readonly #toggled = new Map<string, boolean>();
  readonly #known = new Map<string, Known>();
  #catalog: Catalog | null = null;
  #error: Error | null = null;
  #bench: string | null = null;
  #at: At | null = null;
  #search = '';
  #asked = 0;
}
