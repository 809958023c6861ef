import { count, counted, visible, visibleLines } from './cells';
import { button, element } from './dom';
import type { GridModel, Notice } from './model';

const SLOW = 250;
const READ = 6000;
const ENDED: Notice = {
  text: 'The kernel that holds these rows has ended.',
  hint: 'Run the cell again.',
  kind: 'error'
};

/** The lines below the table: its size, what is selected, what is under way, the run's badge and its cautions. */
export class Foot {
  readonly node = element('div', { class: 'lg-foot' });
  readonly notice = element('div', { class: 'lg-notice', role: 'alert', hidden: true });
  private readonly size = element('span', { class: 'lg-size-text' });
  private readonly selected = element('span', { class: 'lg-selected-text', role: 'status' });
  private readonly done = element('span', { class: 'lg-done', role: 'status' });
  private readonly busy = element('span', { class: 'lg-busy', role: 'status', hidden: true });
  private readonly busyText = element('span');
  private timer = 0;
  private doneTimer = 0;
  private said: Notice | null = null;

  constructor(private readonly model: GridModel) {
    const stop = button({ class: 'lg-button lg-cancel', text: 'Cancel' }, () => model.underWay.at(-1)?.cancel());
    this.busy.append(element('span', { class: 'lg-spinner', 'aria-hidden': 'true' }), this.busyText, stop);
    const badge = element('span', { class: 'lg-run-badge', title: visible(model.hello.statement ?? '').slice(0, 2000) });
    const [engine, ...rest] = visible(model.hello.badge).split(' ');
    badge.append(element('b', { text: engine }), ` ${rest.join(' ')}`);
    this.node.append(element('div', { class: 'lg-foot-line' }, this.size, this.selected, this.done, this.busy, badge));
    for (const caution of model.hello.cautions) {
      this.node.append(element('div', { class: 'lg-caution-line', text: visible(caution) }));
    }
    this.refresh();
  }

  dispose(): void {
    window.clearTimeout(this.timer);
    window.clearTimeout(this.doneTimer);
  }

  refresh(): void {
    const { rows, hello, layout, columns } = this.model;
    const of = rows === hello.rows ? '' : ` of ${count(hello.rows)}`;
    const shown = layout.shown.length === columns.length ? '' : ` (${count(layout.shown.length)} shown)`;
    const size = `${count(rows)}${of} row${(of ? hello.rows : rows) === 1 ? '' : 's'} × ${counted(columns.length, 'column')}${shown}`;
    this.size.textContent = size;
    this.refreshSelection();
    this.refreshBusy();
    this.refreshNotice();
  }

  refreshSelection(): void {
    const area = this.model.selection.area;
    const cells = this.model.selection.cells;
    this.selected.textContent =
      area && cells > 1
        ? `${count(area.bottom - area.top + 1)} × ${count(area.right - area.left + 1)} selected`
        : '';
  }

  private refreshBusy(): void {
    const task = this.model.underWay.at(-1);
    window.clearTimeout(this.timer);
    if (!task) {
      this.busy.hidden = true;
      return;
    }
    this.busyText.textContent = `${task.what}…`;
    // What is quick needs no spinner.
    this.timer = window.setTimeout(() => {
      this.busy.hidden = this.model.underWay.length === 0;
    }, SLOW);
  }

  private refreshNotice(): void {
    const { notice, ended } = this.model;
    this.sayDone(notice?.kind === 'done' ? notice : null);
    const error = ended ? ENDED : notice?.kind === 'error' ? notice : null;
    this.notice.hidden = error === null;
    this.notice.textContent = '';
    if (!error) {
      return;
    }
    const said = element('span', {}, element('span', { class: 'lg-notice-text', text: visibleLines(error.text) }));
    if (error.hint) {
      said.append(' ', element('span', { class: 'lg-notice-hint', text: visibleLines(error.hint) }));
    }
    this.notice.append(said);
    if (!ended) {
      this.notice.append(button({ class: 'lg-notice-close', text: '×', 'aria-label': 'Dismiss' }, () => this.model.dismiss()));
    }
  }

  /** What went well is said for a while. */
  private sayDone(notice: Notice | null): void {
    if (notice === this.said) {
      return;
    }
    this.said = notice;
    this.done.textContent = notice ? visible(notice.text) : '';
    window.clearTimeout(this.doneTimer);
    if (notice) {
      this.doneTimer = window.setTimeout(() => (this.done.textContent = ''), READ);
    }
  }
}
