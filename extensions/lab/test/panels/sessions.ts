import { Signal } from '@lumino/signaling';

import type { BenchState, KernelState } from '../../src/session';
import type { ISessions } from '../../src/tokens';

/** A notebook's session that does what it is told. */
export class FakeSession {
  constructor(name: string) {
    this.context = { path: name };
  }

  readonly changed = new Signal<this, void>(this);
  readonly panel = { disposed: new Signal<object, void>({}), content: { codeMimetype: 'text/x-python' } };
  readonly context: { readonly path: string };
  state: KernelState | null = null;

  get bench(): string | null {
    return this.state?.bench?.path ?? null;
  }

  open(path: string, bench: Partial<BenchState> = {}): void {
    const held = { path, mode: 'a', snapshot: 5, newest: 5, pinned: null, tables: 2, ...bench };
    this.state = { bench: held, engine: 'auto', cluster: null, version: '1' };
    this.changed.emit();
  }
}

/** Notebooks of which one is in front. */
export class FakeSessions {
  readonly currentChanged = new Signal<this, unknown>(this);
  readonly added = new Signal<this, unknown>(this);
  current: FakeSession | null = null;
  readonly held: FakeSession[] = [];

  all(): FakeSession[] {
    return this.held;
  }

  add(name: string): FakeSession {
    const made = new FakeSession(name);
    this.held.push(made);
    this.added.emit(made);
    this.front(made);
    return made;
  }

  front(session: FakeSession | null): void {
    this.current = session;
    this.currentChanged.emit(session);
  }

  /** As the sessions that they stand for. */
  get real(): ISessions {
    return this as unknown as ISessions;
  }
}
