/** An entry of a tree. */
export interface TreeNode<T> {
  /** Its own among all nodes of the tree, the same after each reading. */
  readonly id: string;
  /** What is read out, and what typing its first letters finds. */
  readonly text: string;
  readonly data: T;
  /** What stands below it; a leaf has none. */
  readonly children?: readonly TreeNode<T>[];
}

/** An entry that shows. */
export interface TreeRow<T> {
  readonly node: TreeNode<T>;
  /** 1 for the outermost. */
  readonly level: number;
  /** Its place among its siblings, from 1. */
  readonly position: number;
  /** How many siblings there are, itself among them. */
  readonly siblings: number;
  /** Null for a leaf. */
  readonly open: boolean | null;
  /** The index of the row it stands below, or -1. */
  readonly parent: number;
}

/** The rows of a tree that show, in order. */
export function rowsOf<T>(
  nodes: readonly TreeNode<T>[],
  isOpen: (node: TreeNode<T>) => boolean
): TreeRow<T>[] {
  const rows: TreeRow<T>[] = [];
  const add = (siblings: readonly TreeNode<T>[], level: number, parent: number): void => {
    siblings.forEach((node, index) => {
      const open = node.children ? isOpen(node) : null;
      rows.push({ node, level, position: index + 1, siblings: siblings.length, open, parent });
      if (open && node.children) {
        add(node.children, level + 1, rows.length - 1);
      }
    });
  };
  add(nodes, 1, -1);
  return rows;
}

/** Where rows of different heights stand, in pixels. */
export class Offsets {
  constructor(heights: readonly number[]) {
    this.#tops = new Float64Array(heights.length + 1);
    heights.forEach((height, index) => {
      this.#tops[index + 1] = this.#tops[index]! + height;
    });
  }

  /** The height of all. */
  get total(): number {
    return this.#tops[this.#tops.length - 1]!;
  }

  /** Where row `index` begins; its count of rows gives the end of the last. */
  top(index: number): number {
    return this.#tops[index]!;
  }

  /** The row at `y`: the last one that begins at or above it. */
  at(y: number): number {
    let low = 0;
    let high = this.#tops.length - 2;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#tops[middle]! <= y) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return low;
  }

  readonly #tops: Float64Array;
}
