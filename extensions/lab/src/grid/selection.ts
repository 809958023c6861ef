/** A cell by its row in the view and its position among the shown columns. */
export interface Spot {
  row: number;
  position: number;
}

/** Rows [top, bottom] × positions [left, right], both ends included. */
export interface Area {
  top: number;
  bottom: number;
  left: number;
  right: number;
}

/** One rectangle of cells: it spans from the anchor to the focus, which the keys move. */
export class Selection {
  anchor: Spot | null = null;
  focus: Spot | null = null;

  get area(): Area | null {
    if (!this.anchor || !this.focus) {
      return null;
    }
    return {
      top: Math.min(this.anchor.row, this.focus.row),
      bottom: Math.max(this.anchor.row, this.focus.row),
      left: Math.min(this.anchor.position, this.focus.position),
      right: Math.max(this.anchor.position, this.focus.position)
    };
  }

  has(row: number, position: number): boolean {
    const area = this.area;
    return (
      area !== null && row >= area.top && row <= area.bottom && position >= area.left && position <= area.right
    );
  }

  clear(): void {
    this.anchor = null;
    this.focus = null;
  }

  /** Selects one cell, or with `extend` all from the anchor to it. */
  to(spot: Spot, extend = false): void {
    this.focus = spot;
    if (!extend || !this.anchor) {
      this.anchor = spot;
    }
  }

  /** Selects whole rows or columns: from `anchor` to `focus`. */
  span(anchor: Spot, focus: Spot): void {
    this.anchor = anchor;
    this.focus = focus;
  }

  get cells(): number {
    const area = this.area;
    return area ? (area.bottom - area.top + 1) * (area.right - area.left + 1) : 0;
  }
}

/** Cells as tab-separated lines; tabs, line ends and quotes inside of a value are quoted as spreadsheets read them. */
export function tabSeparated(lines: readonly (readonly string[])[]): string {
  return lines.map(line => line.map(quoted).join('\t')).join('\n');
}

function quoted(value: string): string {
  return /[\t\n\r"]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}
