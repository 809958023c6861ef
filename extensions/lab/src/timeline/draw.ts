import { make, marked } from '../panels/dom';
import type { Change, SnapshotEntry } from '../panels/server';
import { ago, count, moment } from '../panels/texts';
import { columnsChanged, type Moment, operationText, rowsChanged } from './nodes';

/** What a row is drawn with. */
export interface Drawing {
  readonly words: readonly string[];
  /** Milliseconds since 1970. */
  readonly now: number;
  /** The snapshot that is looked at. */
  readonly at: number | null;
  /** Whether older snapshots are read without being asked for. */
  readonly eager: boolean;
}

/** The cells of a row of the timeline. */
export function drawMoment(what: Moment, drawing: Drawing): (Node | string)[][] {
  switch (what.kind) {
    case 'snapshot':
      return drawSnapshot(what.snapshot, drawing);
    case 'change':
      return drawChange(what.change, drawing.words);
    case 'more':
            return [[make('span', what.failed ? 'luma-failed' : 'luma-entry-note', {}, what.failed ?? moreText(drawing.eager))]];
  }
}

function moreText(eager: boolean): string {
  return eager ? 'Reading older snapshots …' : 'Press Enter to look further back';
}

function drawSnapshot(snapshot: SnapshotEntry, { words, now, at }: Drawing): (Node | string)[][] {
  const { id, operation, tables, tags, author, time, message } = snapshot;
  const names = tables.length > 0 ? tables : snapshot.changes.map(change => change.table);
  const first = make(
    'span',
    'luma-moment-first',
    {},
    make('span', 'luma-moment-id', {}, `#${id}`),
    make('span', `luma-moment-operation luma-mod-${operation}`, {}, ...marked(operationText(operation), words)),
    make('span', 'luma-moment-tables', {}, ...marked(names.join(', '), words))
  );
  const second = make(
    'span',
    'luma-moment-second',
    {},
    ...tags.flatMap(tag => [make('span', 'luma-tag', {}, ...marked(tag, words)), ' ']),
    make('time', '', { datetime: time, title: moment(time) }, ago(time, now)),
    ...(author ? [' · ', make('span', '', {}, ...marked(author, words))] : []),
    ...(message ? [' · ', make('span', '', {}, ...marked(message, words))] : [])
  );
  // The row is narrow: what it cuts stands here whole.
  const what = [operationText(operation), names.join(', ')].filter(Boolean).join(' ');
  const title = `Snapshot ${id}, ${moment(time)}${author ? `, by ${author}` : ''}\n${what}\n${message}`.trim();
  const dot = make('span', at === id ? 'luma-moment-dot luma-mod-here' : 'luma-moment-dot', {
    title: at === id ? 'The snapshot that is looked at' : null
  });
  const changed = rowsChanged(snapshot);
  const sums = changed ? rowSums(changed.added, changed.deleted) : [];
  return [[dot, make('span', 'luma-moment', { title }, first, second)], sums];
}

function drawChange(change: Change, words: readonly string[]): (Node | string)[][] {
  const columns = columnsChanged(change);
  const told = [
    make('span', 'luma-entry-name', {}, ...marked(change.table, words)),
    ' ',
    make('span', 'luma-moment-operation', {}, operationText(change.operation)),
    ...(columns ? [' ', make('code', 'luma-entry-type', { title: columns }, columns)] : [])
  ];
  return [told, rowSums(change.rows_added ?? 0, change.rows_deleted ?? 0)];
}

function rowSums(added: number, deleted: number): Node[] {
  const made: Node[] = [];
  if (added > 0) {
    made.push(make('span', 'luma-added', { title: 'rows added' }, `+${count(added)}`));
  }
  if (deleted > 0) {
    made.push(make('span', 'luma-deleted', { title: 'rows deleted' }, `−${count(deleted)}`));
  }
  return made;
}
