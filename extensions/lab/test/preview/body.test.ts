import { describe, expect, it, vi } from 'vitest';

import { LumaError } from '../../src/api';
import { drawPreview, PreviewBody } from '../../src/preview/body';
import { column, tableFacts } from '../catalog/facts';

const first = { html: '<table><tr><td>7</td></tr></table>', snapshot: 5, rows: 20, columns: 60, shown: 40 };
const facts = tableFacts('orders', [column('id', { key: 'PRI', nullable: false, min: '0', max: '9', nulls: 0 }), column('<b>')]);

describe('a preview', () => {
  it('shows first rows, columns and definition, and leaves out headings that no column has anything for', () => {
    const host = document.createElement('div');
    host.append(...drawPreview(first, facts));
    expect([...host.querySelectorAll('h2, h3')].map(heading => heading.textContent)).toEqual([
      'orders',
      'First 20 rows, the first 40 columns',
      'Columns',
      'Made by'
    ]);
    expect([...host.querySelectorAll('thead th')].map(cell => cell.textContent)).toEqual(['Column', 'Type', 'Key', 'Smallest', 'Largest', 'NULL']);
    expect(host.textContent).toContain('table · 1,000 rows · 2 columns · 20.0 kB stored · snapshot 5');
    expect(host.textContent).toContain('BIGINT NOT NULL');
    expect(host.querySelector('b')).toBeNull();
  });

  it('shows the table asked for last, and errors with what to do', async () => {
    const columns = vi.fn(async () => facts);
    const rows = vi.fn(async (_bench: string, table: string) => {
      if (table === 'bad') {
        throw new LumaError('There is no table bad.', 404, 'Did you mean orders?');
      }
      return first;
    });
    const body = new PreviewBody({ rows, columns });
    await Promise.all([body.read('/x.luma', 'bad', null), body.read('/x.luma', 'orders', 3)]);
    expect(body.node.querySelector('h2')!.textContent).toBe('orders');
    await body.read('/x.luma', 'bad', null);
    expect(body.node.querySelector('h2')).toBeNull();
    expect(body.node.querySelector('[role=status]')!.textContent).toBe('There is no table bad.Did you mean orders?Try again');
    rows.mockImplementation(async () => first);
    body.node.querySelector('button')!.click();
    await vi.waitFor(() => expect(body.node.querySelector('h2')!.textContent).toBe('orders'));
    body.dispose();
  });
});
