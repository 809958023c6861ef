import { describe, expect, it } from 'vitest';

import { GridModel } from '../../src/grid/model';
import type { KeptLayout } from '../../src/grid/columns';
import { figures } from '../../src/grid/statistics';
import type { Summary } from '../../src/grid/protocol';
import { FakeSession, settled } from './fake';
import { button, COLUMNS, show } from './stage';

const REFUSED = { type: 'error', message: "'abc' is no number, and 'id' is BIGINT.", hint: 'Type one like 42.' };

async function openFilter(host: HTMLElement, column: string, op: string, value: string): Promise<HTMLElement> {
  button(host, `Menu of column ${column}`).click();
  button(host, 'Filter…').click();
  const dialog = host.querySelector<HTMLElement>('[role=dialog]')!;
  const select = dialog.querySelector('select')!;
  select.value = op;
  select.dispatchEvent(new Event('change'));
  dialog.querySelector<HTMLInputElement>('input, textarea')!.value = value;
  button(dialog, 'Filter').click();
  await settled();
  return dialog;
}

async function search(host: HTMLElement, text: string): Promise<void> {
  host.querySelector<HTMLInputElement>('.lg-search')!.value = text;
  host.querySelector('.lg-search')!.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter' }));
  await new Promise(resolve => setTimeout(resolve, 5));
  await settled();
}

describe('a filter', () => {
  it('that is refused says why at its field, and is there to be mended', async () => {
    const session = new FakeSession(COLUMNS, 1000);
    const host = await show(session);
    session.answers.set('view', () => REFUSED);
    const dialog = await openFilter(host, 'id', '<', 'abc');
    const input = dialog.querySelector('input')!;
    expect(dialog.isConnected).toBe(true);
    expect(dialog.querySelector('[role=alert]')!.textContent).toBe(`${REFUSED.message} ${REFUSED.hint}`);
    expect(input.getAttribute('aria-invalid')).toBe('true');
    expect(input.getAttribute('aria-describedby')).toBe(dialog.querySelector('[role=alert]')!.id);
    expect(input.value).toBe('abc');
    expect(host.querySelector<HTMLElement>('.lg-notice')!.hidden).toBe(true);
    session.answers.delete('view');
    input.value = '42';
    button(dialog, 'Filter').click();
    await settled();
    expect(dialog.isConnected).toBe(false);
    expect(session.asked('view').at(-1)!.filter).toEqual([{ column: 0, op: '<', value: '42' }]);
    expect(host.textContent).toContain('500 of 1,000 rows');
  });

  it('takes numbers with commas between them, and texts with commas in them', async () => {
    const session = new FakeSession(COLUMNS, 1000);
    const host = await show(session);
    await openFilter(host, 'id', 'in', '1, 2\n3');
    expect(session.asked('view').at(-1)!.filter[0].value).toEqual(['1', '2', '3']);
    await openFilter(host, 'name', 'in', 'a, b\nc');
    expect(session.asked('view').at(-1)!.filter[1].value).toEqual(['a, b', 'c']);
  });
});

describe('a search', () => {
  it('says how many decimals are shown', async () => {
    const session = new FakeSession([{ name: 'x', kind: 'float', value: row => row / 8 }], 1000);
    const host = await show(session);
    await search(host, '0.125');
    expect(session.asked('view')[0]).toMatchObject({ search: '0.125', decimals: { 0: 3 } });
  });
});

describe('what failed in one tab', () => {
  it('is not said in another', async () => {
    const session = new FakeSession(COLUMNS, 10);
    const host = await show(session);
    session.answers.set('view', () => REFUSED);
    await search(host, 'x');
    const notice = host.querySelector<HTMLElement>('.lg-notice')!;
    expect(notice.hidden).toBe(false);
    button(host, 'Plan').click();
    expect(notice.hidden).toBe(true);
  });
});

describe('no rows', () => {
  it('are said where nothing scrolls', async () => {
    const host = await show(new FakeSession(COLUMNS, 0));
    expect(host.querySelector('.lg-empty')!.parentElement!.className).toBe('lg-window');
  });
});

describe('a distribution', () => {
  const summary = { type: 'summary', column: 0, rows: 1000, nulls: 0, quantiles: { '0.25': '1', '0.5': '2', '0.75': null } } as const;

  it('of estimated quantiles says so', () => {
    const told = (more: Partial<Summary>): string => figures({ ...summary, ...more } as Summary).map(node => node.textContent).join();
    expect(told({ quantiles_approximate: true })).toContain('25 %about 1medianabout 2');
    expect(told({})).toContain('25 %1median2');
  });

  it('is drawn of more than one row', async () => {
    for (const rows of [1, 20]) {
      const host = await show(new FakeSession([COLUMNS[0]], rows));
      await new Promise(resolve => setTimeout(resolve, 200));
      await settled();
      expect(host.querySelectorAll('.lg-bars')).toHaveLength(rows > 1 ? 1 : 0);
      host.remove();
    }
  });
});

describe('a layout', () => {
  it('is that of the result before, where the columns are the same', async () => {
    const layouts = new Map<string, KeptLayout>();
    const host = await show(new FakeSession(COLUMNS, 10), { layouts });
    button(host, 'Menu of column name').click();
    button(host, 'Pin to the left').click();
    button(host, 'Menu of column id').click();
    button(host, 'Hide').click();
    const names = (grid: HTMLElement): (string | null)[] => [...grid.querySelectorAll('.lg-head-name')].map(name => name.textContent);
    const after = await show(new FakeSession(COLUMNS, 20), { layouts });
    expect(names(after)).toEqual(names(host));
    expect(after.textContent).toContain('Columns (1 hidden)');
    const other = await show(new FakeSession(COLUMNS.slice(0, 2), 20), { layouts });
    expect(names(other)).toEqual(['id', 'name']);
    expect(layouts.size).toBe(1);
  });

  it('keeps the widths that were drawn, and finds the others anew', () => {
    const make = (): GridModel => {
      const infos = new FakeSession(COLUMNS, 1).infos;
      const hello = { type: 'hello', rows: 0, columns: infos, badge: '', cautions: [], record: {}, plan: false, page: 200 };
      return new GridModel(hello as never, undefined, { ended: { add: () => () => {} } } as never);
    };
    const [before, after] = [make(), make()];
    before.layout.setWidth(1, 333);
    after.layout.adopt(before.layout.kept);
    after.layout.setFirstWidths(new Map([[0, 90], [1, 90]]));
    expect([after.layout.width(0), after.layout.width(1)]).toEqual([90, 333]);
  });
});
