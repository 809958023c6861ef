import { HighlightStyle, LanguageSupport, StreamLanguage, type StringStream, syntaxHighlighting } from '@codemirror/language';
import { tags } from '@lezer/highlight';

import { Reading } from './keywords';
import { EOL, NUMBER, QUOTED, STRING } from './vocabulary';
import words from './words.json';

const FUNCTIONS: ReadonlySet<string> = new Set(words.functions);
const TYPES: ReadonlySet<string> = new Set(words.types);
const OPTIONS: ReadonlyMap<string, boolean> = new Map(Object.entries(words.options));

const WORD = /^[\p{L}_][\p{L}\p{N}\p{M}_$]*/u;
const NUMERAL = /^(?:0[xX][\da-fA-F_]+|(?:\d(?:_?\d)*)?\.?\d(?:_?\d)*\.?(?:[eE][+-]?\d(?:_?\d)*)?)/;
const DOLLAR = /^\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/;
const SYMBOL = /^(?:=>|:=|::|<->|<=>|<#>|<\+>|->>?|<-|<=|>=|<>|!=|==|\|\||\*\*|\/\/|<<|>>|!~~?\*?|~~\*?|[-+*/%^<>=~!@#&|?])/;
// Behind a node these are an edge without brackets, and no comment, where another node or a quantifier follows.
const EDGE = /^(?:-->|<-->?)(?=[ \t]*(?:[({+*?]|$))|^--(?=[ \t]*(?:[({+*?[]))/;
const AHEAD = /^(?:\s|--.*$|\/\*.*?\*\/)*(?:([\p{L}_][\p{L}\p{N}\p{M}_$]*)|('|[eE]')|(")|(\.?\d)|(=>|:=|::|\S))/u;

/** A stretch of text that goes on over the end of a line. */
type Open =
  | { readonly kind: 'comment'; depth: number }
  | { readonly kind: 'string' | 'name'; readonly end: string; readonly escapes: boolean };

interface State {
  /** What is still to come of the cell's first lines: magics, or a magic's options. */
  head: 'lines' | 'options' | null;
  /** An option whose value comes next. */
  option: string | null;
  open: Open | null;
  reading: Reading;
}

/** KadeQL as CodeMirror reads it, a line at a time; keywords as the formatter knows them. */
export const kadeql = StreamLanguage.define<State>({
  name: 'kadeql',
  startState: () => ({ head: 'lines', option: null, open: null, reading: new Reading() }),
  copyState: state => ({
    ...state,
    open: state.open && { ...state.open },
    reading: state.reading.copy()
  }),
  token(stream, state) {
    if (state.open) {
      return inside(stream, state, state.open);
    }
    if (state.head !== null) {
      const style = head(stream, state);
      if (style !== undefined) {
        return style;
      }
    }
    return stream.eatSpace() ? null : token(stream, state);
  },
  blankLine(state) {
    if (state.head === 'options') {
      state.head = null;
    }
  },
  languageData: {
    commentTokens: { line: '--', block: { open: '/*', close: '*/' } },
    closeBrackets: { brackets: ['(', '[', '{', "'", '"'] },
    wordChars: '$'
  }
});

// JupyterLab's theme has no colours for these.
const more = HighlightStyle.define([
  { tag: tags.typeName, color: 'var(--jp-mirror-editor-def-color)' },
  { tag: tags.invalid, textDecoration: 'underline wavy var(--jp-error-color1)' }
]);

/** KadeQL for an editor. */
export function kadeqlSupport(): LanguageSupport {
  return new LanguageSupport(kadeql, syntaxHighlighting(more));
}

/** A token of the first lines: `%%kadeql name << --option value`; undefined where KadeQL begins. */
function head(stream: StringStream, state: State): string | null | undefined {
  if (state.head === 'options' && stream.sol()) {
    state.head = null;
    return undefined;
  }
  if (stream.eatSpace()) {
    return null;
  }
  if (state.head === 'lines') {
    if (stream.match(/^%%?kadeql\b/)) {
      state.head = 'options';
      return 'meta';
    }
    if (stream.match(/^[%!].*/)) {
      return 'meta';
    }
    state.head = null;
    return undefined;
  }
  return option(stream, state);
}

function option(stream: StringStream, state: State): string | null | undefined {
  if (state.option === '--params') {
    state.option = null;
    if (stream.match(/^\{[^}]*\}|^dict\([^)]*\)|^\S+/)) {
      return 'variableName.special';
    }
  }
  if (state.option !== null) {
    state.option = null;
    if (stream.match(/^\d+\b/)) {
      return 'number';
    }
    if (stream.match(/^(?:"[^"]*"?|'[^']*'?|\S+)/)) {
      return 'string';
    }
  }
  if (stream.match(/^[\p{L}_][\p{L}\p{N}_]*(?=\s*<<)/u)) {
    return 'variableName.definition';
  }
  if (stream.match('<<')) {
    return 'operator';
  }
  const found = stream.match(/^--[A-Za-z][\w-]*/) as RegExpMatchArray | null;
  if (found) {
    const known = OPTIONS.get(found[0]);
    state.option = known ? found[0] : null;
    stream.match('=');
    return known === undefined ? 'invalid' : 'attributeName';
  }
  state.head = null;
  return undefined;
}

function token(stream: StringStream, state: State): string | null {
  const { reading } = state;
  if (reading.patterns.at(-1) === reading.opened.length && reading.before().word === ')' && stream.match(EDGE)) {
    reading.take('--');
    return 'operator';
  }
  if (stream.match('--')) {
    stream.skipToEnd();
    return 'comment';
  }
  if (stream.match('/*')) {
    return inside(stream, state, { kind: 'comment', depth: 1 });
  }
  if (stream.match(/^[eE]'/)) {
    return inside(stream, state, { kind: 'string', end: "'", escapes: true });
  }
  if (stream.match("'")) {
    return inside(stream, state, { kind: 'string', end: "'", escapes: false });
  }
  if (stream.match('"')) {
    return inside(stream, state, { kind: 'name', end: '"', escapes: false });
  }
  const dollar = stream.match(DOLLAR) as RegExpMatchArray | null;
  if (dollar) {
    return inside(stream, state, { kind: 'string', end: dollar[0], escapes: false });
  }
  if (stream.match(/^\$[\p{L}\p{N}_]+/u)) {
    reading.take('$');
    reading.takeWord('PARAMETER', '', '');
    return 'variableName.special';
  }
  const word = stream.match(WORD) as RegExpMatchArray | null;
  if (word) {
    return named(word[0], stream, reading);
  }
  if (/^\.?\d/.test(rest(stream)) && stream.match(NUMERAL)) {
    reading.take(NUMBER);
    return 'number';
  }
  const symbol = stream.match(SYMBOL) as RegExpMatchArray | null;
  if (symbol) {
    reading.take(symbol[0]);
    return 'operator';
  }
  const sign = stream.next() ?? '';
  reading.take(sign);
  return '()[]{}'.includes(sign) ? 'bracket' : ',;.:'.includes(sign) ? 'punctuation' : null;
}

function named(text: string, stream: StringStream, reading: Reading): string {
  const before = reading.before();
  const [after, second] = ahead(rest(stream));
  if (reading.takeWord(text.toUpperCase(), after, second)) {
    return 'keyword';
  }
  const lower = text.toLowerCase();
  if (before.word === '.') {
    return after === '(' && FUNCTIONS.has(lower) ? 'variableName.standard' : 'propertyName';
  }
  if (before.word === ':' && reading.patterns.length > 0) {
    return 'labelName';
  }
  if (after === '(' && FUNCTIONS.has(lower)) {
    return 'variableName.standard';
  }
  const typed = before.word === '::' || (before.keyword && before.word === 'AS' && within(reading, 'CAST', 'TRY_CAST'));
  return TYPES.has(lower) && (typed || within(reading, 'TABLE') || defines(reading)) ? 'typeName' : 'variableName';
}

/** Whether the innermost brackets stand behind one of these words. */
function within(reading: Reading, ...owners: string[]): boolean {
  return owners.includes(reading.opened.at(-1)?.owner ?? '');
}

/** Whether a word stands where CREATE TABLE t (…) has a column's type, or ALTER TABLE one of its own. */
function defines(reading: Reading): boolean {
  return (
    (reading.first === 'ALTER' && reading.before(2).word !== 'TABLE') || (reading.first === 'CREATE' && reading.opened.length === 1)
  );
}

/** Read on inside a comment, string or quoted name, up to its end or the line's. */
function inside(stream: StringStream, state: State, open: Open): string {
  state.open = open;
  if (open.kind === 'comment') {
    while (!stream.eol()) {
      if (stream.match('*/')) {
        open.depth -= 1;
        if (open.depth === 0) {
          state.open = null;
          break;
        }
      } else if (stream.match('/*')) {
        open.depth += 1;
      } else {
        stream.next();
      }
    }
    return 'comment';
  }
  const { end, escapes, kind } = open;
  while (!stream.eol()) {
    if (escapes && stream.match('\\')) {
      stream.next();
    } else if (stream.match(end)) {
      if (end.length > 1 || !stream.match(end)) {
        state.open = null;
        state.reading.take(kind === 'string' ? STRING : QUOTED);
        break;
      }
    } else {
      stream.next();
    }
  }
  return kind === 'string' ? 'string' : 'string.special';
}

function rest(stream: StringStream): string {
  return stream.string.slice(stream.pos);
}

/** The two tokens that follow on the line, as `Token.word` has them. */
function ahead(text: string): [string, string] {
  const found = AHEAD.exec(text);
  if (!found) {
    return [EOL, EOL];
  }
  const next = AHEAD.exec(text.slice(found[0].length));
  return [spelled(found), next ? spelled(next) : EOL];
}

function spelled(found: RegExpExecArray): string {
  const [, word, string, quoted, number, symbol] = found;
  return word ? word.toUpperCase() : string ? STRING : quoted ? QUOTED : number ? NUMBER : (symbol ?? '');
}
