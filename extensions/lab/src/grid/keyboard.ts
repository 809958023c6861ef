import type { Spot } from './selection';

/** What a key asks of the table. */
export type Action =
  | { do: 'move'; to: Spot; extend: boolean }
  | { do: 'copy' | 'all' | 'open' | 'search' | 'menu' | 'leave' | 'sort' }
  | { do: 'widen'; by: number };

/** What the meaning of a key depends on. */
export interface Extent {
  rows: number;
  columns: number;
  /** Rows that fit the window. */
  pageRows: number;
}

type Key = Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'shiftKey' | 'altKey'>;

/** The row of the column headers. */
export const HEADER = -1;

/** What a key means in the table, at the focused cell; null when it means nothing there. */
export function actionOf(event: Key, focus: Spot, extent: Extent): Action | null {
  const command = event.ctrlKey || event.metaKey;
  if (event.altKey) {
    const by = { ArrowRight: 16, ArrowLeft: -16 }[event.key];
    return by === undefined ? (event.key === 'ArrowDown' ? { do: 'menu' } : null) : { do: 'widen', by };
  }
  if (command && !event.shiftKey) {
    const named = ({ c: 'copy', a: 'all', f: 'search' } as const)[event.key.toLowerCase()];
    if (named) {
      return { do: named };
    }
  }
  if (!command) {
    if (event.key === 'Enter' || event.key === ' ' || event.key === 'F2') {
      const heading = event.key === ' ' ? 'sort' : 'menu';
      return event.shiftKey ? null : { do: focus.row === HEADER ? heading : 'open' };
    }
    if (event.key === 'ContextMenu' || (event.key === 'F10' && event.shiftKey)) {
      return { do: 'menu' };
    }
    const plain = ({ Escape: 'leave', '/': 'search' } as const)[event.key];
    if (plain) {
      return { do: plain };
    }
  }
  const moved = movedTo(event.key, command, focus, extent);
  if (!moved) {
    return null;
  }
  const extend = event.shiftKey && focus.row !== HEADER;
  return { do: 'move', to: clamped(moved, extent, extend ? 0 : HEADER), extend };
}

/** Whether a key is the grid's: single keys are commands of a notebook (`d d` deletes a cell), which must not hear them. */
export function claims(event: Key, inField: boolean): boolean {
  if (event.ctrlKey || event.metaKey) {
    const keys = inField ? ['a', 'c', 'v', 'x', 'z'] : ['a', 'c', 'f'];
    return keys.includes(event.key.toLowerCase()) || event.key.startsWith('Arrow') || ['Home', 'End'].includes(event.key);
  }
  return !(event.key === 'Enter' && event.shiftKey);
}

function movedTo(key: string, command: boolean, { row, position }: Spot, extent: Extent): Spot | null {
  const last = { row: extent.rows - 1, position: extent.columns - 1 };
  switch (key) {
    case 'ArrowDown':
      return { row: command ? last.row : row + 1, position };
    case 'ArrowUp':
      return { row: command ? 0 : row - 1, position };
    case 'ArrowRight':
      return { row, position: command ? last.position : position + 1 };
    case 'ArrowLeft':
      return { row, position: command ? 0 : position - 1 };
    case 'PageDown':
      return { row: row + extent.pageRows, position };
    case 'PageUp':
      return { row: row - extent.pageRows, position };
    case 'Home':
      return { row: command ? 0 : row, position: 0 };
    case 'End':
      return { row: command ? last.row : row, position: last.position };
    default:
      return null;
  }
}

function clamped(spot: Spot, extent: Extent, highest: number): Spot {
  return {
    row: Math.min(Math.max(highest, spot.row), extent.rows - 1),
    position: Math.min(Math.max(0, spot.position), Math.max(0, extent.columns - 1))
  };
}
