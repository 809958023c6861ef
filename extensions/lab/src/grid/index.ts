import type { Transport } from '../transport';
import { columnsKey, type KeptLayout } from './columns';
import { Grid, type GridOptions } from './grid';
import { GridModel } from './model';
import type { Hello } from './protocol';
import { GridError, Requests } from './requests';

export type { GridOptions } from './grid';
export type { PlanView } from './plan';
export { GridError } from './requests';

/** Layouts that are remembered in one place; the oldest goes first. */
const MOST_LAYOUTS = 8;

/** Layouts by `columnsKey`: what a reader made of results that had these columns. */
export type LayoutMemory = Map<string, KeptLayout>;

export interface MountOptions extends GridOptions {
  /** Where the grid finds the layout of its columns, and leaves it. */
  layouts?: LayoutMemory;
  /** Whether the session is shared and has to be asked for its greeting, as a widget's is: every view of a widget has the same. */
  ask?: boolean;
  /** The grid stands on the page. */
  onReady?: () => void;
  /** There will be no grid: the session refused or ended before it could greet. */
  onRefused?: (error: GridError) => void;
  /** The session ended while its grid was shown. */
  onEnded?: () => void;
}

export interface MountedGrid {
  /** The connection was away and is back: what was asked meanwhile is asked again. */
  reconnected(): void;
  dispose(): void;
}

/**
 * Shows the result behind a transport in an element, as soon as its session greets.
 *
 * Every request, its reply and its errors go over the transport; nothing else is fetched from anywhere.
 */
export function mountGrid(host: HTMLElement, transport: Transport, options: MountOptions = {}): MountedGrid {
  const requests = new Requests(transport, !options.ask);
  let model: GridModel | null = null;
  let grid: Grid | null = null;
  let disposed = false;

  const greet = (hello: Hello, buffers: DataView[]): void => {
    if (!grid && !disposed) {
      model = new GridModel(hello, buffers[0], requests);
      remember(model, options.layouts);
      grid = new Grid(model, options);
      host.append(grid.node);
      options.onReady?.();
    }
  };
  const refuse = (error: GridError): void => {
    if (!grid && !disposed) {
      options.onRefused?.(error);
    }
  };
  requests.unasked.add(({ message, buffers }) => {
    if (message.type === 'hello') {
      greet(message as unknown as Hello, buffers);
    } else if (message.type === 'error') {
      refuse(new GridError(String(message.message), String(message.hint ?? '')));
    }
  });
  requests.ended.add(() => {
    if (grid) {
      options.onEnded?.();
    } else {
      refuse(new GridError('The kernel does not hold this result any more.', 'Run the cell again.'));
    }
  });
  if (options.ask) {
    requests
      .ask<Hello>({ type: 'hello' })
      .reply.then(({ message, buffers }) => greet(message, buffers))
      .catch((error: unknown) => refuse(error instanceof GridError ? error : new GridError(String(error))));
  }
  return {
    reconnected(): void {
      requests.lost();
      // Those who waited hear of it first.
      window.setTimeout(() => model?.dismiss());
    },
    dispose(): void {
      disposed = true;
      requests.close();
      grid?.dispose();
    }
  };
}

function remember(model: GridModel, layouts: LayoutMemory | undefined): void {
  if (!layouts) {
    return;
  }
  const key = columnsKey(model.columns);
  const kept = layouts.get(key);
  if (kept) {
    model.layout.adopt(kept);
  }
  model.changed.add(change => {
    if (change === 'layout') {
      layouts.delete(key);
      layouts.set(key, model.layout.kept);
      if (layouts.size > MOST_LAYOUTS) {
        layouts.delete(layouts.keys().next().value!);
      }
    }
  });
}
