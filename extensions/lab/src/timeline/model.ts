import { type ISignal, Signal } from '@lumino/signaling';

import { Latest } from '../panels/reading';
import { rowsOf, type TreeRow } from '../panels/rows';
import type { SnapshotEntry, SnapshotPage } from '../panels/server';
import { wordsOf } from '../panels/texts';
import { type Moment, momentNodes, type MomentNode, moreNode } from './nodes';

/** Reads a page of snapshots: those older than `before`, or the newest. */
export type ReadSnapshots = (
  bench: string,
  before: number | null,
  limit: number,
  signal: AbortSignal
) => Promise<SnapshotPage>;

/** Snapshots of a page, and of one while a search looks for some. */
const PAGE = 60;
const SEARCH_PAGE = 500;

/** The snapshots of a bench as far as they have been read, newest first, and what a search leaves of them. */
export class TimelineModel {
  constructor(read: ReadSnapshots) {
    this.#read = read;
  }

  /** Something else shows. */
  readonly changed: ISignal<this, void> = new Signal<this, void>(this);

  get snapshots(): readonly SnapshotEntry[] {
    return this.#snapshots;
  }

  /** Whether all have been read. */
  get complete(): boolean {
    return !this.#more;
  }

  get busy(): boolean {
    return this.#latest.busy;
  }

  /** Why there are none. */
  get error(): Error | null {
    return this.#error;
  }

  get words(): readonly string[] {
    return wordsOf(this.#search);
  }

  get rows(): readonly TreeRow<Moment>[] {
    const nodes = momentNodes(this.#snapshots, this.words);
    if (this.#more && this.#snapshots.length > 0) {
      nodes.push(moreNode(this.#error?.message ?? null));
    }
    return rowsOf(nodes, node => this.#open.has(node.id));
  }

  /** How many snapshots of those read the search leaves. */
  get found(): number {
    return momentNodes(this.#snapshots, this.words).length;
  }

  /** Leave only snapshots that have every word of `search` in their operation, author, message, tags, tables or columns. */
  search(search: string): void {
    this.#search = search;
    this.#tell();
  }

  /** Show the snapshots of another bench, or the same anew. */
  async read(bench: string | null): Promise<void> {
    if (bench !== this.#bench) {
      this.#snapshots = [];
      this.#open.clear();
    }
    this.#bench = bench;
    this.#more = false;
    this.#latest.stop();
    this.#error = null;
    if (bench !== null) {
      // As many as showed before, so that what the reader scrolled to is there again.
      await this.#add(null, Math.min(Math.max(PAGE, this.#snapshots.length), SEARCH_PAGE));
    } else {
      this.#tell();
    }
  }

  /** Read older snapshots than those that have been read; nothing happens while any are being read. */
  async readMore(): Promise<void> {
    const last = this.#snapshots.at(-1);
    if (this.#more && last && !this.busy) {
      await this.#add(last.id, this.#search ? SEARCH_PAGE : PAGE);
    }
  }

  /** Open or close a row. */
  toggle(node: MomentNode, open: boolean): void {
    if (open) {
      this.#open.add(node.id);
    } else {
      this.#open.delete(node.id);
    }
    this.#tell();
  }

  isOpen(node: MomentNode): boolean {
    return this.#open.has(node.id);
  }

  async #add(before: number | null, limit: number): Promise<void> {
    const bench = this.#bench!;
    const reading = this.#latest.run(signal => this.#read(bench, before, limit, signal));
    this.#tell();
    try {
      const page = await reading;
      if (page === null) {
        return;
      }
      this.#snapshots = before === null ? page.snapshots : [...this.#snapshots, ...page.snapshots];
      this.#more = page.more;
      this.#error = null;
    } catch (error) {
      this.#error = error as Error;
    }
    this.#tell();
  }

  #tell(): void {
    (this.changed as Signal<this, void>).emit();
  }

  readonly #read: ReadSnapshots;
  readonly #latest = new Latest();
  readonly #open = new Set<string>();
  #snapshots: readonly SnapshotEntry[] = [];
  #bench: string | null = null;
  #more = false;
  #error: Error | null = null;
  #search = '';
}
