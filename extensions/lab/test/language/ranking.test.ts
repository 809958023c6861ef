import { describe, expect, it } from 'vitest';

import { RankedModel } from '../../src/language/ranking';

const ITEMS = [
  { label: 'bucket', type: 'column' },
  { label: 'balance', type: 'column' },
  { label: 'big', type: 'alias' },
  { label: 'bit_and', type: 'function' },
  { label: 'bar', type: 'function' },
  { label: 'between', type: 'keyword' },
  { label: 'number', type: 'column' },
  { label: 'begun_in_the_cell' }
];

function shown(model: RankedModel, query: string): string[] {
  model.setCompletionItems(ITEMS.map(item => ({ ...item })));
  model.query = query;
  return model.completionItems().map(item => item.insertText ?? item.label);
}

describe('what is offered of KadeQL', () => {
  it('keeps the order of the answer, what begins with the typed text first', () => {
    const model = new RankedModel(() => true);
    expect(shown(model, 'b')).toEqual(['bucket', 'balance', 'big', 'bit_and', 'bar', 'between', 'number']);
    model.query = 'be';
    expect(model.completionItems()[0]?.insertText).toBe('between');
    model.query = 'ba';
    expect(model.completionItems().map(item => item.insertText)).toEqual(['balance', 'bar', 'bit_and']);
    expect(model.completionItems()).toBe(model.completionItems());
  });

  it('is known by its kinds on a line among Python', () => {
    expect(shown(new RankedModel(() => false), 'b')[0]).toBe('bucket');
  });

  it('has no words of the cell, which nobody said may stand there', () => {
    const model = new RankedModel(() => true);
    model.setCompletionItems([{ label: 'word' }]);
    expect(model.completionItems()).toEqual([]);
  });

  it('leaves the order of Python to JupyterLab', () => {
    const model = new RankedModel(() => false);
    model.setCompletionItems([{ label: 'zip', type: 'function' }, { label: 'zap' }]);
    model.query = 'z';
    expect(model.completionItems().map(item => item.insertText)).toEqual(['zap', 'zip']);
  });
});
