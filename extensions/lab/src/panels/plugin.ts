import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import type { CommandRegistry } from '@lumino/commands';

import { ISessions } from '../tokens';
import { Choice } from './choice';
import { cell, openingCell } from './code';
import { insertCells, isKadeQL } from './notebook';
import { readBenches, readSnapshots } from './server';
import { Side } from './side';
import { Commands, IPanels } from './tokens';
import { Watch } from './watch';

const CATEGORY = 'Luma Bench';

/** The side bar, and the commands about the bench it shows. */
const plugin: JupyterFrontEndPlugin<IPanels> = {
  id: 'luma-bench-lab:panels',
  autoStart: true,
  provides: IPanels,
  requires: [ISessions],
  optional: [ICommandPalette, ILayoutRestorer, IFileBrowserFactory],
  activate: (
    app: JupyterFrontEnd,
    sessions: ISessions,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    browsers: IFileBrowserFactory | null
  ): IPanels => {
    const choice = new Choice(sessions, readBenches);
    const side = new Side(choice);
    app.shell.add(side, 'left', { rank: 450, type: 'Luma Bench' });
    restorer?.add(side, Side.id);
    const newest = async (bench: string, signal: AbortSignal): Promise<number | null> =>
      (await readSnapshots(bench, null, 1, signal)).snapshots[0]?.id ?? null;
    const watch = new Watch(choice, () => side.isVisible && !document.hidden, newest);
    side.disposed.connect(() => watch.dispose());
    const panels = { choice, side, show: () => app.shell.activateById(Side.id) };
    addCommands(app.commands, panels);
    if (browsers) {
      addBrowsing(app.commands, panels, browsers);
    }
    for (const command of [Commands.refresh, Commands.newest, Commands.openBench, Commands.insertCell]) {
      palette?.addItem({ command, category: CATEGORY });
    }
    return panels;
  }
};

function addCommands(commands: CommandRegistry, { choice }: IPanels): void {
  commands.addCommand(Commands.refresh, {
    label: 'Read the Catalog and the Snapshots Anew',
    describedBy: NO_ARGUMENTS,
    execute: () => choice.refresh()
  });
  commands.addCommand(Commands.newest, {
    label: 'Look at the Newest Snapshot',
    caption: 'Catalog and previews show the bench as it is now',
    isEnabled: () => choice.back,
    describedBy: NO_ARGUMENTS,
    execute: () => choice.look(null)
  });
  commands.addCommand(Commands.openBench, {
    label: 'Insert a Cell that Opens This Bench',
    caption: 'Below the active cell of the notebook',
    isEnabled: () => choice.notebook !== null && choice.bench !== null,
    describedBy: NO_ARGUMENTS,
    execute: () => {
      const { notebook, bench } = choice;
      return notebook && bench !== null && insertCells(notebook, [openingCell(bench, isKadeQL(notebook))]);
    }
  });
  commands.addCommand(Commands.insertCell, {
    label: 'Insert a KadeQL Cell',
    caption: 'Below the active cell of the notebook',
    isEnabled: () => choice.notebook !== null,
    describedBy: NO_ARGUMENTS,
    execute: () => choice.notebook && insertCells(choice.notebook, [cell('', isKadeQL(choice.notebook), null)])
  });
}

/** A folder of the file browser that is a bench can be looked at. */
function addBrowsing(commands: CommandRegistry, panels: IPanels, browsers: IFileBrowserFactory): void {
  const chosen = (): string | null => {
    const item = browsers.tracker.currentWidget?.selectedItems().next().value;
    return item?.type === 'directory' && item.name.endsWith('.luma') ? item.path : null;
  };
  commands.addCommand(Commands.browse, {
    label: 'Show in the Luma Catalog',
    isVisible: () => chosen() !== null,
    describedBy: NO_ARGUMENTS,
    execute: async () => {
      const name = chosen();
      if (name !== null) {
        panels.show();
        await panels.choice.pickNamed(name);
      }
    }
  });
}

/** Of commands that take none. */
export const NO_ARGUMENTS = { args: { type: 'object', properties: {} } };

export default plugin;
