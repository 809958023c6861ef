import { visible } from './cells';
import type { ColumnInfo, Filter, Kind, Operator } from './protocol';

const NAMES: Readonly<Record<Operator, string>> = {
  '=': 'is',
  '!=': 'is not',
  '<': 'less than',
  '<=': 'at most',
  '>': 'more than',
  '>=': 'at least',
  contains: 'contains',
  starts: 'starts with',
  in: 'is one of',
  between: 'is between',
  null: 'is null',
  'not null': 'is not null'
};
const SIGNS: Readonly<Partial<Record<Operator, string>>> = { '!=': '≠', '<=': '≤', '>=': '≥' };
const NESTED: ReadonlySet<Kind> = new Set(['list', 'struct', 'map', 'vector', 'json', 'binary', 'other']);
const SHORTEST = 32;

/** The conditions that a column of a kind can be put under. */
export function operatorsOf(kind: Kind): Operator[] {
  if (NESTED.has(kind)) {
    return ['contains', 'null', 'not null'];
  }
  if (kind === 'bool') {
    return ['=', '!=', 'null', 'not null'];
  }
  const ordered: Operator[] = ['=', '!=', '<', '<=', '>', '>=', 'between', 'in', 'null', 'not null'];
  return kind === 'text' ? ['contains', 'starts', ...ordered] : ordered;
}

/** How many values a condition takes: none, one, two, or any number. */
export function arity(op: Operator): 0 | 1 | 2 | 'many' {
  if (op === 'null' || op === 'not null') {
    return 0;
  }
  return op === 'between' ? 2 : op === 'in' ? 'many' : 1;
}

/** A condition in words for a list to choose from. */
export function operatorName(op: Operator): string {
  return NAMES[op];
}

/** The condition that a form's values make, or what is wrong with them. */
export function conditionOf(column: number, op: Operator, values: readonly string[]): Filter | string {
  const wanted = arity(op);
  if (wanted === 0) {
    return { column, op };
  }
  if (wanted === 2) {
    return values.length === 2 && values.every(value => value !== '')
      ? { column, op, value: [values[0], values[1]] }
      : 'Give both ends.';
  }
  if (wanted === 'many') {
    return values.length ? { column, op, value: [...values] } : 'Give at least one value, each on a line of its own.';
  }
  // An empty text is a value to be equal to, but no number and nothing to contain.
  return { column, op, value: values[0] ?? '' };
}

/** A condition in a few letters, as `distance ≥ 500`. */
export function conditionText(filter: Filter, columns: readonly ColumnInfo[]): string {
  const name = visible(columns[filter.column].name);
  const { op, value } = filter;
  if (value === undefined) {
    return `${name} ${NAMES[op]}`;
  }
  if (op === 'between' && Array.isArray(value)) {
    return `${name} ${short(value[0])} … ${short(value[1])}`;
  }
  if (Array.isArray(value)) {
    return `${name} in ${short(value.join(', '))}`;
  }
  const sign = SIGNS[op] ?? (op === 'contains' || op === 'starts' ? NAMES[op] : op);
  return `${name} ${sign} ${value === '' ? "''" : short(value)}`;
}

function short(text: string): string {
  const shown = visible(text);
  return shown.length > SHORTEST ? `${shown.slice(0, SHORTEST)}…` : shown;
}
