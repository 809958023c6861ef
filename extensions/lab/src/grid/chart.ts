import { visible } from './cells';
import { button, element } from './dom';
import type { GridModel } from './model';
import { drawFigure, loadPlotly, type Plotly } from './plotly';
import type { ChartChoice, ChartReply, ChartsReply } from './protocol';

const KINDS: readonly [string, string][] = [
  ['line', 'Line'],
  ['bar', 'Bars'],
  ['barh', 'Bars across'],
  ['scatter', 'Points'],
  ['hist', 'Histogram'],
  ['heatmap', 'Heat map']
];
const MOST_COLUMNS = 1000;
const MOST_SUGGESTIONS = 6;

/** The chart tab: what fits these rows, drawn at once; pickers to change it; and the code that draws it in a cell. */
export class ChartPanel {
  readonly node = element('div', { class: 'lg-chart' });
  private readonly suggestions = element('div', { class: 'lg-chart-suggestions', role: 'group', 'aria-label': 'Suggested charts' });
  private readonly plot = element('div', { class: 'lg-chart-plot', role: 'img', 'aria-label': 'Chart', hidden: true });
  private readonly said = element('div', { class: 'lg-chart-said', role: 'status' });
  private readonly code = element('pre', { class: 'lg-chart-code', tabindex: 0, 'aria-label': 'Python code of the chart' });
  private readonly codeBox: HTMLElement;
  private readonly pickers: Record<'kind' | 'x' | 'y' | 'color', HTMLSelectElement>;
  private plotly: Plotly | null = null;
  private view = -1;
  private drawing = 0;

  constructor(
    private readonly model: GridModel,
    copyText: (text: string) => Promise<void>
  ) {
    const columns = model.columns.slice(0, MOST_COLUMNS).map((column): [string, string] => [column.name, visible(column.name)]);
    this.pickers = {
      kind: picker('Kind', KINDS),
      x: picker('x', columns),
      y: picker('y', [['', '(none)'], ...columns]),
      color: picker('Colour', [['', '(none)'], ...columns])
    };
    const copy = button({ class: 'lg-button', text: 'Copy' }, () => void copyText(this.code.textContent ?? ''));
    this.codeBox = element('details', { class: 'lg-chart-code-box', hidden: true }, element('summary', { text: 'Code' }), copy, this.code);
    const form = element('div', { class: 'lg-chart-pickers' });
    for (const [label, select] of [
      ['Kind', this.pickers.kind],
      ['x', this.pickers.x],
      ['y', this.pickers.y],
      ['Colour', this.pickers.color]
    ] as const) {
      form.append(element('label', {}, element('span', { text: label }), select));
      select.addEventListener('change', () => void this.draw(this.chosen()));
    }
    this.node.append(this.suggestions, form, this.said, this.plot, this.codeBox);
  }

  /** Comes into sight: suggests for the rows as they are arranged now. */
  async show(): Promise<void> {
    if (this.view === this.model.view) {
      this.plotly?.Plots.resize(this.plot);
      return;
    }
    if (!this.model.rows) {
      this.said.textContent = 'There are no rows to draw.';
      return;
    }
    const first = this.view === -1;
    this.view = this.model.view;
    try {
      const ask = this.model.requests.ask<ChartsReply>({ type: 'charts', view: this.view });
      const { suggestions } = (await this.model.run('Looking for a chart', ask)).message;
      this.offer(suggestions);
      if (!first) {
        await this.draw(this.chosen());
      } else if (suggestions.length) {
        await this.draw(suggestions[0]);
      } else {
        this.said.textContent = 'No chart suggests itself: choose the columns.';
      }
    } catch (error) {
      this.view = -1;
      this.fail(error);
    }
  }

  dispose(): void {
    this.plotly?.purge(this.plot);
  }

  private offer(suggestions: readonly ChartChoice[]): void {
    this.suggestions.textContent = '';
    for (const choice of suggestions.slice(0, MOST_SUGGESTIONS)) {
      const title = visible(choice.title ?? `${choice.kind}: ${choice.x}`);
      this.suggestions.append(button({ class: 'lg-chip-button', text: title, dir: 'auto' }, () => void this.draw(choice)));
    }
  }

  private chosen(): ChartChoice {
    const { kind, x, y, color } = this.pickers;
    return { kind: kind.value, x: x.value, y: y.value || null, color: color.value || null };
  }

  private async draw(choice: ChartChoice): Promise<void> {
    this.drawing += 1;
    const mine = this.drawing;
    this.pickers.kind.value = choice.kind;
    this.pickers.x.value = choice.x;
    this.pickers.y.value = choice.y ?? '';
    this.pickers.color.value = choice.color ?? '';
    const { kind, x, y = null, color = null } = choice;
    const asked = { type: 'chart', view: this.model.view, kind, x, y, color };
    try {
      const [{ message }, plotly] = await Promise.all([
        this.model.run('Drawing', this.model.requests.ask<ChartReply>(asked)),
        loadPlotly(this.model.requests)
      ]);
      if (mine !== this.drawing) {
        return;
      }
      this.plotly = plotly;
      // The figure says itself what it leaves out.
      this.said.textContent = '';
      this.plot.hidden = false;
      await drawFigure(plotly, this.plot, message.figure);
      this.plot.setAttribute('aria-label', `Chart: ${kind} of ${[x, y].filter(Boolean).join(', ')}`);
      this.code.textContent = message.code;
      this.codeBox.hidden = false;
    } catch (error) {
      if (mine === this.drawing) {
        this.fail(error);
      }
    }
  }

  private fail(error: unknown): void {
    this.plot.hidden = true;
    this.codeBox.hidden = true;
    this.said.textContent = '';
    this.model.fail(error);
  }
}

function picker(label: string, options: readonly [string, string][]): HTMLSelectElement {
  const select = element('select', { 'aria-label': label });
  for (const [value, text] of options) {
    select.append(element('option', { value, text }));
  }
  return select;
}
