/** Callbacks of one event, called in the order they were added. */
export class Listeners<T> {
  private readonly callbacks = new Set<(value: T) => void>();

  /** Adds a callback; the answer takes it away. */
  add(callback: (value: T) => void): () => void {
    this.callbacks.add(callback);
    return () => this.callbacks.delete(callback);
  }

  emit(value: T): void {
    for (const callback of [...this.callbacks]) {
      callback(value);
    }
  }

  clear(): void {
    this.callbacks.clear();
  }
}
