import type { TreeNode } from '../panels/rows';
import type {
  Catalog,
  ColumnFacts,
  ElementEntry,
  GraphEntry,
  SeriesEntry,
  TableEntry,
  TableFacts,
  TagEntry
} from '../panels/server';
import { count, hasAll } from '../panels/texts';

/** What a row of the catalog is about. */
export type Entry =
  | { readonly kind: 'group'; readonly name: string; readonly count: number }
  | { readonly kind: 'table'; readonly table: TableEntry }
  | { readonly kind: 'column'; readonly table: string; readonly column: ColumnFacts }
  | { readonly kind: 'fact'; readonly name: string; readonly value: string }
  | { readonly kind: 'graph'; readonly graph: GraphEntry }
  | { readonly kind: 'series'; readonly series: SeriesEntry }
  | { readonly kind: 'tag'; readonly tag: TagEntry }
  | { readonly kind: 'note'; readonly text: string; readonly failed: boolean };

export type CatalogNode = TreeNode<Entry>;

/** What is known of a table's columns: nothing yet, their facts, or why there are none. */
export type Known = { readonly facts: TableFacts } | { readonly failed: string } | null;

/** What a column is to its table, in words. */
export const KEYS: Readonly<Record<'PRI' | 'UNI' | 'TIME' | 'SERIES', string>> = {
  PRI: 'primary key',
  UNI: 'unique',
  TIME: 'time of the series',
  SERIES: 'tells series apart'
};

/** The whole catalog as a tree. Of a search's words, what shows has all. */
export function catalogNodes(
  catalog: Catalog,
  known: (table: string) => Known,
  words: readonly string[] = []
): CatalogNode[] {
  const tables = catalog.tables.filter(table => table.kind !== 'view');
  const views = catalog.tables.filter(table => table.kind === 'view');
  const table = (fact: TableEntry): CatalogNode => tableNode(fact, known(fact.name));
  return [
    group('Tables', tables, table, words),
    group('Views', views, table, words),
    group('Graphs', catalog.graphs, graphNode, words),
    group('Series', catalog.series, seriesNode, words),
    group('Tags', catalog.tags, tagNode, words)
  ].filter(node => node !== null);
}

/** How many tables, views, graphs, series and tags `nodes` show. */
export function found(nodes: readonly CatalogNode[]): number {
  return nodes.reduce((sum, node) => sum + (node.children?.length ?? 0), 0);
}

function group<F>(
  name: string,
  facts: readonly F[],
  node: (fact: F) => CatalogNode,
  words: readonly string[]
): CatalogNode | null {
  const nodes = facts.map(node);
  const children = words.length > 0 ? nodes.filter(child => hasAll(haystack(child), words)) : nodes;
  if (children.length === 0) {
    return null;
  }
  const data: Entry = { kind: 'group', name, count: children.length };
  return { id: `group:${name}`, text: `${name}, ${count(children.length)}`, data, children };
}

/** What a search looks through: the name and the comment, and the columns as far as they have been read. */
function haystack(node: CatalogNode): string {
  const columns = node.children?.map(child => (child.data.kind === 'column' ? child.data.column.name : '')) ?? [];
  const comment = node.data.kind === 'table' ? (node.data.table.comment ?? '') : '';
  return [node.text, comment, ...columns].join('\n').toLowerCase();
}

function tableNode(table: TableEntry, known: Known): CatalogNode {
  const id = `table:${table.name}`;
  let children: CatalogNode[];
  if (known === null) {
    children = [note(id, 'Reading its columns …', false)];
  } else if ('failed' in known) {
    children = [note(id, known.failed, true)];
  } else {
    children = known.facts.columns.map(column => columnNode(table, column));
  }
  return { id, text: table.name, data: { kind: 'table', table }, children };
}

function columnNode(table: TableEntry, column: ColumnFacts): CatalogNode {
  const id = `column:${table.name}\n${column.name}`;
  const data: Entry = { kind: 'column', table: table.name, column };
  const facts = columnFacts(column);
  const node = { id, text: `${column.name}, ${column.type}`, data };
  return facts.length === 0 ? node : { ...node, children: facts.map(([name, value]) => factNode(id, name, value)) };
}

/** What is known of a column and its values, as names and texts. */
export function columnFacts(column: ColumnFacts): [string, string][] {
  const told: [string, string | number | null][] = [
    ['key', column.key === null ? null : KEYS[column.key]],
    ['comment', column.comment],
    ['default', column.default],
    ['made by', column.generated],
    ['smallest', column.min],
    ['largest', column.max],
    ['NULL', column.nulls],
    ['distinct, about', column.distinct]
  ];
  return told.flatMap(([name, value]) =>
    value === null || value === '' ? [] : [[name, typeof value === 'number' ? count(value) : value]]
  );
}

function factNode(above: string, name: string, value: string): CatalogNode {
  return { id: `fact:${above}\n${name}`, text: `${name}: ${value}`, data: { kind: 'fact', name, value } };
}

function graphNode(graph: GraphEntry): CatalogNode {
  const id = `graph:${graph.name}`;
  const children = [
    ...graph.vertices.map(vertex => factNode(`${id}\nvertex\n${vertex.name}`, 'vertices', elementText(vertex))),
    ...graph.edges.map(edge => factNode(`${id}\nedge\n${edge.name}`, 'edges', elementText(edge)))
  ];
  return { id, text: graph.name, data: { kind: 'graph', graph }, children };
}

/** An element's labels, the table it comes from where that has another name, and the ends of an edge. */
function elementText(element: ElementEntry): string {
  const labels = element.labels.join('|') || element.name;
  const label = labels === element.table ? labels : `${labels} of ${element.table}`;
  return element.source === null ? label : `${label}: (${element.source}) → (${element.destination ?? ''})`;
}

function seriesNode(series: SeriesEntry): CatalogNode {
  const id = `series:${series.table}`;
  const children = [factNode(id, 'time', series.time), factNode(id, 'by', series.by.join(', '))];
  const told = children.filter(child => child.data.kind === 'fact' && child.data.value !== '');
  return { id, text: series.table, data: { kind: 'series', series }, ...(told.length > 0 ? { children: told } : {}) };
}

function tagNode(tag: TagEntry): CatalogNode {
  return { id: `tag:${tag.name}`, text: tag.name, data: { kind: 'tag', tag } };
}

function note(above: string, text: string, failed: boolean): CatalogNode {
  return { id: `note:${above}`, text, data: { kind: 'note', text, failed } };
}
