import { counted } from './cells';
import { button, element, submitOnEnter } from './dom';
import { openMenu } from './menu';
import type { GridModel } from './model';
import { openPopover } from './popover';
import type { ExportReply, ExportTarget } from './protocol';
import { openText } from './value';

const FILES: readonly { to: ExportTarget; label: string; name: string }[] = [
  { to: 'csv', label: 'CSV file…', name: 'result.csv' },
  { to: 'parquet', label: 'Parquet file…', name: 'result.parquet' },
  { to: 'arrow', label: 'Arrow file…', name: 'result.arrow' }
];

/** Opens the menu of what a result can be taken away as. */
export function openExport(
  host: HTMLElement,
  at: DOMRect,
  model: GridModel,
  home: HTMLElement,
  copyText: (text: string) => Promise<void>
): void {
  const ask = (to: ExportTarget, question: string, name: string): void =>
    openForm(host, at, model, home, to, question, name);
  const showText = async (): Promise<void> => {
    try {
      const { text } = await asText(model, 'kadeql');
      openText(host, at, { title: 'KadeQL', text: text ?? '' }, home, copyText);
    } catch (error) {
      model.fail(error);
    }
  };
  openMenu(
    host,
    at,
    [
      ...FILES.map(({ to, label, name }) => ({ label, run: () => ask(to, 'File, in the folder of the kernel', name) })),
      'line',
      { label: 'Python variable…', run: () => ask('variable', 'Name of the variable', 'rows') },
      { label: 'KadeQL text…', run: () => void showText() },
      { label: 'Copy all', run: () => void copyAll(model, copyText), note: 'tab-separated' }
    ],
    'Export',
    home
  );
}

function openForm(
  host: HTMLElement,
  at: DOMRect,
  model: GridModel,
  home: HTMLElement,
  to: ExportTarget,
  question: string,
  suggested: string
): void {
  const input = element('input', { type: 'text', spellcheck: 'false', autocomplete: 'off' });
  input.value = suggested;
  const shown = model.layout.shown.length;
  const only = element('input', { type: 'checkbox' });
  only.checked = shown < model.columns.length;
  const replace = element('input', { type: 'checkbox' });
  const form = element('form', { class: 'lg-form' });
  form.append(
    element('label', { class: 'lg-form-line' }, question, input),
    element('label', { class: 'lg-form-check' }, only, ` Only the ${counted(shown, 'shown column')}, in their order`),
    element('label', { class: 'lg-form-check' }, replace, to === 'variable' ? ' Replace what has this name' : ' Replace a file of this name'),
    element(
      'div',
      { class: 'lg-form-buttons' },
      button({ class: 'lg-button', text: 'Cancel' }, () => popover.close()),
      element('button', { type: 'submit', class: 'lg-button lg-primary', text: `Export ${counted(model.rows, 'row')}` })
    )
  );
  submitOnEnter(form);
  form.addEventListener('submit', event => {
    event.preventDefault();
    const name = input.value.trim();
    if (!name) {
      input.focus();
      return;
    }
    popover.close();
    void send(model, to, name, { onlyShown: only.checked, replace: replace.checked });
  });
  const popover = openPopover(host, at, form, { label: 'Export', home });
  input.select();
}

async function send(model: GridModel, to: ExportTarget, name: string, how: { onlyShown: boolean; replace: boolean }): Promise<void> {
  const where = to === 'variable' ? { name } : { path: name };
  const columns = how.onlyShown ? { columns: [...model.layout.shown] } : {};
  try {
    const { message } = await model.run(
      'Exporting',
      model.requests.ask<ExportReply>({ type: 'export', view: model.view, to, replace: how.replace, ...where, ...columns })
    );
    const rows = counted(message.rows ?? model.rows, 'row');
    model.say(to === 'variable' ? `${rows} in the variable ${message.name ?? name}.` : `${rows} written to ${message.path ?? name}.`);
  } catch (error) {
    model.fail(error);
  }
}

async function copyAll(model: GridModel, copyText: (text: string) => Promise<void>): Promise<void> {
  try {
    const message = await asText(model, 'clipboard');
    await copyText(message.text ?? '');
    model.say(`${counted(message.rows ?? model.rows, 'row')} copied.`);
  } catch (error) {
    model.fail(error);
  }
}

async function asText(model: GridModel, to: ExportTarget): Promise<ExportReply> {
  const wanted = { type: 'export', view: model.view, to, columns: [...model.layout.shown], header: true };
  return (await model.run('Exporting', model.requests.ask<ExportReply>(wanted))).message;
}
