import type { Kernel, KernelMessage } from '@jupyterlab/services';
import type { JSONObject } from '@lumino/coreutils';

/** How long a comm waits for a subshell of its own, in milliseconds. */
const SUBSHELL_WAIT = 3000;

/** A two-way channel of messages with binary buffers; a comm, or an anywidget model. */
export interface Transport {
  /** Send a message; nothing happens once the channel is closed. */
  send(message: object, buffers?: ArrayBuffer[]): void;
  /** Call `cb` with each message that comes. What came before the first listener is kept for it. */
  onMessage(cb: (message: any, buffers: DataView[]) => void): void;
  /** Call `cb` once when the other side closes, or its kernel goes, with what the close said. */
  onClosed(cb: (reason: JSONObject) => void): void;
  /** Close this side. `onClosed` is not called. */
  close(): void;
}

/**
 * Open a comm on `kernel` as a transport.
 *
 * A kernel that does not know `target` closes the comm at once, which arrives at `onClosed`. So do a restart, and the
 * end of the kernel.
 */
export function openComm(kernel: Kernel.IKernelConnection, target: string, data: JSONObject = {}): Transport {
  return new CommTransport(kernel, target, data);
}

class CommTransport implements Transport {
  constructor(kernel: Kernel.IKernelConnection, target: string, data: JSONObject) {
    this.#kernel = kernel;
    this.#comm = kernel.createComm(target);
    this.#comm.onMsg = (message: KernelMessage.ICommMsgMsg): void => {
      this.#receive(message.content.data, views(message.buffers));
    };
    this.#comm.onClose = (message: KernelMessage.ICommCloseMsg): void => this.#end(message.content.data as JSONObject);
    kernel.statusChanged.connect(this.#onStatus, this);
    kernel.disposed.connect(this.#onGone, this);
    void this.#open(data);
  }

  send(message: object, buffers: ArrayBuffer[] = []): void {
    if (!this.#opened) {
      this.#waiting.push([message, buffers]);
    } else if (!this.#closed && !this.#comm.isDisposed) {
      this.#comm.send(message as JSONObject, {}, buffers, true);
    }
  }

  onMessage(cb: (message: any, buffers: DataView[]) => void): void {
    this.#listeners.push(cb);
    for (const [message, buffers] of this.#early.splice(0)) {
      cb(message, buffers);
    }
  }

  onClosed(cb: (reason: JSONObject) => void): void {
    if (this.#reason) {
      cb(this.#reason);
    } else {
      this.#enders.push(cb);
    }
  }

  close(): void {
    if (!this.#closed) {
      this.#forget();
      if (this.#opened && !this.#comm.isDisposed && this.#kernel.connectionStatus === 'connected') {
        this.#comm.close();
      } else {
        this.#comm.dispose();
      }
    }
  }

  /** Open once the target's subshell runs: on the main shell the message would wait for the cell that runs there. */
  async #open(data: JSONObject): Promise<void> {
    await this.#kernel.info;
    if (this.#kernel.supportsSubshells) {
      const started = (this.#comm as { subshellStarted?: Promise<void> }).subshellStarted;
      await Promise.race([started?.catch(() => undefined), new Promise(resolve => setTimeout(resolve, SUBSHELL_WAIT))]);
    }
    if (this.#closed || this.#comm.isDisposed || this.#kernel.isDisposed) {
      return;
    }
    this.#comm.open(data);
    this.#opened = true;
    for (const [message, buffers] of this.#waiting.splice(0)) {
      this.send(message, buffers);
    }
  }

  #receive(message: unknown, buffers: DataView[]): void {
    if (this.#closed) {
      return;
    }
    if (this.#listeners.length === 0) {
      this.#early.push([message, buffers]);
    }
    for (const listener of this.#listeners) {
      listener(message, buffers);
    }
  }

  #onStatus(_: Kernel.IKernelConnection, status: Kernel.Status): void {
    if (status === 'restarting' || status === 'autorestarting' || status === 'dead') {
      this.#end({ type: 'closed', message: `The kernel is ${status}.` });
    }
  }

  #onGone(): void {
    this.#end({ type: 'closed', message: 'The kernel is gone.' });
  }

  #end(reason: JSONObject): void {
    if (this.#closed) {
      return;
    }
    this.#reason = reason;
    const enders = this.#enders;
    this.#forget();
    for (const ender of enders) {
      ender(reason);
    }
  }

  #forget(): void {
    this.#closed = true;
    this.#listeners = [];
    this.#enders = [];
    this.#early = [];
    this.#waiting = [];
    this.#kernel.statusChanged.disconnect(this.#onStatus, this);
    this.#kernel.disposed.disconnect(this.#onGone, this);
  }

  readonly #kernel: Kernel.IKernelConnection;
  readonly #comm: Kernel.IComm;
  #closed = false;
  #opened = false;
  #waiting: [object, ArrayBuffer[]][] = [];
  #reason: JSONObject | null = null;
  #listeners: ((message: any, buffers: DataView[]) => void)[] = [];
  #enders: ((reason: JSONObject) => void)[] = [];
  #early: [unknown, DataView[]][] = [];
}

function views(buffers: (ArrayBuffer | ArrayBufferView)[] | undefined): DataView[] {
  return (buffers ?? []).map(buffer =>
    buffer instanceof ArrayBuffer
      ? new DataView(buffer)
      : new DataView(buffer.buffer as ArrayBuffer, buffer.byteOffset, buffer.byteLength)
  );
}
