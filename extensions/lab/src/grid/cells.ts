import type { PageColumn } from './arrow';
import type { ColumnInfo, Kind } from './protocol';

/** One value, ready to show. */
export interface Shown {
  text: string;
  /** What the text leaves out: all digits of a number, or its thousands set apart. */
  title: string;
  null: boolean;
  /** Whether there is more to see than the cell shows. */
  cut: boolean;
}

const NUMBERS: ReadonlySet<Kind> = new Set(['int', 'float', 'decimal']);
const OPENS: ReadonlySet<Kind> = new Set(['list', 'struct', 'map', 'vector', 'json', 'binary']);
const MOST_DECIMALS = 6;
const DIGITS = 12;
const LONGEST = 400;
const NULL: Shown = { text: 'NULL', title: '', null: true, cut: false };
// Controls, line and paragraph separators, and the characters that reorder text (Unicode's UAX 9).
// eslint-disable-next-line no-control-regex
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/g;
const NAMED: Readonly<Record<string, string>> = { '\n': '\\n', '\t': '\\t', '\r': '\\r' };

/** Whether values of a kind line up on the right. */
export function rightAligned(kind: Kind): boolean {
  return NUMBERS.has(kind) || kind === 'interval';
}

/** Whether values of a kind are worth opening even when the cell shows all of their text. */
export function opens(kind: Kind): boolean {
  return OPENS.has(kind);
}

/** The text with control and bidirectional formatting characters written as escapes. */
export function visible(text: string): string {
  return text.replace(UNSAFE, found => NAMED[found] ?? `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The same for a text of several lines, which stay. */
export function visibleLines(text: string): string {
  return text.split('\n').map(visible).join('\n');
}

/** A value of a column as its cell shows it; floating-point values of one column share `decimals`. */
export function showCell(value: unknown, column: ColumnInfo, values: PageColumn, decimals: number): Shown {
  if (value === null || value === undefined) {
    return NULL;
  }
  if (typeof value === 'number') {
    return column.kind === 'float' ? float(value, decimals) : number(String(value));
  }
  if (typeof value === 'bigint') {
    return number(value.toString());
  }
  if (typeof value === 'boolean') {
    return plain(value ? 'true' : 'false');
  }
  if (typeof value === 'string') {
    return NUMBERS.has(column.kind) ? number(value) : text(value, values.shown);
  }
  if (column.kind === 'vector' && isSequence(value)) {
    return vector(value, values.length);
  }
  return plain(String(value));
}

/**
 * Decimals that the floating-point values of a page need, six at most.
 *
 * Digits beyond the twelfth are the noise of sums and products, which no column should be widened for; a cell's title has them.
 */
export function decimalsOf(values: PageColumn, rows: number): number {
  let most = 1;
  for (let row = 0; row < rows && most < MOST_DECIMALS; row += 1) {
    const value = values.at(row);
    if (typeof value === 'number' && Number.isFinite(value) && !scientific(value)) {
      const written = String(Number(value.toPrecision(DIGITS)));
      const point = written.indexOf('.');
      most = Math.max(most, point < 0 ? 0 : Math.min(MOST_DECIMALS, written.length - point - 1));
    }
  }
  return most;
}

/** The elements of a vector, as numbers. */
export function elementsOf(value: unknown): ArrayLike<number> | null {
  return isSequence(value) ? value : null;
}

/** A whole count with its thousands set apart: `1,234`. */
export function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** A count and its noun: `1 row`, `1,234 rows`. */
export function counted(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}

function isSequence(value: unknown): value is ArrayLike<number> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

function plain(shown: string): Shown {
  return { text: shown, title: '', null: false, cut: false };
}

function text(value: string, written: boolean): Shown {
  const cut = value.length > LONGEST;
  const shown = visible(cut ? value.slice(0, LONGEST) : value);
  return { text: cut && !written ? `${shown}…` : shown, title: '', null: false, cut: cut || shown.endsWith('…') };
}

function number(written: string): Shown {
  const parts = /^(-?)(\d{4,})(\.\d+)?$/.exec(written);
  const title = parts ? parts[1] + parts[2].replace(/\B(?=(\d{3})+$)/g, ',') + (parts[3] ?? '') : '';
  return { text: written, title, null: false, cut: false };
}

function scientific(value: number): boolean {
  const size = Math.abs(value);
  return size !== 0 && (size >= 1e16 || size < 1e-4);
}

function float(value: number, decimals: number): Shown {
  if (!Number.isFinite(value)) {
    return plain(Number.isNaN(value) ? 'NaN' : value > 0 ? 'inf' : '-inf');
  }
  const exact = exactFloat(value);
  let shown: string;
  if (scientific(value)) {
    shown = exponent(Number(value.toPrecision(6)));
  } else {
    shown = value.toFixed(decimals);
    // Few decimals would show a small value as zero.
    if (Number(shown) === 0 && value !== 0) {
      shown = String(Number(value.toPrecision(6)));
    }
  }
  const grouped = number(shown).title;
  return { text: shown, title: Number(shown) === value ? grouped : exact, null: false, cut: false };
}

/** All digits of a floating-point value. */
export function exactFloat(value: number): string {
  if (scientific(value)) {
    return exponent(value);
  }
  if (Object.is(value, -0)) {
    return '-0.0';
  }
  const written = String(value);
  return written.includes('.') || !Number.isFinite(value) ? written : `${written}.0`;
}

function exponent(value: number): string {
  const [digits, power] = value.toExponential().split('e');
  const size = power.slice(1).padStart(2, '0');
  return `${digits}e${power[0] === '-' ? '-' : '+'}${size}`;
}

function vector(value: ArrayLike<number>, length: number): Shown {
  const head = Array.from({ length: Math.min(3, value.length) }, (_, index) => Number(value[index].toPrecision(3)));
  const more = Math.max(length, value.length) > head.length;
  return {
    text: `[${head.join(', ')}${more ? ', …' : ''}]`,
    title: `${count(Math.max(length, value.length))} elements`,
    null: false,
    cut: more
  };
}
