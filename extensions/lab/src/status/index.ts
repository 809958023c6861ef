import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IStatusBar } from '@jupyterlab/statusbar';

import { NO_ARGUMENTS } from '../panels/plugin';
import { Commands, IPanels } from '../panels/tokens';
import type { Session } from '../session';
import { ISessions } from '../tokens';
import { StatusItem } from './item';

/** The status bar's item about the notebook in front, and the command that stops what runs there. */
const plugin: JupyterFrontEndPlugin<void> = {
  id: 'luma-bench-lab:status',
  autoStart: true,
  requires: [ISessions, IPanels],
  optional: [IStatusBar, ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    sessions: ISessions,
    panels: IPanels,
    bar: IStatusBar | null,
    palette: ICommandPalette | null
  ): void => {
    const item = new StatusItem({
      show: () => panels.show(),
      cancel: run => sessions.current?.cancel(run)
    });
    const show = (): void => {
      item.present({ state: sessions.current?.state ?? null, running: sessions.current?.running ?? [] });
      app.commands.notifyCommandChanged(Commands.cancel);
    };
    const follow = (session: Session): void => {
      session.changed.connect(show);
    };
    sessions.all().forEach(follow);
    sessions.added.connect((_, session) => follow(session));
    sessions.currentChanged.connect(show);
    app.commands.addCommand(Commands.cancel, {
      label: 'Stop the Running Statement',
      caption: 'The bench and its data stay as they were',
      isEnabled: () => (sessions.current?.running.length ?? 0) > 0,
      describedBy: NO_ARGUMENTS,
      execute: () => {
        const { current } = sessions;
        const run = current?.running.at(-1)?.run;
        if (current && run !== undefined) {
          current.cancel(run);
        }
      }
    });
    show();
    bar?.registerStatusItem('luma-bench-lab:status', { item, align: 'left', rank: 6, priority: 1 });
    palette?.addItem({ command: Commands.cancel, category: 'Luma Bench' });
  }
};

export default plugin;
