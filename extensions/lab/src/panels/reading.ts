/** Runs one request at a time: a newer one makes the answer of those before it worthless. */
export class Latest {
  /**
   * Run `work`; what it gives, or null when another one began meanwhile.
   *
   * @throws what `work` throws, unless another one began meanwhile
   */
  async run<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T | null> {
    this.stop();
    const mine = new AbortController();
    this.#now = mine;
    try {
      const found = await work(mine.signal);
      return mine.signal.aborted ? null : found;
    } catch (error) {
      if (mine.signal.aborted) {
        return null;
      }
      throw error;
    } finally {
      if (this.#now === mine) {
        this.#now = null;
      }
    }
  }

  /** Whether one is under way. */
  get busy(): boolean {
    return this.#now !== null;
  }

  /** What is under way is of no interest any more. */
  stop(): void {
    this.#now?.abort();
    this.#now = null;
  }

  #now: AbortController | null = null;
}
