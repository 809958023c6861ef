import { describe, expect, it } from 'vitest';

import { kadeql } from '../src/language/tokenizer';

/** The styled stretches of a text as `style:text`. */
function styled(text: string): string[] {
  const found: string[] = [];
  kadeql.parser.parse(text).iterate({
    enter: node => {
      if (node.name !== 'Document') {
        found.push(`${node.name}:${text.slice(node.from, node.to)}`);
      }
    }
  });
  return found;
}

const of = (style: string, text: string): string[] =>
  styled(text)
    .filter(token => token.startsWith(`${style}:`))
    .map(token => token.slice(style.length + 1));

describe('the first lines of a cell', () => {
  it('are a magic with its options', () => {
    const text = '%%kadeql late << --limit 5 --at "2013-02-08 06:00" --strict --wrong\nSELECT 1';
    expect(of('meta', text)).toEqual(['%%kadeql']);
    expect(of('attributeName', text)).toEqual(['--limit', '--at', '--strict']);
    expect(of('invalid', text)).toEqual(['--wrong']);
    expect(of('string', text)).toEqual(['"2013-02-08 06:00"']);
    expect(of('keyword', text)).toEqual(['SELECT']);
  });

  it('hold the statement behind the options of a line', () => {
    expect(of('keyword', '%kadeql --limit 3 SELECT * FROM t')).toEqual(['SELECT', 'FROM']);
  });

  it('are magics of IPython above a bare cell', () => {
    const text = '%luma open a.luma\n\nSELECT 5 % 2';
    expect(of('meta', text)).toEqual(['%luma open a.luma']);
    expect(of('number', text)).toEqual(['5', '2']);
  });
});

describe('comments, strings and names', () => {
  it('go over lines', () => {
    expect(of('comment', "SELECT 1 /* a /* nested\n */ b\n */ + 2 -- end")).toEqual(['/* a /* nested', ' */ b', ' */', '-- end']);
    expect(of('string', "SELECT 'it''s\nlong', e'a\\'b', $$d 'q'$$, $t$x$$y$t$ FROM t")).toEqual([
      "'it''s",
      'long\'',
      "e'a\\'b'",
      "$$d 'q'$$",
      '$t$x$$y$t$'
    ]);
    expect(of('keyword', "SELECT 'FROM' \"WHERE\" FROM t")).toEqual(['SELECT', 'FROM']);
  });

  it('leave edges of a pattern alone', () => {
    const text = 'MATCH (a)-->(b)<--(c)--(d) -- the rest\nRETURN a.id';
    expect(of('comment', text)).toEqual(['-- the rest']);
    expect(of('keyword', text)).toEqual(['MATCH', 'RETURN']);
  });
});

describe('words', () => {
  it('are labels, parameters, functions and types where they stand so', () => {
    const text = 'MATCH (a:airports)-[r:route]->(b) WHERE a.km > $least RETURN b.iata, sum(r.km)::DOUBLE, path';
    expect(of('labelName', text)).toEqual(['airports', 'route']);
    expect(styled(text)).toContain('variableName.special:$least');
    expect(styled(text)).toContain('variableName.standard:sum');
    expect(of('typeName', text)).toEqual(['DOUBLE']);
  });

  it('are keywords only where the language makes them so', () => {
    expect(of('keyword', 'SELECT fill, first, latest, match FROM graph')).toEqual(['SELECT', 'FROM']);
    expect(of('keyword', "SELECT x FROM t SAMPLE BY '1h' FILL(PREV)")).toEqual(['SELECT', 'FROM', 'SAMPLE', 'BY', 'FILL', 'PREV']);
    expect(of('keyword', 'SELECT t.select FROM t')).toEqual(['SELECT', 'FROM']);
  });

  it('never hang on what is not closed', () => {
    for (const text of ["SELECT 'a", 'SELECT "a', 'SELECT /* a', 'SELECT $$a', ')]}', 'SELECT (((', '%%kadeql --params {', '\u{1f600} --x']) {
      expect(() => styled(text)).not.toThrow();
    }
  });
});
