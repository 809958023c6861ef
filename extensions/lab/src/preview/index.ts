import { ILabShell, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { MainAreaWidget } from '@jupyterlab/apputils';

import { tableIcon } from '../panels/icons';
import { readPreview, readTable } from '../panels/server';
import { IPanels } from '../panels/tokens';
import { ISettings } from '../tokens';
import { PreviewBody } from './body';
import { IPreview } from './tokens';

const ID = 'luma-bench-preview';

/** A preview beside the notebook; there is one, which shows whichever table was asked for last. */
const plugin: JupyterFrontEndPlugin<IPreview> = {
  id: 'luma-bench-lab:preview',
  autoStart: true,
  provides: IPreview,
  requires: [IPanels, ISettings],
  optional: [ILabShell],
  activate: (app: JupyterFrontEnd, panels: IPanels, settings: ISettings, lab: ILabShell | null): IPreview => {
    let shown: MainAreaWidget<PreviewBody> | null = null;
    const made = (): MainAreaWidget<PreviewBody> => {
      const content = new PreviewBody({
        rows: (bench, table, at, signal) => readPreview(bench, table, at, settings.previewRows, signal),
        columns: (bench, table, at) => readTable(bench, table, at)
      });
      const widget = new MainAreaWidget({ content });
      widget.id = ID;
      widget.title.icon = tableIcon;
      widget.title.closable = true;
      return widget;
    };
    return {
      show: (table, focus) => {
        const { bench, at } = panels.choice;
        if (bench === null) {
          return;
        }
        shown = shown === null || shown.isDisposed ? made() : shown;
        shown.title.label = at === null ? table : `${table} @ ${at}`;
        shown.title.caption = `${table} of ${bench}`;
        if (!shown.isAttached) {
          // Notebook 7 has room for one document only, and a side bar beside it.
          app.shell.add(shown, lab ? 'main' : 'right', { mode: 'split-right', activate: false });
        }
        if (focus || !shown.isVisible) {
          app.shell.activateById(ID);
        }
        void shown.content.read(bench, table, at);
      }
    };
  }
};

export default plugin;
