import type { Transport } from '../transport';
import { Listeners } from './listeners';
import type { ErrorReply } from './protocol';

/** A message as it comes; `type` says which of the protocol's it is. */
export interface Incoming {
  type: string;
  id?: string;
  [key: string]: unknown;
}

/** A request that was refused, stopped, or lost with its connection. */
export class GridError extends Error {
  constructor(
    message: string,
    readonly hint = '',
    readonly cancelled = false
  ) {
    super(message);
    this.name = 'GridError';
  }
}

/** A reply with the buffers that came with it. */
export interface Answer<T> {
  message: T;
  buffers: DataView[];
}

/** A request under way. */
export interface Pending<T> {
  reply: Promise<Answer<T>>;
  /** Stops it in the session; the reply then fails with a `cancelled` error. */
  cancel(): void;
}

interface Waiting {
  resolve(answer: Answer<Incoming>): void;
  reject(error: GridError): void;
}

const GONE = 'The kernel that holds these rows has ended.';
const GONE_HINT = 'Run the cell again.';

/**
 * Requests and their replies over one transport.
 *
 * Ids begin with a random part: every page of a kernel hears every message, so a reply to somebody else must not match.
 */
export class Requests {
  readonly unasked = new Listeners<Answer<Incoming>>();
  readonly ended = new Listeners<void>();
  private readonly waiting = new Map<string, Waiting>();
  private readonly prefix = Math.random().toString(36).slice(2, 10);
  private count = 0;
  private over = false;

  /** `own` says that nobody else speaks over this transport: closing it may end the session. */
  constructor(
    private readonly transport: Transport,
    private readonly own = true
  ) {
    transport.onMessage((message: Incoming, buffers) => this.receive(message, buffers));
    transport.onClosed(() => this.end());
  }

  get closed(): boolean {
    return this.over;
  }

  ask<T>(message: { type: string; [key: string]: unknown }): Pending<T> {
    this.count += 1;
    const id = `${this.prefix}-${this.count}`;
    const reply = new Promise<Answer<T>>((resolve, reject) => {
      if (this.over) {
        reject(new GridError(GONE, GONE_HINT));
        return;
      }
      this.waiting.set(id, { resolve: answer => resolve(answer as unknown as Answer<T>), reject });
      this.transport.send({ ...message, id });
    });
    const cancel = (): void => {
      const waiting = this.waiting.get(id);
      if (waiting) {
        this.waiting.delete(id);
        this.transport.send({ type: 'cancel', id });
        waiting.reject(new GridError('Cancelled.', '', true));
      }
    };
    return { reply, cancel };
  }

  /** Gives up what is waited for: replies that came while the connection was away do not come again. */
  lost(): void {
    const waiting = [...this.waiting.values()];
    this.waiting.clear();
    for (const { reject } of waiting) {
      reject(new GridError('The connection to the kernel was away meanwhile.', 'Try again.'));
    }
  }

  /** Says that the rows are no longer looked at, and lets go of the transport. */
  close(): void {
    if (!this.over) {
      if (this.own) {
        this.transport.send({ type: 'close' });
      }
      this.transport.close();
      this.end();
    }
    this.unasked.clear();
    this.ended.clear();
  }

  private receive(message: Incoming, buffers: DataView[]): void {
    if (message.id === undefined) {
      this.unasked.emit({ message, buffers });
      return;
    }
    const waiting = this.waiting.get(message.id);
    if (!waiting) {
      return;
    }
    this.waiting.delete(message.id);
    if (message.type === 'error') {
      const error = message as unknown as ErrorReply;
      waiting.reject(new GridError(error.message, error.hint ?? '', error.cancelled ?? false));
    } else {
      waiting.resolve({ message, buffers });
    }
  }

  private end(): void {
    if (this.over) {
      return;
    }
    this.over = true;
    const waiting = [...this.waiting.values()];
    this.waiting.clear();
    for (const { reject } of waiting) {
      reject(new GridError(GONE, GONE_HINT));
    }
    this.ended.emit();
  }
}
