import type { IDisposable } from '@lumino/disposable';

import type { Choice } from './choice';

/** How often a bench on the screen is asked for its newest snapshot, in milliseconds, and how seldom while it does not answer. */
const EVERY = 4000;
const SELDOM = 60_000;

/** The id of a bench's newest snapshot; null where it has none. */
export type ReadNewest = (bench: string, signal: AbortSignal) => Promise<number | null>;

/**
 * Tells `choice` of snapshots that other processes write, as long as the panels are on the screen and the page is in front.
 *
 * What the notebook itself writes its kernel tells of at once.
 */
export class Watch implements IDisposable {
  /** @param looked whether somebody sees the panels */
  constructor(choice: Choice, looked: () => boolean, read: ReadNewest) {
    this.#choice = choice;
    this.#looked = looked;
    this.#read = read;
    this.#wait(EVERY);
  }

  get isDisposed(): boolean {
    return this.#stop.signal.aborted;
  }

  dispose(): void {
    this.#stop.abort();
    clearTimeout(this.#timer);
  }

  async #ask(): Promise<void> {
    const bench = this.#choice.bench;
    let next = EVERY;
    if (bench !== null && this.#looked()) {
      try {
        const newest = await this.#read(bench, this.#stop.signal);
        if (newest !== null && !this.isDisposed) {
          this.#choice.notice(bench, newest);
        }
      } catch {
        // The catalog says that the server or the bench is missing, once it is read again.
        next = Math.min(2 * this.#last, SELDOM);
      }
    }
    this.#wait(next);
  }

  #wait(milliseconds: number): void {
    if (!this.isDisposed) {
      this.#last = milliseconds;
      this.#timer = setTimeout(() => void this.#ask(), milliseconds);
    }
  }

  readonly #choice: Choice;
  readonly #looked: () => boolean;
  readonly #read: ReadNewest;
  readonly #stop = new AbortController();
  #last = EVERY;
  #timer: ReturnType<typeof setTimeout> | undefined;
}
