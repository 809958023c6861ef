import type { CodeEditor } from '@jupyterlab/codeeditor';

import type { Session } from '../session';
import type { ISessions } from '../tokens';

/** Where an editor's KadeQL runs: the bench that its notebook has open, and the snapshot that it reads. */
export interface Place {
  readonly bench: string | null;
  readonly at: number | null;
}

/** Finds the notebook that an editor belongs to. */
export class Places {
  constructor(sessions: ISessions) {
    this.#sessions = sessions;
  }

  /** The session of the notebook that has `model` in a cell; null for a file's editor. */
  session(model: CodeEditor.IModel): Session | null {
    const known = this.#known.get(model);
    if (known && !known.isDisposed) {
      return known;
    }
    for (const session of this.#sessions.all()) {
      for (const cell of session.panel.content?.widgets ?? []) {
        if ((cell.model as CodeEditor.IModel) === model) {
          this.#known.set(model, session);
          return session;
        }
      }
    }
    return null;
  }

  place(model: CodeEditor.IModel): Place {
    const bench = this.session(model)?.state?.bench;
    if (!bench) {
      return { bench: null, at: null };
    }
    return { bench: bench.path, at: bench.pinned ?? (bench.snapshot === bench.newest ? null : bench.snapshot) };
  }

  readonly #sessions: ISessions;
  readonly #known = new WeakMap<CodeEditor.IModel, Session>();
}
