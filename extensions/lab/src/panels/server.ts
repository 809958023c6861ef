import { request } from '../api';
import type { At } from './choice';

/** A table or view in a list. What policies hide of it is null. */
export interface TableEntry {
  readonly name: string;
  readonly kind: 'table' | 'view' | 'external';
  readonly rows: number | null;
  /** As stored. */
  readonly bytes: number | null;
  /** How many. */
  readonly columns: number | null;
  readonly key: readonly string[];
  readonly comment: string | null;
}

/** A vertex or edge table of a graph. */
export interface ElementEntry {
  readonly name: string;
  readonly table: string;
  readonly labels: readonly string[];
  readonly properties: readonly string[];
  /** Of an edge: the vertices that it leads from and to. */
  readonly source: string | null;
  readonly destination: string | null;
}

export interface GraphEntry {
  readonly name: string;
  readonly vertices: readonly ElementEntry[];
  readonly edges: readonly ElementEntry[];
  readonly comment: string | null;
}

/** A table that holds time series. */
export interface SeriesEntry {
  readonly table: string;
  /** The column of times. */
  readonly time: string;
  /** The columns that tell series apart. */
  readonly by: readonly string[];
}

export interface TagEntry {
  readonly name: string;
  readonly snapshot: number;
  /** ISO 8601, UTC. */
  readonly time: string;
}

/** A bench at one snapshot. */
export interface Catalog {
  readonly bench: string;
  readonly snapshot: number;
  readonly tables: readonly TableEntry[];
  readonly graphs: readonly GraphEntry[];
  readonly series: readonly SeriesEntry[];
  readonly tags: readonly TagEntry[];
}

/** A column and what is known of its values. */
export interface ColumnFacts {
  readonly name: string;
  readonly type: string;
  readonly nullable: boolean;
  readonly key: 'PRI' | 'UNI' | 'TIME' | 'SERIES' | null;
  readonly comment: string | null;
  readonly default: string | null;
  readonly generated: string | null;
  readonly min: string | null;
  readonly max: string | null;
  readonly nulls: number | null;
  /** How many different values, about; null when nobody counted. */
  readonly distinct: number | null;
}

/** One table or view at a snapshot. */
export interface TableFacts {
  readonly name: string;
  readonly kind: TableEntry['kind'];
  readonly snapshot: number;
  readonly rows: number | null;
  readonly bytes: number | null;
  readonly columns: readonly ColumnFacts[];
  readonly key: readonly string[];
  readonly sort_by: readonly string[];
  readonly time: string | null;
  readonly by: readonly string[];
  readonly comment: string | null;
  readonly statistics: 'exact' | 'part' | 'none';
  /** The statements that make it again. */
  readonly sql: string;
}

/** A table's first rows. */
export interface Preview {
  /** From the server's own renderer, which escapes every value. */
  readonly html: string;
  readonly snapshot: number;
  readonly rows: number;
  readonly columns: number;
  /** How many of the columns are among them. */
  readonly shown: number;
}

/** What a snapshot did to one table or other thing of the catalog. */
export interface Change {
  readonly table: string;
  readonly operation: string;
  readonly rows_added: number | null;
  readonly rows_deleted: number | null;
  readonly columns: readonly { readonly name: string; readonly change: string }[];
}

export interface SnapshotEntry {
  readonly id: number;
  /** ISO 8601, UTC. */
  readonly time: string;
  readonly operation: string;
  readonly author: string;
  readonly message: string;
  readonly tags: readonly string[];
  readonly tables: readonly string[];
  readonly changes: readonly Change[];
}

/** Snapshots, newest first; `more`: there are older ones. */
export interface SnapshotPage {
  readonly snapshots: readonly SnapshotEntry[];
  readonly more: boolean;
}

export interface FoundBench {
  /** Absolute. */
  readonly path: string;
  /** Relative to the server's root. */
  readonly name: string;
  readonly published: boolean;
}

/** The benches that the server may open; `complete`: none was left out. */
export interface FoundBenches {
  readonly root: string;
  readonly benches: readonly FoundBench[];
  readonly complete: boolean;
}

/** What a bench holds. */
export function readCatalog(bench: string, at: At | null, signal: AbortSignal): Promise<Catalog> {
  return request<Catalog>('catalog', { query: { bench, at }, signal });
}

/**
 * The columns of a table.
 *
 * @param distinct whether to count distinct values, about, which reads the whole table
 */
export function readTable(bench: string, name: string, at: At | null, distinct = false): Promise<TableFacts> {
  return request<TableFacts>('table', { query: { bench, name, at, distinct: distinct ? 'true' : null } });
}

/** The first `rows` rows of a table. */
export function readPreview(bench: string, name: string, at: At | null, rows: number, signal: AbortSignal): Promise<Preview> {
  return request<Preview>('preview', { query: { bench, name, at, rows }, signal });
}

/** A page of snapshots: those older than `before`, or the newest. */
export function readSnapshots(
  bench: string,
  before: number | null,
  limit: number,
  signal: AbortSignal
): Promise<SnapshotPage> {
  return request<SnapshotPage>('snapshots', { query: { bench, before, limit }, signal });
}

/** The benches below the server's root and on its allow-list. */
export function readBenches(): Promise<FoundBenches> {
  return request<FoundBenches>('benches');
}
