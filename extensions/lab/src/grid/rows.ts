import { elementsOf, rightAligned, type Shown } from './cells';
import type { Place } from './columns';
import { element } from './dom';
import type { GridModel } from './model';
import type { Kind } from './protocol';
import { sparkline } from './spark';

export const ROW_HEIGHT = 24;
const SPARK_HEIGHT = 18;

interface CellNode {
  node: HTMLElement;
  column: number;
  position: number;
  state: string;
}

/**
 * One row of cells that is used again and again: it shows another row as soon as its own leaves the window.
 *
 * Cells are kept and written anew; only when other columns come into sight are they placed again.
 */
export class RowNode {
  readonly node: HTMLElement;
  row = -1;
  private stamp = '';
  private readonly number: HTMLElement;
  private readonly pinned: HTMLElement;
  private readonly clip: HTMLElement;
  private readonly scrolled: HTMLElement;
  private readonly cells: CellNode[] = [];

  constructor(private readonly model: GridModel) {
    this.number = element('div', { class: 'lg-number', role: 'rowheader' });
    this.pinned = element('div', { class: 'lg-pinned', role: 'presentation' });
    this.scrolled = element('div', { class: 'lg-scrolled', role: 'presentation' });
    this.clip = element('div', { class: 'lg-clip', role: 'presentation' }, this.scrolled);
    // It can be focused, though not by Tab: a box that scrolls must hold something that can.
    this.node = element('div', { class: 'lg-row', role: 'row', tabindex: -1 }, this.number, this.pinned, this.clip);
  }

  /** Moves the columns that scroll. */
  shift(left: number): void {
    this.scrolled.style.transform = `translateX(${-left}px)`;
  }

  move(top: number): void {
    this.node.style.transform = `translateY(${top}px)`;
  }

  /** Shows a row; `stamp` names the columns in sight and everything else that, changed, makes all cells be written. */
  show(row: number, places: readonly Place[], stamp: string, numberWidth: number): void {
    if (row === this.row && stamp === this.stamp) {
      return;
    }
    if (stamp !== this.stamp) {
      this.arrange(places, numberWidth);
      this.stamp = stamp;
    }
    if (row !== this.row) {
      this.row = row;
      this.node.setAttribute('aria-rowindex', String(row + 2));
      this.node.classList.toggle('lg-odd', row % 2 === 1);
      this.number.textContent = String(row + 1);
    }
    for (const cell of this.cells) {
      this.write(cell);
    }
  }

  /** Writes the cells that were still on the way. */
  refresh(): void {
    for (const cell of this.cells) {
      if (cell.state === 'waiting' || cell.state === 'failed') {
        this.write(cell);
      }
    }
  }

  /** Marks what is selected; gives the focused cell `id`. */
  mark(has: (row: number, position: number) => boolean, focus: number | null, id: string): void {
    for (const cell of this.cells) {
      const selected = has(this.row, cell.position);
      cell.node.classList.toggle('lg-selected', selected);
      cell.node.setAttribute('aria-selected', String(selected));
      const focused = cell.position === focus;
      cell.node.classList.toggle('lg-focused', focused);
      if (focused) {
        cell.node.id = id;
      } else if (cell.node.id) {
        cell.node.removeAttribute('id');
      }
    }
  }

  private arrange(places: readonly Place[], numberWidth: number): void {
    const { pinnedWidth } = this.model.layout;
    this.number.style.width = `${numberWidth}px`;
    this.pinned.style.left = `${numberWidth}px`;
    this.pinned.style.width = `${pinnedWidth}px`;
    this.clip.style.left = `${numberWidth + pinnedWidth}px`;
    while (this.cells.length > places.length) {
      this.cells.pop()!.node.remove();
    }
    places.forEach((place, index) => {
      const cell = this.cells[index] ?? this.added();
      const part = place.pinned ? this.pinned : this.scrolled;
      if (cell.node.parentElement !== part) {
        part.append(cell.node);
      }
      cell.column = place.column;
      cell.position = place.position;
      cell.node.style.left = `${place.left}px`;
      cell.node.style.width = `${place.width}px`;
      cell.node.setAttribute('aria-colindex', String(place.position + 2));
    });
  }

  private added(): CellNode {
    const cell = { node: element('div', { role: 'gridcell' }), column: -1, position: -1, state: '' };
    this.cells.push(cell);
    return cell;
  }

  private write(cell: CellNode): void {
    const { node, column } = cell;
    const shown = this.model.shown(this.row, column);
    if (!shown) {
      const failed = this.model.pages.hasFailed(this.row, column) || this.model.ended;
      cell.state = failed ? 'failed' : 'waiting';
      node.className = failed ? 'lg-cell lg-failed' : 'lg-cell lg-waiting';
      node.textContent = failed ? 'not loaded' : '';
      return;
    }
    const { kind } = this.model.columns[column];
    cell.state = 'written';
    node.className = className(kind, shown);
    if (kind === 'vector' && !shown.null) {
      this.writeVector(node, column, shown);
    } else {
      node.textContent = shown.text;
    }
  }

  private writeVector(node: HTMLElement, column: number, shown: Shown): void {
    const values = elementsOf(this.model.value(this.row, column));
    const width = Math.max(24, this.model.layout.width(column) - 96);
    node.textContent = '';
    if (values) {
      node.append(sparkline(values, width, SPARK_HEIGHT));
    }
    node.append(element('span', { class: 'lg-vector-text', text: shown.text }));
  }
}

function className(kind: Kind, shown: Shown): string {
  const side = rightAligned(kind) ? 'lg-right' : 'lg-left';
  return `lg-cell lg-${kind} ${side}${shown.null ? ' lg-null' : ''}`;
}
