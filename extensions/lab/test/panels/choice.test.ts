// @vitest-environment node
import { beforeEach, describe, expect, it } from 'vitest';

import { LumaError } from '../../src/api';
import { Choice } from '../../src/panels/choice';
import { FakeSessions } from './sessions';

const found = (...names: string[]) => ({
  root: '/srv',
  benches: names.map(name => ({ path: `/srv/${name}`, name, published: false })),
  complete: true
});

let sessions: FakeSessions;
let told: number;

function choose(find: () => Promise<ReturnType<typeof found>> = async () => found('a.luma', 'sub/b.luma')): Choice {
  const choice = new Choice(sessions.real, find);
  choice.changed.connect(() => {
    told += 1;
  });
  return choice;
}

beforeEach(() => {
  sessions = new FakeSessions();
  told = 0;
});

describe('which bench the panels show', () => {
  it('is the server’s first until a notebook has one', async () => {
    const choice = choose();
    expect(choice.bench).toBeNull();
    await choice.discover();
    expect(choice.bench).toBe('/srv/a.luma');
    const notebook = sessions.add('n.ipynb');
    notebook.open('/srv/sub/b.luma');
    expect(choice.bench).toBe('/srv/sub/b.luma');
    expect(choice.paths).toEqual(['/srv/sub/b.luma', '/srv/a.luma']);
    expect([choice.name('/srv/sub/b.luma'), choice.name('/other/c.luma')]).toEqual(['sub/b.luma', '/other/c.luma']);
  });

  it('follows the notebook in front, and stays when that one has none', () => {
    const choice = choose();
    const first = sessions.add('1.ipynb');
    first.open('/x.luma');
    const second = sessions.add('2.ipynb');
    expect(choice.bench).toBe('/x.luma');
    second.open('/y.luma');
    expect(choice.bench).toBe('/y.luma');
    sessions.front(first as never);
    expect(choice.bench).toBe('/x.luma');
    sessions.front(null);
    expect(choice.bench).toBe('/x.luma');
  });

  it('knows a bench that was opened by a path with dots', async () => {
    const choice = choose();
    await choice.discover();
    sessions.add('sub/n.ipynb').open('/srv/sub/../a.luma');
    expect([choice.bench, choice.paths, choice.session === null]).toEqual(['/srv/a.luma', ['/srv/a.luma', '/srv/sub/b.luma'], false]);
  });

  it('is the reader’s choice until that is taken back', async () => {
    const choice = choose();
    sessions.add('n.ipynb').open('/x.luma');
    await choice.pickNamed('sub/b.luma');
    expect([choice.bench, choice.picked, choice.session]).toEqual(['/srv/sub/b.luma', '/srv/sub/b.luma', null]);
    await choice.pickNamed('new.luma');
    expect(choice.bench).toBe('/srv/new.luma');
    choice.pick(null);
    expect(choice.bench).toBe('/x.luma');
  });

  it('looks at the snapshot asked for, else at the pinned one, and forgets it with the bench', () => {
    const choice = choose();
    const notebook = sessions.add('n.ipynb');
    notebook.open('/x.luma');
    expect([choice.at, choice.back]).toEqual([null, false]);
    notebook.open('/x.luma', { pinned: 3 });
    expect([choice.at, choice.back, choice.pinned]).toEqual([3, false, 3]);
    choice.look(2);
    expect([choice.at, choice.back]).toEqual([2, true]);
    notebook.open('/y.luma');
    expect([choice.at, choice.back]).toEqual([null, false]);
  });

  it('tells of a newer snapshot, and not of what it does not show', () => {
    const choice = choose();
    const notebook = sessions.add('n.ipynb');
    notebook.open('/x.luma');
    const [before, key] = [told, choice.key];
    notebook.changed.emit();
    expect(told).toBe(before);
    notebook.open('/x.luma', { snapshot: 6, newest: 6 });
    expect(told).toBe(before + 1);
    expect(choice.key).not.toBe(key);
  });

  it('keeps the error of a server that cannot tell', async () => {
    const choice = choose(async () => {
      throw new LumaError('no', 404, 'install it');
    });
    await choice.refresh();
    expect([choice.bench, choice.error?.message, choice.busy]).toEqual([null, 'no', false]);
  });

  it('reads anew when asked, whatever it knows', async () => {
    const choice = choose();
    sessions.add('n.ipynb').open('/x.luma');
    const key = choice.key;
    await choice.refresh();
    expect(choice.key).not.toBe(key);
  });
});
