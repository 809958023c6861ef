import { Notification } from '@jupyterlab/apputils';
import type { CommandRegistry } from '@lumino/commands';

import { benchOf } from '../panels/choice';
import { cell, openingCell } from '../panels/code';
import { copy } from '../panels/copy';
import { insertCells, insertText, isKadeQL } from '../panels/notebook';
import { NO_ARGUMENTS } from '../panels/plugin';
import { readTable } from '../panels/server';
import { Commands, type IPanels } from '../panels/tokens';
import type { IPreview } from '../preview/tokens';
import type { CatalogModel } from './model';
import type { Entry } from './nodes';
import type { CatalogActions, CatalogSection } from './section';
import { kadeqlOf, nameOf, pythonOf } from './snippets';

/** What the catalog's rows and menus do with the notebook in front and the clipboard. */
export class CatalogDeeds implements CatalogActions {
  constructor(panels: IPanels, preview: IPreview) {
    this.#panels = panels;
    this.#preview = preview;
  }

  enter(entry: Entry): void {
    switch (entry.kind) {
      case 'table':
        this.#preview.show(entry.table.name, true);
        break;
      case 'column':
        this.insertName(entry);
        break;
      case 'graph':
      case 'series':
        this.insertQuery(entry);
        break;
      case 'tag':
        this.#panels.choice.look(entry.tag.snapshot);
        break;
      default:
    }
  }

  glance(entry: Entry): void {
    if (entry.kind === 'table') {
      this.#preview.show(entry.table.name, false);
    }
  }

  get open(): (() => void) | null {
    const notebook = this.#panels.choice.notebook;
    return notebook ? () => void insertCells(notebook, [openingCell('demo.luma', isKadeQL(notebook))]) : null;
  }

  insertName(entry: Entry): void {
    const name = nameOf(entry);
    const notebook = this.#panels.choice.notebook;
    if (name !== null && !(notebook && insertText(notebook, name))) {
      missing();
    }
  }

  /** A cell that asks about the entry, at the snapshot that is looked at; before it one that opens the bench, where the notebook has not. */
  insertQuery(entry: Entry): void {
    const { notebook, bench, back, at } = this.#panels.choice;
    const statement = kadeqlOf(entry);
    if (statement === null || bench === null) {
      return;
    }
    const kadeql = notebook !== null && isKadeQL(notebook);
    const opening = notebook && benchOf(notebook) === bench ? [] : [openingCell(bench, kadeql)];
    const asking = cell(statement, kadeql, back ? at : null);
    if (!(notebook && insertCells(notebook, [...opening, asking]))) {
      missing();
    }
  }

  copyKadeQL(entry: Entry): void {
    const { back, at } = this.#panels.choice;
    const text = kadeqlOf(entry, back ? at : null);
    if (text !== null) {
      copy(text, 'the query');
    }
  }

  copyPython(entry: Entry): void {
    const { back, at } = this.#panels.choice;
    const text = pythonOf(entry, back ? at : null);
    if (text !== null) {
      copy(text, 'the Python expression');
    }
  }

  async copyDefinition(entry: Entry): Promise<void> {
    const { bench, at } = this.#panels.choice;
    if (entry.kind === 'table' && bench !== null) {
      copy((await readTable(bench, entry.table.name, at)).sql, `what makes ${entry.table.name}`);
    }
  }

  readonly #panels: IPanels;
  readonly #preview: IPreview;
}

/** The commands of the catalog's menu; each is about the active row. */
export function addCatalogCommands(
  commands: CommandRegistry,
  section: CatalogSection,
  model: CatalogModel,
  deeds: CatalogDeeds,
  panels: IPanels
): void {
  const add = (
    id: string,
    label: string,
    fits: (entry: Entry) => boolean,
    run: (entry: Entry) => void | Promise<void>
  ): void => {
    const fitting = (): boolean => section.selected !== null && fits(section.selected);
    commands.addCommand(id, {
      label,
      isEnabled: fitting,
      isVisible: fitting,
      describedBy: NO_ARGUMENTS,
      execute: async () => {
        if (section.selected && fitting()) {
          await run(section.selected);
        }
      }
    });
  };
  const isTable = (entry: Entry): boolean => entry.kind === 'table';
  const asks = (entry: Entry): boolean => kadeqlOf(entry) !== null;
  add(Commands.preview, 'Preview', isTable, entry => deeds.enter(entry));
  add(Commands.insertName, 'Insert the Name', entry => nameOf(entry) !== null, entry => deeds.insertName(entry));
  add(Commands.insertQuery, 'Insert a Cell with a Query', asks, entry => deeds.insertQuery(entry));
  add(Commands.copyName, 'Copy the Name', entry => nameOf(entry) !== null, entry => copy(nameOf(entry) ?? '', 'the name'));
  add(Commands.copyKadeQL, 'Copy as KadeQL', asks, entry => deeds.copyKadeQL(entry));
  add(Commands.copyPython, 'Copy as Python', entry => pythonOf(entry) !== null, entry => deeds.copyPython(entry));
  add(Commands.copyDefinition, 'Copy the Statement that Makes It', isTable, entry => deeds.copyDefinition(entry));
  add(
    Commands.countDistinct,
    'Count Distinct Values',
    entry => entry.kind === 'table' && entry.table.kind === 'table',
    entry => (entry.kind === 'table' ? model.count(entry.table.name) : undefined)
  );
  add(Commands.showChanges, 'Show What Changed It', isTable, async entry => {
    await commands.execute(Commands.filterTimeline, { text: entry.kind === 'table' ? entry.table.name : '' });
  });
  commands.addCommand(Commands.showCatalog, {
    label: 'Search the Catalog',
    caption: 'Tables, columns, graphs, series and tags of the bench',
    describedBy: NO_ARGUMENTS,
    execute: () => {
      panels.show();
      section.focusSearch();
      // Where the side bar was closed, it is laid out only now.
      requestAnimationFrame(() => section.focusSearch());
    }
  });
}

function missing(): void {
  Notification.warning('There is no cell to write into: open a notebook and click into a cell.', { autoClose: 5000 });
}
