// @vitest-environment node
import { describe, expect, it } from 'vitest';

import { ColumnLayout } from '../../src/grid/columns';
import { arity, conditionOf, conditionText, operatorsOf } from '../../src/grid/conditions';
import { actionOf, claims, HEADER } from '../../src/grid/keyboard';
import { readTree, type Tree } from '../../src/grid/nested';
import { inkedLayout } from '../../src/grid/plotly';
import type { ColumnInfo } from '../../src/grid/protocol';
import { ScrollMap, TALLEST } from '../../src/grid/scrolling';
import { Selection, tabSeparated } from '../../src/grid/selection';

function columns(count: number): ColumnInfo[] {
  return Array.from({ length: count }, (_, index) => ({ index, name: `c${index}`, type: 'BIGINT', kind: 'int' }));
}

function written(tree: Tree | null): unknown {
  if (tree === null || tree.kind === 'scalar') {
    return tree?.text ?? null;
  }
  return tree.kind === 'list'
    ? tree.items.map(written)
    : Object.fromEntries(tree.entries.map(({ key, value }) => [key, written(value)]));
}

describe('nested values', () => {
  it('are read as results write them', () => {
    expect(written(readTree("{a: 1, b: ['it''s', NULL, {c: 0.10}], d: {}, e: []}"))).toEqual({
      a: '1',
      b: ["it's", 'NULL', { c: '0.10' }],
      d: {},
      e: []
    });
    expect(written(readTree("{'key, one': 2026-01-01 05:00:00}"))).toEqual({ 'key, one': '2026-01-01 05:00:00' });
  });

  it('are read as JSON writes them, with every digit', () => {
    expect(written(readTree('{"big": 12345678901234567890, "s": "a\\n\\u00e9\\"", "t": [true, null]}'))).toEqual({
      big: '12345678901234567890',
      s: 'a\né"',
      t: ['true', 'null']
    });
  });

  it.each(['', '1', 'plain', '[1, 2', '{a 1}', "['x]", '[1] 2', `${'['.repeat(5000)}`])('leaves %s as text', text => {
    expect(readTree(text)).toBeNull();
  });
});

describe('columns', () => {
  it('find the ones in sight among five thousand', () => {
    const layout = new ColumnLayout(columns(5000));
    expect(layout.range(0, 250)).toEqual([0, 3]);
    const [start, stop] = layout.range(300_000, 300_500);
    expect([start, stop]).toEqual([2500, 2505]);
    expect(layout.place(start)).toMatchObject({ column: 2500, left: 300_000, width: 120, pinned: false });
  });

  it('stand pinned before the others, hidden nowhere, and are moved among their like', () => {
    const layout = new ColumnLayout(columns(5));
    layout.pin(3);
    layout.hide(1);
    expect(layout.shown).toEqual([3, 0, 2, 4]);
    expect(layout.place(0)).toMatchObject({ pinned: true, left: 0 });
    expect(layout.place(1)).toMatchObject({ pinned: false, left: 0 });
    layout.move(4, 1);
    expect(layout.shown).toEqual([3, 4, 0, 2]);
    layout.move(4, 0);
    expect(layout.shown, 'not across the edge of the pinned ones').toEqual([3, 4, 0, 2]);
    layout.unpin(3);
    layout.showAll();
    expect([...layout.shown].sort()).toEqual([0, 1, 2, 3, 4]);
  });

  it('are never all hidden, nor as narrow as nothing', () => {
    const layout = new ColumnLayout(columns(2));
    layout.hide(0);
    layout.hide(1);
    expect(layout.shown).toEqual([1]);
    layout.setWidth(1, -50);
    expect(layout.width(1)).toBeGreaterThan(20);
  });
});

describe('scrolling', () => {
  it('is one to one where all rows can be laid out', () => {
    const map = new ScrollMap();
    map.resize(24_000, 400);
    map.scrolled(1234);
    expect(map.position).toBe(1234);
    expect(map.height).toBe(24_000);
  });

  it('reaches every row of ten million, both by wheel and by thumb', () => {
    const map = new ScrollMap();
    const content = 10_000_000 * 24;
    map.resize(content, 400);
    expect(map.height).toBe(TALLEST);
    map.scrolled(100);
    expect(map.position, 'a wheel turns pixels').toBe(100);
    map.scrolled(TALLEST / 2);
    expect(Math.abs(map.position / content - 0.5), 'a thumb jumps').toBeLessThan(0.001);
    const before = map.position;
    map.scrolled(TALLEST / 2 + 24);
    expect(map.position).toBe(before + 24);
    map.scrolled(TALLEST - 400);
    expect(map.position).toBe(content - 400);
    map.scrolled(0);
    expect(map.position).toBe(0);
  });

  it('puts the thumb where it belongs after a way of many small steps', () => {
    const map = new ScrollMap();
    map.resize(240_000_000, 400);
    for (let step = 1; step <= 1000; step += 1) {
      map.scrolled(step * 100);
    }
    expect(map.position).toBe(100_000);
    const top = map.settle();
    expect(top).toBe(Math.round((100_000 / (240_000_000 - 400)) * (TALLEST - 400)));
    map.scrolled(top);
    expect(map.position, 'the settling moves nothing').toBe(100_000);
  });
});

describe('keys', () => {
  const extent = { rows: 100, columns: 4, pageRows: 10 };
  const press = (key: string, more: object = {}) =>
    actionOf({ key, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...more }, { row: 5, position: 1 }, extent);

  it.each([
    ['ArrowDown', {}, 6, 1],
    ['PageUp', {}, HEADER, 1],
    ['PageDown', {}, 15, 1],
    ['Home', {}, 5, 0],
    ['End', { ctrlKey: true }, 99, 3],
    ['ArrowRight', { metaKey: true }, 5, 3]
  ])('%s %o goes to row %i, column %i', (key, more, row, position) => {
    expect(press(key, more)).toEqual({ do: 'move', to: { row, position }, extend: false });
  });

  it('extend with Shift, and never into the header', () => {
    expect(press('PageUp', { shiftKey: true })).toEqual({ do: 'move', to: { row: 0, position: 1 }, extend: true });
  });

  it('mean commands of the header there', () => {
    const key = { ctrlKey: false, metaKey: false, shiftKey: false, altKey: false };
    expect(actionOf({ ...key, key: 'Enter' }, { row: HEADER, position: 0 }, extent)).toEqual({ do: 'menu' });
    expect(actionOf({ ...key, key: ' ' }, { row: HEADER, position: 0 }, extent)).toEqual({ do: 'sort' });
    expect(actionOf({ ...key, key: 'Enter' }, { row: 0, position: 0 }, extent)).toEqual({ do: 'open' });
  });

  it('that are commands of a notebook are kept from it, others are not', () => {
    const key = { ctrlKey: false, metaKey: false, shiftKey: false, altKey: false };
    expect(claims({ ...key, key: 'd' }, false)).toBe(true);
    expect(claims({ ...key, key: 'Enter', shiftKey: true }, false)).toBe(false);
    expect(claims({ ...key, key: 's', ctrlKey: true }, false)).toBe(false);
    expect(claims({ ...key, key: 'c', ctrlKey: true }, false)).toBe(true);
  });
});

describe('selection', () => {
  it('spans from its anchor to its focus', () => {
    const selection = new Selection();
    selection.to({ row: 5, position: 3 });
    selection.to({ row: 2, position: 4 }, true);
    expect(selection.area).toEqual({ top: 2, bottom: 5, left: 3, right: 4 });
    expect(selection.cells).toBe(8);
    expect([selection.has(4, 3), selection.has(6, 3)]).toEqual([true, false]);
  });

  it('is copied as lines that spreadsheets read', () => {
    expect(tabSeparated([['a', 'b\tc'], ['say "x"', '']])).toBe('a\t"b\tc"\n"say ""x"""\t');
  });
});

describe('conditions', () => {
  it('fit the kind of the column', () => {
    expect(operatorsOf('bool')).toEqual(['=', '!=', 'null', 'not null']);
    expect(operatorsOf('text')[0]).toBe('contains');
    expect(operatorsOf('struct')).not.toContain('<');
  });

  it('carry their values as text', () => {
    expect(conditionOf(2, '>=', ['9007199254740993'])).toEqual({ column: 2, op: '>=', value: '9007199254740993' });
    expect(conditionOf(2, 'between', ['1', '2'])).toEqual({ column: 2, op: 'between', value: ['1', '2'] });
    expect(conditionOf(2, 'null', ['left over'])).toEqual({ column: 2, op: 'null' });
    expect(conditionOf(2, 'between', ['1', ''])).toBe('Give both ends.');
    expect(typeof conditionOf(2, 'in', [])).toBe('string');
    expect(arity('in')).toBe('many');
  });

  it('are said in a few letters', () => {
    const names = columns(3);
    expect(conditionText({ column: 1, op: '>=', value: '5' }, names)).toBe('c1 ≥ 5');
    expect(conditionText({ column: 1, op: 'null' }, names)).toBe('c1 is null');
    expect(conditionText({ column: 1, op: 'in', value: ['a\u202e', 'b'] }, names)).toBe('c1 in a\\u202e, b');
  });
});

describe('a figure', () => {
  it('takes the ink of a dark page, and keeps what else it says', () => {
    const layout = {
      width: 700,
      title: { text: 'x', font: { color: '#111', size: 12 } },
      xaxis: { gridcolor: '#fff', tickfont: { color: '#222' }, range: [0, 1] },
      annotations: [{ text: 'note', font: { color: '#333' } }]
    };
    expect(inkedLayout(layout, 'rgba(255, 255, 255, 0.87)')).toMatchObject({
      paper_bgcolor: 'rgba(0, 0, 0, 0)',
      font: { color: 'rgba(255, 255, 255, 0.87)' },
      title: { text: 'x', font: { color: 'rgba(255, 255, 255, 0.87)', size: 12 } },
      xaxis: { gridcolor: 'rgba(255, 255, 255, 0.18)', tickfont: { color: 'rgba(255, 255, 255, 0.87)' }, range: [0, 1] },
      annotations: [{ font: { color: 'rgba(255, 255, 255, 0.87)' } }]
    });
    expect(layout.xaxis.gridcolor, 'the figure itself stays').toBe('#fff');
  });
});
