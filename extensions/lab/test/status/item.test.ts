import { beforeEach, describe, expect, it, vi } from 'vitest';

import type { KernelState, Progress } from '../../src/session';
import { StatusItem, statusText, statusTitle } from '../../src/status/item';

const state = (bench: Partial<NonNullable<KernelState['bench']>> | null, more: Partial<KernelState> = {}): KernelState => ({
  bench: bench && { path: '/d/tour.luma', mode: 'a', snapshot: 12, newest: 12, pinned: null, tables: 8, ...bench },
  engine: 'auto',
  cluster: null,
  version: '1.2',
  ...more
});
const running = (more: Partial<Progress> = {}): Progress => ({ run: 4, statement: 'SELECT 1', fraction: null, elapsed: 1.2, ...more });

describe('the status bar’s words', () => {
  it('name bench, snapshot and engine', () => {
    expect(statusText(state({}))).toBe('tour.luma · snapshot 12 · auto');
    expect(statusText(state({ pinned: 9 }, { engine: 'dask', cluster: 'tcp://x' }))).toBe('tour.luma · pinned at 9 · dask · cluster');
    expect(statusText(state(null))).toBe('Luma Bench: no bench open');
    expect(statusTitle(state({ snapshot: 10, mode: 'r' }))).toContain('/d/tour.luma\nsnapshot 10 of 12, read-only\n8 tables');
  });
});

describe('the status bar’s item', () => {
  const show = vi.fn();
  const cancel = vi.fn();
  let item: StatusItem;
  const part = <E extends HTMLElement>(name: string): E => item.node.querySelector<E>(`.luma-status-${name}`)!;

  beforeEach(() => {
    vi.clearAllMocks();
    item = new StatusItem({ show, cancel });
  });

  it('is empty without Luma Bench', () => {
    expect([part('bench').hidden, part('running').hidden]).toEqual([true, true]);
  });

  it('opens the side bar', () => {
    item.present({ state: state({ pinned: 3 }), running: [] });
    part('bench').click();
    expect(show).toHaveBeenCalledOnce();
    expect(part('bench').classList.contains('luma-mod-pinned')).toBe(true);
  });

  it('shows how far a statement is, and stops it once', () => {
    item.present({ state: state({}), running: [running({ fraction: 0.421, rows: 1200 })] });
    expect(part<HTMLProgressElement>('bar').value).toBeCloseTo(0.421);
    expect(part('bar').getAttribute('aria-label')).toBe('Running: SELECT 1');
    expect(part('text').textContent).toBe('42 % · 1.2 s · 1,200 rows');
    part('cancel').click();
    part('cancel').click();
    expect(cancel.mock.calls).toEqual([[4]]);
    expect(part('cancel').textContent).toBe('Stopping …');
    item.present({ state: state({}), running: [running({ fraction: 0.5 })] });
    expect(part<HTMLButtonElement>('cancel').disabled).toBe(true);
    item.present({ state: state({}), running: [running({ run: 5 })] });
    expect([part<HTMLButtonElement>('cancel').disabled, part('cancel').textContent]).toEqual([false, 'Stop']);
    item.present({ state: state({}), running: [] });
    expect(part('running').hidden).toBe(true);
  });

  it('shows that something runs when nobody knows how far it is', () => {
    item.present({ state: state({}), running: [running(), running({ run: 5 })] });
    expect(part('bar').hasAttribute('value')).toBe(false);
    expect(part('text').textContent).toBe('1.2 s · 2 run');
  });
});
