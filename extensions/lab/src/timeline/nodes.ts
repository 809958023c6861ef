import type { TreeNode } from '../panels/rows';
import type { Change, SnapshotEntry } from '../panels/server';
import { count, hasAll } from '../panels/texts';

/** What a row of the timeline is about. */
export type Moment =
  | { readonly kind: 'snapshot'; readonly snapshot: SnapshotEntry }
  | { readonly kind: 'change'; readonly snapshot: SnapshotEntry; readonly change: Change }
  | { readonly kind: 'more'; readonly failed: string | null };

export type MomentNode = TreeNode<Moment>;

/** The snapshots as a tree; of a search's words, what shows has all. */
export function momentNodes(snapshots: readonly SnapshotEntry[], words: readonly string[] = []): MomentNode[] {
  return snapshots.filter(snapshot => hasAll(haystack(snapshot), words)).map(snapshotNode);
}

/** The row below the others while there are older snapshots: reading them, or why that failed. */
export function moreNode(failed: string | null): MomentNode {
  return { id: 'more', text: failed ?? 'Older snapshots', data: { kind: 'more', failed } };
}

/** The rows that a snapshot added and deleted, over all its tables; null when it changed none. */
export function rowsChanged(snapshot: SnapshotEntry): { added: number; deleted: number } | null {
  let added = 0;
  let deleted = 0;
  for (const change of snapshot.changes) {
    added += change.rows_added ?? 0;
    deleted += change.rows_deleted ?? 0;
  }
  return added + deleted > 0 ? { added, deleted } : null;
}

/** What changed of a table's columns: `+name −other ~third`. */
export function columnsChanged(change: Change): string {
  const sign = (done: string): string => (done === 'added' ? '+' : done === 'dropped' ? '−' : '~');
  return change.columns.map(column => sign(column.change) + column.name).join(' ');
}

/** What an operation is called. */
export function operationText(operation: string): string {
  return operation.replaceAll('_', ' ');
}

function haystack(snapshot: SnapshotEntry): string {
  const { id, operation, author, message, tags, tables, changes } = snapshot;
  const columns = changes.flatMap(change => change.columns.map(column => column.name));
  return [`#${id}`, operationText(operation), author, message, ...tags, ...tables, ...columns].join('\n').toLowerCase();
}

function snapshotNode(snapshot: SnapshotEntry): MomentNode {
  const { id, operation, tables, author, tags, message, changes } = snapshot;
  const told = [
    `Snapshot ${id}, ${operationText(operation)} ${tables.join(', ')}`,
    tags.length > 0 ? `tagged ${tags.join(', ')}` : '',
    author ? `by ${author}` : '',
    message
  ];
  const children = changes.map((change, index): MomentNode => {
    const text = `${change.table}: ${operationText(change.operation)}, ${count(change.rows_added)} rows added, ${count(change.rows_deleted)} deleted`;
    return { id: `snapshot:${id}\n${index}`, text, data: { kind: 'change', snapshot, change } };
  });
  return {
    id: `snapshot:${id}`,
    text: told.filter(Boolean).join(', '),
    data: { kind: 'snapshot', snapshot },
    ...(children.length > 0 ? { children } : {})
  };
}
