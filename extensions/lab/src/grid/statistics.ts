import { count, visible } from './cells';
import { element } from './dom';
import { distinctOf } from './header';
import type { GridModel } from './model';
import { openPopover } from './popover';
import type { Summary } from './protocol';
import { GridError } from './requests';
import { bars, edge } from './spark';

const WIDTH = 260;
const HEIGHT = 90;
const QUANTILES = ['0.25', '0.5', '0.75'];

/** Opens the figures of a column; what is still being counted comes in when it is there. */
export function openStatistics(host: HTMLElement, at: DOMRect, model: GridModel, column: number, home: HTMLElement): void {
  const info = model.columns[column];
  const body = element('div', { class: 'lg-statistics-body' });
  const content = element(
    'div',
    { class: 'lg-statistics' },
    element('div', { class: 'lg-popover-title', text: visible(info.name), dir: 'auto' }),
    element('div', { class: 'lg-popover-type', text: visible(info.type) }),
    body
  );
  const forget = model.changed.add(change => {
    if (change === 'summary') {
      show();
    }
  });
  const show = (): void => {
    const summary = model.summaries.get(column);
    body.textContent = '';
    if (summary === undefined) {
      body.append(element('div', { role: 'status', text: model.ended ? 'The kernel has ended.' : 'Counting…' }));
    } else if (summary instanceof GridError) {
      body.append(element('div', { class: 'lg-error', text: `${summary.message} ${summary.hint}`.trim() }));
    } else {
      body.append(...figures(summary));
    }
  };
  openPopover(host, at, content, { label: `Statistics of ${visible(info.name)}`, home, onClose: forget });
  model.summaries.hurry(column);
  show();
}

/** The figures of a column as a picture and a list. */
export function figures(summary: Summary): HTMLElement[] {
  const shown: HTMLElement[] = [];
  const { histogram, top } = summary;
  if (histogram && histogram.counts.length) {
    const box = element('div', { class: 'lg-statistics-plot' });
    box.append(bars(histogram, WIDTH, HEIGHT));
    const ends = element('div', { class: 'lg-statistics-ends' });
    ends.append(
      element('span', { text: edge(histogram, 0) }),
      element('span', { text: edge(histogram, histogram.edges.length - 1) })
    );
    shown.push(box, ends);
  } else if (top && top.length) {
    shown.push(topValues(summary));
  }
  shown.push(list(summary));
  return shown;
}

function topValues(summary: Summary): HTMLElement {
  const table = element('div', { class: 'lg-top', role: 'list' });
  for (const { value, count: times } of summary.top ?? []) {
    const share = summary.rows ? times / summary.rows : 0;
    const bar = element('span', { class: 'lg-top-bar' });
    bar.style.width = `${Math.max(1, Math.round(share * 100))}%`;
    const text = value === null ? 'NULL' : visible(String(value));
    table.append(
      element(
        'div',
        { class: 'lg-top-line', role: 'listitem' },
        bar,
        element('span', { class: value === null ? 'lg-top-value lg-null' : 'lg-top-value', text, dir: 'auto', title: text }),
        element('span', { class: 'lg-top-count', text: `${count(times)} · ${(share * 100).toFixed(1)} %` })
      )
    );
  }
  return table;
}

function list(summary: Summary): HTMLElement {
  const shown = element('dl', { class: 'lg-figures' });
  const add = (name: string, value: unknown): void => {
    if (value !== undefined && value !== null && value !== '') {
      shown.append(element('dt', { text: name }), element('dd', { text: typeof value === 'number' ? count(value) : visible(String(value)) }));
    }
  };
  const share = summary.rows ? ` · ${((summary.nulls / summary.rows) * 100).toFixed(1)} %` : '';
  add('rows', summary.rows);
  add('nulls', summary.nulls ? `${count(summary.nulls)}${share}` : '0');
  add('distinct', distinctOf(summary));
  add('min', summary.min);
  const { quantiles } = summary;
  QUANTILES.forEach((name, index) => {
    const found = Array.isArray(quantiles) ? quantiles[index] : quantiles?.[name];
    const value = found !== undefined && found !== null && summary.quantiles_approximate ? `about ${found}` : found;
    add(name === '0.5' ? 'median' : `${Number(name) * 100} %`, value);
  });
  add('max', summary.max);
  add('mean', summary.mean);
  add('std', summary.std);
  return shown;
}
