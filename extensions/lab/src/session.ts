import type { NotebookPanel } from '@jupyterlab/notebook';
import type { ISessionContext } from '@jupyterlab/apputils';
import type { Kernel, KernelMessage } from '@jupyterlab/services';
import type { JSONObject, ReadonlyPartialJSONValue } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import { openComm, type Transport } from './transport';

/** The bench that a notebook has open. */
export interface BenchState {
  /** The kernel's absolute path. */
  readonly path: string;
  readonly mode: string;
  /** The snapshot that statements read. */
  readonly snapshot: number;
  /** The newest snapshot there is. */
  readonly newest: number;
  /** The snapshot that the notebook is pinned to. */
  readonly pinned: number | null;
  /** How many tables it has. */
  readonly tables: number;
}

/** What a kernel says of itself after connecting, after each cell and when a bench opens or closes. */
export interface KernelState {
  readonly bench: BenchState | null;
  readonly engine: string;
  readonly cluster: string | null;
  readonly version: string;
}

/** A statement that runs. */
export interface Progress {
  readonly run: number;
  readonly statement: string;
  /** 0 to 1; null when nobody knows. */
  readonly fraction: number | null;
  /** Seconds. */
  readonly elapsed: number;
  readonly rows?: number;
}

/** Cells whose text has one of these may have loaded the extension into the kernel. */
const MENTION = /luma_bench|%luma|kadeql/i;

/** The key of a notebook's metadata that holds what it is pinned to. */
const METADATA = 'luma_bench';

/**
 * A notebook's link to its kernel: the comm `luma-bench`.
 *
 * It is opened when a kernel connects, and again, while the kernel refuses it, after each executed cell that mentions
 * Luma Bench. A restart or another kernel starts it anew.
 */
export class Session implements IDisposable {
  constructor(panel: NotebookPanel) {
    this.panel = panel;
    this.context = panel.sessionContext;
    this.context.kernelChanged.connect(this.#onKernel, this);
    this.context.statusChanged.connect(this.#onStatus, this);
    this.context.iopubMessage.connect(this.#onIOPub, this);
    panel.disposed.connect(this.dispose, this);
    void this.context.ready.then(() => panel.revealed).then(() => this.#connect());
  }

  readonly panel: NotebookPanel;
  readonly context: ISessionContext;
  /** State, progress, pin or connection changed: read the values anew. */
  readonly changed: ISignal<this, void> = new Signal<this, void>(this);
  /** Every message of the kernel on this comm, the ones behind `changed` too. */
  readonly message: ISignal<this, JSONObject> = new Signal<this, JSONObject>(this);

  /** The kernel now, which may be another one later. */
  get kernel(): Kernel.IKernelConnection | null {
    return this.context.session?.kernel ?? null;
  }

  /** Whether the kernel has Luma Bench loaded and answers. */
  get connected(): boolean {
    return this.#transport !== null && this.#state !== null;
  }

  get state(): KernelState | null {
    return this.#state;
  }

  /** The bench's path for requests of the server, or null when no bench is open. */
  get bench(): string | null {
    return this.#state?.bench?.path ?? null;
  }

  /** The statements that run, oldest first; empty when none does. */
  get running(): readonly Progress[] {
    return [...this.#running.values()];
  }

  get isDisposed(): boolean {
    return this.#disposed;
  }

  /** Send `message` on the comm; nothing happens while the kernel does not answer. */
  send(message: JSONObject): void {
    this.#transport?.send(message);
  }

  /** Stop statement `run` (see `Progress.run`). */
  cancel(run: number): void {
    this.send({ type: 'cancel', run });
  }

  /** Open another comm on this notebook's kernel, such as `luma-bench:grid`; null without a kernel. */
  open(target: string, data: JSONObject = {}): Transport | null {
    const kernel = this.kernel;
    return kernel && kernel.status !== 'dead' ? openComm(kernel, target, data) : null;
  }

  dispose(): void {
    if (this.#disposed) {
      return;
    }
    this.#disposed = true;
    this.#drop();
    Signal.clearData(this);
  }

  #connect(): void {
    const kernel = this.kernel;
    if (this.#disposed || this.#transport || !kernel || kernel.status === 'dead') {
      return;
    }
    this.#wanted = false;
    const transport = openComm(kernel, 'luma-bench');
    this.#transport = transport;
    transport.onMessage(message => this.#onMessage(message as JSONObject));
    transport.onClosed(() => {
      if (this.#transport === transport) {
        this.#drop();
        // The refusal of a comm that was opened before the extension was loaded may come after the cell that loads it.
        if (this.#wanted) {
          this.#connect();
        }
      }
    });
    transport.send({ type: 'pin', pin: this.#pin() });
  }

  #drop(): void {
    const transport = this.#transport;
    const told = this.#state !== null || this.#running.size > 0;
    this.#transport = null;
    this.#state = null;
    this.#running.clear();
    transport?.close();
    if (told) {
      this.#emit();
    }
  }

  #onMessage(message: JSONObject): void {
    const run = message['run'];
    if (message['type'] === 'state') {
      this.#state = message as unknown as KernelState;
    } else if (message['type'] === 'progress') {
      this.#running.set(run as number, message as unknown as Progress);
    } else if (message['type'] === 'done') {
      this.#running.delete(run as number);
    } else if (message['type'] === 'pin') {
      this.#setPin(message['pin'] ?? null);
    }
    (this.message as Signal<this, JSONObject>).emit(message);
    this.#emit();
  }

  #pin(): JSONObject | null {
    const held = this.panel.model?.getMetadata(METADATA) as JSONObject | undefined;
    return (held?.['pin'] as JSONObject | undefined) ?? null;
  }

  #setPin(pin: ReadonlyPartialJSONValue): void {
    const model = this.panel.model;
    const held = { ...((model?.getMetadata(METADATA) as JSONObject | undefined) ?? {}) };
    if (pin === null) {
      delete held['pin'];
    } else {
      held['pin'] = pin as JSONObject;
    }
    if (Object.keys(held).length > 0) {
      model?.setMetadata(METADATA, held);
    } else {
      model?.deleteMetadata(METADATA);
    }
  }

  #onKernel(): void {
    this.#drop();
    this.#connect();
  }

  #onStatus(_: ISessionContext, status: Kernel.Status): void {
    if (status === 'restarting' || status === 'autorestarting' || status === 'dead') {
      this.#drop();
      this.#restarted = true;
      this.#loading.clear();
      this.#wanted = false;
    } else if (status === 'idle' && this.#restarted) {
      this.#restarted = false;
      this.#connect();
    }
  }

  /** A cell that may load the extension began or ended; the kernel's status alone would not tell which cell did. */
  #onIOPub(_: ISessionContext, message: KernelMessage.IMessage): void {
    const cell = (message.parent_header as Partial<KernelMessage.IHeader>).msg_id ?? '';
    if (message.header.msg_type === 'execute_input') {
      if (!this.connected && MENTION.test((message as KernelMessage.IExecuteInputMsg).content.code)) {
        this.#loading.add(cell);
      }
    } else if (message.header.msg_type === 'status' && this.#loading.has(cell)) {
      if ((message as KernelMessage.IStatusMsg).content.execution_state === 'idle') {
        this.#loading.delete(cell);
        this.#wanted = true;
        this.#connect();
      }
    }
  }

  #emit(): void {
    (this.changed as Signal<this, void>).emit();
  }

  #transport: Transport | null = null;
  #state: KernelState | null = null;
  readonly #running = new Map<number, Progress>();
  /** The executions that mention Luma Bench and have not ended. */
  readonly #loading = new Set<string>();
  /** Such a cell has ended since the last attempt to connect. */
  #wanted = false;
  #restarted = false;
  #disposed = false;
}
