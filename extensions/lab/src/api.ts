import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

/** What the server extension refused, or could not do: what happened, and what to do. */
export class LumaError extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly hint: string = '',
    readonly line: number | null = null,
    readonly column: number | null = null
  ) {
    super(message);
    this.name = 'LumaError';
  }
}

export type Query = Readonly<Record<string, string | number | null | undefined>>;

/**
 * Ask the server extension; everything else of this module calls it.
 *
 * @param path below `luma-bench/`, such as `catalog`
 * @param options `query`: parameters, of which null and undefined are left out; `body`: makes it a POST with JSON;
 * `signal`: stops waiting
 * @throws LumaError with what the server says, or that it cannot be reached or lacks the extension (status 404 or 0)
 */
export async function request<T>(
  path: string,
  options: { query?: Query; body?: object; signal?: AbortSignal } = {}
): Promise<T> {
  const settings = ServerConnection.makeSettings();
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(options.query ?? {})) {
    if (value !== null && value !== undefined) {
      query.set(name, String(value));
    }
  }
  const asked = query.toString();
  const url = URLExt.join(settings.baseUrl, 'luma-bench', path) + (asked ? `?${asked}` : '');
  const init: RequestInit = options.body ? { method: 'POST', body: JSON.stringify(options.body) } : { method: 'GET' };
  if (options.signal) {
    init.signal = options.signal;
  }
  let response: Response;
  try {
    response = await ServerConnection.makeRequest(url, init, settings);
  } catch (error) {
    if (options.signal?.aborted) {
      throw error;
    }
    throw new LumaError('The Jupyter server does not answer.', 0, 'See that it still runs, then try again.');
  }
  const answer = await json(response);
  if (response.ok && answer) {
    return answer as T;
  }
  throw refused(response, answer);
}

async function json(response: Response): Promise<Record<string, unknown> | null> {
  try {
    return (await response.json()) as Record<string, unknown>;
  } catch {
    return null;
  }
}

function refused(response: Response, answer: Record<string, unknown> | null): LumaError {
  const text = (key: string): string => (typeof answer?.[key] === 'string' ? (answer[key] as string) : '');
  const number = (key: string): number | null => (typeof answer?.[key] === 'number' ? (answer[key] as number) : null);
  if (response.status === 404 && !('hint' in (answer ?? {}))) {
    const hint = 'Install luma-bench where JupyterLab runs and restart it; `jupyter server extension list` shows it.';
    return new LumaError("The Jupyter server lacks Luma Bench's extension.", 404, hint);
  }
  const message = text('message') || `The Jupyter server answered ${response.status} ${response.statusText}.`;
  return new LumaError(message, response.status, text('hint'), number('line'), number('column'));
}

/** A place in a text is counted in UTF-16 code units, as JavaScript's strings are. */
export interface Fix {
  readonly label: string;
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

export interface Problem {
  readonly from: number;
  readonly to: number;
  readonly severity: 'error' | 'warning' | 'info' | 'hint';
  readonly message: string;
  readonly hint: string;
  readonly fixes: readonly Fix[];
}

/** A text to look at. `cell`: it is a whole cell, whose first line may be `%%kadeql …`. */
export interface Source {
  readonly text: string;
  readonly cell: boolean;
  /** The bench's path, or null to go without its catalog. */
  readonly bench: string | null;
  /** A snapshot's id, tag or time; the newest without it. */
  readonly at?: number | string | null;
}

/** What is wrong with `source`. */
export async function lint(source: Source, signal?: AbortSignal): Promise<readonly Problem[]> {
  return (await request<{ problems: Problem[] }>('lint', { body: source, ...within(signal) })).problems;
}

/** The text of `source`, formatted; LumaError when it does not parse. */
export async function format(text: string, cell: boolean): Promise<string> {
  return (await request<{ text: string }>('format', { body: { text, cell } })).text;
}

export interface Hover {
  readonly from: number;
  readonly to: number;
  readonly markdown: string;
}

/** What stands at `offset`, or null. */
export async function hover(source: Source, offset: number, signal?: AbortSignal): Promise<Hover | null> {
  const found = await request<Partial<Hover>>('hover', { body: { ...source, offset }, ...within(signal) });
  return found.markdown === undefined ? null : (found as Hover);
}

export interface CompletionItem {
  readonly text: string;
  readonly kind: string;
  readonly detail: string;
  readonly doc: string;
}

export interface Completion {
  readonly from: number;
  readonly to: number;
  readonly items: readonly CompletionItem[];
}

/** What may stand at `offset`. */
export async function complete(source: Source, offset: number, signal?: AbortSignal): Promise<Completion> {
  return request<Completion>('complete', { body: { ...source, offset }, ...within(signal) });
}

function within(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal ? { signal } : {};
}
