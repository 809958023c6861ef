import { readPlan } from './data';
import { readDrawing } from './drawing';
import { PlanView } from './view';

/**
 * Shows a plan that one can move about in.
 *
 * `data` are those of `application/vnd.luma-bench.plan+json`, `markup` holds the drawing: the SVG, or HTML around it. Where
 * the two do not fit one another, the drawing stands as it is; where there is none, nothing does. What is given back takes
 * it away again.
 */
export function mountPlan(host: HTMLElement, data: unknown, markup: string): { dispose(): void } {
  const plan = readPlan(data);
  const svg = readDrawing(markup);
  let shown: Element | null = svg;
  if (svg && plan && plan.steps.every(step => svg.querySelector(`g.luma-step[data-step="${step.id}"]`))) {
    shown = new PlanView(plan, svg).node;
  }
  if (shown) {
    host.append(shown);
  }
  return { dispose: () => shown?.remove() };
}
