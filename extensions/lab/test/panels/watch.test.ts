// @vitest-environment node
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Choice } from '../../src/panels/choice';
import { Watch } from '../../src/panels/watch';
import { FakeSessions } from './sessions';

let sessions: FakeSessions;
let choice: Choice;
let watch: Watch;
let looked: boolean;
let newest: number | Error;
let asked: string[];
let told: number;

const later = (seconds: number) => vi.advanceTimersByTimeAsync(seconds * 1000);

beforeEach(() => {
  vi.useFakeTimers();
  sessions = new FakeSessions();
  choice = new Choice(sessions.real, async () => ({ root: '/srv', benches: [] }));
  looked = true;
  newest = 5;
  asked = [];
  watch = new Watch(choice, () => looked, async bench => {
    asked.push(bench);
    if (newest instanceof Error) {
      throw newest;
    }
    return newest;
  });
  choice.pick('/x.luma');
  told = 0;
  choice.changed.connect(() => {
    told += 1;
  });
});

afterEach(() => {
  watch.dispose();
  vi.useRealTimers();
});

describe('what other processes write', () => {
  it('is noticed within seconds, and read once', async () => {
    choice.saw('/x.luma', 5);
    await later(9);
    expect([asked, told]).toEqual([['/x.luma', '/x.luma'], 0]);
    newest = 6;
    const key = choice.key;
    await later(9);
    expect(told).toBe(1);
    expect(choice.key).not.toBe(key);
  });

  it('is not asked for while nobody looks, or there is no bench', async () => {
    looked = false;
    await later(60);
    expect(asked).toEqual([]);
    looked = true;
    choice.pick(null);
    await later(60);
    expect(asked).toEqual([]);
  });

  it('is nothing new where the notebook told of it', async () => {
    choice.pick(null);
    const notebook = sessions.add('n.ipynb');
    notebook.open('/x.luma', { newest: 5 });
    choice.saw('/x.luma', 5);
    notebook.open('/x.luma', { newest: 6 });
    newest = 6;
    const before = told;
    await later(9);
    expect(told).toBe(before);
  });

  it('begins with what is there, for each bench anew', async () => {
    await later(5);
    expect(told).toBe(0);
    choice.pick('/y.luma');
    newest = 2;
    const before = told;
    await later(9);
    expect([asked.at(-1), told]).toEqual(['/y.luma', before]);
  });

  it('is asked for more and more seldom while nobody answers', async () => {
    newest = new Error('gone');
    await later(120);
    expect(asked.length).toBeLessThan(7);
    newest = 5;
    await later(70);
    const before = asked.length;
    await later(20);
    expect(asked.length).toBeGreaterThan(before + 3);
  });
});
