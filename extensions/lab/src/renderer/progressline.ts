import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { Widget } from '@lumino/widgets';

import { button, element } from '../grid/dom';
import { visible } from '../grid/cells';
import type { Progress, Session } from '../session';

export const PROGRESS_TYPE = 'application/vnd.luma-bench.progress+json';

/** How far the statement of a cell is, with a button that stops it also while the kernel is busy with it. */
export class ProgressOutput extends Widget implements IRenderMime.IRenderer {
  constructor(private readonly session: Session) {
    super();
    this.addClass('luma-progress');
    this.bar = element('div', { class: 'luma-progress-bar', role: 'progressbar', 'aria-label': 'Statement', 'aria-valuemin': 0, 'aria-valuemax': 100 });
    this.bar.append(this.done);
    this.stop = button({ class: 'luma-progress-cancel', text: 'Cancel' }, () => {
      if (this.run !== null) {
        this.stop.disabled = true;
        this.stop.textContent = 'Cancelling…';
        session.cancel(this.run);
      }
    });
    this.node.append(this.bar, this.text, this.statement, this.stop);
    session.changed.connect(this.refresh, this);
  }

  renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const data = model.data[PROGRESS_TYPE] as unknown as Partial<Progress> & { done?: boolean };
    this.last = data.done || typeof data.run !== 'number' ? null : (data as Progress);
    this.refresh();
    return Promise.resolve();
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this.session.changed.disconnect(this.refresh, this);
      super.dispose();
    }
  }

  private refresh(): void {
    const running = this.last && this.session.running.find(progress => progress.run === this.last!.run);
    const shown = running ?? this.last;
    // A line that a notebook was saved with, or whose kernel went, is about nothing that runs.
    const over = !shown || (this.session.connected ? !running && this.seen : !this.session.kernel);
    this.seen ||= Boolean(running);
    this.node.hidden = over;
    if (over) {
      return;
    }
    this.run = shown.run;
    const percent = shown.fraction === null ? null : Math.round(shown.fraction * 100);
    this.bar.classList.toggle('luma-progress-unknown', percent === null);
    if (percent === null) {
      this.bar.removeAttribute('aria-valuenow');
      this.done.style.width = '';
    } else {
      this.bar.setAttribute('aria-valuenow', String(percent));
      this.done.style.width = `${percent}%`;
    }
    this.text.textContent = `Running for ${shown.elapsed.toFixed(1)} s${percent === null ? '' : ` · ${percent} %`}`;
    this.statement.textContent = visible(shown.statement);
    this.stop.hidden = !this.session.connected;
  }

  private readonly bar: HTMLElement;
  private readonly done = element('div', { class: 'luma-progress-done' });
  private readonly text = element('span', { class: 'luma-progress-text' });
  private readonly statement = element('code', { class: 'luma-progress-statement', dir: 'auto' });
  private readonly stop: HTMLButtonElement;
  private last: Progress | null = null;
  private run: number | null = null;
  private seen = false;
}
