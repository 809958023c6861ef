// @vitest-environment node
import { describe, expect, it } from 'vitest';

import { decodePage, type PageColumn } from '../../src/grid/arrow';
import { decimalsOf, exactFloat, showCell, visible } from '../../src/grid/cells';
import type { ColumnInfo, Kind } from '../../src/grid/protocol';
import fixture from '../fixtures/page.json';

const bytes = Uint8Array.from(atob(fixture.arrow), letter => letter.charCodeAt(0));
const page = decodePage(new DataView(bytes.buffer));
const KINDS: Kind[] = ['int', 'timestamp', 'float', 'bool', 'text', 'vector'];

function info(kind: Kind): ColumnInfo {
  return { index: 0, name: 'x', type: kind, kind };
}

function texts(column: number): string[] {
  const values = page.columns[column];
  return [0, 1, 2].map(row => showCell(values.at(row), info(KINDS[column]), values, decimalsOf(values, page.rows)).text);
}

function floats(...values: (number | null)[]): PageColumn {
  return { at: row => values[row], shown: false, length: 0 };
}

function shownFloats(...values: (number | null)[]): string[] {
  const column = floats(...values);
  const decimals = decimalsOf(column, values.length);
  return values.map(value => showCell(value, info('float'), column, decimals).text);
}

describe('a page written by pyarrow', () => {
  it('shows every kind, and NULL as NULL', () => {
    expect(page.rows).toBe(3);
    expect(texts(0)).toEqual(['1', 'NULL', '-9007199254740993']);
    expect(texts(1)).toEqual(['2013-01-01 05:00:00-05:00', 'NULL', 'infinity']);
    expect(texts(2)).toEqual(['1.5', 'NULL', 'NaN']);
    expect(texts(3)).toEqual(['true', 'NULL', 'false']);
    expect(texts(4)).toEqual(['a\\tb', '', 'مرحبا']);
    expect(texts(5)).toEqual(['[1, 2, 3, …]', 'NULL', '[0.5, …]']);
  });

  it('says how long a vector is that was cut', () => {
    const values = page.columns[5];
    expect(showCell(values.at(0), info('vector'), values, 0).title).toBe('300 elements');
  });

  it('is read wherever it stands in its message', () => {
    const odd = new Uint8Array(bytes.length + 5);
    odd.set(bytes, 5);
    expect(decodePage(new DataView(odd.buffer, 5, bytes.length)).columns[0].at(0)).toBe(1n);
  });
});

describe('numbers', () => {
  it('share their decimals, six at most, in a column', () => {
    expect(shownFloats(1, 2.5, null, 100.125)).toEqual(['1.000', '2.500', 'NULL', '100.125']);
    expect(shownFloats(0.1 + 0.2, 1)).toEqual(['0.3', '1.0']);
    expect(shownFloats(2002881.2699999998, 1 / 3)).toEqual(['2002881.270000', '0.333333']);
  });

  it('never show a value as zero that is none, nor a large one with digits it has not', () => {
    expect(shownFloats(0.00025, 3)).toEqual(['0.00025', '3.00000']);
    expect(shownFloats(1e-7, 3)[0]).toBe('1e-07');
    expect(shownFloats(1.5e20)[0]).toBe('1.5e+20');
  });

  it('name what is not finite, and the sign of zero', () => {
    expect(shownFloats(NaN, Infinity, -Infinity)).toEqual(['NaN', 'inf', '-inf']);
    expect(exactFloat(-0)).toBe('-0.0');
    expect(exactFloat(3)).toBe('3.0');
  });

  it('set thousands apart in their title alone', () => {
    const column = floats(1);
    const shown = showCell(-1234567n, info('int'), column, 0);
    expect([shown.text, shown.title]).toEqual(['-1234567', '-1,234,567']);
    expect(showCell('12345.50', info('decimal'), column, 0).title).toBe('12,345.50');
    expect(showCell(999n, info('int'), column, 0).title).toBe('');
  });
});

describe('text', () => {
  it('cannot reorder or move what stands around it', () => {
    expect(visible('a\u202eb\u0007\n')).toBe('a\\u202eb\\u0007\\n');
  });

  it('is cut where it is too long for a cell', () => {
    const shown = showCell('x'.repeat(5000), info('text'), floats(), 0);
    expect(shown.cut).toBe(true);
    expect(shown.text.length).toBeLessThan(500);
  });
});
