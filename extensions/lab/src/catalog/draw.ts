import { type LabIcon, linkIcon } from '@jupyterlab/ui-components';

import { picture } from '../panels/button';
import { make, marked } from '../panels/dom';
import { graphIcon, keyIcon, seriesIcon, tableIcon, viewIcon } from '../panels/icons';
import type { TableEntry } from '../panels/server';
import { count, counted, size } from '../panels/texts';
import { type Entry, KEYS } from './nodes';

type Cells = (Node | string)[][];

/** The cells of a row of the catalog. */
export function drawEntry(entry: Entry, words: readonly string[]): Cells {
  switch (entry.kind) {
    case 'group':
      return [[make('span', 'luma-entry-group', {}, entry.name)], [count(entry.count)]];
    case 'table':
      return drawTable(entry.table, words);
    case 'column': {
      const { column } = entry;
      const key = column.key === null ? [] : [titled(picture(keyIcon), KEYS[column.key])];
      const name = make('span', 'luma-entry-name', { title: column.comment }, ...marked(column.name, words));
      const type = column.nullable ? column.type : `${column.type} NOT NULL`;
      return [[...key, name], [make('code', 'luma-entry-type', { title: type }, column.type)]];
    }
    case 'fact':
      return [[make('span', 'luma-entry-fact', {}, entry.name)], [make('span', '', { title: entry.value }, entry.value)]];
    case 'graph':
      return named(graphIcon, entry.graph.name, entry.graph.comment, words);
    case 'series':
      return named(seriesIcon, entry.series.table, `One series for each ${entry.series.by.join(', ') || 'table'}`, words);
    case 'tag':
      return [[make('span', 'luma-tag', {}, ...marked(entry.tag.name, words))], [`snapshot ${entry.tag.snapshot}`]];
    case 'note':
      return [[make('span', entry.failed ? 'luma-entry-note luma-failed' : 'luma-entry-note', {}, entry.text)]];
  }
}

/** What a table's tooltip says. */
export function tableTitle(table: TableEntry): string {
  const told = [
    table.rows === null ? '' : counted(table.rows, 'row'),
    table.columns === null ? '' : counted(table.columns, 'column'),
    table.bytes === null ? '' : `${size(table.bytes)} stored`,
    table.key.length > 0 ? `primary key ${table.key.join(', ')}` : ''
  ].filter(Boolean);
  return [table.name, told.join(' · '), table.comment ?? ''].filter(Boolean).join('\n');
}

function drawTable(table: TableEntry, words: readonly string[]): Cells {
  const icon = picture(table.kind === 'view' ? viewIcon : table.kind === 'external' ? linkIcon : tableIcon);
  const name = make('span', 'luma-entry-name', { title: tableTitle(table) }, ...marked(table.name, words));
  return [[icon, name], [count(table.rows)], [size(table.bytes)]];
}

function named(icon: LabIcon, name: string, title: string | null, words: readonly string[]): Cells {
  return [[picture(icon), make('span', 'luma-entry-name', { title }, ...marked(name, words))]];
}

function titled(element: HTMLElement, title: string): HTMLElement {
  element.title = title;
  return element;
}
