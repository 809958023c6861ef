import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { type ISignal, Signal } from '@lumino/signaling';

import { Session } from '../session';
import { ISessions } from '../tokens';

class Sessions implements ISessions {
  constructor(tracker: INotebookTracker) {
    tracker.forEach(panel => this.of(panel));
    tracker.widgetAdded.connect((_, panel) => this.of(panel));
    tracker.currentChanged.connect((_, panel) => this.#bring(panel));
    this.#bring(tracker.currentWidget);
  }

  readonly currentChanged: ISignal<this, Session | null> = new Signal<this, Session | null>(this);
  readonly added: ISignal<this, Session> = new Signal<this, Session>(this);

  get current(): Session | null {
    return this.#current;
  }

  of(panel: NotebookPanel): Session {
    const known = this.#sessions.get(panel);
    if (known) {
      return known;
    }
    const session = new Session(panel);
    this.#sessions.set(panel, session);
    panel.disposed.connect(() => this.#sessions.delete(panel));
    (this.added as Signal<this, Session>).emit(session);
    return session;
  }

  all(): readonly Session[] {
    return [...this.#sessions.values()];
  }

  #bring(panel: NotebookPanel | null): void {
    const session = panel && !panel.isDisposed ? this.of(panel) : null;
    if (session !== this.#current) {
      this.#current = session;
      (this.currentChanged as Signal<this, Session | null>).emit(session);
    }
  }

  readonly #sessions = new Map<NotebookPanel, Session>();
  #current: Session | null = null;
}

const plugin: JupyterFrontEndPlugin<ISessions> = {
  id: 'luma-bench-lab:sessions',
  autoStart: true,
  provides: ISessions,
  requires: [INotebookTracker],
  activate: (_app: JupyterFrontEnd, tracker: INotebookTracker): ISessions => new Sessions(tracker)
};

export default plugin;
