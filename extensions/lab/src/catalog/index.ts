import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';

import { readCatalog, readTable } from '../panels/server';
import { Commands, IPanels } from '../panels/tokens';
import { IPreview } from '../preview/tokens';
import { addCatalogCommands, CatalogDeeds } from './commands';
import { CatalogModel } from './model';
import { CatalogSection } from './section';

/** The catalog in the side bar, and its commands. */
const plugin: JupyterFrontEndPlugin<void> = {
  id: 'luma-bench-lab:catalog',
  autoStart: true,
  requires: [IPanels, IPreview],
  optional: [ICommandPalette],
  activate: (app: JupyterFrontEnd, panels: IPanels, preview: IPreview, palette: ICommandPalette | null): void => {
    const model = new CatalogModel({ catalog: readCatalog, table: readTable });
    const deeds = new CatalogDeeds(panels, preview);
    const section = new CatalogSection(model, panels.choice, deeds);
    panels.side.insertWidget(0, section);
    addCatalogCommands(app.commands, section, model, deeds, panels);
    palette?.addItem({ command: Commands.showCatalog, category: 'Luma Bench' });
  }
};

export default plugin;
