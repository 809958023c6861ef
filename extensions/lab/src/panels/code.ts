import words from '../language/words.json';
import type { At } from './choice';

const RESERVED = new Set([...words.reserved, ...words.starts, ...words.joins].map(word => word.toLowerCase()));

/** A name as KadeQL writes it: quoted only when it must be. */
export function quoted(name: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !RESERVED.has(name.toLowerCase())
    ? name
    : `"${name.replaceAll('"', '""')}"`;
}

/** A text as a string of KadeQL. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A text as a string of Python. */
export function pythonText(text: string): string {
  // JSON's escapes are Python's too.
  return JSON.stringify(text);
}

/** A word of a line magic, which reads its words as a POSIX shell does and puts `$name` and `{name}` in. */
export function word(text: string): string {
  return /^[\p{L}\p{N}_./:@%+,=~-]+$/u.test(text) ? text : `'${text.replaceAll("'", `'"'"'`)}'`;
}

/** How a snapshot stands behind a table of KadeQL. */
export function version(at: At): string {
  return typeof at === 'number' ? `AT (VERSION => ${at})` : `AT (TAG => ${literal(at)})`;
}

/**
 * A notebook's cell with a statement.
 *
 * @param kadeql whether the notebook's cells are KadeQL anyway
 * @param at the snapshot to read; null for the notebook's own
 */
export function cell(statement: string, kadeql: boolean, at: At | null): string {
  if (at === null) {
    return kadeql ? statement : `%%kadeql\n${statement}`;
  }
  return `%%kadeql --at ${word(String(at))}\n${statement}`;
}

/** A cell that opens the bench at `path`. */
export function openingCell(path: string, kadeql: boolean): string {
  const line = `%luma open ${word(path)}`;
  return kadeql ? line : `%load_ext luma_bench\n${line}`;
}
