import { Token } from '@lumino/coreutils';

import type { Choice } from './choice';
import type { Side } from './side';

/** The side bar and what it shows. */
export interface IPanels {
  readonly choice: Choice;
  readonly side: Side;
  /** Bring the side bar to the front. */
  show(): void;
}

export const IPanels = new Token<IPanels>('luma-bench-lab:IPanels', 'The side bar of Luma Bench and the bench it shows.');

/** The names of the commands of side bar, timeline, preview and status bar. */
export const Commands = {
  showCatalog: 'luma-bench:show-catalog',
  showTimeline: 'luma-bench:show-snapshots',
  refresh: 'luma-bench:refresh',
  newest: 'luma-bench:look-at-newest',
  openBench: 'luma-bench:open-bench',
  browse: 'luma-bench:browse-bench',
  insertCell: 'luma-bench:insert-cell',
  cancel: 'luma-bench:cancel',
  preview: 'luma-bench:preview',
  insertName: 'luma-bench:insert-name',
  insertQuery: 'luma-bench:insert-query',
  copyName: 'luma-bench:copy-name',
  copyKadeQL: 'luma-bench:copy-kadeql',
  copyPython: 'luma-bench:copy-python',
  copyDefinition: 'luma-bench:copy-definition',
  countDistinct: 'luma-bench:count-distinct',
  showChanges: 'luma-bench:show-changes',
  filterTimeline: 'luma-bench:filter-snapshots',
  lookAt: 'luma-bench:look-at-snapshot',
  insertAt: 'luma-bench:insert-cell-at-snapshot',
  insertDifference: 'luma-bench:insert-difference',
  tag: 'luma-bench:tag-snapshot'
} as const;
