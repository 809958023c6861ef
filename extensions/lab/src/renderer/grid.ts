import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';

import type { LayoutMemory } from '../grid';
import { mountPlan } from '../plan';
import type { Session } from '../session';
import { ISessions, ISettings } from '../tokens';
import { GRID_TYPE, GridOutput } from './output';

/** Before HTML, which stands at 50: what shows the grid shows the HTML too. */
const RANK = 30;

const plugin: JupyterFrontEndPlugin<void> = {
  id: 'luma-bench-lab:grid-renderer',
  autoStart: true,
  requires: [ISessions],
  optional: [ISettings],
  activate: (_app: JupyterFrontEnd, sessions: ISessions, settings: ISettings | null) => {
    const serve = (session: Session): void => {
      const { rendermime } = session.panel.content;
      const layouts = new WeakMap<Element, LayoutMemory>();
      rendermime.addFactory(
        {
          // Nothing of the output's own runs: it names a result of the kernel, and its HTML goes the way of all HTML.
          safe: true,
          mimeTypes: [GRID_TYPE],
          createRenderer: () =>
            new GridOutput({ session, rendermime, layouts, rows: () => settings?.gridRows ?? 14, planView: mountPlan })
        },
        RANK
      );
    };
    sessions.all().forEach(serve);
    sessions.added.connect((_, session) => serve(session));
  }
};

export default plugin;
