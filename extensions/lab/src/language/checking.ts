import {
  type Action,
  type Diagnostic,
  diagnosticCount,
  forceLinting,
  forEachDiagnostic,
  linter,
  lintGutter,
  nextDiagnostic,
  previousDiagnostic
} from '@codemirror/lint';
import { type Extension, StateEffect } from '@codemirror/state';
import { type EditorView, keymap, ViewPlugin } from '@codemirror/view';
import type { CodeEditor } from '@jupyterlab/codeeditor';

import { type Fix, lint, LumaError, type Problem } from '../api';
import type { ISettings } from '../tokens';
import { pieceOf } from './piece';
import type { Places } from './places';

/** How long typing must rest before a text is checked, in milliseconds. */
const DELAY = 300;

/** A server that had no time for a check is asked again, after so many milliseconds. */
const RETRY = 5000;
const BUSY = 503;
const SLOW = 504;

/** By when a new cell is in its notebook, in milliseconds. */
const SETTLED = 250;

const again = StateEffect.define<null>();

/** Squiggles, a gutter with signs and tooltips with fixes for the KadeQL of `model`. F8 goes from problem to problem, Accel-. fixes one. */
export function checking(model: CodeEditor.IModel, places: Places, settings: ISettings): Extension {
  const check = async (view: EditorView): Promise<Diagnostic[]> => {
    const piece = settings.lint ? pieceOf(view.state.doc.toString(), model.mimeType) : null;
    if (!piece || !piece.text.trim()) {
      return [];
    }
    try {
      const problems = await lint({ text: piece.text, cell: piece.cell, ...places.place(model) });
      return problems.map(problem => diagnostic(problem, piece.from, view));
    } catch (error) {
      if (error instanceof LumaError) {
        // Typing goes on without the server; the status bar and the catalog say that it is missing.
        console.debug(`Luma Bench: ${error.message} ${error.hint}`);
        if (error.status === BUSY || error.status === SLOW) {
          setTimeout(() => view.dom.isConnected && view.dispatch({ effects: again.of(null) }), RETRY);
        }
        return [];
      }
      throw error;
    }
  };
  return [
    linter(check, { delay: DELAY, needsRefresh: update => update.transactions.some(tr => tr.effects.some(e => e.is(again))) }),
    lintGutter({ hoverTime: 200 }),
    keymap.of([
      { key: 'F8', run: nextDiagnostic, preventDefault: true },
      { key: 'Shift-F8', run: previousDiagnostic, preventDefault: true },
      { key: 'Mod-.', run: fix, preventDefault: true }
    ]),
    rechecking(model, places, settings)
  ];
}

/**
 * Checks again when the settings change, or the notebook has another bench, snapshot or newest snapshot: a table may be there now.
 * Where something is wrong, after each cell too.
 */
function rechecking(model: CodeEditor.IModel, places: Places, settings: ISettings): Extension {
  return ViewPlugin.define(view => {
    let session = places.session(model);
    const seen = (): string => JSON.stringify([settings.lint, places.place(model), session?.state?.bench?.newest ?? null]);
    let last = seen();
    let told = session?.state ?? null;
    const look = (): void => {
      const now = seen();
      // The kernel tells its state anew after each cell.
      const ran = session?.state !== told && diagnosticCount(view.state) > 0;
      told = session?.state ?? null;
      if (now !== last || ran) {
        last = now;
        view.dispatch({ effects: again.of(null) });
        forceLinting(view);
      }
    };
    session?.changed.connect(look);
    settings.changed.connect(look);
    // A new cell's editor is made before the cell is in its notebook.
    const later = session
      ? undefined
      : setTimeout(() => {
          session = places.session(model);
          session?.changed.connect(look);
          look();
        }, SETTLED);
    return {
      destroy: () => {
        clearTimeout(later);
        session?.changed.disconnect(look);
        settings.changed.disconnect(look);
      }
    };
  });
}

/** Do the first fix of the problem at the cursor; whether there was one. */
function fix(view: EditorView): boolean {
  const { from: start, to: end } = view.state.selection.main;
  let apply: (() => void) | null = null;
  forEachDiagnostic(view.state, (problem, from, to) => {
    const first = problem.actions?.[0];
    if (first && !apply && from <= end && start <= to) {
      apply = () => first.apply(view, from, to);
    }
  });
  (apply as (() => void) | null)?.();
  return apply !== null;
}

function diagnostic(problem: Problem, offset: number, view: EditorView): Diagnostic {
  const end = view.state.doc.length;
  const from = Math.min(problem.from + offset, end);
  return {
    from,
    to: Math.max(from, Math.min(problem.to + offset, end)),
    severity: problem.severity,
    message: problem.hint ? `${problem.message} ${problem.hint}` : problem.message,
    renderMessage: () => rendered(problem),
    actions: problem.fixes.map(fixed =>
      action(fixed, problem, view.state.sliceDoc(fixed.from + offset, fixed.to + offset))
    )
  };
}

function rendered(problem: Problem): HTMLElement {
  const node = document.createElement('div');
  node.className = 'luma-problem';
  node.append(problem.message);
  if (problem.hint) {
    const hint = document.createElement('div');
    hint.className = 'luma-problem-hint';
    hint.textContent = problem.hint;
    node.append(hint);
  }
  return node;
}

/** The fix as a button; it does nothing when the text that it replaces is not there any more. */
function action(fixed: Fix, problem: Problem, replaced: string): Action {
  return {
    name: fixed.label,
    apply: (view, from) => {
      const start = from + fixed.from - problem.from;
      const end = start + fixed.to - fixed.from;
      if (start >= 0 && view.state.sliceDoc(start, end) === replaced) {
        view.dispatch({ changes: { from: start, to: end, insert: fixed.text }, userEvent: 'input.fix' });
        view.focus();
      }
    }
  };
}
