// The messages between a grid and the session that holds its rows; the same over a comm and over a widget.

/** What a column holds, as far as showing and filtering it go. */
export type Kind =
  | 'int'
  | 'float'
  | 'decimal'
  | 'text'
  | 'bool'
  | 'date'
  | 'time'
  | 'timestamp'
  | 'interval'
  | 'binary'
  | 'list'
  | 'struct'
  | 'map'
  | 'vector'
  | 'json'
  | 'other';

export interface ColumnInfo {
  /** Position in the result, which names the column in every request. */
  index: number;
  name: string;
  type: string;
  kind: Kind;
  zone?: string;
  nullable?: boolean;
}

export interface Hello {
  type: 'hello';
  id?: string;
  rows: number;
  columns: ColumnInfo[];
  badge: string;
  cautions: string[];
  statement?: string;
  record: Record<string, unknown>;
  plan: boolean;
  /** Rows of a page. */
  page: number;
}

export interface SortKey {
  column: number;
  descending: boolean;
  nulls: 'last' | 'first';
}

export type Operator =
  | '='
  | '!='
  | '<'
  | '<='
  | '>'
  | '>='
  | 'contains'
  | 'starts'
  | 'in'
  | 'between'
  | 'null'
  | 'not null';

/** A condition; values are text, which the session casts to the column's type, so that none is rounded on the way. */
export interface Filter {
  column: number;
  op: Operator;
  value?: string | string[];
}

export interface ViewReply {
  type: 'view';
  view: number;
  rows: number;
}

export interface PageReply {
  type: 'page';
  view: number;
  offset: number;
  count: number;
  columns: [number, number];
}

export interface CellReply {
  type: 'cell';
  text: string;
}

export interface Histogram {
  edges: number[];
  counts: number[];
  labels?: string[];
}

export interface TopValue {
  value: string | number | boolean | null;
  count: number;
}

type Figure = string | number | boolean | null;

export interface Summary {
  type: 'summary';
  column: number;
  rows: number;
  nulls: number;
  distinct?: number | { value: number; approximate?: boolean } | null;
  approximate?: boolean;
  min?: Figure;
  max?: Figure;
  mean?: Figure;
  std?: Figure;
  quantiles_approximate?: boolean;
  quantiles?: Record<string, Figure> | Figure[] | null;
  histogram?: Histogram | null;
  top?: TopValue[] | null;
  took?: number;
}

export type ExportTarget = 'csv' | 'parquet' | 'arrow' | 'variable' | 'kadeql' | 'clipboard';

export interface ExportReply {
  type: 'exported';
  path?: string;
  name?: string;
  text?: string;
  rows?: number;
}

export interface ChartChoice {
  title?: string;
  kind: string;
  x: string;
  y?: string | null;
  color?: string | null;
}

export interface ChartsReply {
  type: 'charts';
  suggestions: ChartChoice[];
}

export interface PlotlyFigure {
  data: object[];
  layout?: Record<string, unknown>;
}

export interface ChartReply {
  type: 'chart';
  figure: PlotlyFigure;
  code: string;
  notes?: string[];
}

export interface PlanReply {
  type: 'plan';
  svg: string;
  profile: Record<string, unknown>;
}

export interface ErrorReply {
  type: 'error';
  message: string;
  hint?: string;
  cancelled?: boolean;
}
