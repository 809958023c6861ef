import { describe, expect, it, vi } from 'vitest';

import { mountGrid } from '../../src/grid';
import { modelTransport } from '../../src/grid/anywidget';
import { FakeSession, type Made, settled } from './fake';
import { button, COLUMNS, INJECTION, lines, press, show, stage } from './stage';

describe('a grid', () => {
  it('shows the first page at once, of a million rows only those in sight', async () => {
    const session = new FakeSession(COLUMNS, 1_000_000);
    const host = await show(session);
    const shown = lines(host);
    expect(shown.length).toBeLessThan(20);
    expect(shown[0].slice(0, 2)).toEqual(['0', 'name 0']);
    expect(shown[3][1]).toBe('NULL');
    expect(host.querySelector('[role=grid]')!.getAttribute('aria-rowcount')).toBe('1000001');
    expect(host.textContent).toContain('1,000,000 rows × 5 columns');
    expect(session.asked('page'), 'the greeting brought it').toEqual([]);
  });

  it('takes nothing of data, names, badge, cautions or errors for HTML', async () => {
    const session = new FakeSession(COLUMNS, 10);
    const host = await show(session, {}, { badge: `duckdb ${INJECTION}`, cautions: [INJECTION] });
    session.answers.set('view', () => ({ type: 'error', message: INJECTION, hint: INJECTION }));
    host.querySelector<HTMLInputElement>('.lg-search')!.value = 'x';
    host.querySelector('.lg-search')!.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter' }));
    await new Promise(resolve => setTimeout(resolve, 5));
    await settled();
    expect(host.querySelector('.lg-notice')!.textContent).toContain(INJECTION);
    expect(host.querySelectorAll('img, script')).toHaveLength(0);
  });

  it('sorts in the session: ascending, descending, as it came', async () => {
    const session = new FakeSession(COLUMNS, 1000);
    const host = await show(session);
    press(host, 'ArrowUp');
    press(host, ' ');
    await settled();
    expect(session.asked('view').at(-1)).toMatchObject({ sort: [{ column: 0, descending: false, nulls: 'last' }], filter: [], search: '' });
    press(host, 'ArrowUp');
    press(host, ' ');
    await settled();
    expect(lines(host)[0][0]).toBe('999');
    expect(host.querySelector('[aria-sort=descending]')).not.toBeNull();
    press(host, 'ArrowUp');
    press(host, ' ');
    await settled();
    expect(lines(host)[0][0]).toBe('0');
    expect(session.asked('view'), 'the first order needs no question').toHaveLength(2);
  });

  it('shows one cell for the keyboard, which moves the table along', async () => {
    const host = await show(new FakeSession(COLUMNS, 1000));
    press(host, 'ArrowDown');
    press(host, 'End', { ctrlKey: true });
    await settled();
    const focused = document.getElementById(host.querySelector('.lg-table')!.getAttribute('aria-activedescendant')!)!;
    expect(focused.closest('.lg-row')!.getAttribute('aria-rowindex')).toBe('1001');
    expect(focused.getAttribute('aria-colindex')).toBe('6');
    expect(focused.getAttribute('aria-selected')).toBe('true');
  });

  it('opens the whole value of a cell', async () => {
    const long: Made = { name: 'long', kind: 'struct', value: row => `{row: ${row}, tags: ['a', 'b']}` };
    const session = new FakeSession([long], 3);
    const host = await show(session);
    press(host, 'ArrowDown');
    press(host, 'Enter');
    await settled();
    expect(session.asked('cell')[0]).toMatchObject({ view: 0, row: 1, column: 0 });
    const dialog = host.querySelector('[role=dialog]')!;
    expect(dialog.textContent).toContain('long, row 2');
    expect([...dialog.querySelectorAll('.lg-tree-key')].map(key => key.textContent)).toContain('tags');
  });

  it('stops what is under way when it is told to, and stays as it was', async () => {
    const session = new FakeSession(COLUMNS, 1000);
    const host = await show(session);
    session.answers.set('view', () => undefined);
    press(host, 'ArrowUp');
    press(host, ' ');
    await settled();
    button(host, 'Cancel').click();
    await settled();
    expect(session.sent.at(-1)).toEqual({ type: 'cancel', id: session.asked('view')[0].id });
    expect(host.querySelector('[aria-sort=ascending]')).toBeNull();
    expect(host.querySelector<HTMLElement>('.lg-notice')!.hidden).toBe(true);
  });

  it('gives the older of two wishes up', async () => {
    const session = new FakeSession(COLUMNS, 1000);
    const host = await show(session);
    session.answers.set('view', () => undefined);
    press(host, 'ArrowUp');
    press(host, ' ');
    await settled();
    session.answers.delete('view');
    press(host, ' ');
    await settled();
    const [first] = session.asked('view');
    expect(session.asked('cancel').map(message => message.id)).toEqual([first.id]);
    expect(lines(host)[0][0]).toBe('999');
  });

  it('says that no row matches, and the way back', async () => {
    const session = new FakeSession(COLUMNS, 1000);
    const host = await show(session);
    host.querySelector<HTMLInputElement>('.lg-search')!.value = 'nothing';
    host.querySelector('.lg-search')!.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter' }));
    await new Promise(resolve => setTimeout(resolve, 5));
    await settled();
    expect(host.querySelector('.lg-empty')!.textContent).toContain('No row matches.');
    expect(host.textContent).toContain('0 of 1,000 rows');
    button(host, 'Show all rows').click();
    await settled();
    expect(lines(host)[0][0]).toBe('0');
  });

  it.each([
    ['no rows', COLUMNS, 'No rows.', '0 rows × 5 columns'],
    ['no columns', [], 'No columns.', '0 rows × 0 columns']
  ])('stands with %s', async (_, columns, said, size) => {
    const host = await show(new FakeSession(columns, 0));
    expect(host.querySelector('.lg-empty')!.textContent).toBe(said);
    expect(host.textContent).toContain(size);
    press(host, 'ArrowDown');
    press(host, 'Enter');
  });

  it('draws only the columns in sight of five thousand', async () => {
    const columns = Array.from({ length: 5000 }, (_, index): Made => ({ name: `c${index}`, kind: 'int', value: row => row + index }));
    const session = new FakeSession(columns, 50);
    const host = await show(session);
    expect(host.querySelectorAll('.lg-head').length).toBeLessThan(40);
    expect(host.querySelectorAll('.lg-cell').length).toBeLessThan(800);
    press(host, 'ArrowDown');
    press(host, 'End');
    await settled();
    expect(session.asked('page').at(-1)!.columns).toEqual([4992, 5000]);
    expect(lines(host)[0].at(-1)).toBe('4999');
  });

  it('hides, pins and shows columns again', async () => {
    const host = await show(new FakeSession(COLUMNS, 10));
    const menu = (column: string, item: string): void => {
      button(host, `Menu of column ${column}`).click();
      button(host, item).click();
    };
    menu('name', 'Pin to the left');
    menu('id', 'Hide');
    expect([...host.querySelectorAll('.lg-head-name')].map(name => name.textContent).slice(0, 2)).toEqual(['name', INJECTION]);
    expect(host.querySelector('.lg-head-row .lg-pinned')!.textContent).toContain('name');
    expect(button(host, 'Columns (1 hidden)')).toBeTruthy();
    expect(lines(host)[1][0]).toBe('name 1');
  });

  it('keeps its rows when the kernel ends, and says so', async () => {
    const ended = vi.fn();
    const session = new FakeSession(COLUMNS, 1000);
    const host = await show(session, { onEnded: ended });
    session.end();
    await settled();
    expect(ended).toHaveBeenCalledOnce();
    expect(host.querySelector('[role=alert]')!.textContent).toContain('has ended');
    expect(lines(host)[0][1]).toBe('name 0');
  });

  it('asks again for what a lost connection swallowed', async () => {
    const session = new FakeSession(COLUMNS, 1000);
    const host = await show(session);
    session.answers.set('page', () => undefined);
    press(host, 'End', { ctrlKey: true });
    await settled();
    const before = session.asked('page').length;
    session.answers.delete('page');
    stage.mounted!.reconnected();
    await new Promise(resolve => setTimeout(resolve, 5));
    await settled();
    expect(session.asked('page').length).toBeGreaterThan(before);
    expect(lines(host).at(-1)![0]).toBe('999');
  });

  it('is refused before it greets: the page is told, and stays empty', async () => {
    const refused = vi.fn();
    const host = document.createElement('div');
    const session = new FakeSession(COLUMNS, 10);
    stage.mounted = mountGrid(host, session, { onRefused: refused });
    session.end();
    expect(refused).toHaveBeenCalledOnce();
    expect(host.childElementCount).toBe(0);
  });

  it('ends its session when it goes', async () => {
    const session = new FakeSession(COLUMNS, 10);
    const host = await show(session);
    stage.mounted!.dispose();
    expect(session.sent.at(-1)).toEqual({ type: 'close' });
    expect(session.closed).toBe(true);
    expect(host.childElementCount).toBe(0);
  });
});

describe('a widget’s model', () => {
  it('is asked for the greeting, and is let go', async () => {
    const session = new FakeSession(COLUMNS, 10);
    const listeners = new Map<string, (...values: any[]) => void>();
    const model = {
      get: () => undefined,
      send: (content: object) => session.send(content),
      on: (event: string, callback: (...values: never[]) => void) => void listeners.set(event, callback as (...values: any[]) => void),
      off: (event: string) => void listeners.delete(event)
    };
    session.onMessage((message, buffers) => listeners.get('msg:custom')?.(message, buffers));
    session.answers.set('hello', () => ({ type: 'hello', rows: 10, columns: session.infos, badge: '', cautions: [], record: {}, plan: false, page: 200 }));
    const host = document.createElement('div');
    document.body.append(host);
    stage.mounted = mountGrid(host, modelTransport(model), { ask: true });
    await settled();
    expect(host.querySelector('[role=grid]')).not.toBeNull();
    stage.mounted.dispose();
    stage.mounted = null;
    expect(listeners.size).toBe(0);
    expect(session.asked('close'), 'other views of the widget go on').toEqual([]);
  });
});
