import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { Widget } from '@lumino/widgets';

import { PLAN_MIME } from './data';
import { mountPlan } from './index';

/** An output that holds a plan: the drawing that its HTML has, which folds and zooms here. */
class PlanOutput extends Widget implements IRenderMime.IRenderer {
  private shown: { dispose(): void } | null = null;

  constructor() {
    super();
    this.addClass('luma-plan-output');
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this.shown?.dispose();
    this.node.textContent = '';
    this.shown = mountPlan(this.node, model.data[PLAN_MIME], String(model.data['text/html'] ?? ''));
    if (!this.node.firstChild) {
      // The drawing is gone, as from a notebook whose HTML was taken out: its words stay.
      const words = document.createElement('pre');
      words.textContent = String(model.data['text/plain'] ?? '');
      this.node.append(words);
    }
  }

  override dispose(): void {
    this.shown?.dispose();
    super.dispose();
  }
}

const plugin: JupyterFrontEndPlugin<void> = {
  id: 'luma-bench-lab:plan-renderer',
  description: 'Shows plans that fold and zoom.',
  autoStart: true,
  requires: [IRenderMimeRegistry],
  activate: (_app: JupyterFrontEnd, rendermime: IRenderMimeRegistry) => {
    rendermime.addFactory(
      {
        // Safe: the drawing is rebuilt from a list of elements and attributes, and all text goes in as text.
        safe: true,
        mimeTypes: [PLAN_MIME],
        createRenderer: () => new PlanOutput()
      },
      40
    );
  }
};

export default plugin;
