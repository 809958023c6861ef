import { decodePage, type Page } from './arrow';
import { decimalsOf, showCell, type Shown } from './cells';
import { ColumnLayout } from './columns';
import { Listeners } from './listeners';
import { PageStore, type Rectangle } from './pages';
import type { CellReply, ColumnInfo, Filter, Hello, PageReply, SortKey, ViewReply } from './protocol';
import { GridError, type Pending, type Requests } from './requests';
import { Selection } from './selection';
import { Summaries } from './summaries';

/** What has changed: other rows, values that came, columns, the selection, figures of a column, or what is said of it all. */
export type Change = 'view' | 'cells' | 'layout' | 'selection' | 'summary' | 'status';

/** How the rows are arranged. */
export interface Arrangement {
  sort: SortKey[];
  filter: Filter[];
  search: string;
}

/** Something that takes its time in the kernel. */
export interface Task {
  what: string;
  cancel(): void;
}

/** A line that the reader must see. */
export interface Notice {
  text: string;
  hint: string;
  kind: 'error' | 'done';
}

const AS_IT_CAME: Arrangement = { sort: [], filter: [], search: '' };

/** What one grid shows: a result's rows as they are arranged now, its columns, and what is under way. */
export class GridModel {
  readonly changed = new Listeners<Change>();
  readonly columns: readonly ColumnInfo[];
  readonly layout: ColumnLayout;
  readonly pages: PageStore;
  readonly selection = new Selection();
  readonly summaries: Summaries;
  arrangement: Arrangement = AS_IT_CAME;
  view = 0;
  rows: number;
  notice: Notice | null = null;
  private readonly tasks: Task[] = [];
  private readonly decimals = new Map<number, number>();
  private arranging: Pending<ViewReply> | null = null;

  constructor(
    readonly hello: Hello,
    first: DataView | undefined,
    readonly requests: Requests
  ) {
    this.columns = hello.columns;
    this.rows = hello.rows;
    this.layout = new ColumnLayout(hello.columns);
    this.summaries = new Summaries(requests, () => this.changed.emit('summary'));
    this.pages = new PageStore(
      hello.page,
      hello.rows,
      hello.columns.length,
      rectangle => this.fetch(rectangle),
      () => this.changed.emit('cells'),
      error => this.fail(error)
    );
    if (first) {
      this.pages.seed(decodePage(first));
    }
    requests.ended.add(() => this.changed.emit('status'));
  }

  get ended(): boolean {
    return this.requests.closed;
  }

  /** What is under way, the newest last. */
  get underWay(): readonly Task[] {
    return this.tasks;
  }

  get arranged(): boolean {
    const { sort, filter, search } = this.arrangement;
    return sort.length > 0 || filter.length > 0 || search !== '';
  }

  /** A cell as it is to be shown; null while its page is on the way. */
  shown(row: number, column: number): Shown | null {
    const found = this.pages.find(row, column);
    if (!found) {
      return null;
    }
    const info = this.columns[column];
    let decimals = this.decimals.get(column) ?? 0;
    if (info.kind === 'float' && !this.decimals.has(column)) {
      decimals = decimalsOf(found.values, found.rows);
      this.decimals.set(column, decimals);
    }
    return showCell(found.values.at(found.row), info, found.values, decimals);
  }

  /** The value of a cell that is here. */
  value(row: number, column: number): unknown {
    const found = this.pages.find(row, column);
    return found?.values.at(found.row);
  }

  /** The whole text of a cell, from the session. */
  async wholeText(row: number, column: number): Promise<string> {
    const pending = this.requests.ask<CellReply>({ type: 'cell', view: this.view, row, column });
    return (await pending.reply).message.text;
  }

  /**
   * Arranges the rows anew, and says whether they are; what is not given stays. A wish that is still being worked on is stopped.
   *
   * `refused` hears first why it cannot be, and says whether it has shown it.
   */
  async arrange(change: Partial<Arrangement>, refused?: (error: GridError) => boolean): Promise<boolean> {
    const before = this.arrangement;
    const wish = { ...before, ...change };
    this.arrangement = wish;
    this.arranging?.cancel();
    this.arranging = null;
    this.notice = null;
    if (!this.arranged) {
      this.take(0, this.hello.rows);
      return true;
    }
    // Rounded values are searched as they are shown.
    const decimals = wish.search ? { decimals: Object.fromEntries(this.decimals) } : {};
    const pending = this.requests.ask<ViewReply>({ type: 'view', ...wish, ...decimals });
    this.arranging = pending;
    try {
      const { message } = await this.run('Arranging rows', pending);
      if (this.arranging === pending) {
        this.arranging = null;
        this.take(message.view, message.rows);
        return true;
      }
    } catch (error) {
      // A newer wish has taken its place: that one answers for the arrangement.
      if (this.arranging === pending) {
        this.arranging = null;
        this.arrangement = before;
        if (!(error instanceof GridError && !error.cancelled && refused?.(error))) {
          this.fail(error);
        }
        this.changed.emit('layout');
      }
    }
    return false;
  }

  /** The next order by a column: ascending, descending, none; with `add` beside the other keys. */
  toggleSort(column: number, add: boolean): Promise<boolean> {
    const present = this.arrangement.sort.find(key => key.column === column);
    const next: SortKey | null = !present
      ? { column, descending: false, nulls: 'last' }
      : present.descending
        ? null
        : { ...present, descending: true };
    const others = add ? this.arrangement.sort.filter(key => key.column !== column) : [];
    if (present && next && add) {
      return this.arrange({ sort: this.arrangement.sort.map(key => (key === present ? next : key)) });
    }
    return this.arrange({ sort: next ? [...others, next] : others });
  }

  /** Runs a request as a task that is shown with a button to stop it. */
  async run<T>(what: string, pending: Pending<T>): Promise<{ message: T; buffers: DataView[] }> {
    const task: Task = { what, cancel: () => pending.cancel() };
    this.tasks.push(task);
    this.changed.emit('status');
    try {
      return await pending.reply;
    } finally {
      this.tasks.splice(this.tasks.indexOf(task), 1);
      this.changed.emit('status');
    }
  }

  say(text: string, hint = ''): void {
    this.notice = { text, hint, kind: 'done' };
    this.changed.emit('status');
  }

  /** Shows why something failed; what was stopped on purpose, or with the kernel, is said elsewhere. */
  fail(error: unknown): void {
    if (error instanceof GridError) {
      if (error.cancelled || this.ended) {
        return;
      }
      this.notice = { text: error.message, hint: error.hint, kind: 'error' };
    } else {
      this.notice = { text: error instanceof Error ? error.message : String(error), hint: '', kind: 'error' };
    }
    this.changed.emit('status');
  }

  /** Takes the notice away and lets everything that failed be tried again. */
  dismiss(): void {
    this.notice = null;
    this.pages.retry();
    this.summaries.retry();
    this.changed.emit('status');
    this.changed.emit('cells');
  }

  private take(view: number, rows: number): void {
    this.view = view;
    this.rows = rows;
    this.pages.reset(rows);
    this.summaries.reset(view);
    this.selection.clear();
    this.changed.emit('view');
  }

  private async fetch(rectangle: Rectangle): Promise<Page> {
    const pending = this.requests.ask<PageReply>({
      type: 'page',
      view: this.view,
      offset: rectangle.offset,
      count: rectangle.count,
      columns: [rectangle.first, rectangle.stop]
    });
    const { buffers } = await pending.reply;
    if (!buffers.length) {
      throw new GridError('A page of the result came without its rows.', 'Run the cell again.');
    }
    return decodePage(buffers[0]);
  }
}
