/** KadeQL's media type. */
export const MIME = 'text/x-kadeql';

/** What an editor holds: KadeQL that begins with a magic, a file or bare cell of it, Python in a KadeQL notebook, or else. */
export type Kind = 'magic' | 'bare' | 'python' | 'other';

/** The KadeQL of an editor's text. */
export interface Piece {
  /** Where it begins in the editor's text. */
  readonly from: number;
  readonly text: string;
  /** It is a cell whose first line is `%%kadeql …` or `%kadeql …`, rather than bare statements. */
  readonly cell: boolean;
}

const CELL = /^\s*%%kadeql(?![\w-])/;
const LINE = /^\s*%kadeql(?![\w-])[^\n]*\s*$/;
const OTHER_CELL = /^\s*%%(\w*)/;
const ABOVE = /^(?:[ \t]*(?:[%!][^\n]*)?(?:\n|$))+/;

/** What an editor with `text` of media type `mime` holds. */
export function kindOf(text: string, mime: string): Kind {
  if (CELL.test(text) || LINE.test(text)) {
    return 'magic';
  }
  if (mime !== MIME) {
    return 'other';
  }
  const other = OTHER_CELL.exec(text);
  return other ? (/^(?:python3?|pypy|prun|time|timeit|capture)$/.test(other[1] ?? '') ? 'python' : 'other') : 'bare';
}

/** The KadeQL of `text`, null where it has none. */
export function pieceOf(text: string, mime: string): Piece | null {
  const kind = kindOf(text, mime);
  if (kind === 'magic') {
    const from = text.search(/\S/);
    return { from, text: text.slice(from), cell: true };
  }
  if (kind === 'bare') {
    const from = ABOVE.exec(text)?.[0].length ?? 0;
    return { from, text: text.slice(from), cell: false };
  }
  return null;
}

/** The smallest change that makes `after` of `before`: the text from `from` to `to` becomes `insert`. */
export function change(before: string, after: string): { from: number; to: number; insert: string } {
  const most = Math.min(before.length, after.length);
  let from = 0;
  while (from < most && before[from] === after[from]) {
    from += 1;
  }
  let same = 0;
  while (same < most - from && before[before.length - 1 - same] === after[after.length - 1 - same]) {
    same += 1;
  }
  return { from, to: before.length - same, insert: after.slice(from, after.length - same) };
}
