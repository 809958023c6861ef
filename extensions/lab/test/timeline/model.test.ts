import { describe, expect, it, vi } from 'vitest';

import type { Change, SnapshotEntry, SnapshotPage } from '../../src/panels/server';
import { drawMoment } from '../../src/timeline/draw';
import { TimelineModel } from '../../src/timeline/model';
import { columnsChanged, type Moment, rowsChanged } from '../../src/timeline/nodes';
import { cellAt, difference, tagLine, tagProblem } from '../../src/timeline/snippets';

const change = (table: string, more: Partial<Change> = {}): Change => ({
  table,
  operation: 'append',
  rows_added: 10,
  rows_deleted: 0,
  columns: [],
  ...more
});

const entry = (id: number, more: Partial<SnapshotEntry> = {}): SnapshotEntry => ({
  id,
  time: `2026-05-17T10:00:${String(id % 60).padStart(2, '0')}+00:00`,
  operation: 'append',
  author: id % 2 ? 'ann' : 'bo',
  message: '',
  tags: [],
  tables: ['flights'],
  changes: [change('flights')],
  ...more
});

/** A bench of `count` snapshots. */
function history(count: number) {
  return vi.fn(async (_bench: string, before: number | null, limit: number): Promise<SnapshotPage> => {
    const newest = before === null ? count : before - 1;
    const snapshots = Array.from({ length: Math.min(limit, newest) }, (_, index) => entry(newest - index));
    return { snapshots, more: newest > limit };
  });
}

const ids = (model: TimelineModel): string[] => model.rows.map(row => row.node.id);

describe('the timeline', () => {
  it('reads a page, and older ones when asked, one at a time', async () => {
    const read = history(150);
    const model = new TimelineModel(read);
    await model.read('/x.luma');
    expect([model.snapshots.length, model.complete, ids(model).at(-1)]).toEqual([60, false, 'more']);
    await Promise.all([model.readMore(), model.readMore()]);
    expect(read).toHaveBeenCalledTimes(2);
    await model.readMore();
    expect([model.snapshots.length, model.complete, ids(model).at(-1)]).toEqual([150, true, 'snapshot:1']);
    await model.readMore();
    expect(read).toHaveBeenCalledTimes(3);
  });

  it('keeps what was scrolled to when it is read anew', async () => {
    const model = new TimelineModel(history(150));
    await model.read('/x.luma');
    await model.readMore();
    await model.read('/x.luma');
    expect(model.snapshots).toHaveLength(120);
    await model.read('/y.luma');
    expect(model.snapshots).toHaveLength(60);
  });

  it('filters by author, table, message, tag, column and number', async () => {
    const snapshots = [
      entry(3, { message: 'late ones', tags: ['paper-v1'] }),
      entry(2, { operation: 'alter', changes: [change('planes', { columns: [{ name: 'seats', change: 'added' }] })], tables: ['planes'] }),
      entry(1, { operation: 'create_property_graph', tables: [], changes: [] })
    ];
    const model = new TimelineModel(async () => ({ snapshots, more: false }));
    await model.read('/x.luma');
    const left = (search: string): string[] => {
      model.search(search);
      return ids(model);
    };
    expect(left('LATE ann')).toEqual(['snapshot:3']);
    expect(left('paper')).toEqual(['snapshot:3']);
    expect(left('seats')).toEqual(['snapshot:2']);
    expect(left('#1')).toEqual(['snapshot:1']);
    expect(left('property graph')).toEqual(['snapshot:1']);
    expect(left('nobody')).toEqual([]);
    expect(left('')).toHaveLength(3);
  });

  it('reads larger pages while it searches', async () => {
    const read = history(5000);
    const model = new TimelineModel(read);
    await model.read('/x.luma');
    model.search('nobody');
    expect(ids(model)).toEqual(['more']);
    await model.readMore();
    expect(read.mock.calls.at(-1)![2]).toBe(500);
  });

  it('shows what changed below a snapshot', async () => {
    const model = new TimelineModel(history(2));
    await model.read('/x.luma');
    model.toggle(model.rows[0]!.node, true);
    expect(ids(model)).toEqual(['snapshot:2', 'snapshot:2\n0', 'snapshot:1']);
    expect(model.rows[1]!.node.text).toBe('flights: append, 10 rows added, 0 deleted');
  });

  it('says why older snapshots are not there, and tries again when asked', async () => {
    const read = history(150);
    const model = new TimelineModel(read);
    await model.read('/x.luma');
    read.mockRejectedValueOnce(new Error('gone'));
    await model.readMore();
    expect(model.rows.at(-1)!.node.data).toEqual({ kind: 'more', failed: 'gone' });
    await model.readMore();
    expect(model.snapshots).toHaveLength(120);
    expect(model.error).toBeNull();
  });
});

describe('a snapshot', () => {
  const moment = (snapshot: SnapshotEntry): Moment => ({ kind: 'snapshot', snapshot });

  it('sums its rows', () => {
    expect(rowsChanged(entry(1, { changes: [change('a'), change('b', { rows_added: null, rows_deleted: 4 })] }))).toEqual({ added: 10, deleted: 4 });
    expect(rowsChanged(entry(1, { changes: [] }))).toBeNull();
    const columns = ['added', 'dropped', 'changed'].map((done, index) => ({ name: `c${index}`, change: done }));
    expect(columnsChanged(change('a', { columns }))).toBe('+c0 −c1 ~c2');
  });

  it('draws data as text', () => {
    const bad = '<img src=x onerror=alert(1)>';
    const host = document.createElement('div');
    const drawing = { words: [], now: 0, at: null, eager: true };
    const snapshot = entry(1, { author: bad, message: bad, tags: [bad], tables: [bad] });
    host.append(...drawMoment(moment(snapshot), drawing).flat());
    host.append(...drawMoment({ kind: 'change', snapshot, change: change(bad) }, drawing).flat());
    expect(host.querySelector('img')).toBeNull();
    expect(host.textContent!.split(bad)).toHaveLength(6);
  });

  it('can be read by a cell', () => {
    expect(cellAt(moment(entry(7)), false)).toBe('%%kadeql --at 7\nSELECT *\nFROM flights\nLIMIT 100');
    expect(cellAt(moment(entry(7, { changes: [change('a'), change('b')] })), true)).toBe('%%kadeql --at 7\n');
    expect(cellAt({ kind: 'change', snapshot: entry(7), change: change('gone', { operation: 'drop' }) }, false)).toBe('%%kadeql --at 7\n');
    expect(cellAt({ kind: 'more', failed: null }, false)).toBeNull();
  });

  it('can be compared with the one before', () => {
    expect(difference(moment(entry(7)), 6)).toBe(
      "SELECT 'added' AS change, * FROM (FROM flights AT (VERSION => 7) EXCEPT ALL FROM flights AT (VERSION => 6))\n" +
        'UNION ALL BY NAME\n' +
        "SELECT 'deleted' AS change, * FROM (FROM flights AT (VERSION => 6) EXCEPT ALL FROM flights AT (VERSION => 7))"
    );
    expect(difference(moment(entry(7)), null)).toBeNull();
    expect(difference(moment(entry(7, { changes: [change('t', { operation: 'create' })] })), 6)).toBeNull();
    expect(difference(moment(entry(7, { changes: [] })), 6)).toBeNull();
  });

  it('can be tagged, by names that reach the kernel as they are', () => {
    expect(tagLine("ann's", entry(7))).toBe(`%luma tag 'ann'"'"'s' --at 7`);
    expect(['paper-v1', 'zwei Wörter'].map(tagProblem)).toEqual([null, null]);
    expect(['', '  ', '12', '{x}', '$x', 'a\nb'].filter(name => tagProblem(name) === null)).toEqual([]);
  });
});
