import { LumaError } from '../api';
import type { Choice } from '../panels/choice';
import { make, say } from '../panels/dom';
import { TreeSection } from '../panels/section';
import type { Catalog } from '../panels/server';
import { Tree } from '../panels/tree';
import { count, counted } from '../panels/texts';
import { drawEntry } from './draw';
import type { CatalogModel } from './model';
import type { CatalogNode, Entry } from './nodes';
import { nameOf } from './snippets';

/** What rows of the catalog do. */
export interface CatalogActions {
  /** Enter, or a double click. */
  enter(entry: Entry): void;
  /** Space. */
  glance(entry: Entry): void;
  /** Put a cell that opens a bench into the notebook; null when there is no notebook. */
  open: (() => void) | null;
}

const ROW = 24;

/** How many tables there are, and how many views. */
function countedTables(catalog: Catalog): string {
  const views = catalog.tables.filter(entry => entry.kind === 'view').length;
  const tables = counted(catalog.tables.length - views, 'table');
  return views > 0 ? `${tables}, ${counted(views, 'view')}` : tables;
}

/** The catalog: a search, and the tree of what it leaves. */
export class CatalogSection extends TreeSection<Entry> {
  constructor(model: CatalogModel, choice: Choice, actions: CatalogActions) {
    super('catalog', 'Catalog');
    this.#model = model;
    this.#choice = choice;
    this.#actions = actions;
    this.tree = new Tree<Entry>({
      label: 'Catalog',
      columns: ['Name', 'Rows', 'Size'],
      height: () => ROW,
      draw: row => drawEntry(row.node.data, model.words),
      dropped: node => nameOf(node.data),
      onToggle: (node, open) => model.toggle(node, open),
      onEnter: node => this.#enter(node),
      onSpace: node => actions.glance(node.data)
    });
    this.input.addEventListener('input', () => model.search(this.input.value));
    this.input.addEventListener('keydown', event => this.#onSearchKey(event));
    this.lay();
    model.changed.connect(this.#show, this);
    choice.changed.connect(this.read, this);
    this.#show();
  }

  /** Read the catalog when it is on the screen and not yet read as it is now. */
  protected override read(): void {
    if (!this.isVisible) {
      return;
    }
    if (!this.#begun) {
      this.#begun = true;
      void this.#choice.discover();
    }
    const key = this.#choice.key;
    if (key !== this.#key) {
      this.#key = key;
      void this.#model.read(this.#choice.bench, this.#choice.at);
    } else {
      this.#tell();
    }
  }

  #show(): void {
    const { rows, catalog, words } = this.#model;
    this.tree.node.hidden = rows.length === 0;
    this.tree.show(rows);
    this.#tell();
    const left = words.length > 0 ? `${count(this.#model.found)} found · ` : '';
    say(
      this.foot,
      catalog ? `${left}${countedTables(catalog)} · snapshot ${catalog.snapshot}` : ''
    );
    if (catalog && !this.#model.busy && this.#choice.at === null) {
      this.#choice.saw(catalog.bench, catalog.snapshot);
    }
    this.node.setAttribute('aria-busy', String(this.#model.busy));
  }

  #tell(): void {
    const model = this.#model;
    const failed = model.error ?? (this.#choice.bench === null ? this.#choice.error : null);
    if (failed) {
      const again = { label: 'Try again', run: () => void this.#choice.refresh() };
      this.notice.fail(failed instanceof Error ? failed : new LumaError(String(failed), 0), again);
    } else if (this.#choice.bench === null && this.#choice.busy) {
      this.notice.say('Looking for benches …');
    } else if (this.#choice.bench === null) {
      const open = this.#actions.open;
      const remedies = open ? [{ label: 'Insert a cell that opens one', run: open }] : [];
      this.notice.say('No bench is open, and there is none below the folder that Jupyter shows.', ...remedies);
    } else if (!model.catalog) {
      this.notice.say('Reading the catalog …');
    } else if (model.rows.length === 0) {
      this.notice.say(model.words.length > 0 ? 'Nothing has all these words in its name.' : 'This bench is empty.');
    } else {
      this.notice.clear();
    }
  }

  #enter(node: CatalogNode): void {
    if (node.data.kind === 'group') {
      this.#model.toggle(node, !this.#model.isOpen(node));
    } else {
      this.#actions.enter(node.data);
    }
  }

  #onSearchKey(event: KeyboardEvent): void {
    if (event.key === 'ArrowDown' || event.key === 'Enter') {
      event.preventDefault();
      const first = this.#model.rows.find(row => row.node.data.kind !== 'group');
      if (first) {
        this.tree.reveal(first.node.id);
        this.tree.node.focus();
      }
    } else if (event.key === 'Escape' && this.input.value) {
      event.preventDefault();
      this.input.value = '';
      this.#model.search('');
    }
  }

  readonly #model: CatalogModel;
  readonly #choice: Choice;
  readonly #actions: CatalogActions;
  protected readonly tree: Tree<Entry>;
  protected readonly input = make('input', 'luma-input', {
    type: 'search',
    placeholder: 'Search tables, columns, graphs',
    'aria-label': 'Search the catalog',
    spellcheck: 'false'
  });
  #key = '';
  #begun = false;
}
