import type { GridModel } from './model';
import type { Table } from './table';

const EDGE_SPEED = 60;

/** What pressing cells does beside selecting them. */
export interface PointerActions {
  selected(): void;
  open(): void;
  menu(column: number, at: DOMRect): void;
}

/** Selection by pointer: press and draw, Shift extends, a row's number takes the row; beyond the edge it scrolls along. */
export function followPointer(table: Table, model: GridModel, actions: PointerActions): void {
  const { scroller } = table;
  let pointer: PointerEvent | null = null;
  let timer = 0;

  const number = (event: PointerEvent): boolean => {
    const box = scroller.getBoundingClientRect();
    return event.clientX - box.left < table.numberWidth && event.clientX >= box.left;
  };
  const extend = (event: PointerEvent, wholeRows: boolean): void => {
    const spot = table.spotAt(event.clientX, event.clientY, true);
    if (!spot) {
      return;
    }
    if (wholeRows) {
      const anchor = model.selection.anchor?.row ?? spot.row;
      model.selection.span({ row: anchor, position: 0 }, { row: spot.row, position: model.layout.shown.length - 1 });
    } else {
      model.selection.to(spot, true);
    }
    actions.selected();
  };

  scroller.addEventListener('pointerdown', event => {
    const spot = table.spotAt(event.clientX, event.clientY);
    // A touch scrolls; the scrollbars are the browser's.
    if (event.button !== 0 || event.pointerType === 'touch' || !spot) {
      return;
    }
    event.preventDefault();
    table.node.focus({ preventScroll: true });
    const wholeRows = number(event);
    if (event.shiftKey && model.selection.anchor) {
      extend(event, wholeRows);
    } else if (wholeRows) {
      model.selection.span({ row: spot.row, position: 0 }, { row: spot.row, position: model.layout.shown.length - 1 });
      actions.selected();
    } else {
      model.selection.to(spot);
      actions.selected();
    }
    pointer = event;
    scroller.setPointerCapture(event.pointerId);
    const move = (moved: PointerEvent): void => {
      pointer = moved;
      extend(moved, wholeRows);
      window.clearInterval(timer);
      timer = window.setInterval(() => scrollAlong(wholeRows), EDGE_SPEED);
    };
    const scrollAlong = (rows: boolean): void => {
      const box = scroller.getBoundingClientRect();
      if (!pointer) {
        return;
      }
      const down = pointer.clientY > box.bottom ? 1 : pointer.clientY < box.top ? -1 : 0;
      const right = pointer.clientX > box.right ? 1 : pointer.clientX < box.left ? -1 : 0;
      if (down || right) {
        scroller.scrollBy(right * 40, down * 48);
        extend(pointer, rows);
      }
    };
    const stop = (): void => {
      pointer = null;
      window.clearInterval(timer);
      scroller.removeEventListener('pointermove', move);
    };
    scroller.addEventListener('pointermove', move);
    scroller.addEventListener('lostpointercapture', stop, { once: true });
  });

  scroller.addEventListener('click', event => {
    if ((event as PointerEvent).pointerType === 'touch') {
      const spot = table.spotAt(event.clientX, event.clientY);
      if (spot) {
        model.selection.to(spot);
        actions.selected();
      }
    }
  });
  scroller.addEventListener('dblclick', () => actions.open());
  scroller.addEventListener('contextmenu', event => {
    const spot = table.spotAt(event.clientX, event.clientY);
    if (spot && !event.shiftKey) {
      event.preventDefault();
      event.stopPropagation();
      if (!model.selection.has(spot.row, spot.position)) {
        model.selection.to(spot);
        actions.selected();
      }
      actions.menu(model.layout.place(spot.position).column, new DOMRect(event.clientX, event.clientY, 0, 0));
    }
  });
  // What a cell leaves out is looked up where the pointer rests, not for every cell that is written.
  scroller.addEventListener('pointerover', event => {
    const cell = (event.target as Element).closest<HTMLElement>('.lg-cell');
    const spot = cell && table.spotAt(event.clientX, event.clientY);
    if (cell && spot) {
      const column = model.layout.place(spot.position).column;
      const shown = model.shown(spot.row, column);
      cell.title = shown?.title || (shown && cell.scrollWidth > cell.clientWidth ? shown.text : '');
    }
  });
}
