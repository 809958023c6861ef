import type { ISessionContext } from '@jupyterlab/apputils';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import type { Kernel } from '@jupyterlab/services';
import { PanelLayout, Widget } from '@lumino/widgets';

import { type LayoutMemory, mountGrid, type MountedGrid, type PlanView } from '../grid';
import type { Session } from '../session';

export const GRID_TYPE = 'application/vnd.luma-bench.grid+json';
const TARGET = 'luma-bench:grid';
const AHEAD = '400px';
/** Rows that a cell may ask to see at once. */
const MOST_ROWS = 200;

/** What an output needs of its notebook. */
export interface Surroundings {
  session: Session;
  rendermime: IRenderMimeRegistry;
  /** Rows that a grid shows before it scrolls. */
  rows: () => number;
  /** What readers made of the columns of each cell's results, which a cell that runs again shows the same way. */
  layouts: WeakMap<Element, LayoutMemory>;
  planView?: PlanView;
}

/**
 * A result in a cell's output: its HTML at once, and the grid in its place when the kernel still holds the rows.
 *
 * The output carries only a token. A reopened notebook, another tab and a kernel that came back ask with it; where nobody answers (a
 * restarted kernel, no kernel at all) the HTML stays, which is complete by itself. A grid whose kernel ends stays, with what it has.
 */
export class GridOutput extends Widget implements IRenderMime.IRenderer {
  constructor(private readonly around: Surroundings) {
    super();
    this.addClass('lg-output');
    this.layout = new PanelLayout();
    this.host.addClass('lg-host');
    this.host.hide();
    (this.layout as PanelLayout).addWidget(this.host);
    const { context } = around.session;
    context.kernelChanged.connect(this.onKernel, this);
    context.connectionStatusChanged.connect(this.onConnection, this);
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const data = model.data[GRID_TYPE] as { result?: unknown; limit?: unknown } | undefined;
    const token = typeof data?.result === 'string' ? data.result : null;
    if (token !== null && token === this.token) {
      return;
    }
    this.drop();
    this.token = token;
    this.limit = typeof data?.limit === 'number' ? Math.min(Math.max(1, data.limit), MOST_ROWS) : null;
    const type = 'text/html' in model.data ? 'text/html' : 'text/plain';
    const fallback = this.around.rendermime.createRenderer(type);
    await fallback.renderModel(model);
    this.fallback?.dispose();
    this.fallback = fallback;
    (this.layout as PanelLayout).insertWidget(0, fallback);
    this.watch();
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this.drop();
      const { context } = this.around.session;
      context.kernelChanged.disconnect(this.onKernel, this);
      context.connectionStatusChanged.disconnect(this.onConnection, this);
      super.dispose();
    }
  }

  protected override onAfterAttach(): void {
    this.watch();
  }

  /** Asks the kernel once the output comes near the window: a long notebook opens no fifty grids at once. */
  private watch(): void {
    if (this.grid || this.token === null || !this.isAttached || this.observer) {
      return;
    }
    this.observer = new IntersectionObserver(
      entries => {
        if (entries.some(entry => entry.isIntersecting)) {
          this.unwatch();
          this.open();
        }
      },
      { rootMargin: AHEAD }
    );
    this.observer.observe(this.node);
  }

  private unwatch(): void {
    this.observer?.disconnect();
    this.observer = null;
  }

  private open(): void {
    if (this.grid || this.token === null || this.isDisposed) {
      return;
    }
    const transport = this.around.session.open(TARGET, { result: this.token });
    if (!transport) {
      return;
    }
    this.grid = mountGrid(this.host.node, transport, {
      rows: this.limit ?? this.around.rows(),
      layouts: this.layouts(),
      planView: this.around.planView,
      onReady: () => {
        this.fallback?.hide();
        this.host.show();
      },
      onRefused: () => this.drop()
    });
  }

  private layouts(): LayoutMemory | undefined {
    const cell = this.node.closest('.jp-Cell');
    if (!cell) {
      return undefined;
    }
    const known = this.around.layouts.get(cell) ?? new Map();
    this.around.layouts.set(cell, known);
    return known;
  }

  /** Takes the grid away; the HTML stands again. */
  private drop(): void {
    this.unwatch();
    const grid = this.grid;
    this.grid = null;
    grid?.dispose();
    if (!this.isDisposed) {
      this.host.hide();
      this.fallback?.show();
    }
  }

  /** A grid that stands keeps its rows, and says itself that their kernel has ended; no other kernel has them. */
  private onKernel(): void {
    this.watch();
  }

  private onConnection(_: ISessionContext, status: Kernel.ConnectionStatus): void {
    if (status === 'connected' && this.lost) {
      this.lost = false;
      this.grid?.reconnected();
    } else if (status === 'connecting') {
      this.lost = true;
    }
  }

  private readonly host = new Widget();
  private fallback: IRenderMime.IRenderer | null = null;
  private grid: MountedGrid | null = null;
  private observer: IntersectionObserver | null = null;
  private token: string | null = null;
  private limit: number | null = null;
  private lost = false;
}
