/** What JupyterLab's and Lumino's modules expect of a browser and jsdom does not have. */
class NoDragEvent extends Event {}

const scope = globalThis as unknown as Record<string, unknown>;
scope['DragEvent'] ??= NoDragEvent;
scope['ResizeObserver'] ??= class {
  observe(): void {}
  unobserve(): void {}
  disconnect(): void {}
};
scope['matchMedia'] ??= () => ({ matches: false, addEventListener() {}, removeEventListener() {}, addListener() {}, removeListener() {} });
