import { count, visible } from './cells';
import { arity, conditionOf, operatorName, operatorsOf } from './conditions';
import { button, element, freshId, submitOnEnter } from './dom';
import type { GridModel } from './model';
import { openPopover } from './popover';
import type { Filter, Kind, Operator } from './protocol';
import { GridError } from './requests';

const NUMERIC: ReadonlySet<Kind> = new Set(['int', 'float', 'decimal']);
const EXAMPLES: Readonly<Partial<Record<Kind, string>>> = {
  date: '2013-01-31',
  time: '08:30:00',
  timestamp: '2013-01-31 08:30:00',
  interval: '2 hours'
};
const MOST_CHOICES = 12;

/** Opens the form for a condition on a column: an operator, its values, and for text the most frequent ones to tick. */
export function openFilter(host: HTMLElement, at: DOMRect, model: GridModel, column: number, home: HTMLElement): void {
  const info = model.columns[column];
  const present = model.arrangement.filter.find(filter => filter.column === column);
  const operators = operatorsOf(info.kind);
  const title = `Filter ${visible(info.name)}`;
  const select = element('select', { 'aria-label': 'Condition' });
  for (const op of operators) {
    select.append(element('option', { value: op, text: operatorName(op) }));
  }
  select.value = present?.op ?? operators[0];
  const values = element('div', { class: 'lg-filter-values' });
  const problem = element('div', { class: 'lg-error', role: 'alert', id: freshId() });
  const form = element('form', { class: 'lg-form' });
  const choices = element('div', { class: 'lg-filter-choices' });

  const chosen = (): Operator => select.value as Operator;
  const inputs = (): string[] => {
    if (arity(chosen()) === 'many') {
      // No number and no time has a comma in it.
      const written = values.querySelector('textarea')!.value.split(info.kind === 'text' ? '\n' : /[\n,]/);
      return written.map(line => line.trim()).filter(line => line !== '');
    }
    return [...values.querySelectorAll<HTMLInputElement>('input, select')].map(input => input.value);
  };
  const fields = (): void => {
    const wanted = arity(chosen());
    const given = Array.isArray(present?.value) ? present.value : present?.value === undefined ? [] : [present.value];
    values.textContent = '';
    if (wanted === 'many') {
      const area = element('textarea', { rows: 5, 'aria-label': 'Values, one a line', placeholder: info.kind === 'text' ? 'one value a line' : 'values, with commas or line by line' });
      area.value = given.join('\n');
      values.append(area);
    } else {
      for (let index = 0; index < wanted; index += 1) {
        values.append(field(info.kind, given[index] ?? '', wanted === 2 ? ['from', 'to'][index] : 'value', wanted === 2));
      }
    }
    choices.hidden = wanted !== 'many';
  };
  const put = (filter: Filter | null): void => {
    const others = model.arrangement.filter.filter(other => other.column !== column);
    explain('');
    // It closes once the rows are there: what was typed wrong is mended where it stands.
    const refused = (error: GridError): boolean => {
      explain(`${error.message} ${error.hint}`.trim());
      return popover.node.isConnected;
    };
    void model.arrange({ filter: filter ? [...others, filter] : others }, refused).then(done => {
      if (done) {
        popover.close();
      }
    });
  };
  const explain = (text: string): void => {
    problem.textContent = text;
    const written = [...values.querySelectorAll<HTMLElement>('input, textarea, select')];
    for (const field of written) {
      field.removeAttribute('aria-invalid');
      field.removeAttribute('aria-describedby');
      if (text) {
        field.setAttribute('aria-invalid', 'true');
        field.setAttribute('aria-describedby', problem.id);
      }
    }
    if (text && popover.node.isConnected) {
      written[0]?.focus();
    }
  };
  select.addEventListener('change', () => {
    fields();
    explain('');
    values.querySelector<HTMLElement>('input, textarea, select')?.focus();
  });
  form.addEventListener('submit', event => {
    event.preventDefault();
    const condition = conditionOf(column, chosen(), inputs());
    if (typeof condition === 'string') {
      explain(condition);
    } else {
      put(condition);
    }
  });
  const clear = button({ class: 'lg-button', text: 'Clear', disabled: !present }, () => put(null));
  const apply = element('button', { type: 'submit', class: 'lg-button lg-primary', text: 'Filter' });
  form.append(
    element('div', { class: 'lg-popover-title', text: title, dir: 'auto' }),
    select,
    values,
    choices,
    problem,
    element('div', { class: 'lg-form-buttons' }, clear, apply)
  );
  submitOnEnter(form);
  fields();
  const forget = model.changed.add(change => {
    if (change === 'summary') {
      showChoices(choices, model, column, values);
    }
  });
  const popover = openPopover(host, at, form, { label: title, home, onClose: forget });
  if (operators.includes('in')) {
    model.summaries.hurry(column);
    showChoices(choices, model, column, values);
  }
}

function field(kind: Kind, value: string, label: string, two: boolean): HTMLElement {
  if (kind === 'bool') {
    const select = element('select', { 'aria-label': label });
    select.append(element('option', { value: 'true', text: 'true' }), element('option', { value: 'false', text: 'false' }));
    select.value = value || 'true';
    return select;
  }
  const input = element('input', {
    type: 'text',
    id: freshId(),
    'aria-label': label,
    inputmode: NUMERIC.has(kind) ? 'decimal' : undefined,
    placeholder: EXAMPLES[kind] ?? (two ? label : ''),
    spellcheck: 'false',
    autocomplete: 'off',
    dir: 'auto'
  });
  input.value = value;
  return input;
}

/** The most frequent values, to be ticked instead of typed; they come once the column is counted. */
function showChoices(choices: HTMLElement, model: GridModel, column: number, values: HTMLElement): void {
  const summary = model.summaries.get(column);
  if (!summary || summary instanceof GridError || choices.childElementCount || !summary.top) {
    return;
  }
  for (const { value, count: times } of summary.top.slice(0, MOST_CHOICES)) {
    if (value === null) {
      continue;
    }
    const written = String(value);
    const box = element('input', { type: 'checkbox' });
    box.addEventListener('change', () => {
      const area = values.querySelector('textarea');
      if (area) {
        const lines = area.value.split('\n').filter(line => line.trim() !== '' && line !== written);
        area.value = (box.checked ? [...lines, written] : lines).join('\n');
      }
    });
    box.checked = values.querySelector('textarea')?.value.split('\n').includes(written) ?? false;
    choices.append(
      element('label', {}, box, element('span', { text: visible(written), dir: 'auto' }), element('small', { text: count(times) }))
    );
  }
}
