import { counted, visible } from './cells';
import type { Place } from './columns';
import { button, element } from './dom';
import type { GridModel } from './model';
import type { Summary } from './protocol';
import { GridError } from './requests';
import { bars, shares } from './spark';

const PLOT_HEIGHT = 20;
const DRAGGED = 5;

/** What the header asks of the table around it. */
export interface HeaderActions {
  openMenu(column: number, at: DOMRect): void;
  openStatistics(column: number, at: DOMRect): void;
  fit(column: number): void;
  selectColumn(position: number, extend: boolean): void;
  selectAll(): void;
}

interface Head {
  node: HTMLElement;
  name: HTMLElement;
  mark: HTMLElement;
  plot: HTMLElement;
  drawn: string;
}

/** The row of column headers: name, type, order, and the distribution of the values. */
export class Header {
  readonly node = element('div', { class: 'lg-head-row', role: 'row', 'aria-rowindex': 1 });
  private readonly corner: HTMLElement;
  private readonly pinned = element('div', { class: 'lg-pinned', role: 'presentation' });
  private readonly scrolled = element('div', { class: 'lg-scrolled', role: 'presentation' });
  private readonly clip = element('div', { class: 'lg-clip', role: 'presentation' }, this.scrolled);
  private readonly drop = element('div', { class: 'lg-drop', 'aria-hidden': 'true', hidden: true });
  private readonly heads = new Map<number, Head>();
  private places: readonly Place[] = [];

  constructor(
    private readonly model: GridModel,
    private readonly actions: HeaderActions
  ) {
    this.corner = element('div', { class: 'lg-corner', role: 'columnheader', 'aria-colindex': 1, title: 'Select all', text: '#' });
    this.corner.addEventListener('click', () => actions.selectAll());
    this.node.append(this.corner, this.pinned, this.clip, this.drop);
  }

  shift(left: number): void {
    this.scrolled.style.transform = `translateX(${-left}px)`;
  }

  /** Shows the headers of the columns in sight. */
  show(places: readonly Place[], numberWidth: number): void {
    this.places = places;
    const { pinnedWidth } = this.model.layout;
    this.corner.style.width = `${numberWidth}px`;
    this.pinned.style.left = `${numberWidth}px`;
    this.pinned.style.width = `${pinnedWidth}px`;
    this.clip.style.left = `${numberWidth + pinnedWidth}px`;
    const kept = new Set(places.map(place => place.column));
    for (const [column, head] of this.heads) {
      if (!kept.has(column)) {
        head.node.remove();
        this.heads.delete(column);
      }
    }
    const next = new Map<HTMLElement, Element | null>([
      [this.pinned, this.pinned.firstElementChild],
      [this.scrolled, this.scrolled.firstElementChild]
    ]);
    for (const place of places) {
      const head = this.heads.get(place.column) ?? this.added(place.column);
      const part = place.pinned ? this.pinned : this.scrolled;
      // Read aloud, headers follow one another as they stand.
      if (next.get(part) === head.node) {
        next.set(part, head.node.nextElementSibling);
      } else {
        part.insertBefore(head.node, next.get(part) ?? null);
      }
      head.node.style.left = `${place.left}px`;
      head.node.style.width = `${place.width}px`;
      head.node.setAttribute('aria-colindex', String(place.position + 2));
    }
    this.refresh();
  }

  /** Draws order and distributions as they are known now. */
  refresh(): void {
    const { sort } = this.model.arrangement;
    for (const [column, head] of this.heads) {
      const at = sort.findIndex(key => key.column === column);
      const filtered = this.model.arrangement.filter.some(filter => filter.column === column);
      const arrow = at < 0 ? '' : sort[at].descending ? '▼' : '▲';
      head.mark.textContent = `${arrow}${at >= 0 && sort.length > 1 ? at + 1 : ''}`;
      head.node.setAttribute('aria-sort', at < 0 ? 'none' : sort[at].descending ? 'descending' : 'ascending');
      head.node.classList.toggle('lg-filtered', filtered);
      this.draw(column, head);
    }
  }

  mark(has: (position: number) => boolean, focus: number | null, id: string): void {
    for (const place of this.places) {
      const head = this.heads.get(place.column)!;
      head.node.classList.toggle('lg-head-selected', has(place.position));
      head.node.classList.toggle('lg-focused', place.position === focus);
      if (place.position === focus) {
        head.node.id = id;
      } else if (head.node.id) {
        head.node.removeAttribute('id');
      }
    }
  }

  /** Where a column's header stands on the page. */
  rectangle(column: number): DOMRect {
    return (this.heads.get(column)?.node ?? this.node).getBoundingClientRect();
  }

  private added(column: number): Head {
    const info = this.model.columns[column];
    const shownName = visible(info.name);
    const name = element('span', { class: 'lg-head-name', text: shownName, dir: 'auto', title: shownName });
    const mark = element('span', { class: 'lg-head-mark', 'aria-hidden': 'true' });
    const zone = info.zone && !info.type.includes(info.zone) ? ` · ${info.zone}` : '';
    const type = element('div', { class: 'lg-head-type', text: visible(info.type) + zone, title: visible(info.type) + zone });
    const plot = element('div', { class: 'lg-head-plot' });
    const menu = button(
      { class: 'lg-head-menu', tabindex: -1, 'aria-label': `Menu of column ${shownName}`, 'aria-haspopup': 'menu', text: '⋮' },
      event => {
        event.stopPropagation();
        this.actions.openMenu(column, menu.getBoundingClientRect());
      }
    );
    const grip = element('div', { class: 'lg-grip', 'aria-hidden': 'true' });
    const node = element('div', { class: 'lg-head', role: 'columnheader' });
    node.append(element('div', { class: 'lg-head-line' }, name, mark, menu), type, plot, grip);
    grip.addEventListener('pointerdown', event => this.resize(event, column, grip));
    grip.addEventListener('dblclick', event => {
      event.stopPropagation();
      this.actions.fit(column);
    });
    plot.addEventListener('click', event => {
      event.stopPropagation();
      this.actions.openStatistics(column, plot.getBoundingClientRect());
    });
    node.addEventListener('pointerdown', event => this.press(event, column, node));
    node.addEventListener('contextmenu', event => {
      event.preventDefault();
      event.stopPropagation();
      this.actions.openMenu(column, menu.getBoundingClientRect());
    });
    const head = { node, name, mark, plot, drawn: '' };
    this.heads.set(column, head);
    return head;
  }

  private draw(column: number, head: Head): void {
    const summary = this.model.summaries.get(column);
    const width = Math.max(16, this.model.layout.width(column) - 12);
    const drawn = summary ? `${this.model.view}:${width}` : '';
    if (drawn === head.drawn) {
      return;
    }
    head.drawn = drawn;
    head.plot.textContent = '';
    head.plot.removeAttribute('title');
    if (summary && !(summary instanceof GridError)) {
      drawSummary(head.plot, summary, width);
    }
  }

  private resize(event: PointerEvent, column: number, grip: HTMLElement): void {
    event.preventDefault();
    event.stopPropagation();
    const from = event.clientX;
    const before = this.model.layout.width(column);
    grip.setPointerCapture(event.pointerId);
    const move = (moved: PointerEvent): void => {
      this.model.layout.setWidth(column, before + moved.clientX - from);
      this.model.changed.emit('layout');
    };
    grip.addEventListener('pointermove', move);
    grip.addEventListener('lostpointercapture', () => grip.removeEventListener('pointermove', move), { once: true });
  }

  /** A press sorts, or selects the column with Alt; a press that moves takes the column along. */
  private press(event: PointerEvent, column: number, node: HTMLElement): void {
    const target = event.target as Element;
    if (event.button !== 0 || target.closest('.lg-head-menu, .lg-grip')) {
      return;
    }
    const from = event.clientX;
    let dragged = false;
    const move = (moved: PointerEvent): void => {
      if (!dragged && Math.abs(moved.clientX - from) > DRAGGED) {
        dragged = true;
        node.setPointerCapture(event.pointerId);
        node.classList.add('lg-dragged');
      }
      if (dragged) {
        this.showDrop(this.targetAt(moved.clientX, column));
      }
    };
    const up = (ended: PointerEvent): void => {
      stop();
      if (dragged) {
        const target = this.targetAt(ended.clientX, column);
        if (target) {
          this.model.layout.move(column, target.position);
          this.model.selection.clear();
          this.model.changed.emit('layout');
        }
      } else if (ended.altKey) {
        this.actions.selectColumn(this.model.layout.position(column), ended.shiftKey);
      } else if (!target.closest('.lg-head-plot')) {
        void this.model.toggleSort(column, ended.shiftKey);
      }
    };
    const stop = (): void => {
      this.drop.hidden = true;
      node.classList.remove('lg-dragged');
      document.removeEventListener('pointermove', move);
      document.removeEventListener('pointerup', up);
      document.removeEventListener('pointercancel', stop);
    };
    document.addEventListener('pointermove', move);
    document.addEventListener('pointerup', up);
    document.addEventListener('pointercancel', stop);
  }

  private targetAt(x: number, dragged: number): Place | null {
    const pinned = this.model.layout.isPinned(dragged);
    for (const place of this.places) {
      const box = this.heads.get(place.column)!.node.getBoundingClientRect();
      if (place.pinned === pinned && x >= box.left && x < box.right) {
        return place;
      }
    }
    return null;
  }

  private showDrop(place: Place | null): void {
    this.drop.hidden = place === null;
    if (place) {
      const box = this.heads.get(place.column)!.node.getBoundingClientRect();
      this.drop.style.left = `${box.left - this.node.getBoundingClientRect().left}px`;
      this.drop.style.width = `${box.width}px`;
    }
  }
}

function drawSummary(plot: HTMLElement, summary: Summary, width: number): void {
  const nulls = summary.nulls ? `${counted(summary.nulls, 'null')}. ` : '';
  if (summary.rows <= 1) {
    // One value has no distribution.
    return;
  }
  if (summary.histogram && summary.histogram.counts.length) {
    plot.append(bars(summary.histogram, width, PLOT_HEIGHT));
    plot.title = `${nulls}Click for statistics`;
  } else if (summary.top && summary.top.length) {
    plot.append(shares(summary.top.map(top => top.count), summary.rows, width, 6));
    const distinct = distinctOf(summary);
    plot.append(element('span', { class: 'lg-head-distinct', text: distinct ? `${distinct} distinct` : '' }));
    plot.title = `${nulls}Click for statistics`;
  } else if (summary.rows && summary.nulls === summary.rows) {
    plot.append(element('span', { class: 'lg-head-distinct', text: 'all null' }));
  }
}

/** The number of distinct values as text: `about 1,200`, where it is estimated; empty where it is not known. */
export function distinctOf(summary: Summary): string {
  const { distinct } = summary;
  if (distinct === null || distinct === undefined) {
    return '';
  }
  const value = typeof distinct === 'number' ? distinct : distinct.value;
  const approximate = typeof distinct === 'number' ? summary.approximate : distinct.approximate;
  return `${approximate ? 'about ' : ''}${value.toLocaleString('en-US')}`;
}
