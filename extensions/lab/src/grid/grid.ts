import { Bar, type TabName } from './bar';
import { ChartPanel } from './chart';
import { openChooser } from './chooser';
import { copySelection, copyText } from './clipboard';
import { openColumnMenu } from './columnmenu';
import { element } from './dom';
import { openExport } from './exporting';
import { openFilter } from './filter';
import { Foot } from './foot';
import { actionOf, claims, HEADER } from './keyboard';
import type { Change, GridModel } from './model';
import { PlanPanel, type PlanView } from './plan';
import { followPointer } from './pointer';
import { openStatistics } from './statistics';
import { Table } from './table';
import { openValue } from './value';

export interface GridOptions {
  /** Rows shown before the table scrolls. */
  rows?: number;
  /** Draws the plan tab; without it the plan's drawing is shown as it is. */
  planView?: PlanView;
}

const ROWS = 14;
const LOWEST = 72;

/** One result on the page: the table, its chart and its plan, with all that can be done to them. */
export class Grid {
  readonly node = element('div', { class: 'luma-grid', dir: 'ltr' });
  private readonly table: Table;
  private readonly bar: Bar;
  private readonly foot: Foot;
  private readonly chart: ChartPanel;
  private readonly plan: PlanPanel | null;
  private readonly panels = new Map<TabName, HTMLElement>();
  private readonly sight: IntersectionObserver | null;
  private tab: TabName = 'table';

  constructor(
    private readonly model: GridModel,
    options: GridOptions = {}
  ) {
    const openMenu = (column: number, at: DOMRect): void => this.openMenu(column, at);
    this.table = new Table(
      model,
      {
        openMenu,
        openStatistics: (column, at) => openStatistics(this.node, at, model, column, this.table.node),
        fit: column => this.table.fit(column),
        selectColumn: (position, extend) => this.selectColumn(position, extend),
        selectAll: () => this.selectAll()
      },
      options.rows ?? ROWS
    );
    this.chart = new ChartPanel(model, copyText);
    this.plan = model.hello.plan ? new PlanPanel(model, options.planView) : null;
    const tablePanel = element('div', { class: 'lg-panel' }, this.table.node, this.grip());
    this.panels.set('table', tablePanel);
    this.panels.set('chart', element('div', { class: 'lg-panel', hidden: true }, this.chart.node));
    if (this.plan) {
      this.panels.set('plan', element('div', { class: 'lg-panel', hidden: true }, this.plan.node));
    }
    this.bar = new Bar(
      model,
      {
        open: tab => this.open(tab),
        editFilter: (column, at) => openFilter(this.node, at, model, column, this.table.node),
        choose: at => openChooser(this.node, at, model, this.table.node, column => this.goTo(column)),
        exportRows: at => openExport(this.node, at, model, this.table.node, copyText)
      },
      this.panels
    );
    this.foot = new Foot(model);
    this.node.append(this.bar.node, this.foot.notice, ...this.panels.values(), this.foot.node);
    this.showEmpty();
    followPointer(this.table, model, {
      selected: () => this.selected(),
      open: () => this.openValue(),
      menu: openMenu
    });
    this.table.node.addEventListener('keydown', event => this.pressed(event));
    this.table.node.addEventListener('focus', () => this.focused());
    model.changed.add(change => this.changed(change));
    window.addEventListener('keydown', this.claim, true);
    // Without layout (tests) everything counts as seen.
    this.sight =
      typeof IntersectionObserver === 'function'
        ? new IntersectionObserver(entries => this.table.setSeen(entries.at(-1)!.isIntersecting))
        : null;
    this.sight?.observe(this.node);
  }

  dispose(): void {
    window.removeEventListener('keydown', this.claim, true);
    this.sight?.disconnect();
    this.table.dispose();
    this.foot.dispose();
    this.chart.dispose();
    this.plan?.dispose();
    this.model.changed.clear();
    this.node.remove();
  }

  private changed(change: Change): void {
    switch (change) {
      case 'view':
        this.table.changedRows();
        this.table.header.refresh();
        this.bar.refresh();
        this.foot.refresh();
        this.showEmpty();
        this.table.setSeen(true);
        if (this.tab === 'chart') {
          void this.chart.show();
        }
        break;
      case 'cells':
        this.table.changedCells();
        break;
      case 'layout':
        this.table.changedColumns();
        this.table.header.refresh();
        this.bar.refresh();
        this.foot.refresh();
        break;
      case 'selection':
        this.selected();
        break;
      case 'summary':
        this.table.header.refresh();
        break;
      case 'status':
        this.table.header.refresh();
        this.table.tellBusy();
        this.bar.refresh();
        this.foot.refresh();
        if (this.model.ended) {
          this.table.changedCells();
        }
        break;
    }
  }

  private open(tab: TabName): void {
    if (tab !== this.tab && this.model.notice?.kind === 'error') {
      // What failed here says nothing of what is there.
      this.model.dismiss();
    }
    this.tab = tab;
    for (const [name, panel] of this.panels) {
      panel.hidden = name !== tab;
    }
    this.bar.setTab(tab);
    if (tab === 'chart') {
      void this.chart.show();
    } else if (tab === 'plan') {
      void this.plan?.show();
    }
  }

  private openMenu(column: number, at: DOMRect): void {
    openColumnMenu(this.node, at, this.model, column, this.table.node, {
      fit: column => this.table.fit(column),
      copyText,
      selectColumn: (position, extend) => this.selectColumn(position, extend)
    });
  }

  private openValue(): void {
    const { focus } = this.model.selection;
    if (focus && focus.row >= 0) {
      void openValue(this.node, this.table.rectangle(focus), this.model, focus, this.table.node, copyText);
    }
  }

  private goTo(column: number): void {
    const position = this.model.layout.position(column);
    if (position >= 0) {
      this.model.selection.to({ row: this.model.selection.focus?.row ?? HEADER, position });
      this.table.reveal(this.model.selection.focus!);
      this.selected();
      this.table.node.focus({ preventScroll: true });
    }
  }

  private selectColumn(position: number, extend: boolean): void {
    const { selection, rows } = this.model;
    if (rows) {
      const from = extend && selection.anchor ? selection.anchor.position : position;
      selection.span({ row: 0, position: from }, { row: rows - 1, position });
      this.selected();
      this.table.node.focus({ preventScroll: true });
    }
  }

  private selectAll(): void {
    const { selection, rows, layout } = this.model;
    if (rows) {
      selection.span({ row: 0, position: 0 }, { row: rows - 1, position: layout.shown.length - 1 });
      this.selected();
      this.table.node.focus({ preventScroll: true });
    }
  }

  private selected(): void {
    this.table.mark();
    this.foot.refreshSelection();
  }

  /** With the keyboard comes a focused cell. */
  private focused(): void {
    if (!this.model.selection.focus && this.model.layout.shown.length && this.table.node.matches(':focus-visible')) {
      this.model.selection.to({ row: this.model.rows ? 0 : HEADER, position: 0 });
      this.selected();
    }
  }

  private pressed(event: KeyboardEvent): void {
    const { selection, layout, rows } = this.model;
    if (event.target !== this.table.node || !layout.shown.length) {
      return;
    }
    const focus = selection.focus ?? { row: rows ? 0 : HEADER, position: 0 };
    const extent = { rows, columns: layout.shown.length, pageRows: this.table.pageRows };
    const action = actionOf(event, focus, extent);
    if (!action) {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    const column = layout.place(focus.position).column;
    switch (action.do) {
      case 'move':
        selection.to(action.to, action.extend);
        this.table.reveal(action.to);
        this.selected();
        break;
      case 'copy':
        void copySelection(this.model);
        break;
      case 'all':
        this.selectAll();
        break;
      case 'open':
        this.openValue();
        break;
      case 'search':
        this.bar.search.focus();
        break;
      case 'menu':
        this.openMenu(column, this.table.rectangle(focus));
        break;
      case 'sort':
        void this.model.toggleSort(column, event.shiftKey);
        break;
      case 'widen':
        layout.setWidth(column, layout.width(column) + action.by);
        this.model.changed.emit('layout');
        break;
      case 'leave':
        selection.to(focus);
        this.selected();
        break;
    }
  }

  /**
   * Keeps a notebook's single-key commands away from keys that are the grid's.
   *
   * Lumino asks each element for this attribute before it looks whether a shortcut is meant for it, the pressed one first.
   */
  private readonly claim = (event: KeyboardEvent): void => {
    const { target } = event;
    if (target instanceof Element && this.node.contains(target)) {
      target.toggleAttribute('data-lm-suppress-shortcuts', claims(event, target.matches('input, textarea, select')));
    }
  };

  private showEmpty(): void {
    const text = this.model.columns.length === 0 ? 'No columns.' : this.model.arranged ? 'No row matches.' : 'No rows.';
    this.table.emptyNode.textContent = text;
    if (this.model.arranged && !this.model.rows) {
      const clear = element('button', { type: 'button', class: 'lg-button', text: 'Show all rows' });
      clear.addEventListener('click', () => void this.model.arrange({ filter: [], search: '' }));
      this.table.emptyNode.append(' ', clear);
    }
  }

  /** The edge below the table, which makes it higher or lower. */
  private grip(): HTMLElement {
    const grip = element('div', { class: 'lg-height-grip', 'aria-hidden': 'true' });
    grip.addEventListener('pointerdown', event => {
      event.preventDefault();
      const from = event.clientY;
      const before = this.table.drawnHeight;
      grip.setPointerCapture(event.pointerId);
      const move = (moved: PointerEvent): void => this.table.setHeight(Math.max(LOWEST, before + moved.clientY - from));
      grip.addEventListener('pointermove', move);
      grip.addEventListener('lostpointercapture', () => grip.removeEventListener('pointermove', move), { once: true });
    });
    return grip;
  }
}
