import { describe, expect, it } from 'vitest';

import { cell, literal, openingCell, pythonText, quoted, version, word } from '../../src/panels/code';
import { marked } from '../../src/panels/dom';
import { Offsets, rowsOf, type TreeNode } from '../../src/panels/rows';
import { ago, count, counted, duration, hasAll, lastPart, size, tidyPath, wordsOf } from '../../src/panels/texts';

const NOW = Date.parse('2026-05-17T12:00:00Z');

describe('texts', () => {
  it('writes sizes with three digits at most', () => {
    const sizes = [0, 999, 1000, 12_345, 99_949, 99_951, 999_499, 999_500, 1_234_567_890].map(size);
    expect(sizes).toEqual(['0 B', '999 B', '1.0 kB', '12.3 kB', '99.9 kB', '100 kB', '999 kB', '1.0 MB', '1.2 GB']);
    expect([size(null), size(undefined)]).toEqual(['', '']);
  });

  it('counts', () => {
    expect([count(1234567), count(0), count(null)]).toEqual(['1,234,567', '0', '']);
    expect([counted(1, 'table'), counted(0, 'table'), counted(1000, 'row')]).toEqual(['1 table', '0 tables', '1,000 rows']);
  });

  it('says how long ago something was', () => {
    const times = ['2026-05-17T11:59:50Z', '2026-05-17T11:57:00Z', '2026-05-17T09:30:00Z', '2026-05-16T11:00:00Z', '2024-05-01T00:00:00Z', 'x'];
    expect(times.map(time => ago(time, NOW))).toEqual(['just now', '3 minutes ago', '2 hours ago', 'yesterday', '2 years ago', '']);
  });

  it('writes durations', () => {
    expect([0.44, 9.96, 12.4, 59.6, 125].map(duration)).toEqual(['0.4 s', '10.0 s', '12 s', '1 min 0 s', '2 min 5 s']);
  });

  it('takes the last part of a path', () => {
    expect(['/a/b.luma', '/a/b.luma/', 'b.luma', '/'].map(lastPart)).toEqual(['b.luma', 'b.luma', 'b.luma', '/']);
  });

  it('takes dots out of paths', () => {
    const paths = ['/a/./b/../c.luma', '/a.luma', 's3://x/../y', '/../a', 'C:\\b\\..\\c'].map(tidyPath);
    expect(paths).toEqual(['/a/c.luma', '/a.luma', 's3://x/../y', '/a', 'C:\\c']);
  });

  it('searches by words', () => {
    expect(wordsOf('  Late  FLIGHTS ')).toEqual(['late', 'flights']);
    expect(hasAll('flights that are late', ['late', 'flights'])).toBe(true);
    expect(hasAll('flights', ['late', 'flights'])).toBe(false);
  });

  it('marks what was searched for, and reads no HTML', () => {
    const host = document.createElement('p');
    host.append(...marked('<b>Flights & flights</b>', ['flights', 'b>']));
    expect(host.textContent).toBe('<b>Flights & flights</b>');
    expect([...host.children].map(child => `${child.tagName} ${child.textContent}`)).toEqual(['MARK b>', 'MARK Flights']);
  });
});

describe('code', () => {
  it('quotes names where KadeQL needs it', () => {
    const names = ['flights', 'Flights_2', 'two words', 'select', 'LEFT', 'a"b', '2nd', ''];
    expect(names.map(quoted)).toEqual(['flights', 'Flights_2', '"two words"', '"select"', '"LEFT"', '"a""b"', '"2nd"', '""']);
  });

  it('writes strings', () => {
    expect([literal("O'Hare"), pythonText('a"b\n'), version(3), version("v'1")]).toEqual([
      "'O''Hare'",
      '"a\\"b\\n"',
      'AT (VERSION => 3)',
      "AT (TAG => 'v''1')"
    ]);
  });

  it('writes words of a line magic as a shell reads them', () => {
    expect(['/a/b.luma', 'two words', "O'Hare", 'élan'].map(word)).toEqual(['/a/b.luma', "'two words'", `'O'"'"'Hare'`, 'élan']);
  });

  it('writes cells', () => {
    expect(cell('SELECT 1', false, null)).toBe('%%kadeql\nSELECT 1');
    expect(cell('SELECT 1', true, null)).toBe('SELECT 1');
    expect(cell('SELECT 1', true, 4)).toBe('%%kadeql --at 4\nSELECT 1');
    expect(cell('SELECT 1', false, 'my tag')).toBe("%%kadeql --at 'my tag'\nSELECT 1");
    expect(openingCell('/a b.luma', false)).toBe("%load_ext luma_bench\n%luma open '/a b.luma'");
    expect(openingCell('/a.luma', true)).toBe('%luma open /a.luma');
  });
});

describe('rows of a tree', () => {
  const leaf = (id: string): TreeNode<string> => ({ id, text: id, data: id });
  const tree: TreeNode<string>[] = [{ ...leaf('a'), children: [leaf('a1'), leaf('a2')] }, leaf('b')];

  it('lists what is open', () => {
    const rows = rowsOf(tree, () => true).map(row => [row.node.id, row.level, row.position, row.siblings, row.open, row.parent]);
    expect(rows).toEqual([
      ['a', 1, 1, 2, true, -1],
      ['a1', 2, 1, 2, null, 0],
      ['a2', 2, 2, 2, null, 0],
      ['b', 1, 2, 2, null, -1]
    ]);
    expect(rowsOf(tree, () => false).map(row => row.node.id)).toEqual(['a', 'b']);
  });

  it('finds the row at a height as a walk over all rows does', () => {
    const heights = Array.from({ length: 200 }, (_, index) => 1 + ((index * 7) % 40));
    const offsets = new Offsets(heights);
    expect(offsets.total).toBe(heights.reduce((sum, height) => sum + height, 0));
    for (let y = 0; y < offsets.total; y += 3) {
      let row = 0;
      for (let top = heights[0]!; top <= y; top += heights[row]!) {
        row += 1;
      }
      expect(offsets.at(y)).toBe(row);
    }
    expect(offsets.at(offsets.total + 99)).toBe(199);
  });
});
