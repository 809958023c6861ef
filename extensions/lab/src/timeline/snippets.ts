import { cell, quoted, version, word } from '../panels/code';
import type { SnapshotEntry } from '../panels/server';
import type { Moment } from './nodes';

/** Operations after which a table is not there any more. */
const GONE = new Set(['drop', 'drop_table', 'rename']);

/** A cell that reads a snapshot: the table that it changed, where that is one table which it left there. */
export function cellAt(moment: Moment, kadeql: boolean): string | null {
  if (moment.kind === 'more') {
    return null;
  }
  const table = tableOf(moment);
  const statement = table === null ? '' : `SELECT *\nFROM ${quoted(table)}\nLIMIT 100`;
  return cell(statement, kadeql, moment.snapshot.id);
}

/**
 * A query for the rows that a snapshot added to a table and deleted from it; null when it changed no rows of a table that was there before.
 *
 * @param before the snapshot before it
 */
export function difference(moment: Moment, before: number | null): string | null {
  const change = moment.kind === 'change' ? moment.change : moment.kind === 'snapshot' ? moment.snapshot.changes[0] : null;
  if (!change || moment.kind === 'more' || before === null || (moment.kind === 'snapshot' && moment.snapshot.changes.length > 1)) {
    return null;
  }
  const { rows_added: added, rows_deleted: deleted, operation, table } = change;
  if (operation === 'create' || GONE.has(operation) || ((added ?? 0) === 0 && (deleted ?? 0) === 0)) {
    return null;
  }
  const now = `FROM ${quoted(table)} ${version(moment.snapshot.id)}`;
  const then = `FROM ${quoted(table)} ${version(before)}`;
  const part = (what: string, left: string, right: string): string =>
    `SELECT '${what}' AS change, * FROM (${left} EXCEPT ALL ${right})`;
  return `${part('added', now, then)}\nUNION ALL BY NAME\n${part('deleted', then, now)}`;
}

/** The line magic that names a snapshot. */
export function tagLine(name: string, snapshot: SnapshotEntry): string {
  return `%luma tag ${word(name)} --at ${snapshot.id}`;
}

/** Why `name` is none for a tag; null when it is one. */
export function tagProblem(name: string): string | null {
  if (name.trim() === '') {
    return 'A tag has a name.';
  }
  if (/^\d+$/.test(name)) {
    return 'A number is a snapshot’s id: choose a name with a letter.';
  }
  // IPython puts variables into a magic's line: for `{name}` and `$name`.
  return /[{}$\n\r]/.test(name) ? 'A tag’s name has no braces, no dollar sign and no line break here.' : null;
}

function tableOf(moment: Exclude<Moment, { kind: 'more' }>): string | null {
  if (moment.kind === 'change') {
    return GONE.has(moment.change.operation) ? null : moment.change.table;
  }
  const { changes } = moment.snapshot;
  const only = changes.length === 1 ? changes[0] : undefined;
  return only && !GONE.has(only.operation) ? only.table : null;
}
