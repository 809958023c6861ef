// @vitest-environment node
import { describe, expect, it, vi } from 'vitest';

import { CatalogModel } from '../../src/catalog/model';
import { catalogNodes, columnFacts } from '../../src/catalog/nodes';
import { kadeqlOf, nameOf, pythonOf } from '../../src/catalog/snippets';
import type { Catalog } from '../../src/panels/server';
import { catalog, column, table, tableFacts, WHOLE } from './facts';

const texts = (model: CatalogModel): string[] => model.rows.map(row => row.node.text);
const rowOf = (model: CatalogModel, id: string) => model.rows.find(row => row.node.id === id)!.node;

function made(read: () => Promise<Catalog> = async () => WHOLE) {
  const columns = vi.fn(async (_bench: string, name: string) =>
    tableFacts(name, [column('dep_delay', { min: '-43', max: '1301', nulls: 8255 }), column('carrier', { type: 'VARCHAR' })])
  );
  const whole = vi.fn(read);
  return { model: new CatalogModel({ catalog: whole, table: columns }), columns, whole };
}

describe('the catalog', () => {
  it('groups tables, views, graphs, series and tags', async () => {
    const { model } = made();
    await model.read('/x.luma', null);
    expect(texts(model)).toEqual(['Tables, 2', 'flights', 'two words', 'Views, 1', 'late', 'Graphs, 1', 'air', 'Series, 1', 'weather', 'Tags, 1']);
    model.toggle(rowOf(model, 'group:Tags'), true);
    model.toggle(rowOf(model, 'graph:air'), true);
    expect(texts(model)).toContain('paper-v1');
    expect(texts(model)).toContain('edges: route of routes: (airports) → (airports)');
  });

  it('reads the columns of a table when it opens, once', async () => {
    const { model, columns } = made();
    await model.read('/x.luma', 4);
    expect(columns).not.toHaveBeenCalled();
    model.toggle(rowOf(model, 'table:flights'), true);
    expect(texts(model)).toContain('Reading its columns …');
    await vi.waitFor(() => expect(texts(model)).toContain('dep_delay, BIGINT'));
    model.toggle(rowOf(model, 'table:flights'), false);
    model.toggle(rowOf(model, 'table:flights'), true);
    expect(columns.mock.calls).toEqual([['/x.luma', 'flights', 4, false]]);
    model.toggle(rowOf(model, 'column:flights\ndep_delay'), true);
    expect(texts(model)).toEqual(expect.arrayContaining(['smallest: -43', 'largest: 1301', 'NULL: 8,255']));
    expect(rowOf(model, 'column:flights\ncarrier').children).toBeUndefined();
  });

  it('keeps what is open when it is read anew, and forgets it with the bench', async () => {
    const { model, columns } = made();
    await model.read('/x.luma', null);
    model.toggle(rowOf(model, 'table:flights'), true);
    await vi.waitFor(() => expect(texts(model)).toContain('dep_delay, BIGINT'));
    await model.read('/x.luma', null);
    await vi.waitFor(() => expect(texts(model)).toContain('dep_delay, BIGINT'));
    expect(columns).toHaveBeenCalledTimes(2);
    await model.read('/y.luma', null);
    expect(texts(model)).not.toContain('dep_delay, BIGINT');
  });

  it('counts distinct values when asked', async () => {
    const { model, columns } = made();
    await model.read('/x.luma', null);
    await model.count('flights');
    expect(columns).toHaveBeenLastCalledWith('/x.luma', 'flights', null, true);
    expect(texts(model)).toContain('dep_delay, BIGINT');
  });

  it('says in its row why a table’s columns are not there', async () => {
    const { model, columns } = made();
    columns.mockRejectedValueOnce(new Error('the view does not bind'));
    await model.read('/x.luma', null);
    model.toggle(rowOf(model, 'table:late'), true);
    await vi.waitFor(() => expect(texts(model)).toContain('the view does not bind'));
  });

  it('searches names, comments and columns that have been read', async () => {
    const { model } = made();
    await model.read('/x.luma', null);
    model.search('DEPARTURES flig');
    expect(texts(model)).toEqual(['Tables, 1', 'flights']);
    model.search('dep_delay');
    expect(model.found).toBe(0);
    model.search('paper');
    expect(texts(model)).toEqual(['Tags, 1', 'paper-v1']);
    model.search('');
    model.toggle(rowOf(model, 'table:flights'), true);
    await vi.waitFor(() => expect(texts(model)).toContain('dep_delay, BIGINT'));
    model.search('dep_delay');
    expect(model.found).toBe(1);
  });

  it('shows the bench asked for last, however long the others take', async () => {
    let answer: (found: Catalog) => void = () => {};
    const slow = new Promise<Catalog>(resolve => {
      answer = resolve;
    });
    const answers = [slow, Promise.resolve(catalog([table('second')]))];
    const { model } = made(() => answers.shift()!);
    const first = model.read('/slow.luma', null);
    await model.read('/fast.luma', null);
    answer(catalog([table('first')]));
    await first;
    expect(texts(model)).toEqual(['Tables, 1', 'second']);
    expect(model.busy).toBe(false);
  });

  it('shows no catalog when there is none, or it cannot be read', async () => {
    const { model, whole } = made();
    await model.read('/x.luma', null);
    whole.mockRejectedValueOnce(new Error('gone'));
    await model.read('/x.luma', null);
    expect([model.rows.length, model.error?.message]).toEqual([0, 'gone']);
    await model.read(null, null);
    expect([model.rows.length, model.error]).toEqual([0, null]);
  });

  it('makes the rows of 1,000 tables of 5 columns', () => {
    const tables = Array.from({ length: 1000 }, (_, index) => table(`t${index}`));
    const known = { facts: tableFacts('t', [1, 2, 3, 4, 5].map(number => column(`c${number}`))) };
    const nodes = catalogNodes(catalog(tables), () => known);
    expect(nodes[0]!.children).toHaveLength(1000);
    expect(nodes[0]!.children![999]!.children).toHaveLength(5);
  });
});

describe('what a column is', () => {
  it('is told in words, and nothing is said of what is not known', () => {
    const told = columnFacts(column('id', { key: 'PRI', nulls: 0, distinct: 1234, comment: '', default: '1 + 1' }));
    expect(told).toEqual([
      ['key', 'primary key'],
      ['default', '1 + 1'],
      ['NULL', '0'],
      ['distinct, about', '1,234']
    ]);
    expect(columnFacts(column('x'))).toEqual([]);
  });
});

describe('code about an entry', () => {
  const series = { kind: 'series', series: WHOLE.series[0]! } as const;
  const graph = { kind: 'graph', graph: WHOLE.graphs[0]! } as const;
  const words = { kind: 'table', table: WHOLE.tables[2]! } as const;
  const field = { kind: 'column', table: 'flights', column: column('order') } as const;

  it('is a query', () => {
    expect(kadeqlOf(words)).toBe('SELECT *\nFROM "two words"\nLIMIT 100');
    expect(kadeqlOf(words, 4)).toBe('SELECT *\nFROM "two words" AT (VERSION => 4)\nLIMIT 100');
    expect(kadeqlOf(field)).toBe('SELECT "order", count(*) AS n\nFROM flights\nGROUP BY ALL\nORDER BY n DESC\nLIMIT 100');
    expect(kadeqlOf(series)).toBe('SELECT *\nFROM weather\nLATEST ON time_hour PARTITION BY origin, "the station"');
    expect(kadeqlOf(graph)).toContain('ON GRAPH air\nRETURN');
    expect(kadeqlOf({ kind: 'tag', tag: WHOLE.tags[0]! })).toBeNull();
  });

  it('is an expression of Python', () => {
    expect(pythonOf(words, 4)).toBe('bench.table("two words", at=4)');
    expect(pythonOf(field, 'v"1')).toBe('bench.table("flights", at="v\\"1")["order"]');
    expect(pythonOf(series)).toBe('bench.series("weather", time="time_hour", by=["origin", "the station"])');
    expect(pythonOf(graph)).toBe('bench.graph("air")');
    expect(pythonOf({ kind: 'tag', tag: WHOLE.tags[0]! })).toBe('bench.at("paper-v1")');
    expect(pythonOf({ kind: 'note', text: '', failed: false })).toBeNull();
  });

  it('is a name, quoted where it must be', () => {
    expect([nameOf(words), nameOf(field), nameOf(series), nameOf({ kind: 'group', name: 'Tables', count: 2 })]).toEqual([
      '"two words"',
      '"order"',
      'weather',
      null
    ]);
  });
});
