/** A nested value as a tree: a scalar as its text, or a list or struct with its parts. */
export type Tree =
  | { kind: 'scalar'; text: string; quoted: boolean }
  | { kind: 'list'; items: Tree[] }
  | { kind: 'struct'; entries: { key: string; value: Tree }[] };

const DEEPEST = 200;

class Unreadable extends Error {}

/**
 * Reads a nested value as results write it (`{name: 'x', sizes: [1, 2]}`) and JSON, which differs in its quotes only.
 *
 * Scalars stay text, so that no number loses a digit. Null when the text is neither, as a name with a colon in it makes it.
 */
export function readTree(text: string): Tree | null {
  const reader = new Reader(text);
  try {
    const tree = reader.value(0);
    reader.end();
    return tree.kind === 'scalar' ? null : tree;
  } catch (error) {
    if (error instanceof Unreadable) {
      return null;
    }
    throw error;
  }
}

class Reader {
  private at = 0;

  constructor(private readonly text: string) {}

  value(depth: number): Tree {
    if (depth > DEEPEST) {
      throw new Unreadable();
    }
    this.space();
    const mark = this.text[this.at];
    if (mark === '[') {
      return this.list(depth);
    }
    if (mark === '{') {
      return this.struct(depth);
    }
    if (mark === "'" || mark === '"') {
      return { kind: 'scalar', text: this.quoted(), quoted: true };
    }
    return { kind: 'scalar', text: this.bare(), quoted: false };
  }

  end(): void {
    this.space();
    if (this.at !== this.text.length) {
      throw new Unreadable();
    }
  }

  private list(depth: number): Tree {
    const items: Tree[] = [];
    this.parts(']', () => items.push(this.value(depth + 1)));
    return { kind: 'list', items };
  }

  private struct(depth: number): Tree {
    const entries: { key: string; value: Tree }[] = [];
    this.parts('}', () => {
      this.space();
      const mark = this.text[this.at];
      const key = mark === "'" || mark === '"' ? this.quoted() : this.name();
      this.space();
      this.take(':');
      entries.push({ key, value: this.value(depth + 1) });
    });
    return { kind: 'struct', entries };
  }

  private parts(close: string, part: () => void): void {
    this.at += 1;
    this.space();
    if (this.text[this.at] === close) {
      this.at += 1;
      return;
    }
    for (;;) {
      part();
      this.space();
      if (this.text[this.at] === close) {
        this.at += 1;
        return;
      }
      this.take(',');
    }
  }

  private quoted(): string {
    const quote = this.text[this.at];
    const start = this.at;
    this.at += 1;
    while (this.at < this.text.length) {
      const mark = this.text[this.at];
      if (mark === '\\' && quote === '"') {
        this.at += 2;
      } else if (mark === quote) {
        // SQL doubles a quote inside.
        if (quote === "'" && this.text[this.at + 1] === "'") {
          this.at += 2;
          continue;
        }
        this.at += 1;
        const inside = this.text.slice(start + 1, this.at - 1);
        return quote === "'" ? inside.replaceAll("''", "'") : this.unescaped(start);
      } else {
        this.at += 1;
      }
    }
    throw new Unreadable();
  }

  private unescaped(start: number): string {
    try {
      return String(JSON.parse(this.text.slice(start, this.at)));
    } catch {
      // Escapes that JSON does not know: as they are written.
      return this.text.slice(start + 1, this.at - 1);
    }
  }

  private name(): string {
    const start = this.at;
    const stop = this.text.indexOf(':', start);
    if (stop < 0) {
      throw new Unreadable();
    }
    this.at = stop;
    return this.text.slice(start, stop).trim();
  }

  private bare(): string {
    const found = /[^,[\]{}'"]+/y;
    found.lastIndex = this.at;
    const match = found.exec(this.text);
    if (!match || !match[0].trim()) {
      throw new Unreadable();
    }
    this.at = found.lastIndex;
    return match[0].trim();
  }

  private space(): void {
    while (/\s/.test(this.text[this.at] ?? '')) {
      this.at += 1;
    }
  }

  private take(mark: string): void {
    if (this.text[this.at] !== mark) {
      throw new Unreadable();
    }
    this.at += 1;
  }
}
