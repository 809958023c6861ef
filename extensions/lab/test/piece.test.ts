import { describe, expect, it } from 'vitest';

import { change, kindOf, MIME, pieceOf } from '../src/language/piece';

const PYTHON = 'text/x-ipython';

describe('what an editor holds', () => {
  it.each([
    ['%%kadeql\nSELECT 1', 'magic'],
    ['\n  %%kadeql --limit 3\nSELECT 1', 'magic'],
    ['%kadeql SELECT 1', 'magic'],
    ['%%kadeqlish\nSELECT 1', 'other'],
    ['%kadeql SELECT 1\nx = 1', 'other'],
    ['x = 1\n%%kadeql\nSELECT 1', 'other'],
    ['', 'other']
  ])('%j in a Python notebook is %s', (text, kind) => {
    expect(kindOf(text, PYTHON)).toBe(kind);
  });

  it.each([
    ['SELECT 1', 'bare'],
    ['', 'bare'],
    ['%luma open a.luma\nSELECT 1', 'bare'],
    ['%%python\nx = 1', 'python'],
    ['%%time\nx = 1', 'python'],
    ['%%html\n<b>', 'other'],
    ['%%kadeql --limit 3\nSELECT 1', 'magic']
  ])('%j in a KadeQL notebook is %s', (text, kind) => {
    expect(kindOf(text, MIME)).toBe(kind);
  });
});

describe('the KadeQL of a text', () => {
  it('is the whole cell of a magic, from its first letter', () => {
    expect(pieceOf('\n%%kadeql\nSELECT 1', PYTHON)).toEqual({ from: 1, text: '%%kadeql\nSELECT 1', cell: true });
    expect(pieceOf('x = 1', PYTHON)).toBeNull();
  });

  it('is what follows the lines of IPython in a bare cell', () => {
    expect(pieceOf('%luma tables\n\n!ls\nSELECT 1', MIME)).toEqual({ from: 18, text: 'SELECT 1', cell: false });
    expect(pieceOf('SELECT 5 %\n 2', MIME)).toEqual({ from: 0, text: 'SELECT 5 %\n 2', cell: false });
    expect(pieceOf('%luma tables', MIME)).toEqual({ from: 12, text: '', cell: false });
    expect(pieceOf('%%python\nx', MIME)).toBeNull();
  });
});

describe('the smallest change', () => {
  it.each([
    ['select 1', 'SELECT 1'],
    ['', 'abc'],
    ['abc', ''],
    ['aaa', 'aa'],
    ['aa', 'aaa'],
    ['same', 'same'],
    ['a b c', 'a x c']
  ])('makes %j into %j', (before, after) => {
    const { from, to, insert } = change(before, after);
    expect(from).toBeLessThanOrEqual(to);
    expect(before.slice(0, from) + insert + before.slice(to)).toBe(after);
  });

  it('touches only what differs', () => {
    expect(change('select a from t', 'SELECT a from t')).toEqual({ from: 0, to: 6, insert: 'SELECT' });
  });
});
