import type { Summary } from './protocol';
import { GridError, type Pending, type Requests } from './requests';

/** Figures of columns, asked for one after the other, those in sight first. */
export class Summaries {
  private readonly known = new Map<number, Summary | GridError>();
  private wanted: number[] = [];
  private underWay: { column: number; pending: Pending<Summary> } | null = null;
  private view = 0;

  constructor(
    private readonly requests: Requests,
    private readonly onChange: () => void
  ) {}

  /** The figures of a column; undefined while nobody asked or they are on the way, an error when they cannot be had. */
  get(column: number): Summary | GridError | undefined {
    return this.known.get(column);
  }

  /** Replaces the columns that are waited for. */
  want(columns: readonly number[]): void {
    this.wanted = columns.filter(column => !this.known.has(column) && this.underWay?.column !== column);
    void this.next();
  }

  /** Puts one column before the others. */
  hurry(column: number): void {
    if (!this.known.has(column) && this.underWay?.column !== column) {
      this.wanted = [column, ...this.wanted.filter(other => other !== column)];
      void this.next();
    }
  }

  /** Lets figures that could not be had be asked for again. */
  retry(): void {
    for (const [column, answer] of this.known) {
      if (answer instanceof GridError) {
        this.known.delete(column);
      }
    }
  }

  /** Forgets the figures: another view has others. */
  reset(view: number): void {
    this.view = view;
    this.known.clear();
    this.wanted = [];
    this.underWay?.pending.cancel();
    this.underWay = null;
    this.onChange();
  }

  private async next(): Promise<void> {
    if (this.underWay || this.requests.closed) {
      return;
    }
    const column = this.wanted.shift();
    if (column === undefined) {
      return;
    }
    const view = this.view;
    const pending = this.requests.ask<Summary>({ type: 'summary', view, column });
    const mine = { column, pending };
    this.underWay = mine;
    let answer: Summary | GridError;
    try {
      answer = (await pending.reply).message;
    } catch (error) {
      if (!(error instanceof GridError)) {
        throw error;
      }
      answer = error;
    }
    if (this.underWay !== mine) {
      return;
    }
    this.underWay = null;
    this.known.set(column, answer);
    this.onChange();
    void this.next();
  }
}
