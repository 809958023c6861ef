import { bool, columnFromArray, float32, float64, int64, list, tableFromColumns, tableToIPC, utf8 } from '@uwdata/flechette';

import type { ColumnInfo, Kind } from '../../src/grid/protocol';
import type { Incoming } from '../../src/grid/requests';
import type { Transport } from '../../src/transport';

/** A column of a made result: its kind and the value of each row. */
export interface Made {
  name: string;
  kind: Kind;
  type?: string;
  value: (row: number) => unknown;
}

export interface Sent {
  type: string;
  id?: string;
  [key: string]: any;
}

/** A session that lives in the test: it answers at once, keeps what was asked, and may be told to answer otherwise. */
export class FakeSession implements Transport {
  readonly sent: Sent[] = [];
  closed = false;
  private readonly views: { rows: number; order: (row: number) => number }[];
  private callback: (message: Incoming, buffers: DataView[]) => void = () => {};
  private ended: (reason: Record<string, never>) => void = () => {};
  /** Answers instead of the usual ones; undefined lets a message wait for ever. */
  answers = new Map<string, (message: Sent) => object | undefined>();
  /** Rows of a page at most. */
  most = Infinity;

  constructor(
    readonly columns: readonly Made[],
    readonly rows: number,
    private readonly page = 200
  ) {
    this.views = [{ rows, order: row => row }];
  }

  get infos(): ColumnInfo[] {
    return this.columns.map(({ name, kind, type }, index) => ({ index, name, kind, type: type ?? kind.toUpperCase() }));
  }

  asked(type: string): Sent[] {
    return this.sent.filter(message => message.type === type);
  }

  /** Greets, as a session does once a comm is open. */
  greet(more: object = {}, columns = Math.min(this.columns.length, 40)): void {
    const count = Math.min(this.rows, this.page);
    const hello = {
      type: 'hello',
      rows: this.rows,
      columns: this.infos,
      badge: 'duckdb (test) · snapshot 1',
      cautions: [],
      record: {},
      plan: true,
      page: this.page,
      ...more
    };
    this.callback(hello, [this.bytes(0, count, 0, columns)]);
  }

  end(): void {
    this.ended({});
  }

  send(message: object): void {
    const sent = message as Sent;
    this.sent.push(sent);
    const other = this.answers.get(sent.type);
    if (other) {
      const answer = other(sent);
      if (answer) {
        this.reply({ id: sent.id, ...answer } as unknown as Incoming);
      }
      return;
    }
    this.answer(sent);
  }

  onMessage(callback: (message: Incoming, buffers: DataView[]) => void): void {
    this.callback = callback;
  }

  onClosed(callback: (reason: Record<string, never>) => void): void {
    this.ended = callback;
  }

  close(): void {
    this.closed = true;
  }

  private reply(message: Incoming, buffers: DataView[] = []): void {
    queueMicrotask(() => this.callback(message, buffers));
  }

  private answer(sent: Sent): void {
    const { id } = sent;
    if (sent.type === 'page') {
      const [first, stop] = sent.columns as [number, number];
      const { order } = this.views[sent.view as number];
      const count = Math.min(sent.count as number, this.most);
      this.reply({ ...sent, count } as Incoming, [this.bytes(sent.offset as number, count, first, stop, order)]);
    } else if (sent.type === 'view') {
      const rows = sent.search === 'nothing' ? 0 : sent.filter.length ? Math.floor(this.rows / 2) : this.rows;
      const descending = Boolean(sent.sort[0]?.descending);
      this.views.push({ rows, order: row => (descending ? this.rows - 1 - row : row) });
      this.reply({ type: 'view', id, view: this.views.length - 1, rows });
    } else if (sent.type === 'cell') {
      this.reply({ type: 'cell', id, text: String(this.columns[sent.column as number].value(sent.row as number)) });
    } else if (sent.type === 'summary') {
      const histogram = { edges: [0, 1, 2], counts: [3, 1] };
      this.reply({ type: 'summary', id, column: sent.column, rows: this.rows, nulls: 1, distinct: { value: 4, approximate: true }, histogram } as Incoming);
    } else if (sent.type === 'export') {
      this.reply({ type: 'exported', id, text: 'exported', path: '/srv/result.csv', rows: this.rows });
    }
  }

  private bytes(offset: number, count: number, first: number, stop: number, order = (row: number): number => row): DataView {
    const types = { int: int64(), float: float64(), bool: bool(), vector: list(float32()) } as Partial<Record<Kind, any>>;
    const columns = this.columns.slice(first, stop).map(({ kind, value }, index): [string, any] => {
      const values = Array.from({ length: count }, (_, row) => value(order(offset + row)));
      const held = kind === 'int' ? values.map(item => (item === null ? null : BigInt(item as number))) : values;
      return [String(first + index), columnFromArray(held, types[kind] ?? utf8())];
    });
    const made = tableToIPC(tableFromColumns(columns), { format: 'stream' }) as Uint8Array;
    // Buffers of messages stand anywhere, aligned to nothing.
    const odd = new Uint8Array(made.length + 3);
    odd.set(made, 3);
    return new DataView(odd.buffer, 3, made.length);
  }
}

/** Lets everything that waits go on. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 30; turn += 1) {
    await Promise.resolve();
  }
}
