import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';

import { readSnapshots } from '../panels/server';
import { Commands, IPanels } from '../panels/tokens';
import { addTimelineCommands, lookAt } from './commands';
import { TimelineModel } from './model';
import { TimelineSection } from './section';

/** The snapshots in the side bar, and their commands. */
const plugin: JupyterFrontEndPlugin<void> = {
  id: 'luma-bench-lab:timeline',
  autoStart: true,
  requires: [IPanels],
  optional: [ICommandPalette],
  activate: (app: JupyterFrontEnd, panels: IPanels, palette: ICommandPalette | null): void => {
    const model = new TimelineModel(readSnapshots);
    const section = new TimelineSection(model, panels.choice, moment => lookAt(moment, model, panels));
    panels.side.addWidget(section);
    addTimelineCommands(app.commands, section, model, panels);
    app.commands.addCommand(Commands.filterTimeline, {
      label: 'Filter the Snapshots',
      describedBy: { args: { type: 'object', properties: { text: { type: 'string' } } } },
      execute: ({ text }) => {
        panels.show();
        section.filter(typeof text === 'string' ? text : '');
        section.focusSearch();
      }
    });
    palette?.addItem({ command: Commands.showTimeline, category: 'Luma Bench' });
  }
};

export default plugin;
