import { describe, expect, it } from 'vitest';

import { kadeql } from '../src/language/tokenizer';
import examples from './fixtures/keywords.json';

/** The spans of `text` that are highlighted as keywords. */
function highlighted(text: string): [number, number][] {
  const spans: [number, number][] = [];
  kadeql.parser.parse(text).iterate({
    enter: node => {
      if (node.name === 'keyword') {
        spans.push([node.from, node.to]);
      }
    }
  });
  return spans;
}

describe('keywords', () => {
  const marked = (text: string, spans: number[][]): string[] => spans.map(([from, to]) => `${from}:${text.slice(from, to)}`);

  it('are those of the formatter, in every example of the documentation', () => {
    const differ = examples.flatMap(({ text, keywords }) => {
      const want = marked(text, keywords);
      const got = marked(text, highlighted(text));
      const missing = want.filter(word => !got.includes(word));
      const extra = got.filter(word => !want.includes(word));
      return missing.length || extra.length ? [{ text, missing, extra }] : [];
    });
    expect(differ).toEqual([]);
  });
});
