import { element } from './dom';
import type { GridModel } from './model';
import type { PlanReply } from './protocol';

/** Draws a plan that one can move about in; what is given back takes it away. */
export type PlanView = (host: HTMLElement, data: Record<string, unknown>, svg: string) => { dispose(): void };

/** The plan tab: how the statement ran, asked for when somebody looks. */
export class PlanPanel {
  readonly node = element('div', { class: 'lg-plan-tab', tabindex: 0, role: 'region', 'aria-label': 'Plan' });
  private asked = false;
  private shown: { dispose(): void } | null = null;

  constructor(
    private readonly model: GridModel,
    private readonly view: PlanView | undefined
  ) {}

  async show(): Promise<void> {
    if (this.asked) {
      return;
    }
    this.asked = true;
    try {
      const { message } = await this.model.run('Reading the plan', this.model.requests.ask<PlanReply>({ type: 'plan' }));
      if (this.view) {
        this.shown = this.view(this.node, message.profile, message.svg);
      } else {
        this.node.append(readSvg(message.svg));
      }
    } catch (error) {
      this.asked = false;
      this.model.fail(error);
    }
  }

  dispose(): void {
    this.shown?.dispose();
  }
}

/** A drawing of the plan drawer's, read as XML; anything in it that could run is left out. */
export function readSvg(text: string): Node {
  const parsed = new DOMParser().parseFromString(text, 'image/svg+xml');
  const drawing = parsed.documentElement;
  if (drawing.localName !== 'svg') {
    return element('div', { class: 'lg-error', text: 'The drawing of the plan cannot be read.' });
  }
  for (const node of [drawing, ...drawing.querySelectorAll('*')]) {
    if (['script', 'foreignObject', 'iframe'].includes(node.localName)) {
      node.remove();
      continue;
    }
    for (const { name, value } of [...node.attributes]) {
      if (name.startsWith('on') || (name.endsWith('href') && !value.startsWith('#'))) {
        node.removeAttribute(name);
      }
    }
  }
  return document.importNode(drawing, true);
}
