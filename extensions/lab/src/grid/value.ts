import { count, elementsOf, exactFloat, visible } from './cells';
import { button, element } from './dom';
import type { GridModel } from './model';
import { readTree, type Tree } from './nested';
import { openPopover } from './popover';
import type { ColumnInfo } from './protocol';
import type { Spot } from './selection';
import { sparkline } from './spark';

const MOST_PARTS = 500;
const LONGEST = 1_000_000;
const NESTED = new Set(['list', 'struct', 'map', 'json']);

/** Opens the whole value of a cell: nested ones as a tree that opens, vectors as a line, everything as text to copy. */
export async function openValue(
  host: HTMLElement,
  at: DOMRect,
  model: GridModel,
  spot: Spot,
  home: HTMLElement,
  copy: (text: string) => Promise<void>
): Promise<void> {
  const column = model.layout.place(spot.position).column;
  const info = model.columns[column];
  const shown = model.shown(spot.row, column);
  if (!shown) {
    return;
  }
  const raw = model.value(spot.row, column);
  let text = shown.text;
  if (shown.null) {
    text = 'NULL';
  } else if (typeof raw === 'number' && info.kind === 'float') {
    text = exactFloat(raw);
  } else if (!model.ended && (shown.cut || typeof raw === 'string' || info.kind === 'vector')) {
    try {
      text = await model.wholeText(spot.row, column);
    } catch (error) {
      model.fail(error);
      return;
    }
  }
  const title = `${visible(info.name)}, row ${count(spot.row + 1)}`;
  const type = visible(info.type) + (info.zone ? ` · ${info.zone}` : '');
  openText(host, at, { title, type, text, body: picture(info, text, raw) }, home, copy);
}

/** Opens a text, or what shows it better, with a button that copies it. */
export function openText(
  host: HTMLElement,
  at: DOMRect,
  what: { title: string; type?: string; text: string; body?: Node[] },
  home: HTMLElement,
  copy: (text: string) => Promise<void>
): void {
  const body = element('div', { class: 'lg-value-body', tabindex: 0, role: 'region', 'aria-label': 'Value' });
  body.append(...(what.body ?? [plainText(what.text)]));
  const copyButton = button({ class: 'lg-button', text: 'Copy' }, () => {
    void copy(what.text).then(() => {
      copyButton.textContent = 'Copied';
    });
  });
  const head = element(
    'div',
    { class: 'lg-value-head' },
    element('div', { class: 'lg-popover-title', text: what.title, dir: 'auto' }),
    element('div', { class: 'lg-popover-type', text: what.type ?? '' }),
    copyButton
  );
  const content = element('div', { class: 'lg-value' }, head, body);
  openPopover(host, at, content, { label: what.title, className: 'lg-value-popover', home });
}

/** A value as what suits its type. */
export function picture(info: ColumnInfo, text: string, raw: unknown): Node[] {
  if (info.kind === 'vector') {
    const values = elementsOf(raw);
    const parts: Node[] = values ? [sparkline(values, 320, 80)] : [];
    return [...parts, plainText(text)];
  }
  const tree = NESTED.has(info.kind) ? readTree(text) : null;
  return [tree ? branch(tree, 0) : plainText(text)];
}

function plainText(text: string): HTMLElement {
  const cut = text.length > LONGEST;
  const shown = element('pre', { class: 'lg-value-text', text: cut ? text.slice(0, LONGEST) : text, dir: 'auto' });
  if (cut) {
    shown.append(element('em', { text: ` … ${count(text.length - LONGEST)} more characters` }));
  }
  return shown;
}

function branch(tree: Tree, depth: number): HTMLElement {
  if (tree.kind === 'scalar') {
    const kind = tree.quoted ? 'lg-tree-text' : tree.text.toUpperCase() === 'NULL' ? 'lg-null' : 'lg-tree-plain';
    return element('span', { class: kind, text: tree.text, dir: 'auto' });
  }
  const parts: { key: string; value: Tree }[] =
    tree.kind === 'struct' ? tree.entries : tree.items.map((value, index) => ({ key: String(index), value }));
  const size = tree.kind === 'struct' ? `{${parts.length}}` : `[${parts.length}]`;
  const list = element('ul', { class: 'lg-tree' });
  const node = element('details', { class: 'lg-tree-part', open: depth < 2 && parts.length <= 50 }, element('summary', { text: size }), list);
  // Parts are made when they are first looked at: a value may have a million.
  const fill = (): void => {
    if (list.childElementCount || !node.open) {
      return;
    }
    for (const { key, value } of parts.slice(0, MOST_PARTS)) {
      list.append(element('li', {}, element('span', { class: 'lg-tree-key', text: visible(key), dir: 'auto' }), ' ', branch(value, depth + 1)));
    }
    if (parts.length > MOST_PARTS) {
      list.append(element('li', { text: `… ${count(parts.length - MOST_PARTS)} more` }));
    }
  };
  node.addEventListener('toggle', fill);
  fill();
  return node;
}
