import type { At } from '../panels/choice';
import { pythonText, quoted, version } from '../panels/code';
import type { SeriesEntry } from '../panels/server';
import type { Entry } from './nodes';

/** The name that goes into a text: quoted where KadeQL needs it; null for what has none. */
export function nameOf(entry: Entry): string | null {
  switch (entry.kind) {
    case 'table':
      return quoted(entry.table.name);
    case 'column':
      return quoted(entry.column.name);
    case 'graph':
      return quoted(entry.graph.name);
    case 'series':
      return quoted(entry.series.table);
    case 'tag':
      return entry.tag.name;
    default:
      return null;
  }
}

/**
 * A KadeQL query about an entry that runs as it is; null for what none is about.
 *
 * @param at the snapshot that the query itself names; null when the cell's options name it, or the newest is meant
 */
export function kadeqlOf(entry: Entry, at: At | null = null): string | null {
  const then = at === null ? '' : ` ${version(at)}`;
  switch (entry.kind) {
    case 'table':
      return `SELECT *\nFROM ${quoted(entry.table.name)}${then}\nLIMIT 100`;
    case 'column': {
      const column = quoted(entry.column.name);
      return `SELECT ${column}, count(*) AS n\nFROM ${quoted(entry.table)}${then}\nGROUP BY ALL\nORDER BY n DESC\nLIMIT 100`;
    }
    case 'graph':
      return (
        `MATCH (x)-[e]->(y) ON GRAPH ${quoted(entry.graph.name)}\n` +
        'RETURN label(x) AS "from", label(e) AS edge, label(y) AS "to", count(*) AS edges\nORDER BY ALL'
      );
    case 'series':
      return latest(entry.series, then);
    default:
      return null;
  }
}

/** Python that gives an entry as an object; null for what has none. */
export function pythonOf(entry: Entry, at: At | null = null): string | null {
  const then = at === null ? '' : `, at=${typeof at === 'number' ? at : pythonText(at)}`;
  switch (entry.kind) {
    case 'table':
      return `bench.table(${pythonText(entry.table.name)}${then})`;
    case 'column':
      return `bench.table(${pythonText(entry.table)}${then})[${pythonText(entry.column.name)}]`;
    case 'graph':
      return `bench.graph(${pythonText(entry.graph.name)}${then})`;
    case 'series':
      return `bench.series(${pythonText(entry.series.table)}${seriesArguments(entry.series)}${then})`;
    case 'tag':
      return `bench.at(${pythonText(entry.tag.name)})`;
    default:
      return null;
  }
}

function latest(series: SeriesEntry, then: string): string {
  const from = `SELECT *\nFROM ${quoted(series.table)}${then}`;
  if (!series.time) {
    return `${from}\nLIMIT 100`;
  }
  return series.by.length > 0
    ? `${from}\nLATEST ON ${quoted(series.time)} PARTITION BY ${series.by.map(quoted).join(', ')}`
    : `${from}\nORDER BY ${quoted(series.time)} DESC\nLIMIT 100`;
}

function seriesArguments(series: SeriesEntry): string {
  const by = series.by.map(pythonText);
  const time = series.time ? `, time=${pythonText(series.time)}` : '';
  return by.length === 0 ? time : `${time}, by=${by.length === 1 ? by[0] : `[${by.join(', ')}]`}`;
}
