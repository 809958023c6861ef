import { count, counted } from './cells';
import { conditionText } from './conditions';
import { button, element, freshId } from './dom';
import type { GridModel } from './model';

export type TabName = 'table' | 'chart' | 'plan';

/** What the bar asks of the grid around it. */
export interface BarActions {
  open(tab: TabName): void;
  editFilter(column: number, at: DOMRect): void;
  choose(at: DOMRect): void;
  exportRows(at: DOMRect): void;
}

const TYPED = 350;

/** The line above the table: tabs, search, the conditions in force, columns, export. */
export class Bar {
  readonly node = element('div', { class: 'lg-bar' });
  readonly search = element('input', {
    type: 'search',
    class: 'lg-search',
    placeholder: 'Search rows',
    'aria-label': 'Search rows',
    spellcheck: 'false',
    autocomplete: 'off',
    dir: 'auto'
  });
  private readonly tabs = new Map<TabName, HTMLButtonElement>();
  private readonly chips = element('div', { class: 'lg-chips', role: 'group', 'aria-label': 'Conditions' });
  private readonly columns: HTMLButtonElement;
  private readonly exporter: HTMLButtonElement;
  private timer = 0;

  constructor(
    private readonly model: GridModel,
    private readonly actions: BarActions,
    panels: ReadonlyMap<TabName, HTMLElement>
  ) {
    const list = element('div', { class: 'lg-tabs', role: 'tablist', 'aria-label': 'Views of the result' });
    const names: Record<TabName, string> = { table: 'Table', chart: 'Chart', plan: 'Plan' };
    for (const [name, panel] of panels) {
      panel.id ||= freshId();
      const tab = button(
        { role: 'tab', class: 'lg-tab', id: freshId(), 'aria-controls': panel.id, text: names[name] },
        () => actions.open(name)
      );
      panel.setAttribute('role', 'tabpanel');
      panel.setAttribute('aria-labelledby', tab.id);
      this.tabs.set(name, tab);
      list.append(tab);
    }
    list.addEventListener('keydown', event => this.moveTab(event));
    this.search.addEventListener('input', () => this.typed(TYPED));
    this.search.addEventListener('keydown', event => {
      if (event.key === 'Enter') {
        this.typed(0);
      } else if (event.key === 'Escape' && this.search.value) {
        event.stopPropagation();
        this.search.value = '';
        this.typed(0);
      }
    });
    this.columns = button({ class: 'lg-button', 'aria-haspopup': 'dialog' }, () =>
      actions.choose(this.columns.getBoundingClientRect())
    );
    this.exporter = button({ class: 'lg-button', 'aria-haspopup': 'menu', text: 'Export ▾' }, () =>
      actions.exportRows(this.exporter.getBoundingClientRect())
    );
    this.node.append(list, this.search, this.chips, this.columns, this.exporter);
    this.refresh();
    this.setTab('table');
  }

  setTab(name: TabName): void {
    for (const [other, tab] of this.tabs) {
      tab.setAttribute('aria-selected', String(other === name));
      tab.tabIndex = other === name ? 0 : -1;
    }
    this.node.classList.toggle('lg-bar-table', name === 'table');
  }

  refresh(): void {
    const { arrangement, columns, layout, ended } = this.model;
    this.chips.textContent = '';
    arrangement.filter.forEach(filter => {
      const text = conditionText(filter, columns);
      const edit = button({ class: 'lg-chip-text', text, dir: 'auto', title: text }, () =>
        this.actions.editFilter(filter.column, edit.getBoundingClientRect())
      );
      const remove = button({ class: 'lg-chip-remove', text: '×', 'aria-label': `Remove the condition ${text}` }, () => {
        void this.model.arrange({ filter: this.model.arrangement.filter.filter(other => other !== filter) });
      });
      this.chips.append(element('span', { class: 'lg-chip' }, edit, remove));
    });
    if (document.activeElement !== this.search) {
      this.search.value = arrangement.search;
    }
    const hidden = layout.hidden.size;
    this.columns.textContent = hidden ? `Columns (${count(hidden)} hidden)` : 'Columns';
    this.columns.title = counted(columns.length, 'column');
    this.search.disabled = this.exporter.disabled = ended;
    const few = this.model.hello.rows <= 1;
    this.search.hidden = few && !arrangement.search;
  }

  private typed(wait: number): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => {
      const search = this.search.value;
      if (search !== this.model.arrangement.search) {
        void this.model.arrange({ search });
      }
    }, wait);
  }

  private moveTab(event: KeyboardEvent): void {
    const names = [...this.tabs.keys()];
    const present = names.findIndex(name => this.tabs.get(name) === document.activeElement);
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step !== undefined && present >= 0) {
      event.preventDefault();
      const next = names[(present + step + names.length) % names.length];
      this.tabs.get(next)!.focus();
      this.actions.open(next);
    }
  }
}
