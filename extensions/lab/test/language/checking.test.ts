import { forEachDiagnostic } from '@codemirror/lint';
import { EditorView } from '@codemirror/view';
import type { CodeEditor } from '@jupyterlab/codeeditor';
import { Signal } from '@lumino/signaling';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { Problem } from '../../src/api';
import { checking } from '../../src/language/checking';
import { Places } from '../../src/language/places';
import type { ISettings } from '../../src/tokens';
import { FakeSessions } from '../panels/sessions';

const asked: object[] = [];
let answer: readonly Problem[] = [];

vi.mock('../../src/api', async load => ({
  ...(await load<object>()),
  lint: async (source: object) => {
    asked.push(source);
    return answer;
  }
}));

const ABSENT: Problem = { from: 9, to: 10, severity: 'error', message: "There is no table 't'.", hint: '', fixes: [] };
const model = { mimeType: 'text/x-kadeql' } as CodeEditor.IModel;
let view: EditorView;
let notebook: ReturnType<FakeSessions['add']>;

function problems(): string[] {
  const found: string[] = [];
  forEachDiagnostic(view.state, problem => found.push(problem.message));
  return found;
}

beforeEach(async () => {
  vi.useFakeTimers();
  asked.length = 0;
  const sessions = new FakeSessions();
  notebook = sessions.add('n.ipynb');
  Object.assign(notebook.panel.content, { widgets: [{ model }] });
  notebook.open('/x.luma', { snapshot: 5, newest: 5 });
  const settings = { lint: true, changed: new Signal({}) } as unknown as ISettings;
  answer = [ABSENT];
  view = new EditorView({ doc: 'SELECT 1 FROM t', parent: document.body, extensions: checking(model, new Places(sessions.real), settings) });
  await vi.advanceTimersByTimeAsync(1000);
});

afterEach(() => {
  view.destroy();
  vi.useRealTimers();
});

describe('a text is checked anew', () => {
  it('when the bench has a newer snapshot, since the table may be there now', async () => {
    expect([asked.length, problems()]).toEqual([1, [ABSENT.message]]);
    answer = [];
    notebook.open('/x.luma', { snapshot: 6, newest: 6 });
    await vi.advanceTimersByTimeAsync(1000);
    expect([asked.length, problems()]).toEqual([2, []]);
  });

  it('after each cell as long as something is wrong', async () => {
    notebook.open('/x.luma', { snapshot: 5, newest: 5 });
    await vi.advanceTimersByTimeAsync(1000);
    expect(asked.length).toBe(2);
    answer = [];
    notebook.open('/x.luma', { snapshot: 5, newest: 5 });
    await vi.advanceTimersByTimeAsync(1000);
    notebook.open('/x.luma', { snapshot: 5, newest: 5 });
    await vi.advanceTimersByTimeAsync(1000);
    expect([asked.length, problems()]).toEqual([3, []]);
  });

  it('not for what a statement tells while it runs', async () => {
    notebook.changed.emit();
    await vi.advanceTimersByTimeAsync(1000);
    expect(asked.length).toBe(1);
  });
});
