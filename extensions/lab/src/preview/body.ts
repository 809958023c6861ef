import { Widget } from '@lumino/widgets';

import { type At } from '../panels/choice';
import { make } from '../panels/dom';
import { Notice } from '../panels/notice';
import { Latest } from '../panels/reading';
import type { ColumnFacts, Preview, TableFacts } from '../panels/server';
import { count, counted, size } from '../panels/texts';

/** Where a preview is read from. */
export interface PreviewSource {
  rows(bench: string, table: string, at: At | null, signal: AbortSignal): Promise<Preview>;
  columns(bench: string, table: string, at: At | null): Promise<TableFacts>;
}

const HEADINGS = ['Column', 'Type', 'Key', 'Smallest', 'Largest', 'NULL', 'Comment'];
const KEY: Readonly<Record<string, string>> = { PRI: 'primary', UNI: 'unique', TIME: 'time', SERIES: 'series' };

/** A table's first rows, its columns and what is known of them, and the statement that makes it. */
export class PreviewBody extends Widget {
  constructor(source: PreviewSource) {
    super();
    this.addClass('luma-preview');
    this.node.tabIndex = 0;
    this.node.setAttribute('role', 'region');
    this.#source = source;
    this.node.append(this.#notice.node, this.#content);
  }

  /** Show a table; of two calls the later wins. */
  async read(bench: string, table: string, at: At | null): Promise<void> {
    this.node.setAttribute('aria-label', `Preview of ${table}`);
    this.#content.replaceChildren();
    this.#notice.say(`Reading ${table} …`);
    try {
      const found = await this.#latest.run(signal =>
        Promise.all([this.#source.rows(bench, table, at, signal), this.#source.columns(bench, table, at)])
      );
      if (found) {
        this.#notice.clear();
        this.#content.replaceChildren(...drawPreview(...found));
      }
    } catch (error) {
      const again = { label: 'Try again', run: () => void this.read(bench, table, at) };
      this.#notice.fail(error as Error, again);
    }
  }

  protected override onActivateRequest(): void {
    this.node.focus();
  }

  override dispose(): void {
    this.#latest.stop();
    super.dispose();
  }

  readonly #source: PreviewSource;
  readonly #latest = new Latest();
  readonly #notice = new Notice();
  readonly #content = make('div', 'luma-preview-content');
}

/** The parts of a preview. */
export function drawPreview(first: Preview, facts: TableFacts): HTMLElement[] {
  const told = [
    facts.kind,
    facts.rows === null ? '' : counted(facts.rows, 'row'),
    counted(facts.columns.length, 'column'),
    facts.bytes === null ? '' : `${size(facts.bytes)} stored`,
    `snapshot ${first.snapshot}`
  ].filter(Boolean);
  const rows = scrolled('First rows');
  // The server's own renderer, which escapes every name and value, wrote it.
  rows.innerHTML = first.html;
  const shown = first.shown < first.columns ? `, the first ${first.shown} columns` : '';
  return [
    make('h2', '', {}, facts.name),
    make('p', 'luma-preview-told', {}, told.join(' · ')),
    ...(facts.comment ? [make('p', '', {}, facts.comment)] : []),
    make('h3', '', {}, `First ${counted(first.rows, 'row')}${shown}`),
    rows,
    make('h3', '', {}, 'Columns'),
    columnTable(facts.columns),
    ...(facts.sql ? [make('h3', '', {}, 'Made by'), make('pre', 'luma-preview-sql', { tabindex: 0 }, facts.sql)] : [])
  ];
}

function columnTable(columns: readonly ColumnFacts[]): HTMLElement {
  const texts = columns.map(column => [
    column.name,
    column.nullable ? column.type : `${column.type} NOT NULL`,
    column.key === null ? '' : (KEY[column.key] ?? ''),
    column.min ?? '',
    column.max ?? '',
    count(column.nulls),
    column.comment ?? ''
  ]);
  // What no column has takes no place.
  const kept = HEADINGS.map((_, index) => index < 2 || texts.some(row => row[index] !== ''));
  const picked = (row: readonly string[]): string[] => row.filter((_, index) => kept[index]);
  const head = make('tr', '', {}, ...picked(HEADINGS).map(text => make('th', '', { scope: 'col' }, text)));
  const body = texts.map(row => {
    const [name, ...others] = picked(row);
    const cells = others.map(text => make('td', '', { title: text }, text));
    return make('tr', '', {}, make('th', '', { scope: 'row' }, name ?? ''), ...cells);
  });
  const table = make('table', 'luma-preview-columns', {}, make('thead', '', {}, head), make('tbody', '', {}, ...body));
  return scrolled('Columns', table);
}

/** What is too wide for its place scrolls by the arrow keys too. */
function scrolled(label: string, ...children: Node[]): HTMLElement {
  return make('div', 'luma-preview-rows', { tabindex: 0, role: 'region', 'aria-label': label }, ...children);
}
