import type { NotebookPanel } from '@jupyterlab/notebook';
import { Signal } from '@lumino/signaling';
import { beforeEach, describe, expect, it } from 'vitest';

import { Session } from '../src/session';

/** A kernel that knows the comm target `luma-bench` once `loaded`; it answers when `flush` is called. */
class FakeKernel {
  readonly statusChanged = new Signal<this, string>(this);
  readonly disposed = new Signal<this, void>(this);
  readonly info = Promise.resolve({});
  readonly supportsSubshells = false;
  readonly connectionStatus = 'connected';
  readonly isDisposed = false;
  status = 'idle';
  loaded = false;
  readonly comms: FakeComm[] = [];

  createComm(target: string): FakeComm {
    const comm = new FakeComm(target);
    this.comms.push(comm);
    return comm;
  }

  /** Answer every comm that was opened since. */
  flush(): void {
    for (const comm of this.comms) {
      if (comm.opened && !comm.answered) {
        comm.answered = true;
        if (this.loaded) {
          comm.onMsg({ content: { data: STATE } });
        } else {
          comm.isDisposed = true;
          comm.onClose({ content: { data: {} } });
        }
      }
    }
  }
}

class FakeComm {
  constructor(readonly targetName: string) {}
  opened = false;
  answered = false;
  isDisposed = false;
  sent: unknown[] = [];
  onMsg: (message: object) => void = () => {};
  onClose: (message: object) => void = () => {};
  open(): void {
    this.opened = true;
  }
  send(data: unknown): void {
    this.sent.push(data);
  }
  close(): void {
    this.isDisposed = true;
  }
  dispose(): void {
    this.isDisposed = true;
  }
}

const BENCH = { path: '/data/a.luma', mode: 'r', snapshot: 4, newest: 4, pinned: null, tables: 2 };
const STATE = { type: 'state', bench: BENCH, engine: 'auto', cluster: null, version: '0.1.0' };

class FakeContext {
  readonly kernelChanged = new Signal<this, object>(this);
  readonly statusChanged = new Signal<this, string>(this);
  readonly iopubMessage = new Signal<this, object>(this);
  readonly ready = Promise.resolve();
  session: { kernel: FakeKernel } = { kernel: new FakeKernel() };

  /** Cell `id` with `code` begins. */
  begin(id: string, code: string): void {
    this.iopubMessage.emit({ header: { msg_type: 'execute_input' }, parent_header: { msg_id: id }, content: { code } });
  }

  end(id: string): void {
    const content = { execution_state: 'idle' };
    this.iopubMessage.emit({ header: { msg_type: 'status' }, parent_header: { msg_id: id }, content });
    this.statusChanged.emit('idle');
  }
}

const settled = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 5));

describe('a session', () => {
  let context: FakeContext;
  let kernel: FakeKernel;
  let metadata: Record<string, unknown>;
  let session: Session;

  beforeEach(async () => {
    context = new FakeContext();
    kernel = context.session.kernel;
    metadata = {};
    const model = {
      getMetadata: (key: string) => metadata[key],
      setMetadata: (key: string, value: unknown) => {
        metadata[key] = value;
      },
      deleteMetadata: (key: string) => {
        delete metadata[key];
      }
    };
    const panel = { sessionContext: context, revealed: Promise.resolve(), model, disposed: new Signal({}) };
    session = new Session(panel as unknown as NotebookPanel);
    await settled();
  });

  const answer = async (): Promise<void> => {
    kernel.flush();
    await settled();
  };

  it('connects to a kernel that has the extension, and tells its pin', async () => {
    kernel.loaded = true;
    await answer();
    expect(session.connected).toBe(true);
    expect(session.bench).toBe('/data/a.luma');
    expect(kernel.comms[0]?.sent).toEqual([{ type: 'pin', pin: null }]);
  });

  it('waits for a cell that loads the extension', async () => {
    await answer();
    context.begin('1', 'x = 1');
    context.end('1');
    await settled();
    expect(kernel.comms).toHaveLength(1);
    context.begin('2', '%load_ext luma_bench');
    kernel.loaded = true;
    context.end('2');
    await settled();
    await answer();
    expect(session.connected).toBe(true);
    expect(kernel.comms).toHaveLength(2);
  });

  it('connects although the first refusal comes after that cell has ended', async () => {
    context.begin('1', '%load_ext luma_bench');
    context.end('1');
    await settled();
    await answer();
    kernel.loaded = true;
    await answer();
    expect(session.connected).toBe(true);
  });

  it('is not misled by another shell that falls idle while the cell runs', async () => {
    await answer();
    context.begin('1', 'import luma_bench');
    context.statusChanged.emit('idle');
    await settled();
    await answer();
    kernel.loaded = true;
    context.end('1');
    await settled();
    await answer();
    expect(session.connected).toBe(true);
  });

  it('starts anew after a restart', async () => {
    kernel.loaded = true;
    await answer();
    kernel.loaded = false;
    context.statusChanged.emit('restarting');
    expect(session.connected).toBe(false);
    expect(session.bench).toBeNull();
    context.statusChanged.emit('idle');
    await settled();
    await answer();
    expect(session.connected).toBe(false);
    context.begin('1', '%luma open a.luma');
    kernel.loaded = true;
    context.end('1');
    await settled();
    await answer();
    expect(session.connected).toBe(true);
  });

  it('follows another kernel', async () => {
    kernel.loaded = true;
    await answer();
    kernel = new FakeKernel();
    kernel.loaded = true;
    context.session = { kernel };
    context.kernelChanged.emit({});
    expect(session.connected).toBe(false);
    await settled();
    await answer();
    expect(session.connected).toBe(true);
  });

  it('knows what runs, and cancels it', async () => {
    kernel.loaded = true;
    await answer();
    const comm = kernel.comms[0] as FakeComm;
    const progress = { type: 'progress', run: 7, statement: 'SELECT 1', fraction: 0.5, elapsed: 1.5 };
    let changes = 0;
    session.changed.connect(() => (changes += 1));
    comm.onMsg({ content: { data: progress } });
    expect(session.running.map(run => run.run)).toEqual([7]);
    session.cancel(7);
    expect(comm.sent.at(-1)).toEqual({ type: 'cancel', run: 7 });
    comm.onMsg({ content: { data: { type: 'done', run: 7 } } });
    expect(session.running).toEqual([]);
    expect(changes).toBe(2);
  });

  it('keeps the pin in the notebook', async () => {
    kernel.loaded = true;
    await answer();
    const comm = kernel.comms[0] as FakeComm;
    metadata['luma_bench'] = { other: 1 };
    comm.onMsg({ content: { data: { type: 'pin', pin: { version: 1 } } } });
    expect(metadata).toEqual({ luma_bench: { other: 1, pin: { version: 1 } } });
    comm.onMsg({ content: { data: { type: 'pin', pin: null } } });
    expect(metadata).toEqual({ luma_bench: { other: 1 } });
  });

  it('is silent once its notebook is closed', async () => {
    session.dispose();
    kernel.loaded = true;
    context.begin('1', 'luma_bench');
    context.end('1');
    await answer();
    expect(session.connected).toBe(false);
    expect(session.isDisposed).toBe(true);
  });
});

