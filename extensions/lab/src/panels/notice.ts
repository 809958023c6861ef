import { LumaError } from '../api';
import { textButton } from './button';
import { make } from './dom';

/** What to do about a notice. */
export interface Remedy {
  readonly label: string;
  readonly run: () => void;
}

/**
 * A line that says why something does not show: reading, an error with its hint, or nothing there. It is read out when it changes.
 */
export class Notice {
  readonly node = make('div', 'luma-notice', { role: 'status' });

  /** Say nothing. */
  clear(): void {
    this.#put('', []);
  }

  /** Say `text`, and offer to do something about it. */
  say(text: string, ...remedies: Remedy[]): void {
    this.#put(text, [make('p', '', {}, text)], remedies);
  }

  /** Say what went wrong and what to do. */
  fail(error: Error, ...remedies: Remedy[]): void {
    const hint = error instanceof LumaError ? error.hint : '';
    const told = [make('p', 'luma-failed', {}, error.message), ...(hint ? [make('p', '', {}, hint)] : [])];
    this.#put(`${error.message}\n${hint}`, told, remedies);
  }

  #put(key: string, content: readonly HTMLElement[], remedies: readonly Remedy[] = []): void {
    const whole = [key, ...remedies.map(remedy => remedy.label)].join('\n');
    this.node.hidden = key === '';
    if (whole !== this.#key) {
      this.#key = whole;
      this.node.replaceChildren(...content, ...remedies.map(({ label, run }) => textButton(label, run)));
    }
  }

  #key = '';
}
