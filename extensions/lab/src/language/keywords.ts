import {
  ALGORITHMS,
  ARGUMENT,
  BEFORE,
  BEHIND,
  BOUNDS,
  CHANGES,
  CONSTANTS,
  DIRECTIONS,
  ENDS,
  EOL,
  FILLS,
  FRAMES,
  GRAPH_DEFINITION,
  JOINS,
  LEADERS,
  LENGTHS,
  NEVER_ALTERS,
  NUMBER,
  OPERATORS,
  PAIRS,
  PATH,
  RESERVED,
  SECOND,
  STARTS,
  STOPS,
  STRING,
  TIMES,
  UNITS,
  VALUES,
  WINDOW
} from './vocabulary';

/** A token that was read: a word in upper case, a symbol, or `STRING`, `QUOTED`, `NUMBER`. */
export interface Token {
  readonly word: string;
  readonly keyword: boolean;
}

/** A bracket that is open: what stood before it, what stands first in it. */
export interface Bracket {
  readonly symbol: string;
  readonly owner: string;
  readonly owned: boolean;
  first: string;
}

const NOTHING: Token = { word: '', keyword: false };

/**
 * Says of each word of a text, read from left to right, whether it is a keyword where it stands: the formatter's rule,
 * except that only the rest of the word's own line is known.
 */
export class Reading {
  /** The last tokens, newest first. */
  last: readonly Token[] = [];
  opened: Bracket[] = [];
  /** The statement's first word. */
  first = '';
  /** The depths of brackets at which a graph's pattern is read. */
  patterns: number[] = [];
  /** The depths at which RETURN was read. */
  returned: number[] = [];
  /** The owner of the bracket that was closed last, right before the next token. */
  closed = '';
  sampled = false;
  /** Whether the RANGE BETWEEN of a join stands before. */
  ranged = false;
  into = false;
  defines = false;

  copy(): Reading {
    const copy = Object.assign(new Reading(), this);
    copy.opened = this.opened.map(bracket => ({ ...bracket }));
    copy.patterns = [...this.patterns];
    copy.returned = [...this.returned];
    return copy;
  }

  /** The token `back` places ago, 1 being the last. */
  before(back = 1): Token {
    return this.last[back - 1] ?? NOTHING;
  }

  /** Whether the last token can end a value, so that an operator behind it has two sides. */
  get operand(): boolean {
    const { word, keyword } = this.before();
    return VALUES.has(word) || (/^[\p{L}_]/u.test(word) && (!keyword || CONSTANTS.has(word)));
  }

  /** A symbol, string, quoted name or number was read. */
  take(word: string): void {
    const owner = this.before();
    if (word === '(' || word === '[' || word === '{') {
      this.#enter(word);
      this.opened.push({ symbol: word, owner: owner.word, owned: owner.keyword, first: '' });
    } else if (word === ')' || word === ']' || word === '}') {
      this.closed = this.opened.pop()?.owner ?? '';
      const depth = this.opened.length;
      this.patterns = this.patterns.filter(known => known <= depth);
      this.returned = this.returned.filter(known => known <= depth);
    } else if (word === ';') {
      this.opened = [];
      this.patterns = [];
      this.returned = [];
      this.first = '';
      this.sampled = this.ranged = this.into = this.defines = false;
    } else {
      this.#enter(word);
    }
    this.#push({ word, keyword: false });
  }

  /** A word was read; `after` and `second` are what follows it on its line. */
  takeWord(word: string, after: string, second: string): boolean {
    const before = this.before();
    if (before.word === '' || before.word === ';') {
      this.first = word;
      this.into = this.sampled = false;
    }
    this.#enter(word);
    const keyword = this.#isKeyword(word, before, after, second);
    this.into ||= word === 'INTO';
    this.ranged = !STOPS.has(word) && (this.ranged || (keyword && word === 'RANGE'));
    this.sampled ||= word === 'BY' && before.word === 'SAMPLE';
    this.defines ||= word === 'GRAPH' && before.word === 'PROPERTY' && this.first === 'CREATE';
    this.#push({ word, keyword });
    return keyword;
  }

  #enter(word: string): void {
    const bracket = this.opened.at(-1);
    if (bracket && bracket.first === '') {
      bracket.first = word;
    }
  }

  #push(token: Token): void {
    this.last = [token, ...this.last.slice(0, 3)];
  }

  #isKeyword(word: string, before: Token, after: string, second: string): boolean {
    if (before.word === '.' || before.word === '$' || ARGUMENT.has(after)) {
      return false;
    }
    const graph = this.#inGraph(word, before, after, second);
    if (graph !== null) {
      return graph;
    }
    const aliased = before.word === 'AS' && before.keyword;
    const series = aliased ? null : this.#inSeries(word, before, after);
    if (series !== null) {
      return series;
    }
    if (aliased) {
      if (word === 'MATERIALIZED' || word === 'NOT') {
        return after === '(' || after === 'MATERIALIZED';
      }
      const opens = STARTS.has(word) || ((this.first === 'PREPARE' || this.first === 'CREATE') && LEADERS.has(word));
      return this.opened.length === 0 && !ENDS.has(after) && opens;
    }
    if (RESERVED.has(word)) {
      return !(word === 'WITH' && after === 'TIME');
    }
    if (before.word === '' || before.word === ';') {
      return LEADERS.has(word) && after !== '.' && after !== '=';
    }
    if (BEHIND.get(word)?.has(before.word) && (before.keyword || before.word === NUMBER)) {
      return true;
    }
    if (BEFORE.get(word)?.has(after) && before.word !== ',') {
      return true;
    }
    if (this.#inWindow() && FRAMES.has(word)) {
      return before.word !== 'BY' && before.word !== ',' && before.word !== 'AS';
    }
    return this.#byPlace(word, before, after, second) || this.#byStatement(word, before, after);
  }

  #inGraph(word: string, before: Token, after: string, second: string): boolean | null {
    const depth = this.opened.length;
    const bracket = this.opened.at(-1);
    if ((word === 'MATCH' || word === 'OPTIONAL') && before.word !== 'AS') {
      const path = after === '(' || second === '=' || after === 'ANY' || after === 'ALL' || PATH.has(after) || after === EOL;
      const graph = word === 'OPTIONAL' ? after === 'MATCH' : path;
      if (!graph || (this.operand && before.word !== ')' && bracket?.owner !== 'GRAPH_TABLE')) {
        return null;
      }
      if (word === 'MATCH' && this.patterns.at(-1) !== depth) {
        this.patterns.push(depth);
      }
      return true;
    }
    if (word === 'GRAPH_TABLE' && after === '(') {
      return true;
    }
    if (word === 'GRAPH' && before.word === '(' && ALGORITHMS.has(bracket?.owner ?? '')) {
      return true;
    }
    if (word === 'SKIP' && this.returned.includes(depth)) {
      return [NUMBER, '$', '('].includes(after);
    }
    if (this.defines && GRAPH_DEFINITION.has(word) && before.word !== '(' && before.word !== ',') {
      return !['AS', 'REFERENCES', 'LABEL', '.'].includes(before.word) && after !== '.';
    }
    const pattern = this.patterns.at(-1);
    if (pattern === undefined) {
      return null;
    }
    if (depth === pattern) {
      if (word === 'COLUMNS' && after === '(') {
        return bracket?.owner === 'GRAPH_TABLE';
      }
      if (word === 'RETURN' && before.word !== 'AS') {
        this.patterns.pop();
        this.returned.push(depth);
        return true;
      }
      if (PATH.has(word)) {
        return after === '(' || after === NUMBER || PATH.has(after);
      }
      if (SECOND.has(`${before.word} ${word}`) || (word === 'GRAPH' && before.word === 'ON')) {
        return true;
      }
      if (PAIRS.has(word)) {
        return PAIRS.get(word) === after;
      }
      return TIMES.has(word) && after !== '.' ? true : null;
    }
    if (depth === pattern + 1 && word === 'IS') {
      return before.word === '(' || before.word === '[' ? true : null;
    }
    if (depth === pattern + 1 && word === 'COST') {
      return bracket?.symbol === '[' && ![':', ']', '.', 'WHERE', 'IS'].includes(after);
    }
    return null;
  }

  #inSeries(word: string, before: Token, after: string): boolean | null {
    const operand = this.operand || (before.keyword && UNITS.has(before.word)) || DIRECTIONS.has(before.word);
    const sampled = this.sampled ? true : null;
    switch (word) {
      case 'LATEST':
        return after === 'ON' && !(this.before(2).word === '' && before.word === '') ? operand : null;
      case 'TOLERANCE':
        return operand && LENGTHS.has(after) ? true : null;
      case 'DIRECTION':
        return operand && DIRECTIONS.has(after) ? true : null;
      case 'BACKWARD':
      case 'FORWARD':
      case 'NEAREST':
        return before.word === 'DIRECTION' && before.keyword ? true : null;
      case 'TIME':
        return before.word === 'USING' && after === '(' ? true : null;
      case 'FILL':
      case 'ALIGN':
      case 'ZONE':
        return operand || before.word === 'CALENDAR' ? sampled : null;
      case 'CALENDAR':
      case 'OBSERVATION':
        return before.word === 'TO' || before.word === 'FIRST' ? sampled : null;
      case 'LEFT':
        if (after === 'WINDOW') {
          return true;
        }
        break;
      case 'JOIN':
        if (before.word === 'WINDOW') {
          return this.before(2).word !== 'AS' && this.before(2).word !== '.' ? true : null;
        }
        break;
      case 'RANGE':
        return operand && after === 'BETWEEN' && this.opened.length === 0 ? true : null;
      case 'BETWEEN':
        return before.word === 'RANGE' && before.keyword ? true : null;
      case 'FIRST':
        if (after === 'OBSERVATION') {
          return sampled;
        }
        break;
    }
    if (FILLS.has(word)) {
      const bracket = this.opened.at(-1);
      return bracket?.owner === 'FILL' && bracket.owned ? true : null;
    }
    if (BOUNDS.has(word) && this.ranged) {
      return true;
    }
    return null;
  }

  /** Whether the innermost brackets are those of OVER (…) or WINDOW w AS (…). */
  #inWindow(): boolean {
    const bracket = this.opened.at(-1);
    return bracket?.owner === 'OVER' || (bracket?.owner === 'AS' && WINDOW.has(bracket.first));
  }

  #byPlace(word: string, before: Token, after: string, second: string): boolean {
    const operand = this.operand;
    if (OPERATORS.has(word)) {
      return (operand || before.word === 'NOT') && (!ENDS.has(after) || word === 'ISNULL' || word === 'NOTNULL');
    }
    if (JOINS.has(word)) {
      return JOINS.has(after) || after === 'JOIN';
    }
    if (UNITS.has(word)) {
      return this.#measures();
    }
    switch (word) {
      case 'IF':
        return after === 'EXISTS' || (after === 'NOT' && second === 'EXISTS');
      case 'EXISTS':
        return after === '(' || before.word === 'IF' || (before.word === 'NOT' && this.before(2).word === 'IF');
      case 'JOIN':
        return operand || JOINS.has(before.word);
      case 'OVER':
      case 'FILTER':
        return before.word === ')' && (after === '(' || (word === 'OVER' && !ENDS.has(after)));
      case 'VALUES':
        return (after === '(' || after === EOL) && (!operand || (this.into && this.opened.length === 0));
      case 'CAST':
      case 'TRY_CAST':
        return after === '(';
      case 'INTERVAL':
        return [STRING, NUMBER, '$', '('].includes(after) && !operand;
      case 'EXCLUDE':
      case 'REPLACE':
      case 'RENAME':
        return !ENDS.has(after) && (before.word === '*' || (after === '(' && before.word === ')'));
      case 'ROLLUP':
      case 'CUBE':
        return after === '(' && (before.word === 'BY' || before.word === ',');
      case 'AT':
        return operand && (after === 'TIME' || after === '(');
      case 'TIME':
        return before.word === 'AT' && after === 'ZONE';
      case 'TABLESAMPLE':
        return operand;
      default:
        return false;
    }
  }

  #byStatement(word: string, before: Token, after: string): boolean {
    if (LEADERS.has(word) && this.opened.length === 0 && !ENDS.has(after)) {
      if (before.word === 'EXPLAIN' || before.word === 'ANALYZE') {
        return before.keyword;
      }
      if (before.word === ')' && ['UPDATE', 'MERGE', 'MATCH', 'INSERT', 'DELETE'].includes(word)) {
        return ['AS', 'MATERIALIZED', 'EXPLAIN', 'ANALYZE'].includes(this.closed);
      }
    }
    if (word === 'UPDATE' || word === 'DELETE' || word === 'INSERT') {
      return before.word === 'THEN' || before.word === 'DO';
    }
    switch (word) {
      case 'SET':
        return (
          CHANGES.has(this.first) && this.opened.length === 0 && ![',', 'SET', '.'].includes(before.word) && !ENDS.has(after)
        );
      case 'NAME':
        return before.word === 'BY' && !['GROUP', 'ORDER', 'PARTITION', 'SAMPLE'].includes(this.before(2).word);
      case 'BY':
        return before.word === 'MATCHED';
      case 'SOURCE':
      case 'TARGET':
        return before.word === 'BY' && this.before(2).word === 'MATCHED';
      case 'ADD':
      case 'RENAME':
      case 'ALTER':
      case 'DROP':
      case 'RESET':
        return this.first === 'ALTER' && !NEVER_ALTERS.has(before.word);
      default:
        return false;
    }
  }

  /** Whether INTERVAL and its number stand before a unit. */
  #measures(): boolean {
    const before = this.before().word;
    if (before === STRING || before === NUMBER) {
      return this.before(2).word === 'INTERVAL';
    }
    if (this.before(2).word === '$') {
      return this.before(3).word === 'INTERVAL';
    }
    if (before === ')') {
      return this.closed === 'INTERVAL';
    }
    return before === 'TO' && UNITS.has(this.before(2).word);
  }
}
