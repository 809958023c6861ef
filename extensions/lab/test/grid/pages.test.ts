// @vitest-environment node
import { describe, expect, it } from 'vitest';

import type { Page } from '../../src/grid/arrow';
import { BLOCK, PageStore, type Rectangle } from '../../src/grid/pages';
import { GridError, Requests } from '../../src/grid/requests';
import { FakeSession, settled } from './fake';

interface Held {
  rectangle: Rectangle;
  give(rows?: number): Promise<void>;
  refuse(): Promise<void>;
}

function page({ offset, count, first, stop }: Rectangle, rows = count): Page {
  const columns = Array.from({ length: stop - first }, (_, column) => ({
    at: (row: number) => `${offset + row}:${first + column}`,
    shown: false,
    length: 0
  }));
  return { rows, columns, bytes: 1000 };
}

function store(rows: number, columns: number): { pages: PageStore; held: Held[]; errors: unknown[] } {
  const held: Held[] = [];
  const errors: unknown[] = [];
  const fetch = (rectangle: Rectangle): Promise<Page> =>
    new Promise((resolve, reject) => {
      held.push({
        rectangle,
        give: rows => {
          resolve(page(rectangle, rows));
          return settled();
        },
        refuse: () => {
          reject(new GridError('no'));
          return settled();
        }
      });
    });
  const pages = new PageStore(200, rows, columns, fetch, () => {}, error => errors.push(error));
  return { pages, held, errors };
}

function at(pages: PageStore, row: number, column: number): unknown {
  const found = pages.find(row, column);
  return found?.values.at(found.row);
}

describe('pages', () => {
  it('asks for the blocks in sight, and drops what is no longer', async () => {
    const { pages, held } = store(10_000, 130);
    pages.want(190, 220, [0, 1]);
    expect(held.map(({ rectangle }) => [rectangle.offset, rectangle.first, rectangle.stop])).toEqual([
      [0, 0, BLOCK],
      [200, 0, BLOCK]
    ]);
    pages.want(1000, 1010, [0, BLOCK, 2 * BLOCK + 1]);
    pages.want(4000, 4010, [0]);
    await held[0].give();
    await held[1].give();
    await held[2].give();
    expect(held.map(({ rectangle }) => rectangle.offset), 'the blocks between were never asked for').toEqual([0, 200, 1000, 4000]);
    expect(at(pages, 205, 1)).toBe('205:1');
    expect(at(pages, 4000, 0)).toBeUndefined();
  });

  it('asks for the rest of a page that came short', async () => {
    const { pages, held } = store(500, 3);
    pages.want(0, 10, [0]);
    await held[0].give(120);
    expect(at(pages, 119, 2)).toBe('119:2');
    expect(at(pages, 120, 2)).toBeUndefined();
    pages.want(0, 150, [0]);
    expect(held[1].rectangle).toEqual({ offset: 120, count: 80, first: 0, stop: 3, key: '0:0', have: 120 });
    await held[1].give();
    expect(at(pages, 150, 2)).toBe('150:2');
  });

  it('completes a first page that lacks columns', async () => {
    const { pages, held } = store(500, 100);
    pages.seed(page({ offset: 0, count: 200, first: 0, stop: 70 }));
    expect(at(pages, 3, 69)).toBe('3:69');
    pages.want(0, 10, [0, 69, 80]);
    expect(held.map(({ rectangle }) => [rectangle.first, rectangle.stop, rectangle.count])).toEqual([[64, 100, 200]]);
    await held[0].give();
    expect(at(pages, 3, 99)).toBe('3:99');
  });

  it('forgets answers to questions about another view', async () => {
    const { pages, held } = store(500, 3);
    pages.want(0, 10, [0]);
    pages.reset(50);
    await held[0].give();
    expect(at(pages, 0, 0)).toBeUndefined();
    pages.want(0, 10, [0]);
    expect(held[1].rectangle.count).toBe(50);
  });

  it('tries a refused block again only when told', async () => {
    const { pages, held, errors } = store(500, 3);
    pages.want(0, 10, [0]);
    await held[0].refuse();
    expect(errors).toHaveLength(1);
    expect(pages.hasFailed(5, 1)).toBe(true);
    pages.want(0, 10, [0]);
    expect(held).toHaveLength(1);
    pages.retry();
    pages.want(0, 10, [0]);
    expect(held).toHaveLength(2);
  });

  it('takes an empty page for a failure and does not ask for ever', async () => {
    const { pages, held, errors } = store(500, 3);
    pages.want(0, 10, [0]);
    await held[0].give(0);
    pages.want(0, 10, [0]);
    expect(errors).toHaveLength(1);
    expect(held).toHaveLength(1);
  });
});

describe('requests', () => {
  it('match replies to questions, and hear no one else’s', async () => {
    const session = new FakeSession([], 0);
    const requests = new Requests(session);
    session.answers.set('view', message => ({ type: 'view', id: message.id, view: 4, rows: 2 }));
    const { message } = await requests.ask<{ view: number }>({ type: 'view' }).reply;
    expect(message.view).toBe(4);
    session.answers.set('cell', () => ({ type: 'cell', id: 'somebody-1', text: 'theirs' }));
    let answered = false;
    void requests.ask({ type: 'cell' }).reply.then(() => (answered = true));
    await settled();
    expect(answered).toBe(false);
  });

  it('fail with what the session said', async () => {
    const session = new FakeSession([], 0);
    session.answers.set('view', () => ({ type: 'error', message: 'No such column.', hint: 'Name another.' }));
    await expect(new Requests(session).ask({ type: 'view' }).reply).rejects.toMatchObject({
      message: 'No such column.',
      hint: 'Name another.',
      cancelled: false
    });
  });

  it('are stopped in the session too', async () => {
    const session = new FakeSession([], 0);
    session.answers.set('view', () => undefined);
    const pending = new Requests(session).ask({ type: 'view' });
    pending.cancel();
    await expect(pending.reply).rejects.toMatchObject({ cancelled: true });
    expect(session.sent.at(-1)).toEqual({ type: 'cancel', id: session.sent[0].id });
  });

  it('all fail when the kernel ends, and later ones at once', async () => {
    const session = new FakeSession([], 0);
    session.answers.set('view', () => undefined);
    const requests = new Requests(session);
    const { reply } = requests.ask({ type: 'view' });
    session.end();
    await expect(reply).rejects.toBeInstanceOf(GridError);
    await expect(requests.ask({ type: 'view' }).reply).rejects.toThrow('ended');
    expect(session.asked('view')).toHaveLength(1);
  });

  it('close only a session of their own', () => {
    const own = new FakeSession([], 0);
    new Requests(own).close();
    const shared = new FakeSession([], 0);
    new Requests(shared, false).close();
    expect([own.sent, shared.sent]).toEqual([[{ type: 'close' }], []]);
  });
});
