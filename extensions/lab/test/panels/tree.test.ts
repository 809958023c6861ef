import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { rowsOf, type TreeNode } from '../../src/panels/rows';
import { Tree } from '../../src/panels/tree';

const node = (id: string, children?: TreeNode<string>[]): TreeNode<string> => ({
  id,
  text: id,
  data: id,
  ...(children ? { children } : {})
});

let open: Set<string>;
let roots: TreeNode<string>[];
let tree: Tree<string>;
const entered = vi.fn();
const spaced = vi.fn();

function show(): void {
  tree.show(rowsOf(roots, item => open.has(item.id)));
}

function press(...keys: string[]): void {
  for (const key of keys) {
    tree.node.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
  }
}

function drawn(): string[] {
  return [...tree.node.querySelectorAll('[role=row][aria-level]')].map(row => row.querySelector('[role=gridcell]')!.textContent!);
}

beforeEach(() => {
  open = new Set(['fruit']);
  roots = [node('fruit', [node('apple'), node('pear'), node('plum')]), node('tools', [node('axe')])];
  tree = new Tree<string>({
    label: 'Things',
    columns: ['Name', 'Length'],
    height: () => 20,
    draw: row => [[row.node.data], [String(row.node.data.length)]],
    dropped: item => (item.children ? null : item.data),
    onToggle: (item, now) => {
      if (now) {
        open.add(item.id);
      } else {
        open.delete(item.id);
      }
      show();
    },
    onEnter: item => entered(item.id),
    onSpace: item => spaced(item.id)
  });
  document.body.append(tree.node);
  show();
});

afterEach(() => {
  tree.dispose();
  tree.node.remove();
  vi.clearAllMocks();
});

describe('a tree', () => {
  it('tells assistive technology what it is', () => {
    expect(tree.node.getAttribute('role')).toBe('treegrid');
    expect(tree.node.getAttribute('aria-rowcount')).toBe('6');
    const row = tree.node.querySelector('[aria-level="2"]')!;
    expect([row.getAttribute('aria-posinset'), row.getAttribute('aria-setsize'), row.getAttribute('aria-rowindex')]).toEqual(['1', '3', '3']);
    expect(row.hasAttribute('aria-expanded')).toBe(false);
    expect(tree.node.querySelector('[aria-level="1"]')!.getAttribute('aria-expanded')).toBe('true');
    expect(document.getElementById(tree.node.getAttribute('aria-activedescendant')!)!.textContent).toContain('fruit');
  });

  it('walks, opens and closes by the arrow keys', () => {
    press('ArrowDown', 'ArrowDown');
    expect(tree.active?.node.id).toBe('pear');
    press('ArrowLeft');
    expect(tree.active?.node.id).toBe('fruit');
    press('ArrowLeft');
    expect(drawn()).toEqual(['fruit', 'tools']);
    press('ArrowRight', 'ArrowRight');
    expect(tree.active?.node.id).toBe('apple');
    press('End');
    expect(tree.active?.node.id).toBe('tools');
    press('ArrowDown');
    expect(tree.active?.node.id).toBe('tools');
    press('Home');
    expect(tree.active?.node.id).toBe('fruit');
    expect(tree.node.querySelectorAll('[aria-selected=true]')).toHaveLength(1);
  });

  it('finds rows by their first letters', () => {
    press('p');
    expect(tree.active?.node.id).toBe('pear');
    press('l');
    expect(tree.active?.node.id).toBe('plum');
  });

  it('does what a row is for by Enter, Space and a double click', () => {
    press('ArrowDown', 'Enter', ' ');
    expect(entered).toHaveBeenCalledWith('apple');
    expect(spaced).toHaveBeenCalledWith('apple');
    const pear = tree.node.querySelectorAll('[aria-level="2"]')[1]!;
    pear.dispatchEvent(new MouseEvent('dblclick', { bubbles: true }));
    expect(entered).toHaveBeenLastCalledWith('pear');
  });

  it('leaves keys with modifiers to others', () => {
    const event = new KeyboardEvent('keydown', { key: 'ArrowDown', ctrlKey: true, cancelable: true });
    tree.node.dispatchEvent(event);
    expect(event.defaultPrevented).toBe(false);
    expect(tree.active?.node.id).toBe('fruit');
  });

  it('opens by a click on the triangle only', () => {
    const row = tree.node.querySelectorAll('[aria-level="1"]')[1]!;
    row.dispatchEvent(new MouseEvent('mousedown', { bubbles: true, button: 0 }));
    expect(tree.active?.node.id).toBe('tools');
    expect(open.has('tools')).toBe(false);
    row.querySelector('.luma-tree-twisty')!.dispatchEvent(new MouseEvent('mousedown', { bubbles: true, button: 0 }));
    expect(open.has('tools')).toBe(true);
  });

  it('asks for the menu of the active row when the key does', () => {
    press('ArrowDown');
    let asked: Element | null = null;
    const listen = (event: Event): void => {
      asked = event.target as Element;
    };
    document.addEventListener('contextmenu', listen);
    tree.node.dispatchEvent(new MouseEvent('contextmenu', { bubbles: true, cancelable: true }));
    document.removeEventListener('contextmenu', listen);
    expect(asked!.textContent).toContain('apple');
  });

  it('drops what is dragged as text', () => {
    expect(tree.node.querySelectorAll('[draggable=true]')).toHaveLength(3);
    const event = new Event('dragstart', { bubbles: true }) as DragEvent;
    const data: string[] = [];
    Object.defineProperty(event, 'dataTransfer', { value: { setData: (...given: string[]) => data.push(...given), effectAllowed: '' } });
    tree.node.querySelector('[draggable=true]')!.dispatchEvent(event);
    expect(data).toEqual(['text/plain', 'apple']);
  });

  it('keeps the active row when others come', () => {
    press('ArrowDown', 'ArrowDown');
    roots = [node('new'), ...roots];
    show();
    expect(tree.active?.node.id).toBe('pear');
    expect(tree.reveal('apple')).toBe(true);
    expect(tree.reveal('nowhere')).toBe(false);
    expect(tree.active?.node.id).toBe('apple');
  });

  it('draws only what is near the screen, in order', () => {
    roots = Array.from({ length: 100_000 }, (_, index) => node(`row ${index}`));
    show();
    const first = drawn();
    expect(first.length).toBeLessThan(80);
    expect(first[0]).toBe('row 0');
    tree.node.scrollTop = 1_000_000;
    tree.node.dispatchEvent(new Event('scroll'));
    const rows = drawn();
    expect(rows.length).toBeLessThan(80);
    expect(rows[0]).toBe('row 0');
    expect(rows.slice(1)).toContain('row 50000');
    const numbers = rows.map(text => Number(text.split(' ')[1]));
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    press('End');
    expect(tree.active?.node.id).toBe('row 99999');
    expect(drawn()).toContain('row 99999');
  });

  it('shows nothing without rows', () => {
    tree.show([]);
    expect(drawn()).toEqual([]);
    expect(tree.node.hasAttribute('aria-activedescendant')).toBe(false);
    expect(tree.active).toBeNull();
    press('ArrowDown', 'Enter');
    expect(entered).not.toHaveBeenCalled();
  });
});
