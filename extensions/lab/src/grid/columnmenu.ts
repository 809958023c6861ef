import { visible } from './cells';
import { openFilter } from './filter';
import { openMenu, type MenuItem } from './menu';
import type { GridModel } from './model';
import type { SortKey } from './protocol';
import { openStatistics } from './statistics';

/** What the menu of a column asks of the grid around it. */
export interface ColumnCommands {
  fit(column: number): void;
  copyText(text: string): Promise<void>;
  selectColumn(position: number, extend: boolean): void;
}

/** Opens the menu of a column: order, filter, statistics, and where and how wide it stands. */
export function openColumnMenu(
  host: HTMLElement,
  at: DOMRect,
  model: GridModel,
  column: number,
  home: HTMLElement,
  commands: ColumnCommands
): void {
  const { layout } = model;
  const info = model.columns[column];
  const present = model.arrangement.sort.find(key => key.column === column);
  const position = layout.position(column);
  const sortBy = (change: Partial<SortKey>): void => {
    const base: SortKey = present ?? { column, descending: false, nulls: 'last' };
    void model.arrange({ sort: [{ ...base, ...change }] });
  };
  const laid = (change: () => void) => (): void => {
    change();
    model.selection.clear();
    model.changed.emit('layout');
  };
  const pinned = layout.isPinned(column);
  const neighbours = [position - 1, position + 1].map(
    next => next >= 0 && next < layout.shown.length && layout.isPinned(layout.shown[next]) === pinned
  );
  const items: MenuItem[] = [
    {
      label: 'Sort ascending',
      checked: present !== undefined && !present.descending,
      run: () => sortBy({ descending: false })
    },
    { label: 'Sort descending', checked: present?.descending === true, run: () => sortBy({ descending: true }) },
    {
      label: 'Nulls first',
      checked: present?.nulls === 'first',
      run: () => sortBy({ nulls: present?.nulls === 'first' ? 'last' : 'first' })
    },
    {
      label: 'No order',
      disabled: !present,
      run: () => void model.arrange({ sort: model.arrangement.sort.filter(key => key.column !== column) })
    },
    'line',
    { label: 'Filter…', run: () => openFilter(host, at, model, column, home) },
    { label: 'Statistics…', run: () => openStatistics(host, at, model, column, home) },
    'line',
    pinned
      ? { label: 'Unpin', run: laid(() => layout.unpin(column)) }
      : { label: 'Pin to the left', run: laid(() => layout.pin(column)) },
    { label: 'Hide', disabled: layout.shown.length < 2, run: laid(() => layout.hide(column)) },
    { label: 'Move left', disabled: !neighbours[0], run: laid(() => layout.move(column, position - 1)) },
    { label: 'Move right', disabled: !neighbours[1], run: laid(() => layout.move(column, position + 1)) },
    { label: 'Fit width', run: () => commands.fit(column) },
    'line',
    { label: 'Select column', disabled: !model.rows, run: () => commands.selectColumn(position, false) },
    { label: 'Copy name', run: () => void commands.copyText(info.name) }
  ];
  openMenu(host, at, items, `Column ${visible(info.name)}`, home);
}
