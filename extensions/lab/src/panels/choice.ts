import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import type { LumaError } from '../api';
import type { Session } from '../session';
import type { ISessions } from '../tokens';
import type { FoundBench } from './server';
import { tidyPath } from './texts';

/** A snapshot's id or tag. */
export type At = number | string;

/** Which benches the server has. */
export type FindBenches = () => Promise<{ readonly root: string; readonly benches: readonly FoundBench[] }>;

/**
 * Which bench the panels show, and at which snapshot.
 *
 * Without a choice of the reader it is the bench of the notebook in front, at the snapshot that the notebook is pinned to or else the
 * newest; while no notebook has one open, it is the server's first.
 */
export class Choice implements IDisposable {
  constructor(sessions: ISessions, find: FindBenches) {
    this.#sessions = sessions;
    this.#find = find;
    sessions.currentChanged.connect(this.#settle, this);
    sessions.added.connect((_, session) => this.#follow(session), this);
    sessions.all().forEach(session => this.#follow(session));
    this.#settle();
  }

  /** The bench or the snapshot is another one, there is a newer one, or other benches are to choose from. */
  readonly changed: ISignal<this, void> = new Signal<this, void>(this);

  /** The bench's absolute path; null when there is none. */
  get bench(): string | null {
    return this.#bench;
  }

  /** The snapshot to look at; null is the newest. */
  get at(): At | null {
    return this.#at ?? this.pinned;
  }

  /** Whether the reader chose that snapshot. */
  get back(): boolean {
    return this.#at !== null;
  }

  /** The snapshot that the notebook of this bench is pinned to. */
  get pinned(): number | null {
    return this.session?.state?.bench?.pinned ?? null;
  }

  /** The notebook that has this bench open; the one in front when several have. */
  get session(): Session | null {
    const current = this.#sessions.current;
    if (current && this.#bench !== null && benchOf(current) === this.#bench) {
      return current;
    }
    return this.#sessions.all().find(session => this.#bench !== null && benchOf(session) === this.#bench) ?? null;
  }

  /** The notebook in front. */
  get notebook(): Session | null {
    return this.#sessions.current;
  }

  /** The bench that the reader chose; null while the notebook says. */
  get picked(): string | null {
    return this.#picked;
  }

  /** The paths to choose from: those that notebooks have open, then the server's. */
  get paths(): readonly string[] {
    const open = this.#sessions.all().flatMap(session => benchOf(session) ?? []);
    const chosen = this.#picked === null ? [] : [this.#picked];
    return [...new Set([...open, ...this.#found.map(found => found.path), ...chosen])];
  }

  /** The name to show for `path`: below the server's root, else the path. */
  name(path: string): string {
    return this.#found.find(found => found.path === path)?.name ?? path;
  }

  /** What reading the benches of the server met. */
  get error(): LumaError | Error | null {
    return this.#error;
  }

  get isDisposed(): boolean {
    return this.#disposed;
  }

  /** Changes whenever the bench has a newer snapshot, as far as its notebook knows, and when the reader asks. */
  get news(): string {
    return `${this.session?.state?.bench?.newest ?? ''} ${this.#asked}`;
  }

  /** Changes whenever the catalog must be read anew. */
  get key(): string {
    return JSON.stringify([this.bench, this.at, this.news]);
  }

  /** What was read of the bench `path` was of snapshot `newest`, its newest. */
  saw(path: string, newest: number): void {
    if (path === this.#bench) {
      this.#seen = newest;
    }
  }

  /** The newest snapshot of the bench `path` is `newest` now: another process may have written it. */
  notice(path: string, newest: number): void {
    if (path !== this.#bench || newest === this.#seen) {
      return;
    }
    const known = this.#seen === null || newest === this.session?.state?.bench?.newest;
    this.#seen = newest;
    if (!known) {
      this.#asked += 1;
      this.#settle();
    }
  }

  /** Show the bench at `path`, or with null the notebook's again. */
  pick(path: string | null): void {
    this.#picked = path;
    this.#settle();
  }

  /** Show a bench below the server's root by its name there. */
  async pickNamed(name: string): Promise<void> {
    const { root, benches } = await this.#find();
    this.#found = benches;
    this.pick(benches.find(found => found.name === name)?.path ?? `${root.replace(/\/$/, '')}/${name}`);
  }

  /** Look at a snapshot; with null at the newest, or the one the notebook is pinned to. */
  look(at: At | null): void {
    this.#at = at;
    this.#settle();
  }

  /** Whether the server is being asked for its benches. */
  get busy(): boolean {
    return this.#busy > 0;
  }

  /** Read everything anew, the server's benches too. */
  async refresh(): Promise<void> {
    this.#asked += 1;
    await this.discover();
  }

  /** Ask the server for its benches. */
  async discover(): Promise<void> {
    this.#busy += 1;
    this.#settle();
    try {
      this.#found = (await this.#find()).benches;
      this.#error = null;
    } catch (error) {
      this.#found = [];
      this.#error = error as Error;
    } finally {
      this.#busy -= 1;
    }
    this.#settle();
  }

  dispose(): void {
    this.#disposed = true;
    this.#sessions.all().forEach(session => session.changed.disconnect(this.#settle, this));
    Signal.clearData(this);
  }

  #follow(session: Session): void {
    session.changed.connect(this.#settle, this);
    session.panel.disposed.connect(this.#settle, this);
    this.#settle();
  }

  #settle(): void {
    if (this.#disposed) {
      return;
    }
    const bench = this.#picked ?? this.#fitting();
    if (bench !== this.#bench) {
      this.#bench = bench;
      this.#at = null;
      this.#seen = null;
    }
    const told = this.key + JSON.stringify([this.paths, this.notebook?.context.path, this.notebook?.bench, this.busy, this.#error?.message]);
    if (told !== this.#told) {
      this.#told = told;
      (this.changed as Signal<this, void>).emit();
    }
  }

  #fitting(): string | null {
    const current = this.#sessions.current && benchOf(this.#sessions.current);
    if (current) {
      return current;
    }
    const open = this.#sessions.all().flatMap(session => benchOf(session) ?? []);
    if (this.#bench !== null && (open.includes(this.#bench) || this.#found.some(found => found.path === this.#bench))) {
      return this.#bench;
    }
    return open[0] ?? this.#found[0]?.path ?? null;
  }

  readonly #sessions: ISessions;
  readonly #find: FindBenches;
  #found: readonly FoundBench[] = [];
  #bench: string | null = null;
  #picked: string | null = null;
  #at: At | null = null;
  #error: Error | null = null;
  /** The newest snapshot that was read of the bench. */
  #seen: number | null = null;
  #asked = 0;
  #busy = 0;
  #told = '';
  #disposed = false;
}

/** The bench of a session by the path that the server knows it by: `%luma open ../demo.luma` leaves dots in the kernel's. */
export function benchOf(session: Session): string | null {
  return session.bench === null ? null : tidyPath(session.bench);
}
