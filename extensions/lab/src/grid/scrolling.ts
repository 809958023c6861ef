/** Pixels that every browser can lay out; taller content is scrolled in proportion. */
export const TALLEST = 8_000_000;

/**
 * From a scrollbar to rows, also where all rows together are taller than a browser can lay out.
 *
 * Up to `TALLEST` pixels both are the same. Above, a short way (wheel, keys, touch) moves as many pixels as it says, and a long one
 * (the thumb is dragged, Home, End) jumps in proportion; `settle` then puts the thumb where it belongs.
 */
export class ScrollMap {
  /** Pixels of the content that are above the window. */
  position = 0;
  private last = 0;
  private content = 0;
  private visible = 0;

  /** Tells the height of all rows and of the window. */
  resize(content: number, visible: number): void {
    this.content = content;
    this.visible = visible;
    this.moveTo(this.position);
  }

  /** The height to lay out. */
  get height(): number {
    return Math.min(this.content, TALLEST);
  }

  get furthest(): number {
    return Math.max(0, this.content - this.visible);
  }

  /** The scrollbar has moved to `top`. */
  scrolled(top: number): void {
    const way = top - this.last;
    this.last = top;
    if (this.content <= TALLEST) {
      this.position = this.clamped(top);
    } else if (top <= 0) {
      this.position = 0;
    } else if (top >= this.track - 1) {
      this.position = this.furthest;
    } else if (Math.abs(way) <= Math.max(this.visible, 200)) {
      this.position = this.clamped(this.position + way);
    } else {
      this.position = this.clamped((top / this.track) * this.furthest);
    }
  }

  /** Puts content pixel `position` at the window's top; the answer is where the scrollbar stands then. */
  moveTo(position: number): number {
    this.position = this.clamped(position);
    return this.settle();
  }

  /** Where the scrollbar belongs for the present position; what comes next is measured from there. */
  settle(): number {
    this.last =
      this.content <= TALLEST || this.furthest === 0
        ? this.position
        : Math.round((this.position / this.furthest) * this.track);
    return this.last;
  }

  private get track(): number {
    return Math.max(1, this.height - this.visible);
  }

  private clamped(position: number): number {
    return Math.min(Math.max(0, position), this.furthest);
  }
}
