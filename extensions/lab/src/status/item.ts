import { Widget } from '@lumino/widgets';

import { make, mark, say } from '../panels/dom';
import { count, duration, lastPart } from '../panels/texts';
import type { KernelState, Progress } from '../session';

/** What the status bar shows. */
export interface Shown {
  readonly state: KernelState | null;
  readonly running: readonly Progress[];
}

/** What its buttons do. */
export interface StatusActions {
  /** Show the bench in the side bar. */
  show(): void;
  /** Stop a statement. */
  cancel(run: number): void;
}

/** The notebook's bench, snapshot and engine, and how far the statement is that runs, with a button that stops it. */
export class StatusItem extends Widget {
  constructor(actions: StatusActions) {
    super();
    this.addClass('luma-status');
    this.#bench.addEventListener('click', () => actions.show());
    this.#cancel.addEventListener('click', () => {
      if (this.#run !== null) {
        this.#cancel.disabled = true;
        say(this.#cancel, 'Stopping …');
        actions.cancel(this.#run);
      }
    });
    this.#running.append(this.#bar, this.#statement, this.#cancel);
    // Its figures change all the time: they are there to be read, not read out; what runs says the bar's name.
    this.node.append(make('span', '', { role: 'status' }, this.#bench), this.#running);
    this.present({ state: null, running: [] });
  }

  /** Show how things stand. */
  present({ state, running }: Shown): void {
    const bench = state?.bench ?? null;
    this.#bench.hidden = state === null;
    say(this.#bench, state === null ? '' : statusText(state));
    this.#bench.title = state === null ? '' : statusTitle(state);
    this.#bench.classList.toggle('luma-mod-pinned', bench?.pinned !== null && bench?.pinned !== undefined);
    const latest = running.at(-1);
    this.#running.hidden = latest === undefined;
    if (latest) {
      this.#showProgress(latest, running.length);
    } else {
      this.#run = null;
    }
  }

  #showProgress(progress: Progress, running: number): void {
    if (this.#run !== progress.run) {
      this.#run = progress.run;
      this.#cancel.disabled = false;
      say(this.#cancel, 'Stop');
    }
    const { fraction, elapsed, rows, statement } = progress;
    if (fraction === null) {
      this.#bar.removeAttribute('value');
    } else {
      this.#bar.value = Math.min(Math.max(fraction, 0), 1);
    }
    mark(this.#bar, 'aria-label', `Running: ${statement}`);
    const percent = fraction === null ? '' : `${Math.round(fraction * 100)} %`;
    const others = running > 1 ? `${running} run` : '';
    const told = [percent, duration(elapsed), rows ? `${count(rows)} rows` : '', others].filter(Boolean);
    say(this.#statement, told.join(' · '));
    this.#running.title = statement;
  }

  readonly #bench = make('button', 'luma-status-bench', { type: 'button' });
  readonly #running = make('span', 'luma-status-running');
  readonly #bar = make('progress', 'luma-status-bar', { max: 1 });
  readonly #statement = make('span', 'luma-status-text');
  readonly #cancel = make('button', 'luma-status-cancel', { type: 'button', title: 'Stop this statement' }, 'Stop');
  #run: number | null = null;
}

/** `tour.luma · snapshot 12 · auto`. */
export function statusText({ bench, engine, cluster }: KernelState): string {
  if (bench === null) {
    return 'Luma Bench: no bench open';
  }
  const at = bench.pinned === null ? `snapshot ${bench.snapshot}` : `pinned at ${bench.pinned}`;
  return [lastPart(bench.path), at, engine, cluster === null ? '' : 'cluster'].filter(Boolean).join(' · ');
}

/** All of it, for a tooltip. */
export function statusTitle({ bench, engine, cluster, version }: KernelState): string {
  if (bench === null) {
    return `Luma Bench ${version}: run %luma open PATH. Click for the catalog.`;
  }
  const snapshot =
    bench.snapshot === bench.newest ? `snapshot ${bench.snapshot}, the newest` : `snapshot ${bench.snapshot} of ${bench.newest}`;
  return [
    bench.path,
    [snapshot, bench.pinned === null ? '' : `pinned at ${bench.pinned}`, bench.mode === 'r' ? 'read-only' : '']
      .filter(Boolean)
      .join(', '),
    `${count(bench.tables)} tables`,
    `engine ${engine}${cluster === null ? '' : `, cluster ${cluster}`}`,
    `Luma Bench ${version}. Click for the catalog.`
  ].join('\n');
}
