import type { PlotlyFigure } from './protocol';
import { GridError, type Requests } from './requests';

/** What the chart needs of plotly.js. */
export interface Plotly {
  newPlot(node: HTMLElement, data: object[], layout: object, config: object): Promise<unknown>;
  purge(node: HTMLElement): void;
  Plots: { resize(node: HTMLElement): void };
}

const KEY = Symbol.for('luma-bench.plotly');

type Page = Window & { Plotly?: Plotly; define?: unknown; [KEY]?: Promise<Plotly> };

/** plotly.js, which comes from the kernel, offline, once a page, whatever number of grids there are. */
export function loadPlotly(requests: Requests): Promise<Plotly> {
  const page = window as Page;
  const present = page[KEY];
  if (present) {
    return present;
  }
  const loading = fetchPlotly(requests, page);
  page[KEY] = loading;
  // A failure is not for ever: the next chart tries again.
  loading.catch(() => delete page[KEY]);
  return loading;
}

async function fetchPlotly(requests: Requests, page: Page): Promise<Plotly> {
  const { buffers } = await requests.ask({ type: 'plotly' }).reply;
  if (!buffers.length) {
    throw new GridError('The kernel sent no plotly.js.', 'Is plotly installed beside luma-bench?');
  }
  const url = URL.createObjectURL(new Blob([buffers[0] as unknown as BlobPart], { type: 'text/javascript' }));
  const before = page.Plotly;
  const loader = page.define;
  // A module loader on the page would take the script for itself.
  page.define = undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      const script = document.createElement('script');
      script.src = url;
      script.onload = () => resolve();
      script.onerror = () => reject(new GridError('The page did not run plotly.js.', 'Its security policy may forbid it.'));
      document.head.append(script);
      script.addEventListener('load', () => script.remove());
    });
    if (!page.Plotly) {
      throw new GridError('plotly.js did not start.');
    }
    return page.Plotly;
  } finally {
    page.define = loader;
    if (before) {
      page.Plotly = before;
    }
    URL.revokeObjectURL(url);
  }
}

/** Draws a figure in the colours of the page. */
export async function drawFigure(plotly: Plotly, node: HTMLElement, figure: PlotlyFigure): Promise<void> {
  const layout = inkedLayout(figure.layout ?? {}, getComputedStyle(node).color);
  layout.height = node.clientHeight || 360;
  await plotly.newPlot(node, figure.data, layout, {
    responsive: true,
    displaylogo: false,
    // Its button would send the figure to a server.
    modeBarButtonsToRemove: ['sendDataToCloud'],
    showSendToCloud: false
  });
}

/** A layout on no paper of its own, its texts in the page's ink and its lines in a thin one. */
export function inkedLayout(layout: Record<string, unknown>, ink: string): Record<string, unknown> {
  const parts = ink.match(/[\d.]+/g) ?? ['128', '128', '128'];
  const line = `rgba(${parts.slice(0, 3).join(', ')}, 0.18)`;
  const inked: Record<string, unknown> = {
    ...(recoloured(layout, ink) as Record<string, unknown>),
    paper_bgcolor: 'rgba(0, 0, 0, 0)',
    plot_bgcolor: 'rgba(0, 0, 0, 0)',
    autosize: true
  };
  inked.font = { ...(inked.font as object | undefined), color: ink };
  delete inked.width;
  for (const name of Object.keys(inked).filter(key => /^[xy]axis\d*$/.test(key))) {
    inked[name] = { ...(inked[name] as object), gridcolor: line, zerolinecolor: line, linecolor: line };
  }
  return inked;
}

/** The same with the page's ink in every font that has a colour. */
function recoloured(value: unknown, ink: string, isFont = false): unknown {
  if (Array.isArray(value)) {
    return value.map(item => recoloured(item, ink));
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, isFont && key === 'color' ? ink : recoloured(item, ink, /font$/i.test(key))])
  );
}
