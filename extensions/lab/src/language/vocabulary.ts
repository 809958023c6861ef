/** The words that KadeQL's keywords are told by: the language's own lists, and what stands around them. */
import words from './words.json';

const set = (names: readonly string[]): ReadonlySet<string> => new Set(names);
export const RESERVED = set(words.reserved);
export const STARTS = set(words.starts);
export const LEADERS = set(words.leaders);
export const JOINS = set(words.joins);
export const UNITS = set(words.units);
export const OPERATORS = set(words.operators);
export const FRAMES = set(words.frames);
export const WINDOW = set(words.window);
export const PATH = set(words.path);
export const TIMES = set(words.times);
export const DIRECTIONS = set(words.directions);
export const FILLS = set(words.fills);
export const BOUNDS = set(words.bounds);
export const STOPS = set(words.stops);
export const ALGORITHMS = set(words.algorithms);
export const PAIRS = new Map<string, string>(Object.entries(words.pairs));
export const SECOND = new Set([...PAIRS].map(([first, second]) => `${first} ${second}`));
const sets = (held: Record<string, readonly string[]>): ReadonlyMap<string, ReadonlySet<string>> =>
  new Map(Object.entries(held).map(([word, names]) => [word, set(names)]));
export const BEHIND = sets(words.behind);
export const BEFORE = sets(words.before);

/** What `Token.word` holds for a string, a quoted name and a number. */
export const STRING = "'";
export const QUOTED = '"';
export const NUMBER = '0';

/** What follows the last word of a line. */
export const EOL = '\n';

export const ENDS = set(['', ',', ';', ')', ']', '}']);
export const ARGUMENT = set([':=', '=>', ':']);
export const LENGTHS = set(['INTERVAL', STRING, NUMBER, '$']);
export const VALUES = set([')', ']', '}', STRING, QUOTED, NUMBER]);
export const CONSTANTS = set(['END', 'NULL', 'TRUE', 'FALSE', 'DEFAULT', 'ROW']);
export const CHANGES = set(['UPDATE', 'WITH', 'PREPARE', 'EXPLAIN', 'ALTER', 'INSERT', 'MERGE']);
export const NEVER_ALTERS = set(['TABLE', 'EXISTS', 'COLUMN', 'TO', 'RENAME', ',', '(']);
export const GRAPH_DEFINITION = set([
  'VERTEX',
  'EDGE',
  'NODE',
  'TABLES',
  'KEY',
  'SOURCE',
  'DESTINATION',
  'LABEL',
  'PROPERTIES',
  'VALID',
  'NO'
]);
