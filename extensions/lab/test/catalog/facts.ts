import type { Catalog, ColumnFacts, TableEntry, TableFacts } from '../../src/panels/server';

export function table(name: string, more: Partial<TableEntry> = {}): TableEntry {
  return { name, kind: 'table', rows: 1000, bytes: 20_000, columns: 2, key: [], comment: null, ...more };
}

export function column(name: string, more: Partial<ColumnFacts> = {}): ColumnFacts {
  return {
    name,
    type: 'BIGINT',
    nullable: true,
    key: null,
    comment: null,
    default: null,
    generated: null,
    min: null,
    max: null,
    nulls: null,
    distinct: null,
    ...more
  };
}

export function tableFacts(name: string, columns: readonly ColumnFacts[]): TableFacts {
  return {
    name,
    kind: 'table',
    snapshot: 5,
    rows: 1000,
    bytes: 20_000,
    columns,
    key: [],
    sort_by: [],
    time: null,
    by: [],
    comment: null,
    statistics: 'exact',
    sql: `CREATE TABLE ${name} (…)`
  };
}

export function catalog(tables: readonly TableEntry[], more: Partial<Catalog> = {}): Catalog {
  return { bench: '/x.luma', snapshot: 5, tables, graphs: [], series: [], tags: [], ...more };
}

export const WHOLE = catalog([table('flights', { comment: 'Departures of 2013' }), table('late', { kind: 'view', rows: null, bytes: null }), table('two words')], {
  graphs: [
    {
      name: 'air',
      comment: null,
      vertices: [{ name: 'airports', table: 'airports', labels: ['airport'], properties: [], source: null, destination: null }],
      edges: [{ name: 'routes', table: 'routes', labels: ['route'], properties: [], source: 'airports', destination: 'airports' }]
    }
  ],
  series: [{ table: 'weather', time: 'time_hour', by: ['origin', 'the station'] }],
  tags: [{ name: 'paper-v1', snapshot: 3, time: '2026-05-17T12:00:00+00:00' }]
});
