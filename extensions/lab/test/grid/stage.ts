import { afterEach, beforeAll, vi } from 'vitest';

import { type MountedGrid, mountGrid, type MountOptions } from '../../src/grid';
import { type FakeSession, type Made, settled } from './fake';

export const INJECTION = '<img src=x onerror="window.hurt = true">';
export const COLUMNS: Made[] = [
  { name: 'id', kind: 'int', value: row => row },
  { name: 'name', kind: 'text', value: row => (row % 4 === 3 ? null : `name ${row}`) },
  { name: INJECTION, kind: 'text', value: () => INJECTION },
  { name: 'spots', kind: 'vector', value: () => [1, 3, 2] },
  { name: 'نص', kind: 'text', value: () => 'مرحبا' }
];

/** The grid of a test, taken away after it. */
export const stage: { mounted: MountedGrid | null } = { mounted: null };

// jsdom lays nothing out: the boxes get a size, and those who watch sizes are told of it once.
beforeAll(() => {
  Object.defineProperty(HTMLElement.prototype, 'clientWidth', { configurable: true, get: () => 900 });
  Object.defineProperty(HTMLElement.prototype, 'clientHeight', { configurable: true, get: () => 240 });
  vi.stubGlobal(
    'ResizeObserver',
    class {
      constructor(private readonly callback: () => void) {}
      observe(): void {
        queueMicrotask(() => this.callback());
      }
      disconnect(): void {}
    }
  );
  vi.stubGlobal('DOMRect', class { constructor(readonly left: number, readonly top: number, readonly width: number, readonly height: number) {} });
});

afterEach(() => {
  stage.mounted?.dispose();
  stage.mounted = null;
  document.body.textContent = '';
});

/** Mounts a grid on a session that greets. */
export async function show(session: FakeSession, options: MountOptions = {}, more: object = {}): Promise<HTMLElement> {
  const host = document.createElement('div');
  document.body.append(host);
  stage.mounted = mountGrid(host, session, options);
  session.greet(more);
  await settled();
  return host;
}

/** The rows in sight, as the cells' texts. */
export function lines(host: HTMLElement): string[][] {
  return [...host.querySelectorAll<HTMLElement>('.lg-row')]
    .filter(row => !row.hidden)
    .sort((a, b) => Number(a.getAttribute('aria-rowindex')) - Number(b.getAttribute('aria-rowindex')))
    .map(row => [...row.querySelectorAll('.lg-cell')].map(cell => cell.textContent ?? ''));
}

export function button(host: HTMLElement, name: string): HTMLElement {
  const found = [...host.querySelectorAll<HTMLElement>('button')].find(
    each => each.textContent === name || each.getAttribute('aria-label') === name
  );
  if (!found) {
    throw new Error(`no button ${name}`);
  }
  return found;
}

/** Presses a key on the table. */
export function press(host: HTMLElement, key: string, more: object = {}): void {
  const table = host.querySelector('.lg-table')!;
  table.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...more }));
}
