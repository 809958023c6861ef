import type { Kernel } from '@jupyterlab/services';
import { Signal } from '@lumino/signaling';
import { beforeEach, describe, expect, it } from 'vitest';

import { openComm } from '../src/transport';

class FakeComm {
  opened: unknown = null;
  sent: unknown[][] = [];
  isDisposed = false;
  closed = false;
  onMsg: (message: object) => void = () => {};
  onClose: (message: object) => void = () => {};
  constructor(readonly subshellStarted: Promise<void>) {}
  open(data: unknown): void {
    this.opened = data;
  }
  send(data: unknown, _metadata: unknown, buffers: unknown): void {
    this.sent.push([data, buffers]);
  }
  close(): void {
    this.closed = true;
    this.isDisposed = true;
  }
  dispose(): void {
    this.isDisposed = true;
  }
}

class FakeKernel {
  readonly statusChanged = new Signal<this, string>(this);
  readonly disposed = new Signal<this, void>(this);
  readonly info = Promise.resolve({});
  readonly connectionStatus = 'connected';
  readonly isDisposed = false;
  supportsSubshells = true;
  start: () => void = () => {};
  comm = new FakeComm(new Promise(resolve => (this.start = resolve)));
  createComm(): FakeComm {
    return this.comm;
  }
}

const settled = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 5));

describe('a comm as a transport', () => {
  let kernel: FakeKernel;
  const open = () => openComm(kernel as unknown as Kernel.IKernelConnection, 'luma-bench:grid', { result: 'token' });

  beforeEach(() => {
    kernel = new FakeKernel();
  });

  it('opens once the subshell runs, and sends what waited, in order', async () => {
    const transport = open();
    transport.send({ id: 1 });
    transport.send({ id: 2 }, [new ArrayBuffer(4)]);
    await settled();
    expect(kernel.comm.opened).toBeNull();
    kernel.start();
    await settled();
    expect(kernel.comm.opened).toEqual({ result: 'token' });
    expect(kernel.comm.sent).toEqual([
      [{ id: 1 }, []],
      [{ id: 2 }, [new ArrayBuffer(4)]]
    ]);
  });

  it('does not wait where the kernel has no subshells', async () => {
    kernel.supportsSubshells = false;
    open();
    await settled();
    expect(kernel.comm.opened).toEqual({ result: 'token' });
  });

  it('keeps early messages for the first listener and gives buffers as views', async () => {
    const transport = open();
    kernel.start();
    await settled();
    const bytes = new Uint8Array([9, 8, 7, 6]);
    kernel.comm.onMsg({ content: { data: { n: 1 } }, buffers: [bytes.subarray(1, 3)] });
    const got: [unknown, number[]][] = [];
    transport.onMessage((message, buffers) => got.push([message, buffers.map(view => view.getUint8(0))]));
    kernel.comm.onMsg({ content: { data: { n: 2 } }, buffers: [bytes.buffer] });
    expect(got).toEqual([
      [{ n: 1 }, [8]],
      [{ n: 2 }, [9]]
    ]);
  });

  it.each(['restarting', 'autorestarting', 'dead'])('ends when the kernel is %s, once', async status => {
    const transport = open();
    let ends = 0;
    transport.onClosed(() => (ends += 1));
    kernel.start();
    await settled();
    kernel.statusChanged.emit(status);
    kernel.statusChanged.emit(status);
    kernel.comm.onClose({ content: { data: {} } });
    expect(ends).toBe(1);
    transport.send({ late: true });
    expect(kernel.comm.sent).toEqual([]);
  });

  it('says why the kernel refused, also to who asks later', async () => {
    const transport = open();
    kernel.start();
    await settled();
    kernel.comm.onClose({ content: { data: { type: 'refused', message: 'gone' } } });
    const reasons: unknown[] = [];
    transport.onClosed(reason => reasons.push(reason));
    expect(reasons).toEqual([{ type: 'refused', message: 'gone' }]);
  });

  it('closes its side without being told', async () => {
    const transport = open();
    let ends = 0;
    transport.onClosed(() => (ends += 1));
    kernel.start();
    await settled();
    transport.close();
    expect(kernel.comm.closed).toBe(true);
    expect(ends).toBe(0);
  });

  it('never opens when it was closed before', async () => {
    const transport = open();
    transport.close();
    kernel.start();
    await settled();
    expect(kernel.comm.opened).toBeNull();
    expect(kernel.comm.isDisposed).toBe(true);
  });
});
